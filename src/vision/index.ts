/** Vision by hand: the convolution of networks with kernels that people made. */

export { applyKernel, type KernelOptions } from "./apply.js";
export * from "./kernels.js";
export { type MatchOptions, templateMatch } from "./match.js";
export { findPeaks, type Peak, type PeakOptions } from "./peaks.js";
