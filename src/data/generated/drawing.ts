/** What generated data sets share: their options, and drawing that leaves the page or process responsive. */

import { AbortedError, ArgumentError } from "../../core/errors.js";

export type GeneratedSplit = "train" | "test";

export interface GeneratedOptions {
  readonly split: GeneratedSplit;
  /** How many samples. Fewer are the first of more. */
  readonly size?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Told from time to time how many are drawn. */
  readonly onProgress?: (drawn: number, size: number) => void;
  readonly signal?: AbortSignal;
}

/** Longest stretch of drawing before other work of the page or process gets its turn. */
const SLICE_MILLISECONDS = 25;

/**
 * The options with their defaults.
 *
 * @param bytesEach of the largest array that the set holds
 * @throws ArgumentError where they are wrong, or where the samples would not fit into one array
 */
export function checkGenerated(
  what: string,
  { split, size, seed = 0 }: GeneratedOptions,
  bytesEach: number,
  defaultSizes: Readonly<Record<GeneratedSplit, number>>,
): { readonly split: GeneratedSplit; readonly size: number; readonly seed: number } {
  if (split !== "train" && split !== "test") {
    throw new ArgumentError(`${what}: there is no split ${JSON.stringify(split)}. Expected "train" or "test".`);
  }
  const count = size ?? defaultSizes[split];
  // The longest array that every browser allows holds 2^31 bytes.
  if (!Number.isInteger(count) || count < 0 || count * bytesEach > 2 ** 31 - 1) {
    throw new ArgumentError(
      `${what}: size is ${count}. Expected an integer from 0 to ${Math.floor(2 ** 31 / bytesEach)}.`,
    );
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`${what}: seed is ${seed}. Expected an integer of 0 or more.`);
  }
  return { split, size: count, seed };
}

/** Has `draw` draw the samples from `start` to `end`, `together` at a time, and lets other work go on in between. */
export async function drawInSlices(
  size: number,
  together: number,
  draw: (start: number, end: number) => void,
  { onProgress, signal }: Pick<GeneratedOptions, "onProgress" | "signal">,
): Promise<void> {
  let drawn = 0;
  while (drawn < size) {
    const until = performance.now() + SLICE_MILLISECONDS;
    while (drawn < size && performance.now() < until) {
      const end = Math.min(size, drawn + together);
      draw(drawn, end);
      drawn = end;
    }
    onProgress?.(drawn, size);
    await new Promise((resolve) => setTimeout(resolve));
    if (signal?.aborted) throw new AbortedError();
  }
}

/** A value within [low, high]. @throws ArgumentError that names it otherwise */
export function checkWithin(what: string, name: string, value: number, low: number, high: number): number {
  if (value >= low && value <= high) return value;
  throw new ArgumentError(`${what}: ${name} is ${value}. Expected a number from ${low} to ${high}.`);
}

/** An integer within [low, high]. @throws ArgumentError that names it otherwise */
export function checkWhole(what: string, name: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new ArgumentError(`${what}: ${name} is ${value}. Expected an integer from ${low} to ${high}.`);
}

/** A range low ≤ high of integers or numbers, both within `limits`. @throws ArgumentError that names it otherwise */
export function checkRange(
  what: string,
  name: string,
  range: readonly [number, number],
  limits: readonly [number, number],
  whole = false,
): readonly [number, number] {
  const [low, high] = range;
  const fits = low >= limits[0] && high <= limits[1] && low <= high && (!whole || range.every(Number.isInteger));
  if (fits && range.length === 2) return range;
  throw new ArgumentError(
    `${what}: ${name} is [${range.join(", ")}]. Expected the least and the most, ${whole ? "integers" : "numbers"} from ${limits[0]} to ${limits[1]}.`,
  );
}
