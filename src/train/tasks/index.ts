/**
 * Several tasks for one network: what it is asked, by name.
 *
 * @example
 * const asked = { smile: tasks.classification(["no smile", "smile"]), age: tasks.regression({ mean: 49, std: 18 }) };
 * const trainer = new Trainer(model, { optimizer, tasks: asked });
 */

export type { TaskScores } from "./losses.js";
export { TaskOutputs } from "./outputs.js";
export { type Answer, type PredictTasksOptions, predict, type TaskPrediction, TaskPredictor } from "./predict.js";
export {
  type ClassificationTask,
  type ClassificationTaskOptions,
  classification,
  meanAndStd,
  type RegressionTask,
  type RegressionTaskOptions,
  regression,
  type Task,
  type Tasks,
  totalWidth,
} from "./task.js";
