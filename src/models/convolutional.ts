/**
 * Classifiers that slide over larger pictures: a fully connected layer over h×w maps is a convolution with h×w kernels
 * (Sermanet et al., "OverFeat", 2014; lectures L0 and L1).
 */

import { ArgumentError, ShapeError } from "../core/errors.js";
import { formatShape, type Shape, sameShape } from "../core/shape.js";
import { withTrace } from "../graph/context.js";
import type { Tensor } from "../graph/tensor.js";
import { ReLU, Sigmoid, Tanh } from "../nn/layers/activation.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { Flatten, Identity, type Layer } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { Linear } from "../nn/layers/linear.js";
import { unfoldLayers } from "../nn/layers/unfold.js";
import { Module } from "../nn/module.js";
import type { Network } from "../nn/network.js";
import { conv2d } from "../ops/convolution/convolve.js";
import { zeros } from "../ops/create.js";
import { avgPool2d } from "../ops/pooling/pool.js";
import { permute } from "../ops/shape/permute.js";
import { reshape } from "../ops/shape/reshape.js";
import type { TensorLike } from "../ops/tensors.js";

/** C×H×W. */
type Maps = readonly [channels: number, height: number, width: number];

/** Layers that do the same to every number, so that it does not matter how the numbers lie. */
const elementwise = [Dropout, Identity, ReLU, Sigmoid, Tanh];

/**
 * A classifier that takes pictures of any size from its own on: N×C×H×W → N×classes×H′×W′, scores for windows of its own
 * size. What `toConvolutional` makes.
 */
export class ConvolutionalNetwork extends Module {
  /** The classifier, whose weights are used: training one trains the other. */
  readonly network: Network;
  /** Height and width of the pictures that the classifier was made for. */
  readonly window: readonly [height: number, width: number];
  /** Pixels from one window to the next: the scores at row i and column j are of the window that begins there times i and j. */
  readonly stride: number;
  /** The shapes that each layer of the head is given at the classifier's own size, without the batch. */
  readonly #shapes: readonly Shape[];

  constructor(network: Network, inputShape: Maps) {
    super();
    this.network = network;
    this.window = [inputShape[1], inputShape[2]];
    this.stride = network.featureInfo.at(-1)?.reduction ?? 1;
    // Pictures that do not fit are refused in the network's words.
    aside(() => network(zeros([2, ...inputShape])));
    this.#shapes = aside(() => {
      let result = network.forwardFeatures(zeros([2, ...inputShape]));
      return this.#head.map((layer) => {
        const { shape } = result;
        result = layer(result);
        return shape.slice(1);
      });
    });
    aside(() => this.forward(zeros([2, ...inputShape])));
  }

  override get isReadyMade(): boolean {
    return this.network.isReadyMade;
  }

  override forward(x: TensorLike): Tensor {
    let maps = this.network.forwardFeatures(x);
    // What is left to be done to the maps before there is one vector for each window.
    let window: Maps | undefined;
    for (const [i, layer] of this.#head.entries()) {
      const [channels, height = 1, width = 1] = this.#shapes[i];
      if (layer instanceof Flatten) {
        window ??= [channels, height, width];
      } else if (window === undefined) {
        maps = layer instanceof AdaptiveAvgPool2d ? slideAverage(layer, maps, [height, width]) : layer(maps);
      } else if (layer instanceof Linear) {
        maps = conv2d(maps, reshape(layer.weight, [layer.outFeatures, ...window]), layer.bias);
        window = [layer.outFeatures, 1, 1];
      } else if (elementwise.some((kind) => layer instanceof kind)) {
        maps = layer(maps);
      } else {
        maps = applyToVectors(layer, maps, window);
      }
    }
    return maps;
  }

  override describe(): string {
    return `windows of ${formatShape(this.window)} at steps of ${this.stride}`;
  }

  get #head(): readonly Layer[] {
    return unfoldLayers(this.network.headLayers);
  }
}

/**
 * Turns the head of a classifier into convolutions, so that it slides over larger pictures: one pass gives the scores of all
 * windows, at steps of the network's coarsest grid. Nothing is copied; the weights stay the classifier's own.
 *
 * On a picture of the classifier's own size the result is the classifier's, as N×classes×1×1. On larger ones it is what
 * the classifier says of each window, but for networks whose convolutions are padded: they see a window's neighbours where
 * by itself they would see zeros.
 *
 * @param inputShape C×H×W of the pictures that the classifier was made for. Default: the smallest square from which its
 * features come out in the size that the head is made for; networks that end with global pooling take any, and need it.
 * @example
 * const sliding = toConvolutional(models.create("lenet5").eval());
 * sliding(zeros([1, 1, 64, 128])).shape; // 1×10×10×26
 * sliding.stride; // 4
 * @throws ArgumentError where the head cannot slide, and where `inputShape` is needed
 */
