/** Weights in and out of models, as functions. */

import { ArgumentError } from "./core/errors.js";
import type { LoadWeightsOptions, WeightsReport, WeightsSource } from "./nn/loading.js";
import { ModuleBase } from "./nn/module.js";
import type { SaveWeightsOptions } from "./nn/saving.js";

export type { LoadWeightsOptions, WeightsReport, WeightsSource } from "./nn/loading.js";
export type { NameFilter, NameMap } from "./nn/renaming.js";
export type { SaveWeightsOptions } from "./nn/saving.js";

/**
 * Loads weights into a model, as `model.load(source, options)` does: safetensors, checkpoints, PyTorch's files of both
 * layouts, NumPy's .npz, from a path, a URL, a File or Blob, bytes, or a state dict.
 *
 * @example
 * const report = await loadWeights(model, "resnet18.pth");
 * await loadWeights(model, url, { strict: false, map: [[/^features\./, "layers."]] });
 * await loadWeights(model, "torchvision/resnet18"); // in Node: published weights, downloaded once
 */
export async function loadWeights(
  model: ModuleBase,
  source: WeightsSource,
  options: LoadWeightsOptions = {},
): Promise<WeightsReport> {
  checkModule("loadWeights", model);
  return model.load(source, options);
}

/**
 * Writes a model's weights, as `model.save(path, options)` does: safetensors, PyTorch's .pth or NumPy's .npz, as the name
 * ends.
 *
 * @example await saveWeights(model, "model.pth");
 */
export async function saveWeights(model: ModuleBase, path: string, options: SaveWeightsOptions = {}): Promise<void> {
  checkModule("saveWeights", model);
  await model.save(path, options);
}

function checkModule(name: string, model: unknown): void {
  if (model instanceof ModuleBase) return;
  throw new ArgumentError(`${name}: the first argument is no module. Fix: ${name}(model, "model.safetensors").`);
}
