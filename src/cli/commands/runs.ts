/** `fovea runs`: the runs in a folder, side by side. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { alignColumns } from "../../analysis/table.js";
import { FileError } from "../../core/errors.js";
import { fileError } from "../../node/files.js";
import { describeError, explain, formatSeconds, formatShare, printJson, say } from "../output.js";
import { type EpochLine, isRun } from "../run-folder.js";
import { type RunRecord, readRun } from "../run-record.js";
import { plannedEpochs } from "../settings.js";
import { terminalWidth } from "../terminal.js";

const help = `
Example:
  $ fovea runs
  $ fovea runs runs/search --sort accuracy
  $ fovea runs --json

"best" is the highest test accuracy of any epoch (of networks for pixels the
mean IoU, or PSNR), "at" the epoch; "differs" are the settings in which the runs
are not all alike.`;

const orders = ["name", "accuracy", "loss"] as const;

interface RunsFlags {
  readonly sort: (typeof orders)[number];
  readonly json?: true;
}

export function runsCommand(): Command {
  return new Command("runs")
    .description("compare the runs in a folder")
    .argument("[folder]", "folder with runs in it", "runs")
    .addOption(new Option("--sort <by>", "best first, or by name").choices(orders).default("name"))
    .option("--json", "one JSON object a line on standard output, for each run")
    .addHelpText("after", help)
    .action(listRuns);
}

async function listRuns(folder: string, { sort, json }: RunsFlags): Promise<void> {
  const runs: RunRecord[] = [];
  for (const path of await findRuns(folder)) {
    try {
      runs.push(await readRun(path));
    } catch (error) {
      explain(`fovea: left out: ${describeError(error)}`);
    }
  }
  if (runs.length === 0) throw new FileError(`${folder} holds no runs that can be read.`);
  runs.sort((a, b) => compare(a, b, sort));
  if (json) {
    for (const run of runs) printJson(toJson(run));
    return;
  }
  const differing = differingSettings(runs);
  const rows = runs.map((run) => {
    const [best, last] = [bestEpoch(run), run.epochs.at(-1)];
    return [
      run.name,
      differing.map((name) => `${name} ${run.settings[name] ?? "default"}`).join(", "),
      `${run.epochs.length}/${plannedEpochs(run.settings)}`,
      best === undefined ? "" : formatAccuracy(best),
      best === undefined ? "" : String(best.epoch),
      last === undefined ? "" : formatAccuracy(last),
      last === undefined ? "" : scoresOf(last).loss.toFixed(4),
      formatSeconds(secondsOf(run)),
    ];
  });
  const head = ["run", "differs", "epochs", "best", "at", "last", "loss", "time"];
  const shared = ["model", "data"].filter((name) => !differing.includes(name));
  if (shared.length > 0) explain(shared.map((name) => `${name} ${runs[0].settings[name]}`).join(", "));
  for (const line of alignColumns([head, ...rows], 2, terminalWidth())) say(line);
}

/** The folder itself where it is a run, else those in it. */
async function findRuns(folder: string): Promise<string[]> {
  if (isRun(folder)) return [folder];
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw fileError("read", folder, error);
  });
  const found = entries.map(({ name }) => join(folder, name)).filter(isRun);
  if (found.length === 0) {
    throw new FileError(
      `${folder} holds no runs. Expected folders that fovea train has made. Fix: name their folder, or train: fovea train lenet5`,
    );
  }
  return found.sort();
}

/** Of the test set, or where there was none of the training set. */
function scoresOf({ validation, train }: EpochLine): NonNullable<EpochLine["validation"]> {
  return validation ?? train;
}

/** The higher the better: of networks for pixels mean IoU or decibels. */
function accuracyOf(line: EpochLine): number {
  const { accuracy, meanIou, psnr } = scoresOf(line);
  return meanIou ?? psnr ?? accuracy;
}

/** Nothing where only numbers were asked for, of which none is right or wrong: JSON has null for NaN. */
function formatAccuracy(line: EpochLine): string {
  const { psnr } = scoresOf(line);
  if (psnr !== undefined) return `${psnr.toFixed(2)} dB`;
  const accuracy: number | null = accuracyOf(line);
  return accuracy === null ? "" : formatShare(accuracy);
}

function bestEpoch({ epochs }: RunRecord): EpochLine | undefined {
  return epochs.reduce<EpochLine | undefined>(
    (best, line) => (best === undefined || accuracyOf(line) > accuracyOf(best) ? line : best),
    undefined,
  );
}

function secondsOf({ epochs }: RunRecord): number {
  return epochs.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Runs without an epoch come last. */
function compare(a: RunRecord, b: RunRecord, sort: RunsFlags["sort"]): number {
  const [first, second] = [bestEpoch(a), bestEpoch(b)];
  if (sort !== "name" && first !== undefined && second !== undefined) {
    const difference = sort === "accuracy" ? accuracyOf(second) - accuracyOf(first) : lowestLoss(a) - lowestLoss(b);
    if (difference !== 0) return difference;
  } else if (sort !== "name" && first !== second) return first === undefined ? 1 : -1;
  return a.name < b.name ? -1 : 1;
}

function lowestLoss({ epochs }: RunRecord): number {
  return epochs.reduce((least, line) => Math.min(least, scoresOf(line).loss), Number.POSITIVE_INFINITY);
}

/** Names of settings that are not the same in all runs. Where to compute and how often to save make no difference. */
function differingSettings(runs: readonly RunRecord[]): string[] {
  const names = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
  return names.filter((name) => {
    if (["device", "threads", "checkpointSeconds", "dataDir"].includes(name)) return false;
    return runs.some(({ settings }) => (settings[name] ?? null) !== (runs[0].settings[name] ?? null));
  });
}

function toJson(run: RunRecord): object {
  const { path, name, settings, epochs } = run;
  const describe = (line: EpochLine | undefined) => {
    if (line === undefined) return null;
    const { accuracy, loss, meanIou, psnr } = scoresOf(line);
    return {
      ...{ epoch: line.epoch, accuracy, loss },
      ...{ ...(meanIou !== undefined && { meanIou }), ...(psnr !== undefined && { psnr }) },
    };
  };
  return {
    run: name,
    folder: path,
    epochs: epochs.length,
    best: describe(bestEpoch(run)),
    last: describe(epochs.at(-1)),
    seconds: secondsOf(run),
    settings,
  };
}
