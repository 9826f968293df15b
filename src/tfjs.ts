/** TensorFlow.js layers models: `fovea/tfjs`. */

// Tensors that come from here have a device and methods, whatever else is imported.
import "./device.js";
import "./ops/methods.js";

export { loadTfjs, loadTfjsWeights } from "./interop/tfjs/load.js";
export { TfjsModel } from "./interop/tfjs/model.js";
export type { NamedFile, TfjsSource } from "./interop/tfjs/source.js";
