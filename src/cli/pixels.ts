/** Networks that answer for every pixel: what they learn from which pictures, and how large they are. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { ArgumentError } from "../core/errors.js";
import type { AnnotatedImages, Annotations } from "../data/annotated.js";
import type { GeneratedSplit } from "../data/generated/drawing.js";
import type { LabelledImages } from "../data/images.js";
import type { ModelEntry } from "../models/registry.js";
import type { UNetOptions } from "../models/unet.js";
import { type ImageMasksOptions, imageMasks, type MaskColour } from "../node/picture-sets/index.js";
import { denoising, type Objective, segmentation } from "../train/objective.js";
import { isDataName } from "./data.js";
import { drawGenerated } from "./generated.js";
import type { DataFlags } from "./options.js";
import { defaultValidation, type OwnPicturesRun } from "./own-pictures.js";
import { clearProgress, showProgress } from "./progress.js";
import type { Settings, TrainFlags } from "./settings.js";

export type PixelGoal = Objective["name"];
/** Pictures with masks, or with the same pictures without noise. */
export type PixelSet = AnnotatedImages<Annotations>;

/** What a network learns from these data, where it is no class for each picture. */
export function goalOf(entry: ModelEntry, data: string): PixelGoal | undefined {
  if (entry.task !== "segmentation") return undefined;
  return data === "noisy" ? "denoising" : "segmentation";
}

/** Cross-entropy does not see things that take little of the picture, Dice alone learns slowly. */
export function objectiveOf(goal: PixelGoal): Objective {
  return goal === "denoising" ? denoising() : segmentation({ loss: "both" });
}

/** Of adam, which suits random weights. */
export const pixelRate = 0.003;

/** Drawn shapes, unless --image-size says otherwise. */
const shapesSide = 64;
const shapesSizes = { train: 4000, test: 500 } as const satisfies Record<GeneratedSplit, number>;

/**
 * Gives the options of a training what suits a network for pixels where they are not given: a narrow network, small batches.
 *
 * @param rateShare of the rate for random weights
 * @throws ArgumentError for options that are for other networks, or for classes of pictures
 */
export function suitPixels(entry: ModelEntry, command: Command, rateShare = 1): void {
  const { data, ...flags } = command.opts<TrainFlags>();
  const goal = goalOf(entry, data);
  if (goal === undefined) {
    const { width, depth, maskClasses } = flags;
    const [option] = givenOf({ "--width": width, "--depth": depth, "--mask-classes": maskClasses });
    if (option === undefined) return;
    throw new ArgumentError(
      `${option} is for networks that answer for every pixel, such as unet, and ${entry.name} names pictures. Fix: leave it out.`,
    );
  }
  const { tasks, taskWeights, balance, labelSmoothing, depth, maskClasses } = flags;
  const [refused] = givenOf({
    "--tasks": tasks,
    "--task-weights": taskWeights,
    "--balance": balance,
    "--label-smoothing": labelSmoothing > 0 || undefined,
  });
  if (refused !== undefined)
    throw new ArgumentError(
      `${refused} is for classes of pictures, and ${entry.name} gives a class to every pixel. Fix: leave it out.`,
    );
  if (depth !== undefined && entry.name !== "unet")
    throw new ArgumentError(`--depth is for unet: that of ${entry.name} is fixed. Fix: leave it out.`);
  if (maskClasses !== undefined && isDataName(data))
    throw new ArgumentError(`--mask-classes is for masks of your own, but --data is ${data}. Fix: leave it out.`);
  const isOpen = (name: string) => [undefined, "default"].includes(command.getOptionValueSource(name));
  const rate = isOpen("optimizer") && { optimizer: "adam", ...(isOpen("lr") && { lr: rateShare * pixelRate }) };
  // Halved so often that what is left of 28 pixels of a digit, or of 64, is still some.
  const shape = entry.name === "unet" && { depth: goal === "denoising" ? 2 : 3, batchNorm: goal === "segmentation" };
  // A rate that is given by itself is one of Adam's.
  for (const [name, value] of Object.entries({ batch: 8, width: 1 / 8, ...rate, ...shape }))
    if (name === "lr" || name === "optimizer" || isOpen(name)) command.setOptionValueWithSource(name, value, "config");
}

