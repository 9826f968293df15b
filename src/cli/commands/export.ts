/** `fovea export`: a model as an ONNX file. */

import { existsSync } from "node:fs";
import { Command } from "commander";
import { ArgumentError } from "../../core/errors.js";
import type { Normalization } from "../../core/normalization.js";
import { exportModel } from "../../interop/onnx/export/export.js";
import * as models from "../../models/index.js";
import { writeFile } from "../../node/files.js";
import { FromPixels } from "../../train/fromPixels.js";
import { TaskOutputs } from "../../train/tasks/outputs.js";
import { findNamedModel, type NamingFlags } from "../named-model.js";
import { type DeviceFlags, pictureShape, useDevice, wholeNumber, withDeviceOptions } from "../options.js";
import { printJson, say } from "../output.js";
import { loadSavedModel, type SavedModel } from "../saved-model.js";
import { bestOption, modelOrRun } from "../weights-file.js";

const help = `
Example:
  $ fovea export runs/first --out digits.onnx
  $ fovea export runs/first --pixels --out digits.onnx
  $ fovea export resnet18 --weights resnet18.safetensors --input 3x256x256 \\
      --out resnet18.onnx

The file takes any number of pictures at once, normalized as the metadata in it
says ("mean" and "std" of values from 0 to 1), or with --pixels as they are:
bytes from 0 to 255, which it then normalizes itself. It gives scores before
softmax for the classes that the metadata names; of a run with --tasks, an output
for each by its name, and numbers in their unit. It runs in ONNX Runtime, in
browsers and wherever else ONNX files do.`;

interface ExportFlags extends DeviceFlags, NamingFlags {
  readonly out: string;
  readonly input?: readonly number[];
  readonly batch?: number;
  readonly pixels?: true;
  readonly opset: number;
  readonly force?: true;
  readonly json?: true;
}

export function exportCommand(): Command {
  const command = new Command("export")
    .description("write a model as an ONNX file, which other programs run")
    .argument("<model>", `${modelOrRun}; a name alone has untrained weights`)
    .requiredOption("--out <file>", "the file to write")
    .option("--weights <file>", "a run's checkpoint, or a file with the model's weights")
    .addOption(bestOption())
    .option("--input <CxHxW>", "size of a picture (default: the model's own)", pictureShape)
    .option("--batch <n>", "take exactly so many pictures at once (default: any number)", wholeNumber(1))
    .option("--pixels", "take pictures as bytes from 0 to 255, and normalize them in the file");
  return withDeviceOptions(command)
    .option("--opset <n>", "version of ONNX's operators, 17 to 21", wholeNumber(17, 21), 18)
    .option("--force", "replace the file if it exists")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", help)
    .action(exportToFile);
}

async function exportToFile(name: string, flags: ExportFlags): Promise<void> {
  const named = await findNamedModel(name, flags);
  const entry = named?.entry ?? models.find(name);
  if (existsSync(flags.out) && flags.force !== true)
    throw new ArgumentError(`${flags.out} exists already. Fix: --force to replace it, or another --out.`);
  await useDevice(flags);
  const saved = named && (await loadSavedModel(entry, named.weights));
  const own = saved?.goal === undefined ? entry.inputShape : saved.input.inputShape;
  const { input: picture = own } = flags;
  const [channels] = own;
  if (picture[0] !== channels) {
    throw new ArgumentError(
      `${name} takes pictures of ${channels} ${channels === 1 ? "channel" : "channels"}, not of ${picture[0]}. Fix: --input ${[channels, ...picture.slice(1)].join("x")}.`,
    );
  }
  const network = saved?.model ?? entry.create();
  const answering = saved?.tasks === undefined ? network : new TaskOutputs(network, saved.tasks);
  const outputNames = Object.keys(saved?.tasks ?? { logits: true });
  const normalization = saved?.normalization ?? entry.normalization;
  const dtype = flags.pixels ? "uint8" : "float32";
  const shape = [flags.batch ?? 1, ...picture];
  const bytes = await exportModel(flags.pixels ? new FromPixels(answering, normalization) : answering, {
    inputs: [{ shape, dtype }],
    outputNames,
    dynamicBatch: flags.batch === undefined,
    opset: flags.opset,
    metadata: { model: entry.name, ...(flags.pixels ? {} : describePixels(normalization)), ...describeAnswers(saved) },
  });
  await writeFile(flags.out, bytes);
  const input = [dtype, ...(flags.batch === undefined ? ["batch", ...shape.slice(1)] : shape)];
  if (flags.json) printJson({ model: entry.name, file: flags.out, bytes: bytes.length, opset: flags.opset, input });
  else {
    const weights = saved === undefined ? "untrained weights" : `weights of ${named?.weights}`;
    say(`${flags.out}: ${entry.name} with ${weights}, ${(bytes.length / 1e6).toFixed(1)} MB, opset ${flags.opset}.`);
    say(
      `It takes "input", ${input.slice(1).join("×")}${flags.pixels ? " bytes" : ""}, and gives ${outputNames.map((output) => `"${output}"`).join(", ")}.`,
    );
  }
}

/** How whoever runs the file is to normalize pictures. @throws ArgumentError for whitening, which is more than a mean and a deviation */
function describePixels({ mean, std, matrix }: Normalization): Record<string, string> {
  if (matrix === undefined) return { mean: JSON.stringify(mean), std: JSON.stringify(std) };
  throw new ArgumentError(
    "the pictures of this run are whitened, which the metadata of an ONNX file has no words for. Fix: --pixels, which puts it into the file.",
  );
}

/** What the scores are of. */
function describeAnswers(saved: SavedModel | undefined): Record<string, string> {
  if (saved === undefined) return {};
  const { classNames, tasks } = saved;
  return { classes: JSON.stringify(classNames), ...(tasks && { tasks: JSON.stringify(tasks) }) };
}
