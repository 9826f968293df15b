/** `fovea evaluate`: scores saved weights on a test set. */

import { Command } from "commander";
import { ArgumentError, NotFiniteError } from "../../core/errors.js";
import { Evaluator } from "../../train/evaluation.js";
import { loadTest, skippedFiles } from "../data.js";
import { type DataFlags, type DeviceFlags, useDevice, withDataOptions, withDeviceOptions } from "../options.js";
import { explain, formatCount, formatShare, printJson } from "../output.js";
import { clearProgress, showProgress } from "../progress.js";
import { findNamedModel, loadSavedModel } from "../saved-model.js";
import { withRunData } from "../settings.js";
import { stoppable } from "../stopping.js";
import { modelOrRun, weightsHelp, weightsNeeded } from "../weights-file.js";

const help = `
Example:
  $ fovea evaluate runs/first
  $ fovea evaluate runs/pets --data more-photos
  $ fovea evaluate lenet5 --weights runs/first/checkpoint.safetensors --json
  $ fovea evaluate lenet5 --weights runs/first/checkpoint.safetensors \\
      --data mnist --data-dir ~/mnist

A run's folder stands for its model and weights; without --data it is tested
with what it was not trained with of its own data: the test pictures, or those
of a folder of pictures that were held out.`;

interface EvaluateFlags extends DataFlags, DeviceFlags {
  readonly weights?: string;
  readonly json?: true;
}

export function evaluateCommand(): Command {
  const command = new Command("evaluate")
    .description("score saved weights on the test pictures of a data set")
    .argument("<model>", modelOrRun)
    .option("--weights <file or name>", weightsHelp);
  return withDeviceOptions(withDataOptions(command))
    .option("--json", "the scores as one JSON object on standard output")
    .addHelpText("after", help)
    .action((name: string, _: EvaluateFlags, command: Command) =>
      stoppable((signal) => evaluate(name, command, signal)),
    );
}

async function evaluate(name: string, command: Command, signal: AbortSignal): Promise<void> {
  const given = command.opts<EvaluateFlags>();
  const { entry, weights } = (await findNamedModel(name, given.weights)) ?? weightsNeeded(command);
  await useDevice(given);
  const saved = await loadSavedModel(entry, weights, signal);
  const { model, normalization, classNames } = saved;
  const isRun = given.weights === undefined;
  const flags = withRunData<EvaluateFlags>(command, saved.settings, isRun);
  const data = await loadTest(entry, flags, saved, signal);
  if (data.classNames.length > classNames.length) {
    throw new ArgumentError(
      `${weights} tells ${classNames.length} classes apart, but ${data.name} has ${data.classNames.length}. Fix: other weights, or another data set.`,
    );
  }
  const { accuracy, loss, count } = await new Evaluator(model, { normalization })
    .evaluate(data, { signal, onProgress: (done, total) => showProgress("testing", done, total) })
    .finally(clearProgress);
  if (!Number.isFinite(loss)) {
    throw new NotFiniteError(
      `${weights}: the loss on ${data.name} is ${loss}, as after a training that diverged. Expected a finite number. Fix: train with a lower learning rate.`,
    );
  }
  if (flags.json) {
    printJson({ accuracy, loss, count, ...skippedFiles(data) });
    return;
  }
  explain(
    `${entry.name} on ${data.name}: ${formatShare(accuracy)} of ${formatCount(count)} pictures right, loss ${loss.toFixed(4)}`,
  );
}
