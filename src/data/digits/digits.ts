/**
 * The built-in data set: handwriting-like digits, 28×28 and grey like MNIST's, drawn from a seed. It needs no files,
 * and what is learnt from it carries over to MNIST.
 */

import { AbortedError, ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import { ImageDataset } from "../images.js";
import { drawDigit } from "./draw.js";
import { SIDE } from "./rendering.js";

export type DigitsSplit = "train" | "test";

export interface DigitsOptions {
  readonly split: DigitsSplit;
  /** How many to draw; 60,000 for training and 10,000 for testing unless told. Fewer are the first of more. */
  readonly size?: number;
  readonly seed?: number;
  /** Told from time to time how many are drawn. */
  readonly onProgress?: (drawn: number, size: number) => void;
  readonly signal?: AbortSignal;
}

const PIXELS = SIDE * SIDE;
const CLASSES = 10;

/** Streams of random numbers: one for the digits of each split and one for their labels, so that none is shared. */
const streams = {
  train: { draw: 0x64696730, label: 0x64696731 },
  test: { draw: 0x64696732, label: 0x64696733 },
} as const;

const defaultSizes = { train: 60_000, test: 10_000 } as const;

/** Longest stretch of drawing before other work of the page or process gets its turn. */
const SLICE_MILLISECONDS = 25;

/**
 * Draws a split of the digits. Sample i depends only on (seed, split, i), and no sample is in both splits; every run
 * of ten samples has each digit once. (Engines that round sines differently may draw an edge a shade lighter.)
 *
 * @example
 * const train = await digits({ split: "train", size: 20_000 });
 */
export async function digits(options: DigitsOptions): Promise<ImageDataset> {
  const { split, seed = 0, onProgress, signal } = options;
  if (split !== "train" && split !== "test") {
    throw new ArgumentError(`digits: there is no split ${JSON.stringify(split)}. Expected "train" or "test".`);
  }
  const size = options.size ?? defaultSizes[split];
  // The longest array that every browser allows holds 2^31 bytes.
  if (!Number.isInteger(size) || size < 0 || size * PIXELS > 2 ** 31 - 1) {
    throw new ArgumentError(`digits: size is ${size}. Expected an integer from 0 to ${Math.floor(2 ** 31 / PIXELS)}.`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`digits: seed is ${seed}. Expected an integer of 0 or more.`);
  }
  const images = new Uint8Array(size * PIXELS);
  const labels = new Uint8Array(size);
  let drawn = 0;
  while (drawn < size) {
    const until = performance.now() + SLICE_MILLISECONDS;
    while (drawn < size && performance.now() < until) {
      const end = Math.min(size, drawn + CLASSES);
      drawTen(split, seed, drawn, end, images, labels);
      drawn = end;
    }
    onProgress?.(drawn, size);
    await new Promise((resolve) => setTimeout(resolve));
    if (signal?.aborted) throw new AbortedError();
  }
  const classNames = Array.from({ length: CLASSES }, (_, digit) => String(digit));
  return new ImageDataset({ name: "digits", split, images, labels, shape: [1, SIDE, SIDE], classNames });
}

/** Draws the samples from `start`, a multiple of ten, to `end`. */
function drawTen(
  split: DigitsSplit,
  seed: number,
  start: number,
  end: number,
  images: Uint8Array,
  labels: Uint8Array,
): void {
  const { draw, label } = streams[split];
  const order = new RandomStream(seed, label, start).permutation(CLASSES);
  for (let i = start; i < end; i++) {
    labels[i] = order[i - start];
    drawDigit(labels[i], new RandomStream(seed, draw, i), images, i * PIXELS);
  }
}
