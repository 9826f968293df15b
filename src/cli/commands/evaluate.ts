/** `fovea evaluate`: scores saved weights on a test set. */

import { Command } from "commander";
import { ArgumentError, NotFiniteError } from "../../core/errors.js";
import * as models from "../../models/index.js";
import { Evaluator } from "../../train/evaluation.js";
import { loadData } from "../data.js";
import { type DataFlags, type DeviceFlags, useDevice, withDataOptions, withDeviceOptions } from "../options.js";
import { explain, formatCount, formatShare, printJson } from "../output.js";
import { clearProgress, showProgress } from "../progress.js";
import { loadSavedModel } from "../saved-model.js";
import { stoppable } from "../stopping.js";
import { weightsHelp } from "../weights-file.js";

const help = `
Example:
  $ fovea evaluate lenet5 --weights runs/first/checkpoint.safetensors --json
  $ fovea evaluate lenet5 --weights runs/first/checkpoint.safetensors \\
      --data mnist --data-dir ~/mnist`;

interface EvaluateFlags extends DataFlags, DeviceFlags {
  readonly weights: string;
  readonly json?: true;
}

export function evaluateCommand(): Command {
  const command = new Command("evaluate")
    .description("score saved weights on the test pictures of a data set")
    .argument("<model>", "a model's name")
    .requiredOption("--weights <file or name>", weightsHelp);
  return withDeviceOptions(withDataOptions(command))
    .option("--json", "the scores as one JSON object on standard output")
    .addHelpText("after", help)
    .action((name: string, flags: EvaluateFlags) => stoppable((signal) => evaluate(name, flags, signal)));
}

async function evaluate(name: string, flags: EvaluateFlags, signal: AbortSignal): Promise<void> {
  const entry = models.find(name);
  await useDevice(flags);
  const { model, normalization, classNames } = await loadSavedModel(entry, flags.weights, signal);
  const data = await loadData(entry, flags, "test", signal);
  if (data.classNames.length > classNames.length) {
    throw new ArgumentError(
      `${flags.weights} tells ${classNames.length} classes apart, but ${data.name} has ${data.classNames.length}. Fix: other weights, or another data set.`,
    );
  }
  const { accuracy, loss, count } = await new Evaluator(model, { normalization })
    .evaluate(data, { signal, onProgress: (done, total) => showProgress("testing", done, total) })
    .finally(clearProgress);
  if (!Number.isFinite(loss)) {
    throw new NotFiniteError(
      `${flags.weights}: the loss on ${data.name} is ${loss}, as after a training that diverged. Expected a finite number. Fix: train with a lower learning rate.`,
    );
  }
  if (flags.json) {
    printJson({ accuracy, loss, count });
    return;
  }
  explain(
    `${name} on ${data.name}: ${formatShare(accuracy)} of ${formatCount(count)} pictures right, loss ${loss.toFixed(4)}`,
  );
}
