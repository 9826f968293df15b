/** Models with the weights of a file. */

import { NotFiniteError, StateDictError } from "../core/errors.js";
import { loadTfjsWeights } from "../interop/tfjs/load.js";
import type { ModelEntry, Normalization, Resizing } from "../models/registry.js";
import type { Layer } from "../nn/layers/container.js";
import { readWeights } from "../nn/weights.js";
import { readFile } from "../node/files.js";
import { readCheckpointInfo } from "../train/checkpoint.js";
import { findWeights } from "./weights-file.js";

export interface SavedModel {
  readonly model: Layer;
  readonly normalization: Normalization;
  readonly classNames: readonly string[];
  /** How pictures are to be brought to its size. */
  readonly resizing: Resizing | undefined;
}

/**
 * Builds a model with the weights in a file. A checkpoint says how its pictures were normalized and what its classes
 * are; of other files the model's own normalization and classes are assumed.
 */
export async function loadSavedModel(entry: ModelEntry, given: string, signal?: AbortSignal): Promise<SavedModel> {
  const { path, resizing = entry.resizing } = await findWeights(entry, given, signal);
  if (path.endsWith(".json")) return { ...(await fromTfjs(entry, path)), resizing };
  const bytes = await readFile(path);
  const weights = readWeights(bytes, path);
  const info = readCheckpointInfo(bytes, path);
  if (info !== undefined && info.model !== entry.name) {
    throw new StateDictError(
      `${path} holds weights of ${info.model}, not of ${entry.name}. Fix: name ${info.model} as the model, or another file.`,
    );
  }
  for (const [key, { data }] of Object.entries(weights)) {
    const wrong = data.findIndex((value) => !Number.isFinite(value));
    if (wrong === -1) continue;
    throw new NotFiniteError(
      `${path}: ${key} holds ${data[wrong]} (element ${wrong}), as after a training that diverged. Expected finite weights. Fix: train with a lower learning rate.`,
    );
  }
  const classNames = info?.classNames ?? (await publishedClassNames(entry));
  const model = entry.create({ numClasses: classNames.length });
  try {
    model.loadStateDict(weights);
  } catch (error) {
    if (error instanceof StateDictError) error.message = `${path}: ${error.message}`;
    throw error;
  }
  return { model, normalization: info?.normalization ?? entry.normalization, classNames, resizing };
}

/** A network with the weights of a TensorFlow.js model. */
async function fromTfjs(entry: ModelEntry, path: string): Promise<Omit<SavedModel, "resizing">> {
  const model = entry.create();
  await loadTfjsWeights(model, path);
  return { model, normalization: entry.normalization, classNames: await publishedClassNames(entry) };
}

/** The classes that published weights of a model tell apart; numbers where they have no names. */
async function publishedClassNames({ classes, numClasses }: ModelEntry): Promise<readonly string[]> {
  if (classes === undefined) return Array.from({ length: numClasses }, (_, i) => String(i));
  const { classNames } = await import("../classes/index.js");
  return classNames[classes];
}
