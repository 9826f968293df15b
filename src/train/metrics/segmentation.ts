/** How well the classes of pixels are told. */

import { ArgumentError, DataError } from "../../core/errors.js";

/** How well one class of pixels is found. */
export interface PixelClassScores {
  readonly name: string;
  /** Pixels in both of what is found and what there is, by those in either (Jaccard); undefined where there are none. */
  readonly iou: number | undefined;
  /** Twice the pixels in both, by those of one and of the other: the F1 of the pixels (Dice); undefined where there are none. */
  readonly dice: number | undefined;
  /** Share of what was taken for the class that is of it; 0 where nothing was. */
  readonly precision: number;
  /** Share of the class that was found; 0 where there is none of it. */
  readonly recall: number;
  /** Pixels of the class. */
  readonly pixels: number;
}

export interface SegmentationReport {
  /** Pixels that count. */
  readonly pixels: number;
  /** Share of them whose class was found. */
  readonly accuracy: number;
  /** Plain means over the classes that occur, in truth or in answers. */
  readonly meanIou: number;
  readonly meanDice: number;
  readonly classes: readonly PixelClassScores[];
  /** Rows are true classes, columns those found. */
  readonly confusion: readonly (readonly number[])[];
}

export interface PixelCountsOptions {
  /** Pixels with this number in the truth count for nothing. Default 255. */
  readonly ignoreIndex?: number;
  /** Default: numbers. */
  readonly classNames?: readonly string[];
}

/**
 * Counts which class pixels have and which was found, picture after picture: what is reported is of all pixels together.
 *
 * @example
 * const counts = new metrics.PixelCounts(2, { classNames: ["cell", "membrane"] });
 * for (const [found, mask] of pairs) counts.add(found, mask);
 * const { meanIou, classes } = counts.report();
 */
export class PixelCounts {
  readonly classes: number;
  readonly #names: readonly string[];
  readonly #ignore: number;
  readonly #confusion: Float64Array;

  constructor(classes: number, { ignoreIndex = 255, classNames }: PixelCountsOptions = {}) {
    if (!Number.isInteger(classes) || classes < 1)
      throw new ArgumentError(`PixelCounts: the number of classes is ${classes}. Expected an integer of 1 or more.`);
    if (classNames !== undefined && classNames.length !== classes)
      throw new ArgumentError(
        `PixelCounts: there are ${classNames.length} names for ${classes} classes. Expected one for each.`,
      );
    this.classes = classes;
    this.#names = classNames ?? Array.from({ length: classes }, (_, k) => String(k));
    this.#ignore = ignoreIndex;
    this.#confusion = new Float64Array(classes * classes);
  }

  /**
   * @param found a class number for each pixel
   * @param truth as many, the true ones
   * @throws ArgumentError for unequal numbers of pixels; DataError for numbers that name no class
   */
  add(found: ArrayLike<number>, truth: ArrayLike<number>): void {
    if (found.length !== truth.length)
      throw new ArgumentError(
        `PixelCounts: ${found.length} pixels were found, but ${truth.length} are true. Expected as many.`,
      );
    // All are looked at before any is counted.
    for (let i = 0; i < truth.length; i++) {
      if (truth[i] === this.#ignore) continue;
      this.#check("true", i, truth[i]);
      this.#check("found", i, found[i]);
    }
    for (let i = 0; i < truth.length; i++)
      if (truth[i] !== this.#ignore) this.#confusion[truth[i] * this.classes + found[i]]++;
  }

  #check(what: string, pixel: number, value: number): void {
    if (Number.isInteger(value) && value >= 0 && value < this.classes) return;
    throw new DataError(
      `PixelCounts: the ${what} class of pixel ${pixel} is ${value}. Expected 0 to ${this.classes - 1}, or ${this.#ignore} in the truth for pixels that do not count.`,
    );
  }

  report(): SegmentationReport {
    const { classes: count } = this;
    const confusion = Array.from({ length: count }, (_, k) => [
      ...this.#confusion.subarray(k * count, (k + 1) * count),
    ]);
    const classes = confusion.map((row, k): PixelClassScores => {
      const pixels = row.reduce((sum, each) => sum + each, 0);
      const found = confusion.reduce((sum, each) => sum + each[k], 0);
      const both = row[k];
      const none = pixels + found === 0;
      return {
        name: this.#names[k],
        iou: none ? undefined : both / (pixels + found - both),
        dice: none ? undefined : (2 * both) / (pixels + found),
        precision: found === 0 ? 0 : both / found,
        recall: pixels === 0 ? 0 : both / pixels,
        pixels,
      };
    });
    const pixels = classes.reduce((sum, each) => sum + each.pixels, 0);
    if (pixels === 0)
      throw new ArgumentError("PixelCounts: no pixels have been counted. Expected at least one that counts.");
    const right = confusion.reduce((sum, row, k) => sum + row[k], 0);
    return {
      pixels,
      accuracy: right / pixels,
      meanIou: meanOf(classes.map(({ iou }) => iou)),
      meanDice: meanOf(classes.map(({ dice }) => dice)),
      classes,
      confusion,
    };
  }
}

function meanOf(values: readonly (number | undefined)[]): number {
  const known = values.filter((value) => value !== undefined);
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
