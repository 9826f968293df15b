/**
 * Fovea: convolutional neural networks in TypeScript. Everything here works in Node and in browsers; reading files is in
 * `fovea/node`.
 */

import "./ops/methods.js";

export type { Device, MemoryUse } from "./backends/backend.js";
export type { WasmDeviceOptions, WasmVariant } from "./backends/wasm/device.js";
export { createWasmDevice } from "./backends/wasm/device.js";
export * from "./check/index.js";
export type { AlgorithmTable, AlgorithmTables } from "./core/algorithms.js";
export type { DType, TypedArray, TypedArrayOf } from "./core/dtype.js";
export * from "./core/errors.js";
export type { NestedArray } from "./core/format.js";
export { type MemoryMode, setMemory } from "./core/memory.js";
export { RandomStream } from "./core/philox.js";
export { type Precision, setPrecision } from "./core/precision.js";
export type { Shape } from "./core/shape.js";
export { onWarning } from "./core/warnings.js";
export * from "./data/index.js";
export { type DeviceName, type DeviceOptions, defaultDevice, listDevices, setAlgorithms, setDevice } from "./device.js";
export { checkpoint } from "./graph/checkpoint.js";
export { type Argument, type CompiledFunction, compile, type Structure } from "./graph/compile.js";
export type { Reading } from "./graph/reading.js";
export { Parameter, State } from "./graph/state.js";
export { type AnyTensor, Tensor } from "./graph/tensor.js";
export { type ConvolutionalNetwork, toConvolutional } from "./models/convolutional.js";
export * as models from "./models/index.js";
export * as nn from "./nn/index.js";
export * from "./nn/losses/index.js";
export { fromNpy, toNpy } from "./npy.js";
export * from "./ops/index.js";
export * from "./optim/index.js";
export * from "./train/index.js";
export * as metrics from "./train/metrics/index.js";
export * as tasks from "./train/tasks/index.js";
export { version } from "./version.js";
export * as vision from "./vision/index.js";
export {
  type LoadWeightsOptions,
  loadWeights,
  type NameFilter,
  type NameMap,
  type SaveWeightsOptions,
  saveWeights,
  type WeightsReport,
  type WeightsSource,
} from "./weights.js";
