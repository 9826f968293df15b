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

/** Scores are read for display, and checked for NaN, about this often. */
const readEveryMilliseconds = 200;

/** Means over the samples added so far. */
export interface Scores {
  readonly loss: number;
  /** Share of samples whose class was predicted, 0 … 1. */
  readonly accuracy: number;
  readonly count: number;
}

/** The two sums as numbers, to go on from. */
export interface SavedSums {
  readonly loss: number;
  readonly hits: number;
  readonly count: number;
}

export class Sums {
  readonly #loss = new State(zeros([]));
  readonly #hits = new State(zeros([]));
  #count = 0;

  /**
   * Records that a batch is added: call it where the batch's program is recorded.
   *
   * @param mixed where pictures are mixed of two, the labels of the others and the share of the first: hits count by share
   */
  record(
    loss: Tensor,
    logits: Tensor,
    labels: Tensor<Shape, "int32">,
    mixed?: { readonly labels: Tensor<Shape, "int32">; readonly share: Tensor<[]> },
  ): void {
    const predicted = argmax(detach(logits), 1);
    const hitsOf = (labels: Tensor<Shape, "int32">) => sum(cast(equal(predicted, labels), "float32"));
    const hits =
      mixed === undefined
        ? hitsOf(labels)
        : add(mul(hitsOf(labels), mixed.share), mul(hitsOf(mixed.labels), sub(1, mixed.share)));
    this.#loss.assign(add(this.#loss, mul(detach(loss), labels.size)) as Tensor<[]>);
    this.#hits.assign(add(this.#hits, hits) as Tensor<[]>);
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
    this.restore({ loss: 0, hits: 0, count: 0 });
  }

  restore({ loss, hits, count }: SavedSums): void {
    this.#loss.assign(add(zeros([]), loss) as Tensor<[]>);
    this.#hits.assign(add(zeros([]), hits) as Tensor<[]>);
    this.#count = count;
  }

  async saved(): Promise<SavedSums> {
    const count = this.#count;
    const [loss, hits] = await Promise.all([this.#loss.value.item(), this.#hits.value.item()]);
    return { loss, hits, count };
  }

  async scores(): Promise<Scores> {
    const { loss, hits, count } = await this.saved();
    return { loss: loss / count, accuracy: hits / count, count };
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
