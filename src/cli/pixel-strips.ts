/** Pictures beside what a network for pixels made of them, for reports and TensorBoard. */

import { colourMask } from "../data/maskColours.js";
import { type DenoisedSample, decibels, type SegmentedSample } from "../train/pixelEvaluation.js";
import { formatShare } from "./output.js";
import { type Picture, shrinkPicture, toPicture } from "./picture.js";

/** Pictures beside one another: one that was tested, and what became of it. */
export interface Strip {
  readonly caption: string;
  /** From left to right, each with what it is. */
  readonly pictures: readonly { readonly what: string; readonly picture: Picture }[];
}

/** Wider pictures are shrunk: a page or a log with dozens of them stays small. */
const mostWidth = 320;

/** A picture, what is true, what was found, where that is wrong. */
function maskStrip({ index, shape, image, truth, mask }: SegmentedSample): Strip {
  const [, height, width] = shape;
  const wrong = mask.map((kind, i) => (truth[i] === 255 ? 128 : kind === truth[i] ? 0 : 255));
  return {
    caption: `Picture ${index}: ${formatShare(1 - wrongShare(truth, mask))} of the pixels right.`,
    pictures: draw({
      picture: toPicture(image, shape),
      truth: colourMask(truth, height, width),
      found: colourMask(mask, height, width),
      wrong: toPicture(wrong, [1, height, width]),
    }),
  };
}

/** The share of a mask's pixels that are wrong, of those that count. */
function wrongShare(truth: Uint8Array, mask: Uint8Array): number {
  let [wrong, count] = [0, 0];
  for (const [i, kind] of truth.entries()) {
    if (kind === 255) continue;
    count++;
    if (mask[i] !== kind) wrong++;
  }
  return count === 0 ? 0 : wrong / count;
}

/** A picture with noise, what became of it, the one without noise, and the difference of the last two. */
function cleanStrip({ index, shape, image, picture, clean }: DenoisedSample): Strip {
  const difference = picture.map((value, i) => Math.abs(value - clean[i]));
  const [before, after] = [image, picture].map((each) => decibels(each, clean));
  return {
    caption: `Picture ${index}: PSNR ${before.toFixed(2)} dB before, ${after.toFixed(2)} dB after.`,
    pictures: draw({
      "with noise": toPicture(image, shape),
      cleaned: toPicture(picture, shape),
      "without noise": toPicture(clean, shape),
      difference: toPicture(difference, shape),
    }),
  };
}

function draw(pictures: Readonly<Record<string, Picture>>): Strip["pictures"] {
  return Object.entries(pictures).map(([what, picture]) => ({ what, picture: shrinkPicture(picture, mostWidth) }));
}

/** Takes pictures as they are scored, and keeps some of them. */
export abstract class Album {
  /** @param badness the larger, the worse it came out; `make` draws it */
  abstract add(badness: number, make: () => Strip): void;

  readonly addMask = (sample: SegmentedSample): void => {
    this.add(wrongShare(sample.truth, sample.mask), () => maskStrip(sample));
  };

  readonly addClean = (sample: DenoisedSample): void => {
    this.add(-decibels(sample.picture, sample.clean), () => cleanStrip(sample));
  };
}

/** Keeps the first pictures of a set: the same in each epoch. */
export class FirstPictures extends Album {
  readonly strips: Strip[] = [];

  constructor(private readonly most: number) {
    super();
  }

  override add(_: number, make: () => Strip): void {
    if (this.strips.length < this.most) this.strips.push(make());
  }
}

/** Keeps the worst of the pictures that it is given: with the largest share of wrong pixels, or the fewest decibels. */
export class WorstPictures extends Album {
  readonly #kept: { readonly badness: number; readonly strip: Strip }[] = [];

  constructor(private readonly most: number) {
    super();
  }

  override add(badness: number, make: () => Strip): void {
    const kept = this.#kept;
    const place = kept.findIndex((each) => each.badness < badness);
    if (place < 0 && kept.length >= this.most) return;
    kept.splice(place < 0 ? kept.length : place, 0, { badness, strip: make() });
    kept.splice(this.most);
  }

  /** The worst first. */
  get strips(): Strip[] {
    return this.#kept.map(({ strip }) => strip);
  }
}
