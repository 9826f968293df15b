/** Models with the weights of a file. */

import { StateDictError } from "../core/errors.js";
import { openTensorFile } from "../formats/open.js";
import { loadTfjsWeights } from "../interop/tfjs/load.js";
import type { ModelEntry, ModelOptions, Normalization, Resizing } from "../models/registry.js";
import type { Layer } from "../nn/layers/container.js";
import type { Network } from "../nn/network.js";
import { openFileSource } from "../node/file-source.js";
import { readFile } from "../node/files.js";
import { type CheckpointInfo, isCheckpoint, readCheckpointInfo } from "../train/checkpoint.js";
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
  const info = await checkpointInfo(path);
  if (info !== undefined && info.model !== entry.name) {
    throw new StateDictError(
      `${path} holds weights of ${info.model}, not of ${entry.name}. Fix: name ${info.model} as the model, or another file.`,
    );
  }
  const classNames = info?.classNames ?? (await publishedClassNames(entry));
  const model = entry.create({ numClasses: classNames.length });
  await model.load(path, { finite: true });
  return { model, normalization: info?.normalization ?? entry.normalization, classNames, resizing };
}

/** Builds a network for pictures of C×H×W, with another number of channels than its own where they have one. */
export function createFor(entry: ModelEntry, input: readonly number[], options: ModelOptions = {}): Network {
  const [inChannels] = input;
  return entry.create({ ...options, ...(inChannels !== entry.inputShape[0] && { inChannels }) });
}

/** What a file says about itself if it is a checkpoint; only then is it read as a whole, to compare its checksum. */
async function checkpointInfo(path: string): Promise<CheckpointInfo | undefined> {
  const file = await openTensorFile(await openFileSource(path));
  await file.close();
  return isCheckpoint(file.metadata) ? readCheckpointInfo(await readFile(path), path) : undefined;
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