function givenOf(options: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

/** What a network for pixels was built with, of a run's settings; nothing for others. */
export function networkOptions({ width, depth, batchNorm, inChannels }: Partial<Settings>): UNetOptions {
  return {
    // Narrow ones have nothing to spare for dropout.
    ...(typeof width === "number" && { width, dropout: 0 }),
    ...(typeof depth === "number" && { depth }),
    ...(typeof batchNorm === "boolean" && { batchNorm }),
    ...(typeof inChannels === "number" && { inChannels }),
  };
}

/** What the checkpoint of a network for pixels says of its training besides the run's settings. */
export function pixelsTrainedWith(goal: PixelGoal, { shape }: LabelledImages): Settings {
  const [inChannels, pictureHeight, pictureWidth] = shape;
  return { goal, inChannels, pictureHeight, pictureWidth };
}

/** `cell=255,membrane=0,ignore=128` as `imageMasks` takes it. */
function parseMaskClasses(text: string): Required<Pick<ImageMasksOptions, "classes">> & ImageMasksOptions {
  const pairs = text.split(",").map((part): readonly [string, MaskColour] => {
    const [, name = "", colour = ""] = /^\s*([^=]+?)\s*=\s*(\d{1,3}|#[0-9a-f]{6})\s*$/i.exec(part) ?? [];
    if (name === "" || Number(colour) > 255)
      throw new InvalidArgumentError("Expected names with grey values or colours, such as cell=255,membrane=#804080.");
    return [name, colour.startsWith("#") ? colour : Number(colour)];
  });
  const named = pairs.filter(([name]) => name !== "ignore");
  if (named.length < 2 || new Set(pairs.map(([name]) => name)).size < pairs.length)
    throw new InvalidArgumentError("Expected at least two names, each once.");
  const ignore = pairs.find(([name]) => name === "ignore")?.[1];
  return { classes: Object.fromEntries(named), ...(ignore !== undefined && { ignore }) };
}

/** The text as it is, if it can be parsed: runs keep it so. */
export function maskClassList(text: string): string {
  parseMaskClasses(text);
  return text;
}

export interface PixelSets {
  readonly train: PixelSet;
  readonly test: PixelSet;
}

/** The pictures to learn from, and those to test with. */
export async function loadPixelTraining(
  entry: ModelEntry,
  flags: DataFlags & OwnPicturesRun & Pick<TrainFlags, "maskClasses">,
  signal: AbortSignal,
): Promise<PixelSets> {
  const { data, validation, maskClasses } = flags;
  if (isDataName(data)) {
    if (validation !== undefined)
      throw new ArgumentError(
        `--validation is a share of pictures of your own, but --data is ${data}. Fix: leave it out.`,
      );
    return { train: await draw(flags, "train", signal), test: await draw(flags, "test", signal) };
  }
  return divide(await open(entry, flags, maskClasses === undefined ? {} : parseMaskClasses(maskClasses)), flags);
}

/** What a checkpoint says of the training. */
interface Trained {
  readonly goal: PixelGoal;
  readonly classNames: readonly string[];
  readonly settings: Settings;
}

/** The pictures to test with: of what the run was trained with, those that it held out; otherwise all. */
export async function loadPixelTest(
  entry: ModelEntry,
  flags: DataFlags,
  { goal, classNames, settings }: Trained,
  signal: AbortSignal,
): Promise<PixelSet> {
  if (goal !== goalOf(entry, flags.data))
    throw new ArgumentError(
      `the weights are for ${goal}, and ${flags.data} is not. Fix: --data ${goal === "denoising" ? "noisy" : "shapes, or a folder with images/ and masks/"}.`,
    );
  if (isDataName(flags.data)) {
    const set = await draw(flags, "test", signal);
    const theirs = pixelClasses(goal, set);
    if (theirs.join() === classNames.join()) return set;
    throw new ArgumentError(
      `the weights tell ${classNames.join(", ")} apart, but ${flags.data} has ${theirs.join(", ")}. Fix: name data with the same classes.`,
    );
  }
  const { maskClasses, data, validation, seed } = settings;
  const classes = typeof maskClasses === "string" ? parseMaskClasses(maskClasses) : { classes: coloursOf(classNames) };
  const channels = settings.inChannels === 1 ? 1 : 3;
  const all = await open(entry, flags, { ...classes, channels });
  if (typeof data !== "string" || resolve(data) !== resolve(flags.data)) return all;
  return divide(all, { validation: typeof validation === "number" ? validation : undefined, seed: Number(seed) }).test;
}

/** The names that `imageMasks` gives to classes without one, as colours. */
function coloursOf(names: readonly string[]): Record<string, MaskColour> {
  const colours = names.map((name): readonly [string, MaskColour] => {
    const grey = /^grey (\d+)$/.exec(name)?.[1];
    if (grey === undefined && !/^#[0-9a-f]{6}$/.test(name))
      throw new ArgumentError(
        `which colour ${name} has in masks of your own is not known: the weights learnt it from drawn pictures. Fix: train with masks of your own, or test with --data shapes.`,
      );
    return [name, grey === undefined ? name : Number(grey)];
  });
  return Object.fromEntries(colours);
}

/** What the network's outputs stand for: classes of pixels, or channels of pictures. */
export function pixelClasses(goal: PixelGoal, { pictures, annotations }: PixelSet): readonly string[] {
  if (goal === "denoising") return pictures.shape[0] === 1 ? ["grey"] : ["red", "green", "blue"];
  // The class of a picture of shapes is a shape; pixels show the background, too.
  return pictures.name === "shapes" && annotations.masks !== undefined
    ? ["background", ...pictures.classNames]
    : pictures.classNames;
}

async function draw({ data, dataDir, imageSize }: DataFlags, split: GeneratedSplit, signal: AbortSignal) {
  if (data !== "shapes" && data !== "noisy")
    throw new ArgumentError(
      `${data} has a class for each picture, but none for each pixel. Expected shapes (to find them), noisy (to remove the noise), or a folder with images/ and masks/.`,
    );
  if (dataDir !== undefined)
    throw new ArgumentError(`--data-dir is for files, and ${data} are drawn. Fix: leave it out.`);
  const side = imageSize ?? shapesSide;
  if (imageSize !== undefined && (data === "noisy" || side < 16 || side > 64))
    throw new ArgumentError(
      data === "noisy"
        ? "--image-size is not for noisy, which has pictures of 28×28 pixels. Fix: leave it out."
        : `--image-size is ${side}. Expected 16 to 64 for shapes.`,
    );
  try {
    const size = data === "shapes" ? shapesSizes[split] : undefined;
    const set = await drawGenerated(data, { split, size, like: [3, side, side], signal });
    if ("annotations" in set) return set;
  } finally {
    clearProgress();
  }
  throw new ArgumentError(`${data} has nothing for each pixel. Expected shapes or noisy.`);
}

/** Opens a folder of pictures and masks. */
async function open(
  entry: ModelEntry,
  { data, imageSize, dataDir, labelColumn, fileColumn }: DataFlags,
  classes: ImageMasksOptions,
): Promise<PixelSet> {
  const [option] = givenOf({ "--data-dir": dataDir, "--label-column": labelColumn, "--file-column": fileColumn });
  if (option !== undefined)
    throw new ArgumentError(`${option} is not for folders of pictures and masks. Fix: leave it out.`);
  if (!existsSync(data))
    throw new ArgumentError(
      `--data: there is no data set or folder ${JSON.stringify(data)}. Expected shapes, noisy, or a folder with images/ and masks/.`,
    );
  try {
    return await imageMasks(data, {
      ...(entry.inputShape[0] === 3 && { channels: 3 }),
      ...(imageSize !== undefined && { size: [imageSize, imageSize] }),
      ...classes,
      onProgress: (done, total) => showProgress("reading pictures and masks", done, total),
    });
  } finally {
    clearProgress();
  }
}

/** Holds a share of the pictures out, the same for the same seed. */
function divide(
  all: PixelSet,
  { validation = defaultValidation, seed }: Pick<OwnPicturesRun, "validation" | "seed">,
): PixelSets {
  const { name, classNames } = all.pictures;
  if (classNames.length < 2)
    throw new ArgumentError(
      `the masks of ${name} have only ${classNames.join()}. Expected at least two classes to tell apart.`,
    );
  // At least one: few pictures with masks are usual.
  const share = Math.max(validation, validation > 0 ? 1 / all.size : 0);
  const [train, test] = all.randomSplit([1 - share, share], seed);
  if (train.size > 0 && test.size > 0) return { train, test };
  throw new ArgumentError(
    `--validation ${validation} of ${all.size} pictures leaves ${train.size} to learn from and ${test.size} to test with. Expected at least one of each. Fix: more pictures, or another share.`,
  );
}
