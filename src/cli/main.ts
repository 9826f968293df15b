#!/usr/bin/env node
/** The command `fovea`. */

import { Command, CommanderError } from "commander";
import { AbortedError } from "../core/errors.js";
import { version } from "../version.js";
import { compareCommand } from "./commands/compare.js";
import { convertCommand } from "./commands/convert.js";
import { demoCommand } from "./commands/demo.js";
import { devicesCommand } from "./commands/devices.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { exportCommand } from "./commands/export.js";
import { gradcheckCommand } from "./commands/gradcheck.js";
import { modelsCommand } from "./commands/models.js";
import { predictCommand } from "./commands/predict.js";
import { runCommand } from "./commands/run.js";
import { summaryCommand } from "./commands/summary.js";
import { trainCommand } from "./commands/train.js";
import { describeError, explain, usageError } from "./output.js";
import { stopStatus, watchProcess } from "./stopping.js";

watchProcess();

const program = new Command("fovea")
  .description("Convolutional neural networks: train them, evaluate them, use them.")
  .version(version)
  .addCommand(trainCommand())
  .addCommand(evaluateCommand())
  .addCommand(predictCommand())
  .addCommand(convertCommand())
  .addCommand(exportCommand())
  .addCommand(runCommand())
  .addCommand(modelsCommand())
  .addCommand(summaryCommand())
  .addCommand(compareCommand())
  .addCommand(devicesCommand())
  .addCommand(demoCommand())
  .addCommand(gradcheckCommand())
  .addHelpText(
    "after",
    "\nExample:\n  $ fovea demo\n  $ fovea train lenet5 --data mnist --out runs/first\n  $ fovea train --help",
  );

const names = program.commands.map((command) => command.name()).join(", ");
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
