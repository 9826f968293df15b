/** Layers, and the base class to build them with. */

export { Parameter, State } from "../graph/state.js";
export { type Chopped, type ChoppedNetwork, chop, freezeThrough, splitClassifier } from "./chop.js";
export type { LoadReport } from "./fit.js";
export * from "./layers/activation.js";
export * from "./layers/adaptivePooling.js";
export * from "./layers/batchNorm.js";
export * from "./layers/container.js";
export { Conv1d, Conv2d, Conv3d, type ConvLayerOptions } from "./layers/convolution.js";
export * from "./layers/convolutionTranspose.js";
export * from "./layers/dropout.js";
export * from "./layers/groupRobustLoss.js";
export * from "./layers/linear.js";
export * from "./layers/locallyConnected.js";
export * from "./layers/loss.js";
export * from "./layers/multiHead.js";
export * from "./layers/normalization.js";
export * from "./layers/pooling.js";
export * from "./layers/uncertaintyWeights.js";
export * from "./layers/unpooling.js";
export * from "./layers/upsampling.js";
export type { LoadWeightsOptions, WeightsReport, WeightsSource } from "./loading.js";
export * from "./losses/index.js";
export { Module, ModuleBase } from "./module.js";
export * from "./network.js";
export type { NameFilter, NameMap } from "./renaming.js";
export type { SavedTensor, StateDict } from "./state-dict.js";
export { readWeights, writeWeights } from "./weights.js";
