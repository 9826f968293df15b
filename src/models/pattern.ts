/** Networks from the lecture's pattern (L4): `[(CONV-RELU)*N POOL?]*M (FC-RELU)*K SOFTMAX`. */

import { checkCount, show } from "../core/check.js";
import { ArgumentError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { ReLU, Sigmoid, Tanh } from "../nn/layers/activation.js";
import { BatchNorm1d, BatchNorm2d } from "../nn/layers/batchNorm.js";
import type { Layer } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { Linear } from "../nn/layers/linear.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { type Chain, ChainNetwork } from "./chain.js";
import { type Choices, expandPattern, type Step, type Word } from "./pattern-grammar.js";

export interface PatternOptions {
  /** Channels, height and width of the pictures. */
  readonly inputShape: readonly [channels: number, height: number, width: number];
  readonly numClasses: number;
  /**
   * Channels that convolutions give before the first POOL; they double at each. A list says how many there are before the
   * first, between the first and the second, and so on. Default 32.
   */
  readonly channels?: number | readonly number[];
  /** Units of each FC; a list says them one by one. Default 128. */
  readonly units?: number | readonly number[];
  /** Side of the filters of CONV, which are padded so that maps keep their size. Default 3. */
  readonly kernelSize?: number;
  /** Side and stride of the windows of POOL, which keeps the largest value. Default 2. */
  readonly poolSize?: number;
  /** Share of units that DROPOUT drops. Default 0.5. */
  readonly dropout?: number;
  /** What N stands for in the pattern. */
  readonly N?: number;
  /** What M stands for in the pattern. */
  readonly M?: number;
  /** What K stands for in the pattern. */
  readonly K?: number;
  /** Whether items with a question mark are there: one answer for all, or one for each time such an item comes up. Default true. */
  readonly optional?: boolean | readonly boolean[];
}

/** What `pattern` makes: the states are called `features.0.weight`, `classifier.0.weight` and so on. */
export class PatternNetwork extends ChainNetwork {
  constructor(
    readonly pattern: string,
    chain: Chain,
  ) {
    super(chain);
  }

  /** Whoever wrote the pattern wants to hear of sizes that do not click. */
  override get isReadyMade(): boolean {
    return false;
  }
}

/**
 * A network from a pattern: layers one after another, with `-`, commas or spaces between them; groups in round or square
 * brackets; `*3` or `*N` behind what is repeated, and `?` behind what may be left out. The layers are CONV, RELU, TANH,
 * SIGMOID, BN, POOL, DROPOUT, FC and, at the end, SOFTMAX: the fully connected layer that gives a score for each class. The
 * softmax itself is part of the loss, as in all networks here.
 *
 * @example
 * models.pattern("[(CONV-RELU)*2 POOL]*3 (FC-RELU)*2 SOFTMAX", { inputShape: [3, 32, 32], numClasses: 10 })
 * models.pattern("[(CONV-RELU)*N POOL?]*M (FC-RELU)*K SOFTMAX", { inputShape: [1, 28, 28], numClasses: 10, N: 1, M: 2, K: 0 })
 * @throws ArgumentError that says at which character the pattern is wrong, or why the sizes do not allow it
 */
export function pattern(text: string, options: PatternOptions): PatternNetwork {
  const { inputShape, numClasses } = options;
  for (const length of inputShape) checkCount("pattern", "a length of inputShape", length);
  checkCount("pattern", "numClasses", numClasses);
  const steps = expandPattern(text, options satisfies Choices);
  const builder = new Builder(text, options);
  for (const [i, step] of steps.entries()) builder.add(step, i === steps.length - 1);
  return new PatternNetwork(text, builder);
}

/** Layers, and the sizes of what they give so far. */
class Builder implements Chain {
  readonly features: Layer[] = [];
  readonly classifier: Layer[] = [];
  #maps: readonly [channels: number, height: number, width: number];
  /** Numbers in a vector, once there are no maps any more. */
  #vector: number | undefined;
  #pools = 0;
  #fullyConnected = 0;

  constructor(
    readonly text: string,
    readonly options: PatternOptions,
  ) {
    this.#maps = options.inputShape;
  }

  add({ word, at }: Step, isLast: boolean): void {
    if (isLast !== (word === "SOFTMAX"))
      this.#fail(at, `${word} is ${isLast ? "the end" : "not the end"}`, "SOFTMAX at the end and nowhere else");
    if (word === "CONV") this.#convolve(at);
    else if (word === "POOL") this.#pool(at);
    else if (word === "FC") this.#connect(this.#units(at));
    else if (word === "SOFTMAX") this.#connect(this.options.numClasses);
    else if (this.#vector === undefined) this.features.push(this.#layer(word));
    else this.classifier.push(this.#layer(word));
  }

  /** A layer that keeps the sizes. */
  #layer(word: Exclude<Word, "CONV" | "POOL" | "FC" | "SOFTMAX">): Layer {
    switch (word) {
      case "RELU":
        return new ReLU();
      case "TANH":
        return new Tanh();
      case "SIGMOID":
        return new Sigmoid();
      case "DROPOUT":
        return new Dropout(this.options.dropout);
      case "BN":
        return this.#vector === undefined ? new BatchNorm2d(this.#maps[0]) : new BatchNorm1d(this.#vector);
    }
  }

  #convolve(at: number): void {
    this.#needMaps(at, "CONV");
    const { channels = 32, kernelSize = 3 } = this.options;
    const [before, height, width] = this.#maps;
    const maps = typeof channels === "number" ? channels * 2 ** this.#pools : channels[this.#pools];
    if (maps === undefined) this.#tooFew(at, "CONV", "channels", this.#pools);
    this.features.push(new Conv2d(before, maps, kernelSize, { padding: "same" }));
    this.#maps = [maps, height, width];
  }

  #pool(at: number): void {
    this.#needMaps(at, "POOL");
    const { poolSize = 2 } = this.options;
    const [channels, height, width] = this.#maps;
    if (Math.min(height, width) < checkCount("pattern", "poolSize", poolSize)) {
      const size = formatShape([height, width]);
      const times = this.#pools === 0 ? "there are only maps of" : `pooling ${this.#pools} times leaves only maps of`;
      this.#fail(at, `${times} ${size}`, `at least ${poolSize}×${poolSize}. Fix: fewer of them, or larger pictures`);
    }
    this.features.push(new MaxPool2d(poolSize));
    this.#maps = [channels, Math.floor(height / poolSize), Math.floor(width / poolSize)];
    this.#pools++;
  }

  #units(at: number): number {
    const { units = 128 } = this.options;
    if (typeof units === "number") return units;
    return units[this.#fullyConnected++] ?? this.#tooFew(at, "FC", "units", this.#fullyConnected - 1);
  }

  #connect(units: number): void {
    this.classifier.push(new Linear(this.#vector ?? sizeOf(this.#maps), units));
    this.#vector = units;
  }

  #needMaps(at: number, word: string): void {
    if (this.#vector === undefined) return;
    this.#fail(at, `${word} comes after a fully connected layer, which leaves no maps`, `${word} before FC`);
  }

  #tooFew(at: number, word: string, option: "channels" | "units", index: number): never {
    return this.#fail(
      at,
      `${word} asks for number ${index + 1} of ${option}, but there are ${show(this.options[option])}`,
      option === "channels" ? "one before each POOL and one behind the last" : "one for each FC",
    );
  }

  #fail(at: number, what: string, expected: string): never {
    throw new ArgumentError(`pattern ${JSON.stringify(this.text)}: at character ${at} ${what}. Expected ${expected}.`);
  }
}
