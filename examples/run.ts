/** Runs an example by its name: `npm run example -- templates`. */

import { Command } from "commander";
import { FoveaError } from "fovea";
import { command as auxiliary } from "./auxiliary.js";
import { command as cifarCnn } from "./cifar-cnn.js";
import { command as cifarRecipe } from "./cifar-recipe.js";
import { command as deepGradients } from "./deep-gradients.js";
import { command as denoising } from "./denoising.js";
import { command as dropout } from "./dropout.js";
import { command as events } from "./events.js";
import { command as fairSmiles } from "./fair-smiles.js";
import { command as findDigits } from "./find-digits.js";
import { command as handMadeKernels } from "./hand-made-kernels.js";
import { command as kernels } from "./kernels.js";
import { command as learnedTemplates } from "./learned-templates.js";
import { command as maxout } from "./maxout.js";
import { command as permutation } from "./permutation.js";
import { command as photographedDigit } from "./photographed-digit.js";
import { command as pooling } from "./pooling.js";
import { command as segmentation } from "./segmentation.js";
import { command as setSize } from "./set-size.js";
import { command as tasks } from "./tasks.js";
import { command as templates } from "./templates.js";
import { command as transfer } from "./transfer.js";
import { command as translation } from "./translation.js";
import { command as validSame } from "./valid-same.js";

// `| head` has seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const program = new Command("example")
  .usage("<name> [options]")
  .description("What the library can do, in programs to read and to change: the sources are in examples/.")
  .addHelpText("after", "\n`npm run example -- <name> --help` tells more.")
  .addCommand(kernels)
  .addCommand(templates)
  .addCommand(findDigits)
  .addCommand(deepGradients)
  .addCommand(fairSmiles)
  .addCommand(segmentation)
  .addCommand(denoising)
  .addCommand(tasks)
  .addCommand(translation)
  .addCommand(permutation)
  .addCommand(cifarCnn)
  .addCommand(cifarRecipe)
  .addCommand(pooling)
  .addCommand(setSize)
  .addCommand(handMadeKernels)
  .addCommand(learnedTemplates)
  .addCommand(events)
  .addCommand(maxout)
  .addCommand(validSame)
  .addCommand(dropout)
  .addCommand(auxiliary)
  .addCommand(photographedDigit)
  .addCommand(transfer)
  .helpCommand(false)
  .showHelpAfterError("Add --help for what is expected.");
for (const command of program.commands) command.showHelpAfterError("Add --help for what is expected.");

if (process.argv.length === 2) program.outputHelp();
else {
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof FoveaError) && !(error instanceof Error && "syscall" in error)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
