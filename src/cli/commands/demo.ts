/** `fovea demo`: a first look. LeNet-5 learns to read digits that Fovea draws itself. */

import { join } from "node:path";
import { Command } from "commander";
import * as models from "../../models/index.js";
import { useDevice, wholeNumber, withDeviceOptions } from "../options.js";
import { commandLine, say } from "../output.js";
import { RunFolder } from "../run-folder.js";
import { defaults, type TrainFlags, toSettings } from "../settings.js";
import { stoppable } from "../stopping.js";
import { runTraining } from "../training.js";
import { reportResult } from "../training-texts.js";

const help = `
Example:
  $ fovea demo
  $ fovea demo --device wasm --epochs 2`;

const epochs = 4;

export function demoCommand(): Command {
  const command = new Command("demo").description("watch LeNet-5 learn to read digits, in under a minute");
  return withDeviceOptions(command)
    .option("--epochs <n>", "times to go through the training set", wholeNumber(1), epochs)
    .option("--seed <n>", "decides initial weights and the order of pictures", wholeNumber(0), defaults.seed)
    .option("--json", "one JSON object a line on standard output; the last is the result")
    .addHelpText("after", help)
    .action((given: Partial<TrainFlags>) => stoppable((signal) => demo({ ...defaults, ...given }, signal)));
}

async function demo(flags: TrainFlags, signal: AbortSignal): Promise<void> {
  const entry = models.find("lenet5");
  const device = await useDevice(flags);
  const makeFolder = () => RunFolder.createNew(join("runs", "demo"), toSettings(entry.name, flags));
  const result = await runTraining({ entry, flags, device, makeFolder, resuming: false, signal });
  reportResult(result, flags);
  if (flags.json) return;
  say("Train on handwriting with:");
  say(`  ${commandLine("train", "lenet5", "--data", "mnist")}`);
}
