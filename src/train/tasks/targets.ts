/** What a model answers to each task, and what the answers are compared with. */

import { ArgumentError, DataError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import type { ImageBatch } from "../../data/batches.js";
import { Tensor } from "../../graph/tensor.js";
import { tensorOver } from "../../ops/create.js";
import { reshape } from "../../ops/shape/reshape.js";
import { slice } from "../../ops/shape/slice.js";
import { type Task, type Tasks, totalWidth } from "./task.js";

/**
 * What a model gives for each task: N×K scores of classes, N numbers.
 *
 * @param outputs by name; or one tensor, whose columns belong to the tasks in their order
 */
export function outputsByTask(
  tasks: Tasks,
  outputs: Tensor | Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  if (!(outputs instanceof Tensor)) {
    return mapTasks(tasks, (task, name) => {
      if (outputs[name] !== undefined) return checkOutput(name, task, outputs[name]);
      throw new ArgumentError(
        `tasks: the model has no head ${JSON.stringify(name)}, only ${Object.keys(outputs).join(", ")}. Fix: name tasks as heads are.`,
      );
    });
  }
  const width = totalWidth(tasks);
  if (outputs.rank !== 2 || outputs.shape[1] !== width) {
    const parts = Object.entries(tasks).map(([name, task]) => `${task.width} for ${name}`);
    throw new ShapeError(
      `tasks: the model gives ${formatShape(outputs.shape)}. Expected N×${width}: ${parts.join(", ")}. Fix: a last layer of ${width}, or an nn.MultiHead.`,
    );
  }
  let start = 0;
  return mapTasks(tasks, (task, name) => {
    const columns = slice(outputs, null, [start, start + task.width]) as Tensor;
    start += task.width;
    return checkOutput(name, task, columns);
  });
}

function checkOutput(name: string, { kind, width }: Task, output: Tensor): Tensor {
  const [samples] = output.shape;
  if (kind === "regression" && output.size === samples) return reshape(output, [samples]);
  if (kind === "classification" && output.rank === 2 && output.shape[1] === width) return output;
  const expected = kind === "regression" ? "N×1, a number for each sample" : `N×${width}, a score for each class`;
  throw new ShapeError(`tasks: the model gives ${formatShape(output.shape)} for ${name}. Expected ${expected}.`);
}

/** Any batch, whose labels are fields of its own. */
type LabelledBatch = Pick<ImageBatch, "size" | "indices">;

/** What one task is to answer for a batch. */
export type Targets = {
  /** N class numbers (int32) or N numbers (float32), 0 where nothing is known. */
  readonly values: Tensor<Shape, "int32"> | Tensor;
  /** N times 1 where the answer is known, 0 where it is not. */
  readonly known: Tensor;
};

export type TargetsByTask = Readonly<Record<string, Targets>>;

/**
 * What the tasks are to answer for a batch. Unknown are class numbers below 0, and NaN.
 *
 * @throws DataError where the batch has no such values, or a class number is none
 */
export function targetsOf(tasks: Tasks, batch: LabelledBatch): TargetsByTask {
  const fields: Readonly<Record<string, unknown>> = { ...batch };
  return mapTasks(tasks, (task, name) => {
    const { target = name } = task;
    const given = fields[target];
    if (!isNumbers(given) || given.length !== batch.size) {
      const found = isNumbers(given) ? `${given.length} values` : "no values";
      throw new DataError(
        `tasks: a batch of ${batch.size} samples has ${found} named ${target}. Expected one for each. Fix: annotate(data, { ${JSON.stringify(target)}: … }), or the task's option target.`,
      );
    }
    const known = new Float32Array(batch.size);
    const values = task.kind === "classification" ? new Int32Array(batch.size) : new Float32Array(batch.size);
    for (let i = 0; i < batch.size; i++) {
      if (!isKnown(task, given[i])) continue;
      known[i] = 1;
      values[i] = checkTarget(task, target, given[i], batch.indices[i]);
    }
    const shape = [batch.size];
    return {
      values: values instanceof Int32Array ? tensorOver(values, shape, "int32") : tensorOver(values, shape, "float32"),
      known: tensorOver(known, shape, "float32"),
    };
  });
}

function isKnown({ kind }: Task, value: number): boolean {
  return !Number.isNaN(value) && (kind === "regression" || value >= 0);
}

/** What is the right answer for one sample of a batch, if that is known. */
export function knownTarget(task: Task, name: string, batch: LabelledBatch, sample: number): number | null {
  const fields: Readonly<Record<string, unknown>> = { ...batch };
  const given = fields[task.target ?? name];
  return isNumbers(given) && isKnown(task, given[sample]) ? given[sample] : null;
}

function isNumbers(value: unknown): value is Int32Array | Float32Array | Uint8Array {
  return value instanceof Int32Array || value instanceof Float32Array || value instanceof Uint8Array;
}

/** The value as the model is to give it. */
function checkTarget(task: Task, target: string, value: number, sample: number): number {
  if (task.kind === "regression") {
    if (Number.isFinite(value)) return (value - task.mean) / task.std;
    throw new DataError(
      `tasks: ${target} of sample ${sample} is ${value}. Expected a finite number, or NaN for unknown.`,
    );
  }
  if (Number.isInteger(value) && value < task.width) return value;
  throw new DataError(
    `tasks: ${target} of sample ${sample} is ${value}. Expected a class number from 0 to ${task.width - 1}, or -1 for unknown.`,
  );
}

/** One value for each task. */
export function mapTasks<Value>(tasks: Tasks, make: (task: Task, name: string) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, make(task, name)]));
}
