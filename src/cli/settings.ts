/** The settings of a training: as flags, as a run's folder keeps them, and back. */

import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { ArgumentError, FormatError } from "../core/errors.js";
import type { NormalizationGroup } from "../data/normalization/fit.js";
import { isDataName } from "./data.js";
import { learntMethods } from "./normalizing.js";
import type { DataFlags, DeviceFlags } from "./options.js";
import { commandLine } from "./output.js";
import { hasColumns, isArrays } from "./own-pictures.js";

export const optimizerNames = ["sgd", "adam", "adamw"] as const;
export const watchNames = ["loss", "accuracy"] as const;
export const scheduleNames = ["constant", "step", "cosine", "one-cycle", "plateau"] as const;

export const normalizeNames = ["model", ...learntMethods] as const;

export interface TrainFlags extends DataFlags, DeviceFlags {
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: (typeof optimizerNames)[number];
  readonly lr?: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly schedule: (typeof scheduleNames)[number];
  /** As `augment.parse` takes it. */
  readonly augment?: string;
  readonly workers?: number;
  readonly warmup: number;
  readonly patience?: number;
  /** What `patience` and the best epoch go by. Default: the loss. */
  readonly watch?: (typeof watchNames)[number];
  readonly accumulate: number;
  /** Decay of the average of the weights. */
  readonly average?: number;
  readonly clip?: number;
  readonly labelSmoothing: number;
  readonly normalize: (typeof normalizeNames)[number];
  readonly normalizePer: NormalizationGroup;
  readonly seed: number;
  readonly validation?: number;
  /** As `parseTasks` takes it: what to learn instead of classes. */
  readonly tasks?: string;
  readonly taskWeights?: string;
  /** Of a network for pixels: what multiplies its channels, how often unet halves the resolution, whether it normalizes. */
  readonly width?: number;
  readonly depth?: number;
  readonly batchNorm?: boolean;
  /** As `maskClassList` takes it: which colours in masks stand for what. */
  readonly maskClasses?: string;
  /** Draws every class equally often. */
  readonly balance?: true;
  readonly checkpointSeconds: number;
  /** Folder for TensorBoard. */
  readonly tensorboard?: string;
  readonly tensorboardSteps?: number;
  readonly out?: string;
  readonly resume?: true;
  readonly json?: true;
}

/** What `fovea finetune` is told besides. */
export interface FinetuneFlags extends TrainFlags {
  /** A path, or the name of published weights. */
  readonly weights: string;
  readonly headEpochs: number;
  readonly headLr?: number;
  readonly headOnly?: true;
  /** The last layer that stays as it is. */
  readonly freeze?: string;
  readonly rateDecay: number;
  readonly copies: number;
  readonly cache: boolean;
}

export const defaults = {
  data: "digits",
  device: "auto",
  epochs: 12,
  batch: 64,
  optimizer: "sgd",
  momentum: 0.9,
  weightDecay: 0,
  schedule: "cosine",
  warmup: 0,
  accumulate: 1,
  labelSmoothing: 0,
  normalize: "model",
  normalizePer: "channel",
  seed: 0,
  checkpointSeconds: 15,
} as const satisfies TrainFlags;

export const defaultRates = { sgd: 0.05, adam: 0.001, adamw: 0.001 } as const;

/** The settings of a run, as its folder keeps them. */
export type Settings = Readonly<Record<string, string | number | boolean | null>>;

/** Settings that decide the result: a resumed run must keep them. */
const fixed = [
  ...["epochs", "batch", "optimizer", "lr", "momentum", "weightDecay", "schedule", "warmup", "patience", "watch"],
  ...["accumulate", "average", "clip", "labelSmoothing"],
  ...["normalize", "normalizePer", "augment", "seed"],
  ...["validation", "imageSize", "labelColumn", "fileColumn", "balance", "tasks", "taskWeights"],
] as const satisfies readonly (keyof TrainFlags)[];
/** Those of a borrowed network. */
const borrowing = [
  ...["weights", "headEpochs", "headLr", "headOnly", "freeze", "rateDecay", "copies"],
] as const satisfies readonly (keyof FinetuneFlags)[];
/** Those of a network for pixels. */
const pixels = ["width", "depth", "batchNorm", "maskClasses"] as const satisfies readonly (keyof TrainFlags)[];
/** Settings that it keeps unless they are given anew: where the data lie, where and how to compute, how often to save. */
const movable = [
  "data",
  "dataDir",
  "device",
  "threads",
  "workers",
  "memory",
  "checkpointSeconds",
  "tensorboard",
  "tensorboardSteps",
] as const;

