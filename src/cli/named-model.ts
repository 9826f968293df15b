/** Models as a command line names them: by the folder of a run, or by name with a file of weights. */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { ArgumentError, FileError, FormatError } from "../core/errors.js";
import { closestName } from "../core/suggest.js";
import * as models from "../models/index.js";
import type { ModelEntry } from "../models/registry.js";
import { bestName, checkpointName, meantRun } from "./run-folder.js";
import { checkpointInfo } from "./saved-model.js";
import { fold, terminalWidth } from "./terminal.js";

/** A network and a file of its weights. */
export interface NamedModel {
  readonly entry: ModelEntry;
  readonly weights: string;
}

export interface NamingFlags {
  readonly weights?: string | undefined;
  /** The weights of a run's best epoch. */
  readonly best?: true | undefined;
}

/**
 * What is meant by a model's name and `--weights`, or by the folder of a run alone.
 *
 * @returns undefined where weights are needed and not given
 * @throws ArgumentError for what is neither, FileError for a folder without a checkpoint
 */
export async function findNamedModel(given: string, { weights, best }: NamingFlags): Promise<NamedModel | undefined> {
  const isName = models.list().some(({ name }) => name === given);
  if (isName || !statSync(given, { throwIfNoEntry: false })?.isDirectory()) {
    const entry = findEntry(given);
    if (best)
      throw new ArgumentError(
        `--best is for the folder of a run, and ${given} is a model's name. Fix: name the run's folder instead, or the file ${bestName} in it with --weights.`,
      );
    return weights === undefined ? undefined : { entry, weights };
  }
  if (weights !== undefined) {
    throw new ArgumentError(
      `${given} is a folder, but --weights is given too. Expected the folder of a run, or a model's name with --weights. Fix: leave out one of them.`,
    );
  }
  const path = join(given, best ? bestName : checkpointName);
  if (best && !existsSync(path) && existsSync(join(given, checkpointName))) {
    throw new FileError(
      `${given} has no ${bestName}, which a run has after its first epoch (one of a new head alone does not count). Fix: leave out --best.`,
    );
  }
  if (!existsSync(path)) {
    throw new FileError(
      `${given} holds no run with weights (no ${checkpointName}). Expected the folder of a training, or a model's name with --weights.`,
    );
  }
  const info = await checkpointInfo(path);
  if (info === undefined)
    throw new FormatError(
      `${path} does not say which model it is of. Fix: name the model, and this file with --weights.`,
    );
  return { entry: models.find(info.model), weights: path };
}

/** The model of that name. @throws ArgumentError that says that a run's folder would do, too */
function findEntry(given: string): ModelEntry {
  const entries = models.list();
  const entry = entries.find(({ name }) => name === given);
  if (entry !== undefined) return entry;
  const names = entries.map(({ name }) => name);
  const isFile = existsSync(given);
  const isPath = isFile || /[\\/]/.test(given);
  const meant = meantRun(given) ?? (isPath ? undefined : closestName(given, names));
  const what = isFile
    ? `${given} is a file`
    : isPath
      ? `there is no folder ${given}`
      : `there is no model and no folder named ${given}`;
  const expected = "Expected the folder of a run, or the name of a model with --weights";
  throw new ArgumentError(
    meant === undefined && !isPath
      ? `${what}. ${expected}:\n  ${fold(names.join(", "), terminalWidth() - 2)}`
      : `${what}.${meant === undefined ? "" : ` Did you mean ${meant}?`} ${expected} (fovea models lists them).`,
  );
}
