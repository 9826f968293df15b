/** Normalizations that are learnt from samples: ranges, deviations, whitening. */

import { ArgumentError, DataError } from "../../core/errors.js";
import type { Normalization } from "../../core/normalization.js";
import { formatShape, type Shape, sizeOf } from "../../core/shape.js";
import { warnOnce } from "../../core/warnings.js";
import type { BatchSource, ImageBatch } from "../batches.js";
import { DataLoader } from "../loader.js";
import { symmetricEigen } from "./eigen.js";
import { Covariance, GroupStatistics, type Values } from "./statistics.js";

export const normalizationMethods = ["min-max", "z-score", "pca", "zca"] as const;
export type NormalizationMethod = (typeof normalizationMethods)[number];

export const normalizationGroups = ["all", "channel", "feature"] as const;
export type NormalizationGroup = (typeof normalizationGroups)[number];

export interface FitNormalizationOptions {
  /**
   * `min-max`: the least and the largest value become the ends of `range`. `z-score`: mean 0, deviation 1. `pca`:
   * directions in which samples vary most, without correlation, each with variance 1. `zca`: the same, turned back, so
   * that what comes out looks like what went in.
   */
  readonly method: NormalizationMethod;
  /** What shares its numbers, with min-max and z-score: all values, those of a channel (the default), or none. */
  readonly per?: NormalizationGroup;
  /** Of min-max. Default [0, 1]. */
  readonly range?: readonly [low: number, high: number];
  /** How many directions `pca` keeps. Default all in which samples vary. */
  readonly components?: number;
  /** Added to each direction's variance by pca and zca: keeps faint directions, mostly noise, faint. Default 0. */
  readonly epsilon?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Samples one after the other: shape is N×…, with channels second where there are more than two axes. */
export interface Samples {
  readonly values: Values;
  readonly shape: Shape;
}

/** A normalization, and how it was learnt. */
export interface FittedNormalization extends Normalization {
  readonly method: NormalizationMethod;
  readonly per: NormalizationGroup;
  /** Of one sample. */
  readonly shape: Shape;
  /** Samples that it was learnt from. */
  readonly count: number;
  /** Of min-max. */
  readonly range?: readonly [low: number, high: number] | undefined;
  /** Of pca and zca. */
  readonly epsilon?: number | undefined;
}

/** Directions with less than this share of the largest variance do not vary: what is there is rounding. */
const NEGLIGIBLE = 1e-10;
/** Below so many samples, a mean is known to worse than a tenth of a deviation. */
const SMALL = 100;

/**
 * Learns a normalization from samples. Pass it to `Trainer`, `evaluateModel` and `predict` as `normalization`, or use
 * `applyNormalization`; learn it from the training set and use it for all others, or learn another from each set, with a
 * warning where that set is a test set, or small: one has to have it before one can judge any of it.
 *
 * Samples are gone through once, in batches; memory holds one batch, and for whitening two matrices of D×D for D values a
 * sample. Whitening takes N·D²/2 + 5·D³ operations: seconds for 28×28 pixels, minutes for 3×32×32. Bytes are pixels, and
 * count as 0 … 1. Deviations are of the samples (divided by N), covariances of what they were drawn from (N − 1), as in
 * scikit-learn. Values that never vary become 0, or the low end of the range.
 *
 * @throws ArgumentError, DataError where there are no samples, or fewer directions than `components`; NotFiniteError where
 * a value is NaN or infinite
 * @example
 * const normalization = await fitNormalization(train, { method: "z-score" });
 * await fit(model, train, { optimizer, normalization, epochs: 5 });
 * await evaluateModel(model, test, { normalization });
 */
export async function fitNormalization(
  data: BatchSource<ImageBatch> | Samples,
  options: FitNormalizationOptions,
): Promise<FittedNormalization> {
  const { method, per = "channel", range = [0, 1], epsilon = 0 } = options;
  checkOptions(options);
  const whitens = method === "pca" || method === "zca";
  let shape: Shape | undefined;
  let collected: GroupStatistics | Covariance | undefined;
  let scale = 1;
  for await (const batch of batchesOf(data, options)) {
    shape ??= batch.shape.slice(1);
    if (batch.shape.slice(1).join() !== shape.join()) {
      throw new DataError(
        `fitNormalization: samples are ${formatShape(shape)} and ${formatShape(batch.shape.slice(1))}. Expected all of one size. Fix: resize them.`,
      );
    }
    if (batch.values instanceof Uint8Array) scale = 255;
    const features = sizeOf(shape);
    if (whitens) checkMatrix(features);
    const groups = per === "feature" ? features : per === "channel" ? (shape[0] ?? 1) : 1;
    collected ??= whitens ? new Covariance(features) : new GroupStatistics(groups, features / groups);
    collected.add(batch.values, batch.shape[0]);
  }
  if (shape === undefined || collected === undefined || collected.count === 0)
    throw new DataError("fitNormalization: there are no samples to learn from. Expected at least one.");
  const { count } = collected;
  warn(data, count, whitens ? sizeOf(shape) : undefined);
  const described = { method, shape, count };
  if (collected instanceof Covariance) {
    if (count < 2) throw new DataError(`fitNormalization: ${method} learns from ${count} sample. Expected 2 or more.`);
    return { ...described, per: "feature", epsilon, ...whiten(collected, scale, options) };
  }
  const numbers = method === "min-max" ? toRange(collected, scale, range) : toScores(collected, scale);
  return { ...described, per, ...numbers, ...(method === "min-max" && { range }) };
}

/** (x − mean) / std with the least at the low end of the range, and the largest at the high end. */
function toRange({ least, most }: GroupStatistics, scale: number, [low, high]: readonly [number, number]) {
  const std = Array.from(least, (value, group) => (most[group] - value || scale) / scale / (high - low));
  return { mean: Array.from(least, (value, group) => value / scale - low * std[group]), std };
}

function toScores(statistics: GroupStatistics, scale: number) {
  const std = Array.from(statistics.deviation, (deviation) => (deviation || scale) / scale);
  return { mean: Array.from(statistics.mean, (mean) => mean / scale), std };
}

function whiten(
  statistics: Covariance,
  scale: number,
  { method, components, epsilon = 0 }: FitNormalizationOptions,
): Normalization {
  const n = statistics.features;
  const mean = Array.from(statistics.mean, (value) => value / scale);
  const { values, vectors } = symmetricEigen(statistics.takeMatrix(), n);
  const rank = values.findIndex((value) => !(value > NEGLIGIBLE * values[0]));
  const varying = rank === -1 ? n : rank;
  if (components !== undefined && components > varying) {
    throw new DataError(
      `fitNormalization: components is ${components}, but the samples vary in ${varying} directions only. Expected at most ${varying}.`,
    );
  }
  const kept = method === "pca" ? (components ?? varying) : varying;
  if (kept === 0)
    throw new DataError(
      "fitNormalization: all samples are the same: there is nothing to whiten. Expected some that differ.",
    );
  const factor = (k: number) => 1 / Math.sqrt(values[k] / (scale * scale) + epsilon);
  const rows = method === "pca" ? kept : n;
  const matrix = new Float64Array(rows * n);
  for (let k = 0; k < kept; k++) {
    const vector = vectors.subarray(k * n, (k + 1) * n);
    if (method === "pca") {
      for (let j = 0; j < n; j++) matrix[k * n + j] = factor(k) * vector[j];
      continue;
    }
    for (let i = 0; i < n; i++) {
      const share = factor(k) * vector[i];
      for (let j = 0; j < n; j++) matrix[i * n + j] += share * vector[j];
    }
  }
  return { mean, std: new Array<number>(n).fill(1), matrix: { rows, values: matrix } };
}

interface Batch {
  readonly values: Values;
  readonly shape: Shape;
}

const BATCH = 256;

async function* batchesOf(
  data: BatchSource<ImageBatch> | Samples,
  { signal, onProgress }: FitNormalizationOptions,
): AsyncGenerator<Batch> {
  if ("values" in data) {
    checkSamples("fitNormalization", data);
    if (data.shape[0] > 0) yield data;
    return;
  }
  let done = 0;
  const loader = new DataLoader(data, { batchSize: BATCH, ...(signal && { signal }) });
  for await (const { images, shape, size } of loader.epoch(0)) {
    yield { values: images, shape };
    done += size;
    onProgress?.(done, data.size);
    // Data in memory answer at once; a page or process has other work to do as well.
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** @throws ArgumentError unless there are as many values as the shape says */
export function checkSamples(what: string, { values, shape }: Samples): void {
  const whole = shape.length >= 2 && shape.every((length, axis) => Number.isInteger(length) && length >= (axis && 1));
  if (whole && sizeOf(shape) === values.length) return;
  throw new ArgumentError(
    `${what}: ${values.length} values have the shape [${shape.join(", ")}]. Expected N×D or N×C×…, with as many values.`,
  );
}

/** Two matrices of more than 1 GB do not fit into browsers, and would take hours. */
function checkMatrix(features: number): void {
  if (features * features * 8 <= 2 ** 30) return;
  throw new ArgumentError(
    `fitNormalization: whitening samples of ${features} values needs a matrix of ${features}×${features}. Expected at most ${Math.floor(Math.sqrt(2 ** 27))} values. Fix: smaller pictures.`,
  );
}

function checkOptions({ method, per, range, components, epsilon = 0 }: FitNormalizationOptions): void {
  const fail = (message: string) => {
    throw new ArgumentError(`fitNormalization: ${message}`);
  };
  if (!normalizationMethods.includes(method))
    fail(`there is no method ${JSON.stringify(method)}. Expected ${normalizationMethods.join(", ")}.`);
  if (per !== undefined && !normalizationGroups.includes(per))
    fail(`per is ${JSON.stringify(per)}. Expected ${normalizationGroups.join(", ")}.`);
  const whitens = method === "pca" || method === "zca";
  if (per !== undefined && per !== "feature" && whitens)
    fail(`${method} goes by feature, and per is ${per}. Fix: leave out per.`);
  if (range !== undefined && (method !== "min-max" || !range.every(Number.isFinite) || !(range[0] < range[1])))
    fail(`range is [${range.join(", ")}], with ${method}. Expected [low, high] with min-max only, such as [-1, 1].`);
  if (components !== undefined && (method !== "pca" || !Number.isInteger(components) || components < 1))
    fail(`components is ${components}, with ${method}. Expected an integer of 1 or more, with pca only.`);
  if (!(epsilon >= 0 && epsilon < Number.POSITIVE_INFINITY) || (epsilon > 0 && !whitens))
    fail(`epsilon is ${epsilon}, with ${method}. Expected a number of 0 or more, with pca and zca only.`);
}

/** What a normalization learnt from such data may do. */
function warn(data: object, count: number, features: number | undefined): void {
  const { name, split } = { name: "samples", split: "", ...data };
  if (split === "test") {
    warnOnce(
      `the normalization was learnt from the test pictures of ${name}: scores then rest on knowledge of what will be tested, and hold only where so many samples are there before the first is judged. Fix: learn it from the training set, and use it for both.`,
    );
  }
  if (count < SMALL) {
    warnOnce(
      `the normalization was learnt from ${count} samples of ${name}, whose mean may be off by ${Math.round(100 / Math.sqrt(count))} % of a deviation. Fix: ${SMALL} or more.`,
    );
  } else if (features !== undefined && count < 2 * features) {
    warnOnce(
      `whitening was learnt from ${count} samples of ${name} with ${features} values each: their correlations are mostly chance. Fix: ${2 * features} or more, or an epsilon such as 0.01.`,
    );
  }
}
