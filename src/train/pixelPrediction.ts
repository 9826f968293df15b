/** What a trained model makes of every pixel: masks and cleaned pictures, of pictures of any size. */

import { show } from "../core/check.js";
import { AbortedError, ArgumentError, ShapeError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import {
  addTurnedBack,
  allSymmetries,
  flipSymmetries,
  type Symmetry,
  turnedSize,
  turnPlanes,
} from "../data/augment/symmetries.js";
import { cutWindow } from "../data/augment/window.js";
import type { BatchSource, ImageBatch } from "../data/batches.js";
import { DataLoader } from "../data/loader.js";
import { toByte } from "../data/pixels.js";
import { type CompiledFunction, compile } from "../graph/compile.js";
import type { Tensor } from "../graph/tensor.js";
import type { Layer } from "../nn/layers/container.js";
import { tensorOver } from "../ops/create.js";
import { softmax } from "../ops/softmax.js";
import { switchToEvaluation } from "./evaluation.js";
import { normalizePixels } from "./pixels.js";

/** Looks at each picture: it and its mirror image (`flips`, 2), or all that mirroring and quarter turns make of it (`turns`, 8). */
export type PixelViews = "flips" | "turns";

export interface PixelPredictOptions {
  readonly normalization?: Normalization | undefined;
  /** Pictures, or tiles of one, to compute at once. Default 16. */
  readonly batchSize?: number;
  /**
   * Pictures with a longer side are looked at in square tiles of so many pixels a side, and what tiles say is blended where they
   * overlap: memory then does not grow with the picture. Default: none, pictures are looked at whole.
   */
  readonly tile?: number | undefined;
  /** By how many pixels tiles overlap: as far as the network looks around, at best. Default a quarter of `tile`. */
  readonly overlap?: number | undefined;
  /**
   * Looks at each picture, or tile. What the network says of each is turned back, and averaged: probabilities, or the values of
   * pictures. It takes as many times as long. Default: each as it is.
   */
  readonly views?: PixelViews | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A picture cut into classes. */
export interface SegmentedPicture {
  readonly index: number;
  /** The likeliest class of each pixel, H×W; of equally likely ones the first. */
  readonly mask: Uint8Array<ArrayBuffer>;
  /** K×H×W. */
  readonly probabilities: Float32Array;
  /** Channels, height and width of the picture. */
  readonly shape: readonly [number, number, number];
}

/** A picture without noise. */
export interface DenoisedPicture {
  readonly index: number;
  /** C×H×W bytes. */
  readonly picture: Uint8Array<ArrayBuffer>;
  readonly shape: readonly [number, number, number];
}

/**
 * The class of each pixel, picture by picture, in order.
 *
 * @param model gives N×K×H×W scores
 * @throws ShapeError where the model gives anything else
 * @example for await (const { index, mask } of segmentPictures(model, test, { tile: 256, views: "turns" })) …
 */
export async function* segmentPictures(
  model: Layer,
  data: BatchSource<ImageBatch>,
  options: PixelPredictOptions = {},
): AsyncGenerator<SegmentedPicture> {
  for await (const { index, values, shape } of predictPixels(model, data, true, options)) {
    yield { index, mask: likeliest(values, shape[1] * shape[2]), probabilities: values, shape };
  }
}

/**
 * The pictures as a network for `denoising()` gives them, in order.
 *
 * @param model gives N×C×H×W values, 0 for black and 1 for white
 */
export async function* denoisePictures(
  model: Layer,
  data: BatchSource<ImageBatch>,
  options: PixelPredictOptions = {},
): AsyncGenerator<DenoisedPicture> {
  for await (const { index, values, shape } of predictPixels(model, data, false, options)) {
    if (values.length !== sizeOf(shape)) {
      throw new ShapeError(
        `denoisePictures: the model gives ${values.length / (shape[1] * shape[2])} channels for a picture of ${formatShape(shape)}. Expected as many as it has. Fix: a network trained with denoising().`,
      );
    }
    yield { index, picture: Uint8Array.from(values, (value) => toByte(255 * value)), shape };
  }
}

interface PixelValues {
  readonly index: number;
  /** K×H×W. */
  readonly values: Float32Array;
  readonly shape: readonly [number, number, number];
}

type Program = CompiledFunction<[Tensor<Shape, "uint8">], Tensor>;

async function* predictPixels(
  model: Layer,
  data: BatchSource<ImageBatch>,
  asProbabilities: boolean,
  { normalization, batchSize = 16, tile, overlap = tile && Math.floor(tile / 4), views, signal }: PixelPredictOptions,
): AsyncGenerator<PixelValues> {
  if (tile !== undefined) checkTiles(tile, overlap);
  const symmetries = symmetriesOf(views);
  const program: Program = compile((images: Tensor<Shape, "uint8">) => {
    const outputs = model(normalizePixels(images, normalization));
    const [, , height, width] = outputs.shape;
    if (outputs.rank !== 4 || height !== images.shape[2] || width !== images.shape[3]) {
      throw new ShapeError(
        `the model gives ${formatShape(outputs.shape)} for pictures of ${formatShape(images.shape)}. Expected N×K×H×W, values for each pixel. Fix: a network such as unet, with padding "same".`,
      );
    }
    return asProbabilities ? softmax(outputs, 1) : outputs;
  });
  const restore = switchToEvaluation(model);
  try {
    for await (const { images, indices, shape, size } of new DataLoader(data, { batchSize }).epoch(0)) {
      if (signal?.aborted) throw new AbortedError();
      const [, ...one] = shape;
      const large = tile !== undefined && Math.max(one[1], one[2]) > tile;
      const all = large ? undefined : await look(program, images, shape, { symmetries, signal });
      for (let i = 0; i < size; i++) {
        const part = (values: Float32Array) =>
          values.slice((i * values.length) / size, ((i + 1) * values.length) / size);
        const length = sizeOf(one);
        const values =
          all !== undefined
            ? part(all)
            : await inTiles(program, images.subarray(i * length, (i + 1) * length), one, {
                tile: tile ?? 0,
                overlap: overlap ?? 0,
                symmetries,
                batchSize,
                signal,
              });
        yield { index: indices[i], values, shape: one };
      }
    }
  } finally {
    restore();
  }
}

function symmetriesOf(views: PixelViews | undefined): readonly Symmetry[] {
  if (views === undefined) return [];
  if (views === "flips") return flipSymmetries;
  if (views === "turns") return allSymmetries;
  throw new ArgumentError(`views is ${show(views)}. Expected "flips" (2) or "turns" (8).`);
}

/** The mean over all looks at N×C×H×W pictures; of none at them as they are. */
async function look(
  program: Program,
  images: Uint8Array<ArrayBuffer>,
  shape: ImageBatch["shape"],
  { symmetries, signal }: Pick<Tiling, "symmetries" | "signal">,
): Promise<Float32Array> {
  if (symmetries.length === 0) return run(program, images, shape);
  const [count, channels, ...size] = shape;
  // Sums of few float32 are exact in float64: views that say the same say it of the mean, too.
  let sums = new Float64Array();
  for (const symmetry of symmetries) {
    if (signal?.aborted) throw new AbortedError();
    const turned = turnPlanes(images, size, symmetry);
    const values = await run(program, turned, [count, channels, ...turnedSize(size, symmetry)]);
    if (sums.length === 0) sums = new Float64Array(values.length);
    addTurnedBack(sums, values, size, symmetry);
  }
  return Float32Array.from(sums, (sum) => sum / symmetries.length);
}

async function run(program: Program, images: Uint8Array<ArrayBuffer>, shape: Shape): Promise<Float32Array> {
  return (await program(tensorOver(images, shape, "uint8"))).data();
}

/** Where tiles begin along a side: evenly, the last at its end. */
export function tileStarts(length: number, tile: number, overlap: number): number[] {
  if (length <= tile) return [0];
  const count = Math.ceil((length - overlap) / (tile - overlap));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - tile)) / (count - 1)));
}

