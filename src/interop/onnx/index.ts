/** ONNX files: `fovea/onnx`. */

export { type ExportInput, type ExportOptions, exportModel as export } from "./export/export.js";
