/**
 * Where random numbers come from: a seed and the number of the draw. Each draw is a Philox stream of its own, so its
 * numbers depend on nothing else, and computing them again gives the same ones.
 */

import { ArgumentError } from "../../core/errors.js";
import { splitSeed } from "../../core/philox.js";
import { currentTrace } from "../../graph/context.js";
import { defaultDevice } from "../../graph/device.js";
import { Tensor } from "../../graph/tensor.js";

/** A sequence of draws. Save `seed` and `position` to go on from the same place. */
export class Generator {
  #seed = 0;
  /** Draws made so far. */
  position = 0;

  constructor(seed = 0) {
    this.seed = seed;
  }

  get seed(): number {
    return this.#seed;
  }

  /** Starts again from a seed: an integer of 0 or more. */
  set seed(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new ArgumentError(`the seed is ${seed}. Expected an integer from 0 to ${Number.MAX_SAFE_INTEGER}.`);
    }
    this.#seed = seed;
    this.position = 0;
  }

  /** The four words that name the next draw. @internal */
  next(): Int32Array<ArrayBuffer> {
    const position = this.position++;
    const [low, high] = splitSeed(this.#seed);
    return Int32Array.of(low, high, position, Math.floor(position / 2 ** 32));
  }
}

/** The generator that is used where none is given. */
export const defaultGenerator = new Generator();

/** Seeds everything random: initial weights, dropout, `uniform`, `normal`. The same seed gives the same bits. */
export function manualSeed(seed: number): void {
  defaultGenerator.seed = seed;
}

/**
 * A draw as an input of random ops. Outside `compile` it is made once, so that computing a value again gives the same;
 * in a compiled function each run makes its own.
 */
export function drawFrom(generator: Generator): Tensor<[4], "int32"> {
  return new Tensor<[4], "int32">([4], "int32", defaultDevice(), drawOrigin(generator));
}

function drawOrigin(generator: Generator): { readonly kind: "draw"; readonly read: () => Int32Array<ArrayBuffer> } {
  if (currentTrace() !== null) return { kind: "draw", read: () => generator.next() };
  const words = generator.next();
  return { kind: "draw", read: () => words };
}
