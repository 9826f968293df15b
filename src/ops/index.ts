/** The functions of tensors. */

export { type Conv2dOptions, conv2d } from "./convolution/conv2d.js";
export { full, type Nested, ones, type TensorOptions, tensor, zeros } from "./create.js";
export * from "./elementwise/activations.js";
export * from "./elementwise/arithmetic.js";
export * from "./elementwise/comparison.js";
export * from "./elementwise/functions.js";
export { cast, where } from "./elementwise/select.js";
export { evaluate } from "./evaluate.js";
export { type GradOptions, grad } from "./gradient.js";
export { takeAlongAxis } from "./indexing/alongAxis.js";
export { arange, oneHot } from "./indexing/oneHot.js";
export { take } from "./indexing/take.js";
export { linear, matmul } from "./linear/matmul.js";
export * from "./normalization.js";
export { type AvgPool2dOptions, avgPool2d } from "./pooling/averagePool2d.js";
export { type MaxPool2dOptions, maxPool2d, maxPool2dWithIndices, maxUnpool2d } from "./pooling/maxPool2d.js";
export { Generator, manualSeed } from "./random/generator.js";
export { dropout, normal, type RandomOptions, uniform } from "./random/random.js";
export { argmax, argmin, max, min } from "./reduce/extreme.js";
export { mean, type VarianceOptions, variance } from "./reduce/mean.js";
export { expand, type ReduceOptions, sum } from "./reduce/sum.js";
export { concat, stack } from "./shape/concat.js";
export { permute, transpose } from "./shape/permute.js";
export { detach, flatten, reshape, squeeze, unsqueeze } from "./shape/reshape.js";
export { flip, type PadWidths, pad, type Range, slice, split } from "./shape/slice.js";
export { logSoftmax, softmax } from "./softmax.js";
export type { TensorLike } from "./tensors.js";
