/** Losses and scores of several tasks on a batch, and their sums over an epoch, kept on the device. */

import { StateDictError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import { State } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import type { UncertaintyWeights } from "../../nn/layers/uncertaintyWeights.js";
import { tensorOver, zeros } from "../../ops/create.js";
import { add, div, maximum, minimum, mul, sub } from "../../ops/elementwise/arithmetic.js";
import { equal } from "../../ops/elementwise/comparison.js";
import { abs } from "../../ops/elementwise/functions.js";
import { cast } from "../../ops/elementwise/select.js";
import { argmax } from "../../ops/reduce/extreme.js";
import { sum } from "../../ops/reduce/sum.js";
import { detach } from "../../ops/shape/reshape.js";
import { mapTasks, outputsByTask, type Targets, type TargetsByTask } from "./targets.js";
import type { Task, Tasks } from "./task.js";

/** What one task came to, over the samples whose answer is known. */
export type TaskScores = {
  /** Mean loss; null where no answer is known. */
  readonly loss: number | null;
  /** Samples whose answer is known. */
  readonly count: number;
} & (
  | {
      readonly kind: "classification";
      /** Share of them whose class was predicted, 0 … 1. */
      readonly accuracy: number | null;
    }
  | {
      readonly kind: "regression";
      /** Mean absolute difference, in the target's unit. */
      readonly error: number | null;
    }
);

/** Sums over the samples of a batch whose answer is known. */
interface TaskSum {
  readonly loss: Tensor;
  /** Hits, or absolute differences. */
  readonly score: Tensor;
  readonly count: Tensor;
}

/**
 * What each task comes to on a batch.
 *
 * @param outputs of the model: by name, or one tensor with columns for each task
 */
export function sumTasks(
  tasks: Tasks,
  outputs: Tensor | Readonly<Record<string, Tensor>>,
  targets: TargetsByTask,
): Record<string, TaskSum> {
  const answers = outputsByTask(tasks, outputs);
  return mapTasks(tasks, (task, name) => sumTask(task, answers[name], targets[name]));
}

function sumTask(task: Task, output: Tensor, { values, known }: Targets): TaskSum {
  const count = sum(known);
  if (task.kind === "classification") {
    const labels = values as Tensor<Shape, "int32">;
    const hits = mul(cast(equal(argmax(detach(output), 1), labels), "float32"), known);
    return { loss: sum(mul(task.loss(output, labels), known)), score: sum(hits), count };
  }
  const targets = values as Tensor;
  const differences = mul(abs(sub(detach(output), targets)), task.std);
  return { loss: sum(mul(task.loss(output, targets), known)), score: sum(mul(differences, known)), count };
}

/**
 * The loss to train on: the sum of the tasks' mean losses, each times its weight and, where weights are learnt, by its
 * uncertainty. A task without a known answer in the batch adds nothing.
 */
export function totalLoss(
  tasks: Tasks,
  sums: Readonly<Record<string, TaskSum>>,
  learned: UncertaintyWeights | undefined,
): Tensor {
  const losses = mapTasks(tasks, ({ weight }, name) => {
    const { loss, count } = sums[name];
    return mul(div(loss, maximum(count, 1)), weight) as Tensor;
  });
  if (learned === undefined) return Object.values(losses).reduce((total, loss) => add(total, loss) as Tensor);
  return learned(
    losses,
    mapTasks(tasks, (_, name) => minimum(sums[name].count, 1) as Tensor),
  );
}

const parts = ["loss", "score", "count"] as const;

/** The sums over an epoch. */
export class TaskTotals {
  readonly #tasks: Tasks;
  readonly #states: Readonly<Record<string, Readonly<Record<(typeof parts)[number], State<[]>>>>>;

  constructor(tasks: Tasks) {
    this.#tasks = tasks;
    this.#states = mapTasks(tasks, () => ({
      loss: new State(zeros([])),
      score: new State(zeros([])),
      count: new State(zeros([])),
    }));
  }

  /** Records that a batch is added: call it where the batch's program is recorded. */
  record(sums: Readonly<Record<string, TaskSum>>): void {
    for (const [name, states] of Object.entries(this.#states)) {
      for (const part of parts) states[part].assign(add(states[part], detach(sums[name][part])) as Tensor<[]>);
    }
  }

  reset(): void {
    this.restore(
      Object.fromEntries(Object.keys(this.#states).flatMap((name) => parts.map((part) => [`${name}.${part}`, 0]))),
    );
  }

  /** Goes on from what `saved` gave. */
  restore(saved: Readonly<Record<string, number>>): void {
    for (const [name, states] of Object.entries(this.#states)) {
      for (const part of parts) {
        const value: number | undefined = saved[`${name}.${part}`];
        if (value === undefined)
          throw new StateDictError(
            `the saved training has no task ${name}. Expected the tasks ${Object.keys(this.#tasks).join(", ")}. Fix: give the trainer the tasks that it was started with.`,
          );
        states[part].assign(tensorOver(Float32Array.of(value), [], "float32"));
      }
    }
  }

  /** The sums as numbers, named `smile.loss` and so on. */
  async saved(): Promise<Record<string, number>> {
    const read = Object.entries(this.#states).flatMap(([name, states]) =>
      parts.map(async (part) => [`${name}.${part}`, await states[part].value.item()] as const),
    );
    return Object.fromEntries(await Promise.all(read));
  }

  /** Means of what `saved` gave. */
  scores(saved: Readonly<Record<string, number>>): Record<string, TaskScores> {
    return mapTasks(this.#tasks, ({ kind }, name): TaskScores => {
      const count = saved[`${name}.count`];
      const meanOf = (part: "loss" | "score") => (count === 0 ? null : saved[`${name}.${part}`] / count);
      const [loss, score] = [meanOf("loss"), meanOf("score")];
      return kind === "classification" ? { kind, loss, accuracy: score, count } : { kind, loss, error: score, count };
    });
  }
}

/** One loss and one accuracy of all tasks: the sum of their losses by weight, and the mean of their accuracies, NaN of none. */
export function combineScores(
  tasks: Tasks,
  scores: Readonly<Record<string, TaskScores>>,
): { readonly loss: number; readonly accuracy: number } {
  let loss = 0;
  const accuracies: number[] = [];
  for (const [name, task] of Object.entries(tasks)) {
    const each = scores[name];
    loss += task.weight * (each.loss ?? 0);
    if (each.kind === "classification" && each.accuracy !== null) accuracies.push(each.accuracy);
  }
  const sum = accuracies.reduce((total, accuracy) => total + accuracy, 0);
  return { loss, accuracy: sum / accuracies.length };
}
