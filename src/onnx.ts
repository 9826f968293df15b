/** ONNX files: `fovea/onnx`. */

// Tensors that come from here have a device and methods, whatever else is imported.
import "./device.js";
import "./ops/methods.js";

export type { ElementType } from "./interop/onnx/elementTypes.js";
export { type ExportInput, type ExportOptions, exportModel as export } from "./interop/onnx/export/export.js";
export { load, type OnnxLoadOptions } from "./interop/onnx/load.js";
export { type NamedTensors, OnnxModel, type OnnxValue } from "./interop/onnx/model.js";
export { FromPixels } from "./train/fromPixels.js";
