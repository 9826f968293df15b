/** Several things to learn at once, each by its name. */

import { ArgumentError, DataError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import type { TaskKind } from "../../nn/layers/uncertaintyWeights.js";
import { crossEntropy } from "../../nn/losses/classification.js";
import { mseLoss } from "../../nn/losses/regression.js";

type Labels = Tensor<Shape, "int32">;

interface TaskOptions {
  /** How much its loss counts in the sum. Default 1. */
  readonly weight?: number | undefined;
  /** The values of the batches that it learns, by name: `gender`, `age`. Default: the task's own name. */
  readonly target?: string | undefined;
}

interface TaskBase {
  readonly kind: TaskKind;
  readonly weight: number;
  readonly target: string | undefined;
  /** Numbers that the model gives for each sample. */
  readonly width: number;
}

/** To name a class. */
export interface ClassificationTask extends TaskBase {
  readonly kind: "classification";
  readonly classNames: readonly string[];
  /** N losses of N×K scores and N class numbers. */
  readonly loss: (scores: Tensor, labels: Labels) => Tensor;
}

/** To give a number. */
export interface RegressionTask extends TaskBase {
  readonly kind: "regression";
  /** What the model gives for the number n is (n − mean) / std, so that tasks in years and in metres have losses alike. */
  readonly mean: number;
  readonly std: number;
  /** N losses of N numbers and N targets, both less the mean and divided by the standard deviation. */
  readonly loss: (numbers: Tensor, targets: Tensor) => Tensor;
}

export type Task = ClassificationTask | RegressionTask;
export type Tasks = Readonly<Record<string, Task>>;

export interface ClassificationTaskOptions extends TaskOptions {
  /** Of N×K scores and N class numbers the loss of each sample. Default: cross-entropy. */
  readonly loss?: ClassificationTask["loss"] | undefined;
}

export interface RegressionTaskOptions extends TaskOptions {
  /** Default 0 and 1: numbers as they are. `meanAndStd(train.annotations.age)` gives those of a training set. */
  readonly mean?: number | undefined;
  readonly std?: number | undefined;
  /** Of N numbers and N targets the loss of each sample. Default: the square of the difference. */
  readonly loss?: RegressionTask["loss"] | undefined;
}

/**
 * A task of a `Trainer`: to tell classes apart.
 *
 * @param classes their names, or how many there are
 * @example new Trainer(model, { optimizer, tasks: { smile: tasks.classification(["no smile", "smile"]) } });
 */
export function classification(
  classes: readonly string[] | number,
  { weight = 1, target, loss }: ClassificationTaskOptions = {},
): ClassificationTask {
  const classNames = typeof classes === "number" ? Array.from({ length: classes }, (_, i) => String(i)) : classes;
  if (classNames.length < 2)
    throw new ArgumentError(`classification: there are ${classNames.length} classes. Expected at least two.`);
  checkWeight("classification", weight);
  const usual = (scores: Tensor, labels: Labels) => crossEntropy(scores, labels, { reduction: "none" });
  return { kind: "classification", classNames, width: classNames.length, weight, target, loss: loss ?? usual };
}

/**
 * A task of a `Trainer`: to tell a number, such as an age.
 *
 * @example tasks.regression(tasks.meanAndStd(train.annotations.age))
 */
export function regression({
  mean = 0,
  std = 1,
  weight = 1,
  target,
  loss,
}: RegressionTaskOptions = {}): RegressionTask {
  if (!Number.isFinite(mean) || !(std > 0 && Number.isFinite(std)))
    throw new ArgumentError(`regression: mean is ${mean} and std ${std}. Expected finite numbers, std above 0.`);
  checkWeight("regression", weight);
  const usual = (numbers: Tensor, targets: Tensor) => mseLoss(numbers, targets, { reduction: "none" });
  return { kind: "regression", width: 1, mean, std, weight, target, loss: loss ?? usual };
}

/** Mean and standard deviation of the values that are known, those that are not NaN. */
export function meanAndStd(values: ArrayLike<number>): { readonly mean: number; readonly std: number } {
  const known = Array.from(values).filter((value) => !Number.isNaN(value));
  if (known.length === 0) throw new DataError("meanAndStd: no value is known. Expected at least one that is not NaN.");
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length;
  // Values that are all alike have no spread to divide by.
  return { mean, std: Math.sqrt(variance) || 1 };
}

function checkWeight(what: string, weight: number): void {
  if (!(weight >= 0 && Number.isFinite(weight)))
    throw new ArgumentError(`${what}: weight is ${weight}. Expected a finite number of 0 or more.`);
}

/** How many numbers a model gives for each sample where one layer answers all tasks: `numClasses` of a network. */
export function totalWidth(tasks: Tasks): number {
  return Object.values(tasks).reduce((sum, { width }) => sum + width, 0);
}

/**
 * Tasks as a checkpoint keeps them; losses of one's own are not kept, for answers do not depend on them.
 *
 * @throws ArgumentError for what describes no tasks
 */
export function tasksFromJson(json: unknown): Tasks {
  const entries = json !== null && typeof json === "object" && !Array.isArray(json) ? Object.entries(json) : [];
  if (entries.length === 0) throw new ArgumentError("the tasks are not described");
  return Object.fromEntries(entries.map(([name, task]) => [name, taskFromJson(name, task)]));
}

function taskFromJson(name: string, json: unknown): Task {
  const fields: Readonly<Record<string, unknown>> = json !== null && typeof json === "object" ? { ...json } : {};
  const { kind, classNames, mean, std, weight, target } = fields;
  const options = {
    ...(typeof weight === "number" && { weight }),
    ...(typeof target === "string" && { target }),
  };
  if (kind === "classification" && Array.isArray(classNames) && classNames.every((each) => typeof each === "string"))
    return classification(classNames, options);
  if (kind === "regression" && typeof mean === "number" && typeof std === "number")
    return regression({ mean, std, ...options });
  throw new ArgumentError(`the task ${name} is neither a classification nor a regression`);
}
