import { StateDictError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import type { PictureInput } from "../data/resize.js";
import { openTensorFile } from "../formats/open.js";
import { loadTfjsWeights } from "../interop/tfjs/load.js";
import type { ModelEntry, ModelOptions } from "../models/registry.js";
import type { Network } from "../nn/network.js";
import { openFileSource } from "../node/file-source.js";
import { readFile } from "../node/files.js";
import { type CheckpointInfo, isCheckpoint, readCheckpointInfo } from "../train/checkpoint.js";
import type { Tasks } from "../train/tasks/task.js";
import { pictureInput } from "./own-pictures.js";
import { networkOptions, type PixelGoal } from "./pixels.js";
import type { Settings } from "./settings.js";
import { findWeights } from "./weights-file.js";

export interface SavedModel {
  readonly model: Network;
  readonly normalization: Normalization;
  readonly classNames: readonly string[];
  /** What its columns answer, where it has learnt several things at once. */
  readonly tasks?: Tasks | undefined;
  /** What it has learnt for every pixel, where it has. */
  readonly goal?: PixelGoal | undefined;
  /** How pictures are to be brought to its size. */
  readonly input: PictureInput;
  /** Of the run that it was trained in; empty for other weights. */
  readonly settings: Settings;
}

/**
 * Builds a model with the weights in a file. A checkpoint says how its pictures were normalized and what its classes
 * are; of other files the model's own normalization and classes are assumed.
 */
export async function loadSavedModel(entry: ModelEntry, given: string, signal?: AbortSignal): Promise<SavedModel> {
  const { path, resizing = entry.resizing } = await findWeights(entry, given, signal);
  const published = { input: { inputShape: entry.inputShape, resizing }, settings: {} };
  if (path.endsWith(".json")) return { ...(await fromTfjs(entry, path)), ...published };
  const info = await checkpointInfo(path);
  if (info !== undefined && info.model !== entry.name) {
    throw new StateDictError(
      `${path} holds weights of ${info.model}, not of ${entry.name}. Fix: name ${info.model} as the model, or another file.`,
    );
  }
  const classNames = info?.classNames ?? (await publishedClassNames(entry));
  const model = entry.create({ numClasses: classNames.length, ...(info && networkOptions(info.settings)) });
  await model.load(path, { finite: true });
  if (info === undefined) return { model, normalization: entry.normalization, classNames, ...published };
  const { normalization, settings, tasks } = info;
  const pixels = pixelSettings(settings);
  if (pixels !== undefined) return { model, normalization, classNames, settings, ...pixels };
  const input = pictureInput(entry, numberOf(settings.imageSize));
  return { model, normalization, classNames, tasks, input, settings };
}

/** What a checkpoint of a network for pixels says of them: its goal, and the pictures' shape. */
function pixelSettings(settings: Settings): Pick<SavedModel, "goal" | "input"> | undefined {
  const { goal, inChannels, pictureHeight, pictureWidth } = settings;
  if (goal !== "segmentation" && goal !== "denoising") return undefined;
  return { goal, input: { inputShape: [Number(inChannels), Number(pictureHeight), Number(pictureWidth)] } };
}

function numberOf(setting: Settings[string] | undefined): number | undefined {
  return typeof setting === "number" ? setting : undefined;
}

/** Builds a network for pictures of C×H×W, with another number of channels than its own where they have one. */
export function createFor(entry: ModelEntry, input: readonly number[], options: ModelOptions = {}): Network {
  const [inChannels] = input;
  return entry.create({ ...options, ...(inChannels !== entry.inputShape[0] && { inChannels }) });
}

/** What a file says about itself if it is a checkpoint; only then is it read as a whole, to compare its checksum. */
export async function checkpointInfo(path: string): Promise<CheckpointInfo | undefined> {
  const file = await openTensorFile(await openFileSource(path));
  await file.close();
  return isCheckpoint(file.metadata) ? readCheckpointInfo(await readFile(path), path) : undefined;
}

/** A network with the weights of a TensorFlow.js model. */
async function fromTfjs(entry: ModelEntry, path: string): Promise<Omit<SavedModel, "input" | "settings">> {
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
