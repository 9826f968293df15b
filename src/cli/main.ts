#!/usr/bin/env node
/** The command `fovea`. */

import { Command, CommanderError } from "commander";
import { AbortedError } from "../core/errors.js";
// Whatever a command imports, its models have a device.
import "../device.js";
import { version } from "../version.js";
import { describeError, explain, usageError } from "./output.js";
import { stopStatus, watchProcess } from "./stopping.js";

watchProcess();

/** Each is loaded only when it is called for, with the part of the library that it needs. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import("./commands/train.js")).trainCommand(),
  finetune: async () => (await import("./commands/finetune.js")).finetuneCommand(),
  evaluate: async () => (await import("./commands/evaluate.js")).evaluateCommand(),
  report: async () => (await import("./commands/report.js")).reportCommand(),
  runs: async () => (await import("./commands/runs.js")).runsCommand(),
  predict: async () => (await import("./commands/predict.js")).predictCommand(),
  augment: async () => (await import("./commands/augment.js")).augmentCommand(),
  samples: async () => (await import("./commands/samples.js")).samplesCommand(),
  convert: async () => (await import("./commands/convert.js")).convertCommand(),
  export: async () => (await import("./commands/export.js")).exportCommand(),
  run: async () => (await import("./commands/run.js")).runCommand(),
  models: async () => (await import("./commands/models.js")).modelsCommand(),
  summary: async () => (await import("./commands/summary.js")).summaryCommand(),
  compare: async () => (await import("./commands/compare.js")).compareCommand(),
  bench: async () => (await import("./commands/bench.js")).benchCommand(),
  devices: async () => (await import("./commands/devices.js")).devicesCommand(),
  demo: async () => (await import("./commands/demo.js")).demoCommand(),
  gradcheck: async () => (await import("./commands/gradcheck.js")).gradcheckCommand(),
};

const program = new Command("fovea")
  .description("Convolutional neural networks: train them, evaluate them, use them.")
  .version(version)
  .addHelpText(
    "after",
    "\nExample:\n  $ fovea demo\n  $ fovea train lenet5 --data mnist --out runs/first\n  $ fovea train --help",
  );

const given = process.argv[2] ?? "";
const wanted = Object.hasOwn(commands, given) ? [commands[given]] : Object.values(commands);
for (const command of await Promise.all(wanted.map((load) => load()))) program.addCommand(command);

const names = Object.keys(commands).join(", ");
for (const command of [program, ...program.commands]) {
  const expected = command === program ? `Expected one of: ${names}.` : "";
  command
    .exitOverride()
    .configureOutput({ outputError: (text) => explain(text.trimEnd().replace(/^error: /, "fovea: ")) })
    .showHelpAfterError(`${expected} Add --help for what is expected.`.trim());
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : usageError;
  } else if (error instanceof AbortedError) {
    process.exitCode = stopStatus();
  } else {
    explain(`fovea: ${describeError(error)}`);
    process.exitCode = 1;
  }
}
