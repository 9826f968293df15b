/** Scores in a few words. */

import type { Scores } from "../train/sums.js";
import type { TaskScores } from "../train/tasks/losses.js";
import { formatShare } from "./output.js";

/** What is measured of a network that answers for every pixel. */
export interface PixelScores {
  /** Of all pixels together, over the classes that occur. */
  readonly meanIou?: number;
  /** Of each class that occurs, by name. */
  readonly classIou?: Readonly<Record<string, number>>;
  /** Decibels, the mean over pictures. */
  readonly psnr?: number;
  /** Structural similarity, the mean over pictures that are large enough for it. */
  readonly ssim?: number;
}

/**
 * `accuracy 97.10 %, loss 0.0912`; of several tasks `smile 80.10 %`, `age off by 8.42` and the loss of all; of pixels
 * `mean IoU 91.20 %` or `PSNR 25.44 dB`.
 */
export function scoreTexts(scores: Scores & PixelScores, name = "accuracy "): string[] {
  const { accuracy, loss, tasks, meanIou, psnr } = scores;
  const each =
    meanIou !== undefined
      ? [`mean IoU ${formatShare(meanIou)}`]
      : psnr !== undefined
        ? [`PSNR ${psnr.toFixed(2)} dB`]
        : tasks === undefined
          ? [`${name}${formatShare(accuracy)}`]
          : Object.entries(tasks).map(([task, scores]) => `${task} ${taskText(scores)}`);
  return [...each, `loss ${loss.toFixed(4)}`];
}

/** `80.10 %` or `off by 8.42`. */
export function taskText(scores: TaskScores): string {
  if (scores.kind === "classification") return scores.accuracy === null ? "unknown" : formatShare(scores.accuracy);
  return scores.error === null ? "unknown" : `off by ${formatNumber(scores.error)}`;
}

/** With as many places as say something. */
export function formatNumber(value: number): string {
  return value.toPrecision(Math.abs(value) >= 100 ? 4 : 3);
}
