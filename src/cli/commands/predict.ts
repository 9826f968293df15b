/** `fovea predict`: what a trained model sees in pictures. */

import { Command, Option } from "commander";
import { AbortedError, ArgumentError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { ImageDataset } from "../../data/images.js";
import { prepareDigit } from "../../data/photograph/prepareDigit.js";
import { toPlanar } from "../../data/pixels.js";
import { fitPixels, type PictureInput } from "../../data/resize.js";
import { readPixels } from "../../node/image.js";
import { Predictor, ranking } from "../../train/predict.js";
import { TaskPredictor } from "../../train/tasks/predict.js";
import type { Tasks } from "../../train/tasks/task.js";
import { findNamedModel, type NamingFlags } from "../named-model.js";
import { type DeviceFlags, useDevice, wholeNumber, withDeviceOptions } from "../options.js";
import { describeError, explain, formatShare, printJson, say } from "../output.js";
import { checkTakesPictures } from "../own-pictures.js";
import { drawPicture, meanBrightness, shrinkPicture, toPicture } from "../picture.js";
import { expandPictures } from "../picture-files.js";
import { PixelAnswers } from "../pixel-prediction.js";
import { loadSavedModel, type SavedModel } from "../saved-model.js";
import { formatNumber } from "../score-texts.js";
import { stoppable } from "../stopping.js";
import { colours, terminalWidth } from "../terminal.js";
import { type ViewsName, viewsOf, viewsOption } from "../views.js";
import { bestOption, modelOrRun, weightsHelp, weightsNeeded } from "../weights-file.js";

const help = `
Example:
  $ fovea predict runs/first digit.png
  $ fovea predict lenet5 --weights runs/first/checkpoint.safetensors digit.png
  $ fovea predict lenet5 --weights runs/first/checkpoint.safetensors \\
      --invert scan1.jpg scan2.jpg --json
  $ fovea predict runs/first --photograph notebook.jpg
  $ fovea predict resnet56 --weights resnet56.safetensors holidays/ '*.png'
  $ fovea predict runs/unet-shapes photo.png --out masks.png --views turns
  $ fovea predict resnet50 --weights torchvision/resnet50 cat.jpg --views flips

Pictures are resized and cropped as the model's entry says (fovea models), or as
in the run that the weights are from. Digits are expected bright on dark and in
the middle, as in MNIST: --invert turns dark on bright into that, --photograph
finds a digit on paper, whatever its ink, place, size and light.`;

interface PredictFlags extends DeviceFlags, NamingFlags {
  readonly top: number;
  readonly invert?: true;
  readonly photograph?: true;
  readonly views?: ViewsName;
  /** Of weights that answer for every pixel. */
  readonly out?: string;
  readonly tile?: number;
  readonly json?: true;
}

export function predictCommand(): Command {
  const command = new Command("predict")
    .description("name what is in picture files")
    .argument("<model>", modelOrRun)
    .argument("<image...>", "picture files (PNG, JPEG, WebP, GIF …), folders of them, patterns")
    .option("--weights <file or name>", weightsHelp)
    .addOption(bestOption());
  return withDeviceOptions(command)
    .option("--top <n>", "how many classes to name", wholeNumber(1), 3)
    .option("--invert", "exchange dark and bright")
    .addOption(new Option("--photograph", "find a digit on paper, and prepare it as MNIST's are").conflicts("invert"))
    .addOption(viewsOption())
    .option("--out <file>", "of networks for pixels: PNG file for the pictures beside their masks, or without noise")
    .option(
      "--tile <n>",
      "of networks for pixels: look at larger pictures in squares of so many pixels a side (default: 512)",
      wholeNumber(16),
    )
    .option("--json", "one JSON object for each picture on standard output")
    .addHelpText("after", help)
    .action((name: string, files: readonly string[], _: PredictFlags, command: Command) =>
      stoppable((signal) => predictFiles(name, files, command, signal)),
    );
}

async function predictFiles(
  name: string,
  given: readonly string[],
  command: Command,
  signal: AbortSignal,
): Promise<void> {
  const flags = command.opts<PredictFlags>();
  const { entry, weights } = (await findNamedModel(name, flags)) ?? weightsNeeded(command);
  await useDevice(flags);
  const saved = await loadSavedModel(entry, weights, signal);
  if (saved.goal === undefined) checkTakesPictures(entry);
  checkPixelFlags(saved, flags);
  const pixels = saved.goal === undefined ? undefined : new PixelAnswers(saved, flags, signal);
  if (flags.photograph) checkTakesDigits(entry.name, saved.input);
  if (saved.tasks !== undefined && flags.views !== undefined)
    throw new ArgumentError(
      "--views is for weights that name classes, and these answer several tasks. Fix: leave it out.",
    );
  const predictor =
    saved.tasks === undefined
      ? new Predictor(saved.model, saved)
      : new TaskPredictor(saved.model, { tasks: saved.tasks, normalization: saved.normalization });
  // What cannot be read must not keep the others from being answered, but the command fails.
  const files: string[] = [];
  let failures = 0;
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (given.length === 1 && files.length <= 1) throw error;
      failures++;
      explain(`fovea: ${describeError(error)}`);
    }
  };
  for (const path of given) {
    await attempt(async () => {
      files.push(...(await expandPictures(path)));
    });
  }
  const wanted = files.length + failures;
  for (const file of files) {
    if (signal.aborted) throw new AbortedError();
    await attempt(async () => {
      if (pixels !== undefined) return pixels.add(file);
      const picture = await readPicture(file, saved, flags);
      if (predictor instanceof Predictor) await answer(file, picture, predictor, flags);
      else await answerTasks(file, picture, saved.tasks ?? {}, predictor, flags);
    });
  }
  await pixels?.write();
  if (failures > 0) throw new ArgumentError(`${failures} of ${wanted} pictures could not be read`);
}

