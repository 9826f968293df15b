/** Drawing the settings of an op at random, and remembering which unusual ones came up. */

import type { DType } from "../../../src/core/dtype.js";
import { RandomStream } from "../../../src/core/philox.js";
import { type Shape, sizeOf } from "../../../src/core/shape.js";
import type { SampleInput } from "../../../src/graph/op.js";

/** One call of an op. */
export interface Configuration {
  readonly inputs: Readonly<Record<string, SampleInput>>;
  readonly params: object;
}

export class Draw extends RandomStream {
  /** What is out of the ordinary in what has been drawn, such as `empty batch`. */
  readonly traits = new Set<string>();

  pick<T>(list: readonly T[]): T {
    return list[this.integer(list.length)];
  }

  /** From `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.integer(most - least + 1);
  }

  /** True one time in `times`. */
  oneIn(times: number): boolean {
    return this.integer(times) === 0;
  }

  pair(least: number, most: number): [number, number] {
    return [this.between(least, most), this.between(least, most)];
  }

  /** Notes what came up. */
  trait(name: string, holds: boolean): void {
    if (holds) this.traits.add(name);
  }

  /** Mostly small; often 1, odd or prime. */
  length(most = 17): number {
    const length = this.pick([1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17].filter((each) => each <= most));
    this.trait("length 1", length === 1);
    this.trait("odd length", length % 2 === 1 && length > 1);
    this.trait("prime length", length > 3 && [5, 7, 11, 13, 17].includes(length));
    return length;
  }

  /** A number of samples; now and then none. */
  batch(): number {
    const batch = this.oneIn(10) ? 0 : this.between(1, 4);
    this.trait("empty batch", batch === 0);
    return batch;
  }

  /** Lengths of `least` to `most` axes; now and then one of 0. */
  shape(least: number, most: number, { longest = 9, empty = true } = {}): number[] {
    const rank = this.between(least, most);
    const shape = Array.from({ length: rank }, () => this.length(longest));
    // What is long in several directions takes long, and shows nothing that two of them do not.
    for (let axis = 0; axis < rank && sizeOf(shape) > 3000; axis++) shape[axis] = Math.min(shape[axis], 3);
    this.trait("no axes", rank === 0);
    this.trait("five axes", rank >= 5);
    if (empty && rank > 0 && this.oneIn(12)) {
      shape[this.integer(rank)] = 0;
      this.traits.add("empty");
    }
    return shape;
  }

  /** Values of any type; small integers for those that hold integers. */
  anyType(shape: Shape): SampleInput {
    const dtype = this.pick<DType>(["float32", "float32", "float32", "int32", "uint8", "bool"]);
    this.trait(dtype, dtype !== "float32");
    return { shape, dtype, below: dtype === "bool" ? 2 : 100 };
  }

  indices(shape: Shape, below: number): SampleInput {
    return { shape, dtype: "int32", below };
  }
}

export function floats(shape: Shape): SampleInput {
  return { shape, dtype: "float32" };
}
