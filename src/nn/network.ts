/** What all networks of the registry have in common, so that one can be used in place of another. */

import { ShapeError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { currentFrame } from "../graph/context.js";
import type { Tensor } from "../graph/tensor.js";
import type { TensorLike } from "../ops/tensors.js";
import type { Layer } from "./layers/container.js";
import { Linear } from "./layers/linear.js";
import { unfoldLayers } from "./layers/unfold.js";
import { callWithin, ModuleBase } from "./module.js";

/** A place in a network where features can be taken. */
export interface FeatureInfo {
  /** The module that computes them, by its path: `layer3.1`. */
  readonly name: string;
  readonly channels: number;
  /** Pixels of the input from one position to the next. */
  readonly reduction: number;
}

/** The scores of an auxiliary classifier, and the weight of its loss in training. */
export interface AuxiliaryOutput {
  readonly logits: Tensor;
  readonly weight: number;
}

export interface NetworkOutputs {
  readonly logits: Tensor;
  /** Empty but where a network with auxiliary classifiers is training. */
  readonly auxiliary: readonly AuxiliaryOutput[];
}

export interface Network {
  (x: TensorLike): Tensor;
}

/**
 * A network of features and a head: N×C×H×W → N×`numClasses` scores before softmax; networks for segmentation give such
 * scores for each pixel.
 *
 * @example
 * const network = models.create("resnet18");
 * network.resetClassifier(3);
 * const scores = network(images);
 */
export abstract class Network extends ModuleBase {
  override get isReadyMade(): boolean {
    return true;
  }

  /** Classes that the head tells apart. */
  abstract readonly numClasses: number;

  /** Where features can be taken, from the input on; the last are those that the head is given. */
  abstract get featureInfo(): readonly FeatureInfo[];

  /** What `forwardFeatures` gives. */
  protected abstract computeFeatures(x: TensorLike): Tensor;

  /**
   * What makes scores of the last feature maps, one after another: pooling, flattening, fully connected layers. Anything
   * between them, activations too, is a layer here, so that the head can be taken apart, as `toConvolutional` does.
   */
  abstract get headLayers(): readonly Layer[];

  /** Puts a new, untrained last layer in place of the old one; auxiliary classifiers too. */
  abstract resetClassifier(numClasses: number): void;

  /** The last feature maps, before any global pooling or fully connected layer. */
  forwardFeatures(x: TensorLike): Tensor {
    // By itself it is a call of the network like any other: errors name its layers, and published sizes need no advice.
    if (currentFrame()?.module === this) return this.computeFeatures(x);
    return callWithin(this, () => this.computeFeatures(x));
  }

  /** Scores from what `forwardFeatures` gave. */
  forwardHead(features: Tensor): Tensor {
    let result = features;
    for (const layer of unfoldLayers(this.headLayers)) {
      if (layer instanceof Linear && result.shape.at(-1) !== layer.inFeatures) {
        throw new ShapeError(
          `the features are ${formatShape(features.shape.slice(1))}, of which the head makes ${result.shape.at(-1)} numbers, but its first fully connected layer expects ${layer.inFeatures}: this network takes pictures of one size. ` +
            "Fix: scale the pictures to that size, or let the network slide over them with toConvolutional.",
        );
      }
      result = layer(result);
    }
    return result;
  }

  override forward(x: TensorLike): Tensor {
    return this.forwardHead(this.forwardFeatures(x));
  }

  /** The scores together with those of auxiliary classifiers, which only training uses. */
  outputs(x: TensorLike): NetworkOutputs {
    return callWithin(this, () => this.forwardOutputs(x));
  }

  /** What `outputs` gives; networks with auxiliary classifiers override it. */
  protected forwardOutputs(x: TensorLike): NetworkOutputs {
    return { logits: this.forward(x), auxiliary: [] };
  }
}
