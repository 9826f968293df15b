/** Optimizers and learning-rate schedules. */

export * from "./adam.js";
export {
  type GroupSettings,
  Optimizer,
  type OptimizerState,
  type ParameterGroup,
  type Trainable,
} from "./optimizer.js";
export * from "./schedules.js";
export * from "./sgd.js";
