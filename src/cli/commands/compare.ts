/** `fovea compare`: models side by side. */

import { Command } from "commander";
import { compareModels, summarize } from "../../analysis/index.js";
import * as models from "../../models/index.js";
import { type DeviceFlags, pictureShape, useDevice, wholeNumber, withDeviceOptions } from "../options.js";
import { printJson, say } from "../output.js";
import { createFor } from "../saved-model.js";
import { terminalWidth } from "../terminal.js";

const help = `
Example:
  $ fovea compare alexnet vgg16 googlenet
  $ fovea compare resnet18 resnet50 --input 3x320x320 --json

Nothing is computed. × and ÷ compare with the first model. Parameters are all
that there are, those of auxiliary heads included; multiply-adds are those of
convolutions and matrix products, without bias; activations are the values of
all layers' outputs. The receptive field is that of the last map.`;

interface CompareFlags extends DeviceFlags {
  readonly input?: readonly number[];
  readonly batch: number;
  readonly json?: true;
}

export function compareCommand(): Command {
  const command = new Command("compare")
    .description("compare models: parameters, multiply-adds, memory, depth and receptive fields side by side")
    .argument("<models...>", "names of models")
    .option("--input <CxHxW>", "size of a picture (default: each model's own)", pictureShape)
    .option("--batch <n>", "pictures at once", wholeNumber(1), 1);
  return withDeviceOptions(command)
    .option("--json", "one JSON object a line on standard output, for each model")
    .addHelpText("after", help)
    .action(compare);
}

async function compare(names: readonly string[], flags: CompareFlags): Promise<void> {
  const entries = names.map(models.find);
  await useDevice(flags);
  const { batch } = flags;
  const comparison = compareModels(
    entries.map((entry) => {
      const { input = entry.inputShape } = flags;
      return [entry.name, summarize(createFor(entry, input), [batch, ...input])];
    }),
  );
  if (!flags.json) {
    say(comparison.toString({ width: terminalWidth() }));
    return;
  }
  for (const { name, summary, receptiveField, ratio } of comparison.models) {
    const { inputs, parameters, trainable, unused, buffers, macs, operations, activations, depth, memory } = summary;
    printJson({
      model: name,
      input: inputs[0].slice(1),
      batch,
      ...{ parameters, trainable, unused, buffers, macs, operations, activations, depth },
      receptiveField: receptiveField ?? null,
      memory,
      ratio,
    });
  }
}
