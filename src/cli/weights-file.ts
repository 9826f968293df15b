/** The file that `--weights` means: a path, or the name of published weights. */

import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { StateDictError } from "../core/errors.js";
import type { ModelEntry } from "../models/registry.js";
import { isPretrainedName, type PretrainedWeights, pretrainedWeights } from "../node/pretrained.js";
import { clearProgress, showDownload } from "./progress.js";

/** What `--weights` takes, for its help. */
export const weightsHelp =
  "a run's checkpoint, a file of weights (safetensors, PyTorch, .npz), or the name of published ones: torchvision/resnet18, hf:owner/model";

/** `--best`, of commands that take the folder of a run. */
export function bestOption(): Option {
  return new Option("--best", "of a run: the weights of its best epoch instead of the last's");
}

/** What stands for a model with weights, for help. */
export const modelOrRun = "a model's name, with --weights, or the folder of a run";

/** Ends a command that lacks --weights as commander ends those that lack what they always need. */
export function weightsNeeded(command: Command): never {
  command.error(
    "error: required option '--weights <file or name>' not specified, or the folder of a run instead of a model's name",
  );
}

/** Downloads published weights where need be. @throws StateDictError when they are of another network */
export async function findWeights(entry: ModelEntry, given: string, signal?: AbortSignal): Promise<PretrainedWeights> {
  if (!isPretrainedName(given) || existsSync(given)) return { path: given };
  const found = await pretrainedWeights(given, { onProgress: showDownload, ...(signal && { signal }) }).finally(
    clearProgress,
  );
  if (found.model !== undefined && found.model !== entry.name) {
    throw new StateDictError(
      `${given} are weights of ${found.model}, not of ${entry.name}. Fix: name ${found.model} as the model, or other weights.`,
    );
  }
  return found;
}

/** The path of a file of weights, or of published ones, downloaded where need be. */
export async function publishedFile(given: string): Promise<string> {
  return (await findFile(given)).path;
}

async function findFile(given: string): Promise<PretrainedWeights> {
  if (!isPretrainedName(given) || existsSync(given)) return { path: given };
  return pretrainedWeights(given, { onProgress: showDownload }).finally(clearProgress);
}