export function toConvolutional(network: Network, inputShape?: Maps): ConvolutionalNetwork {
  return new ConvolutionalNetwork(network, inputShape ?? inferInputShape(network));
}

/** Records what is not to be computed: nothing that it assigns is kept. */
function aside<T>(record: () => T): T {
  return withTrace({ states: new Map(), guards: [], gradients: new Set() }, record);
}

/** The averages over each window of `size` maps, where the head averages all of them. */
function slideAverage(layer: AdaptiveAvgPool2d, maps: Tensor, size: readonly [number, number]): Tensor {
  const [rows, columns] = pairOf(layer.outputSize);
  if (sameShape([rows, columns], size)) return maps;
  if (rows === 1 && columns === 1) return avgPool2d(maps, size, { stride: 1 });
  throw new ArgumentError(
    `toConvolutional: the head pools maps of ${formatShape(size)} to ${rows}×${columns}, which cannot slide. Expected ${rows}×${columns} already, or 1×1 to pool to. ` +
      `Fix: another inputShape, from which the features come out as ${rows}×${columns}.`,
  );
}

/** Gives `layer`, which takes N×C, the vector at each place of the maps. */
function applyToVectors(layer: Layer, maps: Tensor, [, height, width]: Maps): Tensor {
  if (height > 1 || width > 1) {
    throw new ArgumentError(
      `toConvolutional: the head has ${layer} before its first fully connected layer, which would have to see whole windows of ${height}×${width} maps. Expected a Linear first.`,
    );
  }
  const [samples, channels, rows, columns] = maps.shape;
  const vectors = layer(reshape(permute(maps, [0, 2, 3, 1]), [samples * rows * columns, channels]));
  return permute(reshape(vectors, [samples, rows, columns, vectors.shape[1]]), [0, 3, 1, 2]);
}

/** The smallest square picture whose features have the size that the head is made for. */
function inferInputShape(network: Network): Maps {
  const stem = [...network.namedModules()].map(([, module]) => module).find((module) => module instanceof Conv2d);
  const side = sideOfFeatures(network);
  if (stem === undefined || side === undefined) {
    throw new ArgumentError(
      `toConvolutional: ${network.constructor.name} does not tell which pictures it is made for. Expected their shape. Fix: toConvolutional(network, [3, 224, 224]), or whatever their channels, height and width are.`,
    );
  }
  const sideFrom = (size: number) => aside(() => sideOrZero(network, [2, stem.inChannels, size, size]));
  let most = side;
  // No network steps by more than this from one place of its features to the next.
  while (sideFrom(most) < side && most < 256 * side) most *= 2;
  let least = Math.floor(most / 2);
  while (least + 1 < most) {
    const middle = Math.floor((least + most) / 2);
    if (sideFrom(middle) < side) least = middle;
    else most = middle;
  }
  return [stem.inChannels, most, most];
}

/** The side of the features' maps; 0 where pictures are too small. */
function sideOrZero(network: Network, shape: Shape): number {
  try {
    return network.forwardFeatures(zeros(shape)).shape[2];
  } catch (error) {
    if (error instanceof ShapeError) return 0;
    throw error;
  }
}

/** The side of the features' maps that the head is made for; undefined where any will do. */
function sideOfFeatures(network: Network): number | undefined {
  const head = unfoldLayers(network.headLayers);
  const pooling = head.find((layer) => layer instanceof AdaptiveAvgPool2d);
  const sizes = pooling === undefined ? [] : pairOf(pooling.outputSize);
  const first = head.find((layer) => layer instanceof Linear);
  const channels = network.featureInfo.at(-1)?.channels;
  const side =
    pooling === undefined && first !== undefined && channels !== undefined
      ? Math.sqrt(first.inFeatures / channels)
      : sizes[0];
  if (side === undefined || !Number.isInteger(side)) return undefined;
  if (pooling !== undefined && (side === 1 || sizes[1] !== side)) return undefined;
  return side;
}

function pairOf(size: number | readonly number[]): readonly [number, number] {
  return typeof size === "number" ? [size, size] : [size[0], size[1]];
}
