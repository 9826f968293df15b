/**
 * LeNet-5 to the letter: LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document recognition", 1998,
 * section II.B. Subsampling is trained, C3 sees only some of the maps of S2, and with `output: "rbf"` each class has a fixed
 * code: then it has the paper's 60,000 parameters.
 */

import { type Shape, sizeOf } from "../core/shape.js";
import { Parameter } from "../graph/state.js";
import type { Tensor } from "../graph/tensor.js";
import { initialize } from "../nn/initialize.js";
import { Flatten, type Layer } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Linear } from "../nn/layers/linear.js";
import { Module } from "../nn/module.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import { conv2d } from "../ops/convolution/convolve.js";
import { tensor, zeros } from "../ops/create.js";
import { add, mul } from "../ops/elementwise/arithmetic.js";
import { tanh } from "../ops/elementwise/functions.js";
import { take } from "../ops/indexing/take.js";
import { avgPool2d } from "../ops/pooling/pool.js";
import { uniform } from "../ops/random/random.js";
import { concat } from "../ops/shape/concat.js";
import { reshape } from "../ops/shape/reshape.js";
import type { TensorLike } from "../ops/tensors.js";
import { lenetPaper } from "./lenet5.js";
import { RadialBasis } from "./lenet5-codes.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

/** The paper's initial weights: drawn evenly from within ±2.4 / number of inputs of a unit. */
function initialWeights(shape: Shape, inputs: number): Tensor {
  return uniform(shape, -2.4 / inputs, 2.4 / inputs);
}

/** 1.7159 · tanh(2x/3), which takes ±1 to ±1 and curves most there. */
class ScaledTanh extends Module {
  override forward(x: Tensor): Tensor {
    return mul(tanh(mul(x, 2 / 3)), 1.7159);
  }
}

/** Adds up each square of four; each map has a coefficient for the sum and a bias, which are trained. */
class Subsampling extends Module {
  weight: Parameter;
  bias: Parameter;

  constructor(readonly channels: number) {
    super();
    this.weight = new Parameter(initialWeights([channels], 4));
    this.bias = new Parameter(initialWeights([channels], 4));
  }

  override forward(x: Tensor): Tensor {
    const perMap = (values: TensorLike) => reshape(values, [1, this.channels, 1, 1]);
    return add(mul(avgPool2d(x, 2), mul(perMap(this.weight), 4)), perMap(this.bias)) as Tensor;
  }
}

/** Table I of the paper: the maps of S2 that each map of C3 sees. */
const seen: readonly (readonly number[])[] = [
  ...[0, 1, 2, 3, 4, 5].map((i) => [0, 1, 2].map((k) => (i + k) % 6)),
  ...[0, 1, 2, 3, 4, 5].map((i) => [0, 1, 2, 3].map((k) => (i + k) % 6)),
  [0, 1, 3, 4],
  [1, 2, 4, 5],
  [0, 2, 3, 5],
  [0, 1, 2, 3, 4, 5],
];

