/** Normalization of arrays; that of pictures is part of the program that uses them. */

import { ArgumentError } from "../../core/errors.js";
import type { Normalization } from "../../core/normalization.js";
import { sizeOf } from "../../core/shape.js";
import { checkSamples, type Samples } from "./fit.js";

/**
 * Normalizes samples.
 *
 * @param samples bytes are pixels, and count as 0 … 1
 * @returns N×C×…, as they came; N×K after `pca` with K directions, unless K is as many as there are values
 * @throws ArgumentError where the normalization is for samples of another size
 * @example
 * const normalization = await fitNormalization(train, { method: "zca" });
 * const { values } = applyNormalization({ values: test.images, shape: [test.size, ...test.shape] }, normalization);
 */
export function applyNormalization(
  samples: Samples,
  normalization: Normalization,
): { readonly values: Float32Array<ArrayBuffer>; readonly shape: readonly number[] } {
  checkSamples("applyNormalization", samples);
  const { values, shape } = samples;
  const [count, channels] = shape;
  const features = sizeOf(shape.slice(1));
  const { matrix } = normalization;
  checkNormalization("applyNormalization", normalization, channels, features);
  const { mean, std } = normalization;
  const length = features / mean.length;
  const unit = values instanceof Uint8Array ? 255 : 1;
  const normalized = new Float64Array(features);
  const rows = matrix?.rows ?? features;
  const result = new Float32Array(count * rows);
  for (let sample = 0; sample < count; sample++) {
    for (let i = 0; i < features; i++) {
      const group = Math.floor(i / length);
      normalized[i] = (values[sample * features + i] / unit - mean[group]) / std[group];
    }
    if (matrix === undefined) {
      result.set(normalized, sample * features);
      continue;
    }
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = 0; i < features; i++) sum += matrix.values[row * features + i] * normalized[i];
      result[sample * rows + row] = sum;
    }
  }
  return { values: result, shape: rows === features ? shape : [count, rows] };
}

/** @throws ArgumentError unless the normalization is one of samples with so many channels and values */
export function checkNormalization(
  what: string,
  { mean, std, matrix }: Normalization,
  channels: number,
  features: number,
): void {
  if (mean.length !== std.length || ![1, channels, features].includes(mean.length)) {
    throw new ArgumentError(
      `${what}: ${mean.length} means and ${std.length} deviations for pictures of ${channels} channels and ${features} values. Expected one of each, or ${channels}, or ${features}.`,
    );
  }
  if (std.some((deviation) => !(deviation > 0))) {
    throw new ArgumentError(`${what}: the deviations are ${std.slice(0, 10).join(", ")}. Expected numbers above 0.`);
  }
  if (matrix !== undefined && matrix.rows * features !== matrix.values.length) {
    throw new ArgumentError(
      `${what}: the matrix has ${matrix.rows} rows of ${matrix.values.length / matrix.rows} for pictures of ${features} values. Expected ${features} in a row. Fix: pictures of the size that it was learnt from.`,
    );
  }
}
