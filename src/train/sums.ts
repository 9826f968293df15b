/** Loss and hits added up on the device, so that training reads them only when somebody looks. */

import type { Shape } from "../core/shape.js";
import { State } from "../graph/state.js";
import type { Tensor } from "../graph/tensor.js";
import { zeros } from "../ops/create.js";
import { add, mul, sub } from "../ops/elementwise/arithmetic.js";
import { equal } from "../ops/elementwise/comparison.js";
import { cast } from "../ops/elementwise/select.js";
import { argmax } from "../ops/reduce/extreme.js";
import { sum } from "../ops/reduce/sum.js";
import { detach } from "../ops/shape/reshape.js";
import { combineScores, type sumTasks, type TaskScores, TaskTotals } from "./tasks/losses.js";
import type { Tasks } from "./tasks/task.js";

/** Scores are read for display, and checked for NaN, about this often. */
const readEveryMilliseconds = 200;

/** Means over the samples added so far. */
export interface Scores {
  /** With several tasks the sum of their losses, each times its weight. */
  readonly loss: number;
  /**
   * Share of samples whose class was predicted, 0 … 1; with an `objective`, of what it calls right. With several tasks the mean over
   * those of classes; NaN where there is none.
   */
  readonly accuracy: number;
  readonly count: number;
  /** Of each task, where there are several. */
  readonly tasks?: Readonly<Record<string, TaskScores>> | undefined;
}

/** The sums as numbers, to go on from; of several tasks those of each, as `smile.loss`. */
export interface SavedSums extends Readonly<Record<string, number>> {
  readonly loss: number;
  readonly hits: number;
  readonly count: number;
}

/**
 * How many samples have their class predicted.
 *
 * @param mixed where pictures are mixed of two, the labels of the others and the share of the first: hits count by share
 */
export function classHits(
  logits: Tensor,
  labels: Tensor<Shape, "int32">,
  mixed?: { readonly labels: Tensor<Shape, "int32">; readonly share: Tensor<[]> },
): Tensor {
  const predicted = argmax(detach(logits), 1);
  const hitsOf = (labels: Tensor<Shape, "int32">) => sum(cast(equal(predicted, labels), "float32"));
  if (mixed === undefined) return hitsOf(labels);
  return add(mul(hitsOf(labels), mixed.share), mul(hitsOf(mixed.labels), sub(1, mixed.share))) as Tensor;
}

export class Sums {
  readonly #loss = new State(zeros([]));
  readonly #hits = new State(zeros([]));
  readonly #tasks: Tasks | undefined;
  readonly #totals: TaskTotals | undefined;
  #count = 0;

  constructor(tasks?: Tasks) {
    this.#tasks = tasks;
    this.#totals = tasks && new TaskTotals(tasks);
  }

  /**
   * Records that a batch is added: call it where the batch's program is recorded.
   *
   * @param hits how many of its samples are right
   */
  record(loss: Tensor, hits: Tensor, samples: number): void {
    this.#loss.assign(add(this.#loss, mul(detach(loss), samples)) as Tensor<[]>);
    this.#hits.assign(add(this.#hits, hits) as Tensor<[]>);
  }

  /** The same where there are several tasks. */
  recordTasks(sums: ReturnType<typeof sumTasks>): void {
    this.#totals?.record(sums);
  }

  /** Samples counted so far. */
  get count(): number {
    return this.#count;
  }

  /** Counts the samples of a batch whose program has been submitted. */
  counted(samples: number): void {
    this.#count += samples;
  }

  reset(): void {
    this.#totals?.reset();
    this.#set(0, 0, 0);
  }

  restore(saved: SavedSums): void {
    this.#totals?.restore(saved);
    this.#set(saved.loss, saved.hits, saved.count);
  }

  #set(loss: number, hits: number, count: number): void {
    this.#loss.assign(add(zeros([]), loss) as Tensor<[]>);
    this.#hits.assign(add(zeros([]), hits) as Tensor<[]>);
    this.#count = count;
  }

  async saved(): Promise<SavedSums> {
    const count = this.#count;
    const [loss, hits, tasks] = await Promise.all([
      this.#loss.value.item(),
      this.#hits.value.item(),
      this.#totals?.saved(),
    ]);
    return { ...tasks, loss, hits, count };
  }

  async scores(): Promise<Scores> {
    const saved = await this.saved();
    const { loss, hits, count } = saved;
    if (this.#tasks === undefined || this.#totals === undefined)
      return { loss: loss / count, accuracy: hits / count, count };
    const tasks = this.#totals.scores(saved);
    return { ...combineScores(this.#tasks, tasks), count, tasks };
  }
}

/** Scores to show, read now and then; training does not wait for them. */
export class ScoreDisplay {
  #asked = performance.now();
  #reading: Promise<void> | undefined;
  #scores: Scores | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(private readonly read: () => Promise<Scores>) {}

  /** The latest scores that have come, if any. @throws what reading them failed with */
  look(): Scores | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#reading === undefined && performance.now() - this.#asked > readEveryMilliseconds) {
      this.#asked = performance.now();
      this.#reading = this.read().then(
        (scores) => {
          this.#scores = scores;
          this.#reading = undefined;
        },
        (error: unknown) => {
          this.#failure = { error };
        },
      );
    }
    return this.#scores;
  }

  async finish(): Promise<void> {
    await this.#reading;
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