/** A convolution whose outputs see only some of its inputs; it has weights for these only, one kernel after another. */
class PartialConv2d extends Module {
  weight: Parameter;
  bias: Parameter;
  /** For each output and input: the kernel between them, or the one behind the last, which is all zeros. */
  readonly #kernels: readonly number[];

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: number,
  ) {
    super();
    let count = 0;
    const fans: number[] = [];
    // Of other numbers of maps than the paper's each stands for one of its.
    const kernels = Array.from({ length: outChannels }, (_, to) => {
      const inputs = seen[Math.floor((to * seen.length) / outChannels)];
      const sees = Array.from({ length: inChannels }, (_, from) =>
        inputs.includes(Math.floor((from * 6) / inChannels)),
      );
      const row = sees.map((each) => (each ? count++ : -1));
      fans.push(...row.filter((kernel) => kernel >= 0).map((_, __, all) => all.length * kernelSize ** 2));
      return row;
    });
    this.#kernels = kernels.flat().map((kernel) => (kernel < 0 ? count : kernel));
    const bounds = tensor(fans.map((fan) => [[2.4 / fan]]));
    this.weight = new Parameter<Shape>(mul(uniform([count, kernelSize, kernelSize], -1, 1), bounds) as Tensor);
    this.bias = new Parameter(zeros<Shape>([outChannels]));
  }

  override forward(x: Tensor): Tensor {
    const { inChannels, outChannels, kernelSize } = this;
    const withZeros = concat([this.weight, zeros([1, kernelSize, kernelSize])], 0);
    const dense = take(withZeros, tensor(this.#kernels, { dtype: "int32" }), 0);
    return conv2d(x, reshape(dense, [outChannels, inChannels, kernelSize, kernelSize]), this.bias);
  }

  override describe(): string {
    return `${this.inChannels}, ${this.outChannels}, kernel ${this.kernelSize}, ${this.weight.shape[0]} connections`;
  }
}

export interface LeNet5Options1998 extends ModelOptions {
  /** The last layer: trained weights, or the distance from a fixed code for each class. Default `linear`. */
  readonly output?: "linear" | "rbf";
}

/**
 * N×1×32×32 → N×`numClasses` scores. The paper's output, `rbf`, gives negative squared distances, which `crossEntropy` takes
 * as scores: that is the paper's discriminative loss without its class for rubbish.
 *
 * @example models.create("lenet5-1998", { output: "rbf" })
 */
export class LeNet5Of1998 extends Network {
  c1: Conv2d;
  s2: Subsampling;
  c3: PartialConv2d;
  s4: Subsampling;
  c5: Conv2d;
  flatten = new Flatten();
  f6: Linear;
  output: Linear | RadialBasis;
  squash = new ScaledTanh();

  constructor({ numClasses = 10, inChannels = 1, width = 1, output = "linear" }: LeNet5Options1998 = {}) {
    super();
    const [maps1, maps3, units5, units6] = scaleWidths([6, 16, 120, 84], width);
    this.c1 = new Conv2d(inChannels, maps1, 5);
    this.s2 = new Subsampling(maps1);
    this.c3 = new PartialConv2d(maps1, maps3, 5);
    this.s4 = new Subsampling(maps3);
    this.c5 = new Conv2d(maps3, units5, 5);
    this.f6 = new Linear(units5, units6);
    this.output = output === "rbf" ? new RadialBasis(units6, numClasses) : new Linear(units6, numClasses);
    for (const layer of [this.c1, this.c5, this.f6])
      initialize(layer, (shape) => initialWeights(shape, sizeOf(shape.slice(1))));
  }

  override get numClasses(): number {
    return this.output instanceof RadialBasis ? this.output.numClasses : this.output.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return [
      { name: "c1", channels: this.c1.outChannels, reduction: 1 },
      { name: "c3", channels: this.c3.outChannels, reduction: 2 },
      { name: "c5", channels: this.c5.outChannels, reduction: 4 },
    ];
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    const maps2 = this.squash(this.s2(this.squash(this.c1(x)))); // N×6×14×14
    const maps4 = this.squash(this.s4(this.squash(this.c3(maps2)))); // N×16×5×5
    return this.squash(this.c5(maps4)); // N×120×1×1
  }

  override get headLayers(): readonly Layer[] {
    return [this.flatten, this.f6, this.squash, this.output];
  }

  override resetClassifier(numClasses: number): void {
    const { inFeatures } = this.output;
    this.output =
      this.output instanceof RadialBasis ? new RadialBasis(inFeatures, numClasses) : new Linear(inFeatures, numClasses);
  }
}

export const lenet5Of1998 = {
  name: "lenet5-1998",
  description: "LeNet-5 to the letter of its paper, but with a trained output layer: 60,850 parameters",
  paper: lenetPaper,
  inputShape: [1, 32, 32],
  numClasses: 10,
  // Black becomes −0.1 and white 1.175.
  normalization: { mean: [0.1 / 1.275], std: [1 / 1.275] },
  create: (options?: LeNet5Options1998) => new LeNet5Of1998(options),
} as const satisfies ModelEntry;
