/** `fovea summary`: what the layers of a model give, hold, cost and see. */

import { Command, InvalidArgumentError } from "commander";
import {
  drawNetwork,
  type LayerSummary,
  type Measurement,
  measure,
  type Summary,
  summarize,
} from "../../analysis/index.js";
import { ArgumentError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import * as models from "../../models/index.js";
import { writeFile } from "../../node/files.js";
import { type DeviceFlags, pictureShape, realNumber, useDevice, wholeNumber, withDeviceOptions } from "../options.js";
import { printJson, say } from "../output.js";
import { createFor } from "../saved-model.js";
import { terminalWidth } from "../terminal.js";

const help = `
Example:
  $ fovea summary resnet18
  $ fovea summary googlenet --depth 1
  $ fovea summary resnet18 --svg resnet18.svg
  $ fovea summary vgg16 --input 3x256x256 --batch 32 --json

Nothing is computed without --measure. Multiply-adds are those of convolutions
and matrix products, without bias. "field" is the receptive field: the pixels of
the input in a row that an output can depend on, counted beyond the borders;
"stride" is how far apart neighbours' fields are. Memory is that of the programs
that the device would run.`;

interface SummaryFlags extends DeviceFlags {
  readonly input?: readonly number[];
  readonly batch: number;
  readonly numClasses?: number;
  readonly width?: number;
  readonly train?: true;
  readonly measure?: true;
  readonly depth?: number;
  readonly svg?: string;
  readonly json?: true;
}

export function summaryCommand(): Command {
  const command = new Command("summary")
    .description("count a model's parameters, multiply-adds, memory and receptive fields, layer by layer")
    .argument("<model>", "a model's name")
    .option("--input <CxHxW>", "size of a picture (default: the model's own)", pictureShape)
    .option("--batch <n>", "pictures at once", wholeNumber(1), 1)
    .option("--num-classes <n>", "classes of the head (default: the model's own)", wholeNumber(1))
    .option("--width <factor>", "multiplies the channels of all layers but the last", realNumber(0))
    .option("--train", "as while training: batch statistics, dropout, auxiliary heads")
    .option("--measure", "run it on random pictures, and time each layer")
    .option(
      "--depth <n>",
      "a line, or box, for all of a module that is n modules deep; all for each layer",
      parseDepth,
    );
  return withDeviceOptions(command)
    .option("--svg <file>", "draw the network: boxes and branches, with sizes")
    .option("--json", "one JSON object on standard output, with all layers")
    .addHelpText("after", help)
    .action(printSummary);
}

function parseDepth(text: string): number {
  if (text === "all") return Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number of 1 or more, or "all".');
  return value;
}

async function printSummary(name: string, flags: SummaryFlags): Promise<void> {
  const entry = models.find(name);
  await useDevice(flags);
  const { input = entry.inputShape, batch, numClasses, width, train = false, depth } = flags;
  if (train && flags.measure)
    throw new ArgumentError("--measure times a model as it evaluates. Fix: leave out --train.");
  const model = createFor(entry, input, {
    ...(numClasses !== undefined && { numClasses }),
    ...(width !== undefined && { width }),
  });
  const shape = [batch, ...input];
  const measured = flags.measure ? await measure(model, shape) : undefined;
  const summary = measured?.summary ?? summarize(model, shape, { training: train });
  if (flags.svg !== undefined) await writeFile(flags.svg, drawNetwork(summary, { depth, title: name }));
  if (flags.json) printJson(toJson(name, batch, summary, measured));
  else say((measured ?? summary).toString({ width: terminalWidth(), depth }));
}

function toJson(name: string, batch: number, summary: Summary, measured: Measurement | undefined): object {
  const { inputs, parameters, trainable, unused, buffers, macs, operations, activations, depth, memory } = summary;
  return {
    model: name,
    input: inputs[0].slice(1),
    batch,
    ...{ parameters, trainable, unused, buffers, macs, operations, activations, depth },
    memory: { ...memory, training: memory?.training ?? null },
    ...(measured !== undefined && {
      time: { device: measured.device, threads: measured.threads, milliseconds: measured.milliseconds },
    }),
    layers: summary.layers.map((layer, i) => {
      const { milliseconds, share } = measured?.layers[i] ?? {};
      return { ...layerJson(layer, batch), milliseconds, share };
    }),
  };
}

/** Shapes are of one picture; what is not there is null. */
function layerJson({ children: _, output, ...layer }: LayerSummary, batch: number): object {
  const { name, type, kind, call, parameters, shared, trainable, macs, operations, activations, kept } = layer;
  return {
    name,
    type,
    output: output === undefined ? null : ofOne(output, batch),
    ...{ parameters, macs },
    receptiveField: layer.receptiveField ?? null,
    ...{ kind, call, shared, trainable, operations, activations },
    pixelUse: layer.pixelUse ?? null,
    kept,
  };
}

function ofOne(output: Shape, batch: number): Shape {
  return output.length > 1 && output[0] === batch ? output.slice(1) : output;
}
