/** Saved weights that answer for every pixel: their scores on pictures with masks, or with the same pictures without noise. */

import { alignColumns } from "../analysis/table.js";
import { ArgumentError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import type { Shape } from "../core/shape.js";
import { annotate } from "../data/annotated.js";
import type { BatchSource, ImageBatch } from "../data/batches.js";
import type { Layer } from "../nn/layers/container.js";
import type { SegmentationReport } from "../train/metrics/index.js";
import { type DenoisingReport, evaluateDenoising, evaluateSegmentation } from "../train/pixelEvaluation.js";
import type { PixelPredictOptions, PixelViews } from "../train/pixelPrediction.js";
import type { EpochRecord } from "../train/records.js";
import type { Scores } from "../train/sums.js";
import type { OpenedTarget } from "./evaluation.js";
import { formatCount, formatShare } from "./output.js";
import type { Album } from "./pixel-strips.js";
import type { PixelGoal } from "./pixels.js";
import { clearProgress, showProgress } from "./progress.js";
import type { EpochLine } from "./run-folder.js";
import { type PixelScores, scoreTexts } from "./score-texts.js";

/** Larger pictures are looked at in tiles of so many pixels a side. */
export const largestTile = 512;

/** How many pictures of C×H×W are computed at once: no more pixels than memory has room for. */
export function pixelBatch([, height, width]: Shape): number {
  const pixels = Math.min(height, largestTile) * Math.min(width, largestTile);
  return Math.max(1, Math.min(256, Math.floor(2 ** 20 / pixels)));
}

/** What is measured after each epoch. */
export async function pixelScores(
  goal: PixelGoal,
  model: Layer,
  data: BatchSource<ImageBatch>,
  { classNames, normalization, signal, album }: PixelScoresOptions,
): Promise<PixelScores> {
  const { shape } = await data.batch(Uint32Array.of(0), { seed: 0, epoch: 0, signal });
  const options = { normalization, signal, ...sizes(shape.slice(1)) };
  if (goal === "denoising") {
    const { after } = await evaluateDenoising(model, data, { ...options, onPicture: album?.addClean });
    return { psnr: after.psnr, ...(after.ssim !== undefined && { ssim: after.ssim }) };
  }
  const masks = { ...options, classNames, onPicture: album?.addMask };
  const { meanIou, classes } = await evaluateSegmentation(model, data, masks);
  const known = classes.flatMap(({ name, iou }) => (iou === undefined ? [] : [[name, iou] as const]));
  return { meanIou, classIou: Object.fromEntries(known) };
}

/** What `--watch` goes by: of networks for pixels, mean IoU or decibels in place of the share of pixels that are right. */
export function watched({ validation, ...line }: EpochLine): EpochRecord {
  if (validation === undefined) return { ...line, validation };
  const { meanIou, psnr, accuracy } = validation;
  return { ...line, validation: { ...validation, accuracy: meanIou ?? psnr ?? accuracy } };
}

export interface PixelScoresOptions {
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  readonly signal: AbortSignal;
  /** Given each picture as it is scored. */
  readonly album?: Album | undefined;
}

function sizes(shape: Shape): PixelPredictOptions {
  return { batchSize: pixelBatch(shape), tile: largestTile };
}

/** What is known of an epoch's training, in a few words. */
export function trainTexts(scores: Scores, goal: PixelGoal | undefined, name: string): string[] {
  if (goal === undefined) return scoreTexts(scores, name);
  if (goal === "segmentation") return scoreTexts(scores, "pixels right ");
  return [`loss ${scores.loss.toFixed(4)}`];
}

export type PixelReport =
  | ({ readonly goal: "segmentation"; readonly count: number } & SegmentationReport)
  | ({ readonly goal: "denoising" } & DenoisingReport);

/** @throws ArgumentError where the weights name pictures */
export async function pixelReportOf(
  opened: OpenedTarget,
  signal: AbortSignal,
  { views, album }: { readonly views?: PixelViews | undefined; readonly album?: Album } = {},
): Promise<PixelReport> {
  const { saved, data, pixels, weights } = opened;
  const { goal, model, normalization, classNames } = saved;
  if (goal === undefined || pixels === undefined)
    throw new ArgumentError(`${weights} names pictures, not pixels. Fix: other weights.`);
  const set = annotate(pixels.pictures, pixels.annotations);
  const onProgress = (done: number, total: number) => showProgress("testing", done, total);
  const options = { normalization, views, signal, onProgress, ...sizes(data.shape) };
  try {
    if (goal === "denoising") {
      return { goal, ...(await evaluateDenoising(model, set, { ...options, onPicture: album?.addClean })) };
    }
    const masks = { ...options, classNames, onPicture: album?.addMask };
    return { goal, count: data.size, ...(await evaluateSegmentation(model, set, masks)) };
  } finally {
    clearProgress();
  }
}

/** For people: the means, then a line for each class, or before and after. */
export function pixelLines(report: PixelReport, width: number): { readonly head: string; readonly rows: string[] } {
  if (report.goal === "denoising") {
    const { before, after, gain, count } = report;
    const rows = Object.entries({ before, after }).map(([name, { psnr, ssim }]) => [
      name,
      `${psnr.toFixed(2)} dB`,
      ssim === undefined ? "" : ssim.toFixed(4),
    ]);
    return {
      head: `PSNR ${after.psnr.toFixed(2)} dB, a gain of ${gain.toFixed(2)} dB, in the mean of ${formatCount(count)} pictures`,
      rows: alignColumns([["", "PSNR", "SSIM"], ...rows], 1, width),
    };
  }
  const { meanIou, meanDice, accuracy, count, classes } = report;
  const share = (value: number | undefined) => (value === undefined ? "" : formatShare(value));
  const rows = classes.map(({ name, iou, dice, precision, recall, pixels }) => [
    name,
    ...[iou, dice, precision, recall].map(share),
    formatCount(pixels),
  ]);
  return {
    head: `mean IoU ${formatShare(meanIou)}, mean Dice ${formatShare(meanDice)}, ${formatShare(accuracy)} of the pixels right, of ${formatCount(count)} pictures`,
    rows: alignColumns([["class", "IoU", "Dice", "precision", "recall", "pixels"], ...rows], 1, width),
  };
}
