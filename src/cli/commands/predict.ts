/** `fovea predict`: what a trained model sees in pictures. */

import { Command } from "commander";
import { ArgumentError } from "../../core/errors.js";
import { ImageDataset } from "../../data/images.js";
import { toPlanar } from "../../data/pixels.js";
import * as models from "../../models/index.js";
import { readPixels } from "../../node/image.js";
import { predict, ranking } from "../../train/predict.js";
import { type DeviceFlags, useDevice, wholeNumber, withDeviceOptions } from "../options.js";
import { describeError, explain, formatShare, printJson, say } from "../output.js";
import { drawPicture, greyPicture, shrinkPicture } from "../picture.js";
import { loadSavedModel, type SavedModel } from "../saved-model.js";
import { hasColours, terminalWidth } from "../terminal.js";

const help = `
Example:
  $ fovea predict lenet5 --weights runs/first/checkpoint.safetensors digit.png
  $ fovea predict lenet5 --weights runs/first/checkpoint.safetensors \\
      --invert scan1.jpg scan2.jpg --json

Pictures are scaled to the model's size. Digits are expected bright on dark, as
in MNIST; --invert turns dark on bright into that.`;

interface PredictFlags extends DeviceFlags {
  readonly weights: string;
  readonly top: number;
  readonly invert?: true;
  readonly json?: true;
}

export function predictCommand(): Command {
  const command = new Command("predict")
    .description("name what is in picture files")
    .argument("<model>", "a model's name")
    .argument("<image...>", "picture files: PNG, JPEG, WebP, GIF …")
    .requiredOption("--weights <file>", "a run's checkpoint, or any safetensors file with the model's weights");
  return withDeviceOptions(command)
    .option("--top <n>", "how many classes to name", wholeNumber(1), 3)
    .option("--invert", "exchange dark and bright")
    .option("--json", "one JSON object for each picture on standard output")
    .addHelpText("after", help)
    .action(predictFiles);
}

async function predictFiles(name: string, files: readonly string[], flags: PredictFlags): Promise<void> {
  const entry = models.find(name);
  await useDevice(flags);
  const saved = await loadSavedModel(entry, flags.weights);
  // A file that cannot be read must not keep the others from being answered, but the command fails.
  let failures = 0;
  for (const file of files) {
    try {
      const picture = await readPicture(file, entry, saved.classNames, flags.invert === true);
      await answer(file, picture, saved, flags);
    } catch (error) {
      if (files.length === 1) throw error;
      failures++;
      explain(`fovea: ${describeError(error)}`);
    }
  }
  if (failures > 0) throw new ArgumentError(`${failures} of ${files.length} pictures could not be read`);
}

/** The picture as a data set of one. */
async function readPicture(
  file: string,
  { name, inputShape }: models.ModelEntry,
  classNames: readonly string[],
  invert: boolean,
): Promise<ImageDataset> {
  const [channels, height, width] = inputShape;
  if (channels !== 1 && channels !== 3)
    throw new ArgumentError(`${name} takes pictures of ${channels} channels, and files have 1 or 3.`);
  const image = toPlanar(await readPixels(file, { channels, size: [height, width] }));
  const images = invert ? image.map((value) => 255 - value) : image;
  return new ImageDataset({
    name: file,
    split: "picture",
    images,
    labels: new Uint8Array(1),
    shape: inputShape,
    classNames,
  });
}

async function answer(
  file: string,
  picture: ImageDataset,
  { model, normalization }: SavedModel,
  { top, json, invert }: PredictFlags,
): Promise<void> {
  for await (const { probabilities } of predict(model, picture, { normalization })) {
    const best = ranking(probabilities)
      .slice(0, top)
      .map((index) => ({ class: picture.classNames[index], probability: probabilities[index] }));
    if (json) {
      printJson({ file, top: best });
      continue;
    }
    const grey = greyPicture(picture.get(0).image, picture.shape);
    say(file);
    for (const line of drawPicture(shrinkPicture(grey, terminalWidth()), hasColours())) say(line.trimEnd());
    for (const { class: name, probability } of best)
      say(`  ${name.padEnd(12)} ${formatShare(probability).padStart(8)}`);
    if (!invert && picture.shape[0] === 1 && mean(grey.data) > 128) {
      explain("  The picture is mostly bright; digits are expected bright on dark. Try --invert.");
    }
  }
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
