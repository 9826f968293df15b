/** Networks without branches: features and a classifier, each a chain of layers. */

import { ArgumentError } from "../core/errors.js";
import type { Tensor } from "../graph/tensor.js";
import { Flatten, type Layer, Sequential } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Linear } from "../nn/layers/linear.js";
import { AvgPool2d, MaxPool2d } from "../nn/layers/pooling.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import type { TensorLike } from "../ops/tensors.js";

export interface Chain {
  /** From pictures to the last feature maps. */
  readonly features: readonly Layer[];
  /** Brings the last feature maps to the size that the classifier expects. Default: they have it. */
  readonly avgpool?: Layer;
  /** From the values of all maps, flattened, to scores. */
  readonly classifier: readonly Layer[];
}

/** A network whose states are called as torchvision's: `features.0.weight`, `classifier.6.bias`. */
export class ChainNetwork extends Network {
  features: Sequential;
  avgpool: Layer | null;
  flatten = new Flatten();
  classifier: Sequential;

  constructor({ features, avgpool, classifier }: Chain) {
    super();
    this.features = new Sequential(...features);
    this.avgpool = avgpool ?? null;
    this.classifier = new Sequential(...classifier);
  }

  override get numClasses(): number {
    return this.#lastLayer.layer.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return featureInfoOf(this.features);
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    return this.features(x);
  }

  override get headLayers(): readonly Layer[] {
    const classify = [this.flatten, this.classifier];
    return this.avgpool === null ? classify : [this.avgpool, ...classify];
  }

  override resetClassifier(numClasses: number): void {
    const { index, layer } = this.#lastLayer;
    this.classifier[index] = new Linear(layer.inFeatures, numClasses);
  }

  get #lastLayer(): { readonly index: number; readonly layer: Linear } {
    const index = this.classifier.size - 1;
    const layer = this.classifier[index];
    if (layer instanceof Linear) return { index, layer };
    throw new ArgumentError(`the classifier ends with ${layer}. Expected a Linear, which gives the scores.`);
  }
}

/** Where a network's `features` can be taken: before each step to a coarser grid, and at their end. */
export function featureInfoOf(features: Sequential): FeatureInfo[] {
  const info: FeatureInfo[] = [];
  let channels = 0;
  let reduction = 1;
  for (let i = 0; i < features.size; i++) {
    const layer = features[i];
    const step = strideOf(layer);
    if (step > 1 && channels > 0) info.push({ name: `features.${i - 1}`, channels, reduction });
    if (layer instanceof Conv2d) channels = layer.outChannels;
    reduction *= step;
  }
  if (channels > 0) info.push({ name: `features.${features.size - 1}`, channels, reduction });
  return info;
}

/** How many places further each place of a layer's result looks. */
function strideOf(layer: Layer): number {
  if (layer instanceof MaxPool2d || layer instanceof AvgPool2d) return sideOf(layer.options.stride ?? layer.kernelSize);
  return layer instanceof Conv2d ? sideOf(layer.stride) : 1;
}

function sideOf(length: number | readonly number[]): number {
  return typeof length === "number" ? length : length[0];
}
