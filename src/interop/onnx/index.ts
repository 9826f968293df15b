/** ONNX files: `fovea/onnx`. */

export { type ExportInput, type ExportOptions, exportModel as export } from "./export/export.js";
export { load, type OnnxLoadOptions } from "./load.js";
export type { OnnxModel } from "./model.js";
