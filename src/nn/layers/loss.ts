/** Losses as modules, for those who keep a loss and its settings together; the functions say what each means. */

import type { Tensor } from "../../graph/tensor.js";
import type { TensorLike } from "../../ops/tensors.js";
import type { Labels, Reduced, Reduction } from "../losses/index.js";
import * as losses from "../losses/index.js";
import { ModuleBase } from "../module.js";

/** A loss with its settings. */
abstract class Loss<Options extends object> extends ModuleBase {
  constructor(readonly options: Options = {} as Options) {
    super();
  }

  override describe(): string {
    const settings = Object.entries(this.options).filter(([, value]) => ["string", "number"].includes(typeof value));
    return settings.map(([name, value]) => `${name} ${value}`).join(", ");
  }
}

export interface CrossEntropyLoss<R extends Reduction = "mean"> {
  (logits: TensorLike, labels: Labels | TensorLike): Reduced<R>;
}
/** The mean negative logarithm of the probability that softmax gives to the right class. @example new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }) */
export class CrossEntropyLoss<R extends Reduction = "mean"> extends Loss<losses.CrossEntropyOptions<R>> {
  override forward(logits: TensorLike, labels: Labels | TensorLike): Reduced<R> {
    return losses.crossEntropy(logits, labels, this.options);
  }
}

export interface NLLLoss<R extends Reduction = "mean"> {
  (logProbabilities: TensorLike, labels: Labels): Reduced<R>;
}
/** The mean negative of the right class's entry, of logarithms of probabilities. */
export class NLLLoss<R extends Reduction = "mean"> extends Loss<losses.NllLossOptions<R>> {
  override forward(logProbabilities: TensorLike, labels: Labels): Reduced<R> {
    return losses.nllLoss(logProbabilities, labels, this.options);
  }
}

export interface MultiMarginLoss<R extends Reduction = "mean"> {
  (scores: TensorLike, labels: Labels): Reduced<R>;
}
/** The hinge loss of several classes. */
export class MultiMarginLoss<R extends Reduction = "mean"> extends Loss<losses.MultiMarginLossOptions<R>> {
  override forward(scores: TensorLike, labels: Labels): Reduced<R> {
    return losses.multiMarginLoss(scores, labels, this.options);
  }
}

export interface HingeLoss<R extends Reduction = "mean"> {
  (scores: TensorLike, targets: TensorLike): Reduced<R>;
}
/** What scores lack to be on the right side of 0 by a margin, for targets of −1 and 1. */
export class HingeLoss<R extends Reduction = "mean"> extends Loss<losses.HingeLossOptions<R>> {
  override forward(scores: TensorLike, targets: TensorLike): Reduced<R> {
    return losses.hingeLoss(scores, targets, this.options);
  }
}

export interface BCEWithLogitsLoss<R extends Reduction = "mean"> {
  (logits: TensorLike, targets: TensorLike): Reduced<R>;
}
/** Cross-entropy of questions of yes and no, before sigmoid. */
export class BCEWithLogitsLoss<R extends Reduction = "mean"> extends Loss<
  losses.BinaryCrossEntropyWithLogitsOptions<R>
> {
  override forward(logits: TensorLike, targets: TensorLike): Reduced<R> {
    return losses.binaryCrossEntropyWithLogits(logits, targets, this.options);
  }
}

export interface BCELoss<R extends Reduction = "mean"> {
  (probabilities: TensorLike, targets: TensorLike): Reduced<R>;
}
/** Cross-entropy of questions of yes and no, from probabilities. */
export class BCELoss<R extends Reduction = "mean"> extends Loss<losses.BinaryCrossEntropyOptions<R>> {
  override forward(probabilities: TensorLike, targets: TensorLike): Reduced<R> {
    return losses.binaryCrossEntropy(probabilities, targets, this.options);
  }
}

export interface MSELoss<R extends Reduction = "mean"> {
  (prediction: TensorLike, target: TensorLike): Reduced<R>;
}
/** The mean squared difference. */
export class MSELoss<R extends Reduction = "mean"> extends Loss<losses.LossOptions<R>> {
  override forward(prediction: TensorLike, target: TensorLike): Reduced<R> {
    return losses.mseLoss(prediction, target, this.options);
  }
}

export interface L1Loss<R extends Reduction = "mean"> {
  (prediction: TensorLike, target: TensorLike): Reduced<R>;
}
/** The mean absolute difference. */
export class L1Loss<R extends Reduction = "mean"> extends Loss<losses.LossOptions<R>> {
  override forward(prediction: TensorLike, target: TensorLike): Reduced<R> {
    return losses.l1Loss(prediction, target, this.options);
  }
}

export interface HuberLoss<R extends Reduction = "mean"> {
  (prediction: TensorLike, target: TensorLike): Reduced<R>;
}
/** Squared for small differences, absolute for large ones. @example new nn.HuberLoss({ delta: 0.5 }) */
export class HuberLoss<R extends Reduction = "mean"> extends Loss<losses.HuberLossOptions<R>> {
  override forward(prediction: TensorLike, target: TensorLike): Reduced<R> {
    return losses.huberLoss(prediction, target, this.options);
  }
}

export interface SmoothL1Loss<R extends Reduction = "mean"> {
  (prediction: TensorLike, target: TensorLike): Reduced<R>;
}
/** Huber's loss with a slope of 1 for large differences. */
export class SmoothL1Loss<R extends Reduction = "mean"> extends Loss<losses.SmoothL1LossOptions<R>> {
  override forward(prediction: TensorLike, target: TensorLike): Reduced<R> {
    return losses.smoothL1Loss(prediction, target, this.options);
  }
}

export interface DiceLoss<R extends Reduction = "mean"> {
  (probabilities: TensorLike, targets: TensorLike): Reduced<R>;
}
/** How little areas overlap. */
export class DiceLoss<R extends Reduction = "mean"> extends Loss<losses.DiceLossOptions<R>> {
  override forward(probabilities: TensorLike, targets: TensorLike): Reduced<R> {
    return losses.diceLoss(probabilities, targets, this.options);
  }
}

export interface KLDivLoss<R extends Reduction | "batchMean" = "batchMean"> {
  (input: TensorLike, target: TensorLike): R extends "none" ? Tensor : Tensor<[]>;
}
/** The Kullback–Leibler divergence of targets from predicted logarithms of probabilities, divided by the number of samples. */
export class KLDivLoss<R extends Reduction | "batchMean" = "batchMean"> extends Loss<losses.KlDivLossOptions<R>> {
  override forward(input: TensorLike, target: TensorLike): R extends "none" ? Tensor : Tensor<[]> {
    return losses.klDivLoss(input, target, this.options);
  }
}
