/** What a training says: what it begins with, what each epoch came to, and what all of it did. */

import type { LabelledImages } from "../data/images.js";
import type { Device } from "../index.js";
import type { ModelEntry } from "../models/registry.js";
import type { Layer } from "../nn/layers/container.js";
import type { Scores } from "../train/sums.js";
import { skippedFiles } from "./data.js";
import { commandLine, explain, formatCount, formatSeconds, formatShare, printJson, say } from "./output.js";
import { trainTexts } from "./pixel-evaluation.js";
import type { PixelGoal } from "./pixels.js";
import type { EpochLine, RunFolder } from "./run-folder.js";
import { type PixelScores, scoreTexts } from "./score-texts.js";
import type { TrainFlags } from "./settings.js";
import { fold, terminalWidth } from "./terminal.js";

interface Announced {
  readonly entry: ModelEntry;
  readonly flags: TrainFlags;
  readonly device: Device;
}

/** Says what is about to be trained, and on what. */
export function announce(
  { flags, entry, device }: Announced,
  model: Layer,
  trainSet: LabelledImages,
  testSet: LabelledImages,
  folder: RunFolder,
): void {
  const { epochs, batch, optimizer, schedule, seed } = flags;
  if (flags.json) {
    printJson({
      event: "start",
      model: entry.name,
      parameters: model.parameterCount(),
      data: trainSet.name,
      train: trainSet.size,
      test: testSet.size,
      ...skippedFiles(trainSet, testSet),
      epochs,
      batch,
      optimizer,
      schedule,
      augment: flags.augment ?? null,
      seed,
      device: device.variant,
      threads: device.threads,
      folder: folder.path,
    });
    return;
  }
  const threads = `${device.threads} thread${device.threads === 1 ? "" : "s"}`;
  explain(`${entry.name}: ${formatCount(model.parameterCount())} parameters, on ${device.variant} with ${threads}`);
  explain(
    `${trainSet.name}: ${formatCount(trainSet.size)} pictures to learn from, ${formatCount(testSet.size)} to test with`,
  );
}

/** An epoch in a line, folded to the terminal's width. */
export function describeEpoch(line: EpochLine, epochs: number, goal?: PixelGoal): string {
  const { phase, epoch, train, validation, seconds } = line;
  const parts = [
    `${phase === undefined ? "" : `${phase}, `}epoch ${epoch}/${epochs}`,
    `train ${trainTexts(train, goal, "").join(", ")}`,
  ];
  if (validation !== undefined) parts.push(`test ${scoreTexts(validation, "").join(", ")}`);
  parts.push(formatSeconds(seconds));
  return fold(parts.join("  "), terminalWidth(), "  ");
}

export interface TrainingResult {
  readonly train: Scores;
  readonly test: Scores & PixelScores;
  /** Spent training, over all epochs of this run. */
  readonly seconds: number;
  readonly samplesPerSecond: number;
  /** How many there were. */
  readonly epochs: number;
  /** The epoch that was best; undefined where only a new head was trained. */
  readonly best: EpochLine | undefined;
  readonly bestWeights: string;
  readonly checkpoint: string;
  /** The folder of the run. */
  readonly folder: string;
}

/** Says what a training came to: to programs as the last line of JSON, to people with what to do next. */
export function reportResult(result: TrainingResult, flags: TrainFlags): void {
  const { train, test, seconds, samplesPerSecond, checkpoint, folder, epochs, best, bestWeights } = result;
  if (flags.json) {
    const scores = ({ loss, accuracy, tasks, meanIou, psnr }: Scores & PixelScores) => ({
      ...{ loss, accuracy, ...(tasks && { tasks }) },
      ...{ ...(meanIou !== undefined && { meanIou }), ...(psnr !== undefined && { psnr }) },
    });
    printJson({
      event: "done",
      ...{ train: scores(train), test: scores(test), seconds, samplesPerSecond, checkpoint },
      ...(best && { best: { epoch: best.epoch, test: scores(best.validation ?? best.train), weights: bestWeights } }),
    });
    return;
  }
  say();
  const speed = `${formatCount(samplesPerSecond)} pictures/s`;
  const came =
    test.tasks === undefined && test.meanIou === undefined && test.psnr === undefined
      ? `${formatShare(test.accuracy)} of the test pictures right`
      : `on the test pictures ${scoreTexts(test).join(", ")}`;
  explain(`Done in ${formatSeconds(seconds)} (${speed}): ${came}.`);
  say(`Weights and training state: ${checkpoint}`);
  if (best !== undefined && best.epoch !== epochs) {
    const came = scoreTexts(best.validation ?? best.train).join(", ");
    explain(`The best epoch was ${best.epoch}: ${came}. --best uses its weights: ${bestWeights}`);
  }
  say("Use them with:");
  say(`  ${commandLine("evaluate", folder)}`);
  say(`  ${commandLine("predict", folder)} PICTURE…`);
}
