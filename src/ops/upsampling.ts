/** Going back up: from small maps to large ones. N batch, C channels, and the axes that places lie along. */

import { ArgumentError, ShapeError } from "../core/errors.js";
import type { Resampling } from "../core/resampling.js";
import { formatShape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { composite } from "./composites.js";
import { perAxis } from "./convolution/geometry.js";
import { resampleOp } from "./resampling.js";
import { permute } from "./shape/permute.js";
import { reshape } from "./shape/reshape.js";
import { embedOp } from "./shape/slice.js";
import { asFloats, type TensorLike } from "./tensors.js";

export interface UpsampleOptions {
  /** Lengths of the result's places: a number for all, or one for each axis. Either this or `scale`. */
  readonly size?: number | readonly number[] | undefined;
  /** How many times longer each axis becomes; lengths are rounded down. */
  readonly scale?: number | readonly number[] | undefined;
  /** `nearest` repeats elements; `linear` (bilinear, trilinear) draws straight lines between them. Default `nearest`. */
  readonly mode?: "nearest" | "linear" | undefined;
  /**
   * Of `linear`: whether the outermost elements stay where they are (true), or elements are areas whose borders stay
   * (false, the default), as in PyTorch.
   */
  readonly alignCorners?: boolean | undefined;
}

/**
 * Enlarges (or shrinks) the places of N×C×…, one to three axes.
 *
 * @example upsample(maps, { scale: 2, mode: "linear" })
 */
export function upsample(input: TensorLike, options: UpsampleOptions): Tensor {
  const x: Tensor = asFloats("upsample", input);
  const axes = x.rank - 2;
  const lengths = x.shape.slice(2);
  if (axes < 1 || axes > 3 || lengths.includes(0)) {
    throw new ShapeError(
      `upsample: the input is ${formatShape(x.shape)}. Expected N×C and one to three axes more that are not empty.`,
    );
  }
  const { size, scale, mode = "nearest", alignCorners = false } = options;
  if ((size === undefined) === (scale === undefined))
    throw new ArgumentError("upsample: expected either a size or a scale.");
  if (mode !== "nearest" && mode !== "linear")
    throw new ArgumentError(`upsample: the mode is ${JSON.stringify(mode)}. Expected "nearest" or "linear".`);
  const scales = scale === undefined ? undefined : checkScales(scale, axes);
  const wanted =
    scales === undefined
      ? perAxis("upsample", "the size", size ?? 0, axes, 1)
      : lengths.map((length, axis) => Math.floor(length * scales[axis]));
  if (wanted.some((length) => length < 1))
    throw new ShapeError(`upsample: the result would be ${wanted.join("×")}. Expected at least 1 in each direction.`);
  const result = resampleAxes(
    x,
    wanted.map((after, axis): Resampling | null => {
      const before = lengths[axis];
      const step = scales === undefined ? before / after : 1 / scales[axis];
      if (after === before && (mode === "nearest" || alignCorners || step === 1)) return null;
      if (mode === "nearest") return { kind: "nearest", before, after, step };
      return { kind: "linear", before, after, step: alignCorners ? null : step };
    }),
  );
  return composite({ name: "upsample", inputs: [x], params: { mode, alignCorners, scales } }, result);
}

function checkScales(scale: number | readonly number[], axes: number): readonly number[] {
  const scales = typeof scale === "number" ? Array.from({ length: axes }, () => scale) : scale;
  if (scales.length !== axes || scales.some((each) => !(each > 0 && each < Number.POSITIVE_INFINITY)))
    throw new ArgumentError(
      `upsample: the scale is ${JSON.stringify(scale)}. Expected a number above 0, or ${axes} of them.`,
    );
  return scales;
}

/** `resampleOp` along up to three axes, the first of them by itself where there are three. */
function resampleAxes(x: Tensor, axes: readonly (Resampling | null)[]): Tensor {
  if (axes.every((axis) => axis === null)) return x;
  const [n, channels, ...size] = x.shape;
  const after = size.map((length, i) => axes[i]?.after ?? length);
  const [rows, columns] = [axes[axes.length - 2] ?? null, axes[axes.length - 1]];
  const lead = size.slice(0, -2).reduce((a, b) => a * b, 1);
  const planes = reshape(x, [n, channels * lead, size.length === 1 ? 1 : size[size.length - 2], size[size.length - 1]]);
  const flat = resampleOp({ input: planes }, { rows, columns, transposed: false }) as Tensor;
  if (axes.length < 3) return reshape(flat, [n, channels, ...after]);
  const depth = { rows: axes[0], columns: null, transposed: false };
  const slices = reshape(flat, [n, channels, size[0], after[1] * after[2]]);
  return reshape(axes[0] === null ? slices : (resampleOp({ input: slices }, depth) as Tensor), [n, channels, ...after]);
}

/** Puts each element at the corner of a square of zeros: N×C×… with `factor` times longer axes. */
export function bedOfNails(input: TensorLike, factor: number | readonly number[]): Tensor {
  const x: Tensor = asFloats("bedOfNails", input);
  if (x.rank < 3) throw new ShapeError(`bedOfNails: the input is ${formatShape(x.shape)}. Expected N×C×….`);
  const factors = [1, 1, ...perAxis("bedOfNails", "the factor", factor, x.rank - 2, 1)];
  const shape = x.shape.map((length, axis) => length * factors[axis]);
  const begin = shape.map(() => 0);
  return embedOp({ input: x }, { shape, begin, step: factors, value: 0 }) as Tensor;
}

/**
 * Channels become places: N×(C · factor²)×H×W → N×C×(H · factor)×(W · factor) (Shi et al. 2016).
 *
 * @example pixelShuffle(zeros([1, 12, 8, 8]), 2).shape // [1, 3, 16, 16]
 */
export function pixelShuffle(input: TensorLike, factor: number): Tensor {
  const x: Tensor = asFloats("pixelShuffle", input);
  const [n, channels, height, width] = x.shape;
  const [r] = perAxis("pixelShuffle", "the factor", factor, 1, 1);
  if (x.rank !== 4 || channels % (r * r) !== 0) {
    throw new ShapeError(
      `pixelShuffle: the input is ${formatShape(x.shape)}. Expected N×C×H×W with channels that ${r}² = ${r * r} divides.`,
    );
  }
  const out = channels / (r * r);
  const split = permute(reshape(x, [n, out, r, r, height, width]), [0, 1, 4, 2, 5, 3]);
  const result = reshape(split, [n, out, height * r, width * r]);
  return composite({ name: "pixelShuffle", inputs: [x], params: { factor: r } }, result);
}

/** Places become channels: undoes `pixelShuffle`. */
export function pixelUnshuffle(input: TensorLike, factor: number): Tensor {
  const x: Tensor = asFloats("pixelUnshuffle", input);
  const [n, channels, height, width] = x.shape;
  const [r] = perAxis("pixelUnshuffle", "the factor", factor, 1, 1);
  if (x.rank !== 4 || height % r !== 0 || width % r !== 0) {
    throw new ShapeError(
      `pixelUnshuffle: the input is ${formatShape(x.shape)}. Expected N×C×H×W with a height and width that ${r} divides.`,
    );
  }
  const split = permute(reshape(x, [n, channels, height / r, r, width / r, r]), [0, 1, 3, 5, 2, 4]);
  return reshape(split, [n, channels * r * r, height / r, width / r]);
}