/** @throws ArgumentError for what weights that answer for every pixel, or others, cannot do */
function checkPixelFlags({ goal }: SavedModel, { photograph, out, tile }: PredictFlags): void {
  const wrong = goal === undefined ? { "--out": out, "--tile": tile } : { "--photograph": photograph };
  const [option] = Object.entries(wrong).find(([, value]) => value !== undefined) ?? [];
  if (option === undefined) return;
  const [what, are] = ["answer for every pixel", "name pictures"];
  throw new ArgumentError(
    `${option} is for weights that ${goal === undefined ? what : are}, and these ${goal === undefined ? are : what}. Fix: leave it out.`,
  );
}

/** The picture, as the model takes it, as a data set of one. */
async function readPicture(
  file: string,
  { classNames, input }: SavedModel,
  { invert, photograph }: PredictFlags,
): Promise<ImageDataset> {
  const channels = input.inputShape[0] === 1 ? 1 : 3;
  const pixels = await readPixels(file, { channels });
  const fitted = photograph ? prepareDigit(pixels, { size: input.inputShape[1] }).image : fitPixels(pixels, input);
  const image = toPlanar(fitted);
  return new ImageDataset({
    name: file,
    split: "picture",
    images: invert ? image.map((value) => 255 - value) : image,
    labels: new Uint8Array(1),
    shape: [channels, fitted.height, fitted.width],
    classNames,
  });
}

/** @throws ArgumentError unless the model takes square pictures in grey */
function checkTakesDigits(name: string, { inputShape }: PictureInput): void {
  const [channels, height, width] = inputShape;
  if (channels === 1 && height === width) return;
  throw new ArgumentError(
    `--photograph: ${name} takes pictures of ${formatShape(inputShape)}. Expected a network for digits, which takes square pictures in grey, such as lenet5. Fix: leave out --photograph.`,
  );
}

interface Answer {
  readonly class: string;
  readonly probability: number;
}

async function answer(
  file: string,
  data: ImageDataset,
  predictor: Predictor,
  { top, json, invert, photograph, views }: PredictFlags,
): Promise<void> {
  for await (const { probabilities } of predictor.predict(data, { views: viewsOf(views) })) {
    const best = ranking(probabilities)
      .slice(0, top)
      .map((index): Answer => ({ class: data.classNames[index], probability: probabilities[index] }));
    if (json) {
      printJson({ file, top: best });
      continue;
    }
    const picture = drawFile(file, data);
    for (const line of table(best)) say(line);
    if (!invert && !photograph && areDigits(data.classNames) && meanBrightness(picture) > 128) {
      explain(
        "  The picture is mostly bright; digits are expected bright on dark. Try --photograph, or only --invert.",
      );
    }
  }
}

const areDigits = (classNames: readonly string[]): boolean => classNames.join() === "0,1,2,3,4,5,6,7,8,9";

/** The file's name, and below it the picture. */
function drawFile(file: string, data: ImageDataset): ReturnType<typeof toPicture> {
  const picture = toPicture(data.get(0).image, data.shape);
  say(file);
  for (const line of drawPicture(shrinkPicture(picture, drawnWidth()), colours())) say(line.trimEnd());
  return picture;
}

/** The answers to several tasks: of classes the most probable ones. */
async function answerTasks(
  file: string,
  data: ImageDataset,
  tasks: Tasks,
  predictor: TaskPredictor,
  { top, json }: PredictFlags,
): Promise<void> {
  const best = (task: Tasks[string], probabilities: Float32Array) =>
    task.kind === "regression"
      ? []
      : ranking(probabilities)
          .slice(0, top)
          .map((index): Answer => ({ class: task.classNames[index], probability: probabilities[index] }));
  for await (const { answers } of predictor.predict(data)) {
    const found = Object.entries(answers).map(([name, each]) => ({
      name,
      answer: each.kind === "regression" ? each.value : best(tasks[name], each.probabilities),
    }));
    if (json) {
      printJson({ file, tasks: Object.fromEntries(found.map(({ name, answer }) => [name, answer])) });
      continue;
    }
    drawFile(file, data);
    for (const { name, answer } of found) {
      if (typeof answer === "number") say(`${name}: ${formatNumber(answer)}`);
      else for (const line of [name, ...table(answer)]) say(line);
    }
  }
}

/** Photographs need no more to be recognised, and leave room for several in a window. */
function drawnWidth(): number {
  return Math.min(terminalWidth(), 64);
}

const barWidth = 20;

/** A line for each class; in terminals with bars, so that long and short are seen at once. */
function table(answers: readonly Answer[]): string[] {
  const width = Math.max(12, ...answers.map((each) => each.class.length));
  return answers.map(({ class: name, probability }) => {
    const bar = process.stderr.isTTY ? `  ${"█".repeat(Math.round(barWidth * probability))}` : "";
    return `  ${name.padEnd(width)} ${formatShare(probability).padStart(8)}${bar}`.trimEnd();
  });
}