/** What to keep of `flags`. Folders become absolute, for the run may be resumed from elsewhere. */
export function toSettings(model: string, flags: TrainFlags | FinetuneFlags): Settings {
  const { data, dataDir, tensorboard, lr = defaultRates[flags.optimizer] } = flags;
  const kept: Partial<FinetuneFlags> = {
    ...flags,
    lr,
    data: isDataName(data) ? data : resolve(data),
    ...(dataDir !== undefined && { dataDir: resolve(dataDir) }),
    ...(tensorboard !== undefined && { tensorboard: resolve(tensorboard) }),
  };
  const names = [
    ...fixed,
    ...("weights" in flags ? borrowing : []),
    ...(flags.width === undefined ? [] : pixels),
    ...movable,
  ];
  return { model, ...Object.fromEntries(names.map((name) => [name, kept[name] ?? null])) };
}

/**
 * Gives the options of `command` the values that the run at `path` was started with, except for those that were given
 * and may be.
 */
export function restoreSettings(command: Command, settings: Settings, path: string): void {
  const isGiven = (name: string) => command.getOptionValueSource(name) === "cli";
  const isFixed = (name: string) => [...fixed, ...borrowing, ...pixels].some((each) => each === name);
  const isMovable = (name: string) => movable.some((each) => each === name);
  for (const option of command.options) {
    const name = option.attributeName();
    if (!isFixed(name) && !isMovable(name)) continue;
    const kept = parseSetting(option, settings[name], path);
    if (!isGiven(name)) {
      // Data given anew do not lie in the folder of the old ones.
      if (name !== "dataDir" || !isGiven("data")) command.setOptionValueWithSource(name, kept, "config");
    } else if (isFixed(name) && command.getOptionValue(name) !== kept) {
      throw new ArgumentError(
        `--resume: the run in ${path} was started with ${option.long} ${kept}, not ${command.getOptionValue(name)}. ` +
          "A resumed run keeps its settings. Fix: leave the option out, or start a new run.",
      );
    }
  }
}

/** The options of a command that tests what a run has learned: of those on data that are not given, the run's own. */
export function withRunData<Flags extends DataFlags>(command: Command, settings: Settings, useData: boolean): Flags {
  const isGiven = (name: string) => command.getOptionValueSource(name) === "cli";
  const itsOwn = useData && !isGiven("data");
  const data = itsOwn && typeof settings.data === "string" ? settings.data : command.opts<Flags>().data;
  const names = [
    ...(itsOwn ? ["data", "dataDir"] : []),
    ...((isDataName(data) || isArrays(data)) && !itsOwn ? [] : ["imageSize"]),
    ...(hasColumns(data) ? ["labelColumn", "fileColumn"] : []),
  ];
  for (const option of command.options) {
    const name = option.attributeName();
    if (!names.includes(name) || isGiven(name) || settings[name] === undefined || settings[name] === null) continue;
    command.setOptionValueWithSource(name, parseSetting(option, settings[name], "the run"), "config");
  }
  return command.opts<Flags>();
}

/** A kept value, checked as if it had been given on the command line. */
function parseSetting(option: Command["options"][number], value: Settings[string] | undefined, path: string): unknown {
  if (value === null || value === undefined) return option.defaultValue;
  if (typeof value === "boolean") return value;
  if (option.parseArg === undefined) return String(value);
  try {
    return option.parseArg(String(value), undefined);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new FormatError(
      `the config.json in ${path} is damaged: ${option.long} is ${JSON.stringify(value)}. ${error.message} Fix: start a new run.`,
    );
  }
}

/** Throws when a checkpoint was written under other settings than those in the run's folder. */
export function checkSameSettings(now: Settings, then: Settings, path: string): void {
  const changed = ["model", ...fixed, ...borrowing, ...pixels].filter(
    (name) => (now[name] ?? null) !== (then[name] ?? null),
  );
  if (changed.length === 0) return;
  const list = changed.map((name) => `${name} ${then[name]}, not ${now[name]}`).join("; ");
  throw new ArgumentError(
    `the config.json in ${path} was changed, or the checkpoint is of another run: it was written with ${list}. Fix: put config.json right, or start a new run.`,
  );
}

/** How to go on with a run. */
export function resumeCommand(settings: Settings, path: string): string {
  return commandLine(commandOf(settings), String(settings.model), "--out", path, "--resume");
}

/** The command that a run was started with. */
export function commandOf({ weights }: Settings): "train" | "finetune" {
  return typeof weights === "string" ? "finetune" : "train";
}

/** How many epochs a run is to have, those of a new head included. */
export function plannedEpochs({ epochs, headEpochs, headOnly }: Settings): number {
  return Number(headEpochs ?? 0) + (headOnly === true ? 0 : Number(epochs));
}
