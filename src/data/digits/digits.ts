/**
 * The built-in data set: handwriting-like digits, 28×28 and grey like MNIST's, drawn from a seed. It needs no files,
 * and what is learnt from it carries over to MNIST.
 */

import { RandomStream } from "../../core/philox.js";
import { checkGenerated, drawInSlices, type GeneratedOptions, type GeneratedSplit } from "../generated/drawing.js";
import { ImageDataset } from "../images.js";
import { drawDigit } from "./draw.js";
import { SIDE } from "./rendering.js";

export type DigitsSplit = GeneratedSplit;

/** 60,000 for training and 10,000 for testing unless `size` is told. */
export type DigitsOptions = GeneratedOptions;

const PIXELS = SIDE * SIDE;
const CLASSES = 10;

/** Streams of random numbers: one for the digits of each split and one for their labels, so that none is shared. */
const streams = {
  train: { draw: 0x64696730, label: 0x64696731 },
  test: { draw: 0x64696732, label: 0x64696733 },
} as const;

const defaultSizes = { train: 60_000, test: 10_000 } as const;

/**
 * Draws a split of the digits. Sample i depends only on (seed, split, i), and no sample is in both splits; every run
 * of ten samples has each digit once. (Engines that round sines differently may draw an edge a shade lighter.)
 *
 * @example
 * const train = await digits({ split: "train", size: 20_000 });
 */
export async function digits(options: DigitsOptions): Promise<ImageDataset> {
  const { split, size, seed } = checkGenerated("digits", options, PIXELS, defaultSizes);
  const images = new Uint8Array(size * PIXELS);
  const labels = new Uint8Array(size);
  const draw = (start: number, end: number) => drawTen(split, seed, start, end, images, labels);
  await drawInSlices(size, CLASSES, draw, options);
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