interface Tiling {
  readonly tile: number;
  readonly overlap: number;
  readonly symmetries: readonly Symmetry[];
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
}

/** One picture, tile after tile. What a tile says counts less towards its borders, where it does not see what is beyond. */
async function inTiles(
  program: Program,
  image: Uint8Array<ArrayBuffer>,
  shape: readonly [number, number, number],
  { tile, overlap, symmetries, batchSize, signal }: Tiling,
): Promise<Float32Array> {
  const [channels, height, width] = shape;
  const [rows, columns] = [Math.min(tile, height), Math.min(tile, width)];
  const corners = tileStarts(height, rows, Math.min(overlap, rows - 1)).flatMap((top) =>
    tileStarts(width, columns, Math.min(overlap, columns - 1)).map((left) => ({ top, left })),
  );
  const [down, across] = [slopes(rows, overlap), slopes(columns, overlap)];
  const weights = new Float32Array(height * width);
  let sums = new Float32Array();
  const length = channels * rows * columns;
  for (let start = 0; start < corners.length; start += batchSize) {
    if (signal?.aborted) throw new AbortedError();
    const here = corners.slice(start, start + batchSize);
    const tiles = new Uint8Array(here.length * length);
    for (const [i, { top, left }] of here.entries())
      tiles.set(cutWindow({ shape, image }, { top, left, height: rows, width: columns }).image, i * length);
    const values = await look(program, tiles, [here.length, channels, rows, columns], { symmetries, signal });
    const kinds = values.length / (here.length * rows * columns);
    if (sums.length === 0) sums = new Float32Array(kinds * height * width);
    for (const [i, { top, left }] of here.entries()) {
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          const weight = down[y] * across[x];
          const to = (top + y) * width + left + x;
          weights[to] += weight;
          for (let k = 0; k < kinds; k++)
            sums[k * height * width + to] += weight * values[((i * kinds + k) * rows + y) * columns + x];
        }
      }
    }
  }
  return sums.map((sum, i) => sum / weights[i % weights.length]);
}

/** How much each row or column of a tile counts: it rises over the overlap, and falls again. */
function slopes(length: number, overlap: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => Math.min(1, (Math.min(i, length - 1 - i) + 1) / (overlap + 1)));
}

function likeliest(probabilities: Float32Array, plane: number): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(plane);
  const classes = probabilities.length / plane;
  for (let i = 0; i < plane; i++) {
    let best = 0;
    for (let k = 1; k < classes; k++) if (probabilities[k * plane + i] > probabilities[best * plane + i]) best = k;
    mask[i] = best;
  }
  return mask;
}

function checkTiles(tile: number, overlap = 0): void {
  if (!Number.isInteger(tile) || tile < 1)
    throw new ArgumentError(`tile is ${tile}. Expected an integer of 1 or more.`);
  if (!Number.isInteger(overlap) || overlap < 0 || overlap >= tile)
    throw new ArgumentError(`overlap is ${overlap}. Expected an integer from 0 to below tile, ${tile}.`);
}
