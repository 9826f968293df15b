#!/usr/bin/env node
/** The command `fovea`. */

import { Command, CommanderError } from "commander";
import { AbortedError } from "../core/errors.js";
import { version } from "../version.js";
import { demoCommand } from "./commands/demo.js";
import { devicesCommand } from "./commands/devices.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { predictCommand } from "./commands/predict.js";
import { trainCommand } from "./commands/train.js";
import { describeError, say, usageError } from "./output.js";
import { stopStatus, watchProcess } from "./stopping.js";

watchProcess();

const program = new Command("fovea")
  .description("Convolutional neural networks: train them, evaluate them, use them.")
  .version(version)
  .addCommand(trainCommand())
  .addCommand(evaluateCommand())
  .addCommand(predictCommand())
  .addCommand(devicesCommand())
  .addCommand(demoCommand())
  .addHelpText(
    "after",
    "\nExample:\n  $ fovea demo\n  $ fovea train lenet5 --data mnist --out runs/first\n  $ fovea train --help",
  );

for (const command of [program, ...program.commands]) {
  command.exitOverride().showHelpAfterError("(add --help for what is expected)");
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : usageError;
  } else if (error instanceof AbortedError) {
    process.exitCode = stopStatus();
  } else {
    say(`fovea: ${describeError(error)}`);
    process.exitCode = 1;
  }
}
