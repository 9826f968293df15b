/** The options of augmentations: checked where they are given. */

import { show } from "../../core/check.js";
import { ArgumentError } from "../../core/errors.js";
import type { RandomStream } from "../../core/philox.js";
import { closestName } from "../../core/suggest.js";

/** One number, or from the first to the second. */
export type Range = number | readonly [low: number, high: number];

/** Throws unless every option is one of `names`. */
export function checkNames(name: string, options: object, names: readonly string[]): void {
  for (const given of Object.keys(options)) {
    if (names.includes(given)) continue;
    const meant = closestName(given, names);
    throw new ArgumentError(
      `augment ${name}: there is no option ${given}. ${meant === undefined ? "" : `Did you mean ${meant}? `}Expected ${names.length === 0 ? "none" : `of ${names.join(", ")}`}.`,
    );
  }
}

/** The value, which must be a number from `least` to `most`. */
export function checkNumber(
  name: string,
  option: string,
  value: number,
  least: number,
  most = Number.POSITIVE_INFINITY,
): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= least && value <= most) return value;
  throw new ArgumentError(`augment ${name}: ${option} is ${show(value)}. Expected a number ${between(least, most)}.`);
}

/** The value, which must be an integer from `least` to `most`. */
export function checkInteger(
  name: string,
  option: string,
  value: number,
  least: number,
  most = Number.POSITIVE_INFINITY,
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new ArgumentError(`augment ${name}: ${option} is ${show(value)}. Expected an integer ${between(least, most)}.`);
}

/** The value, which must be one of `choices`. */
export function checkChoice<T extends string>(name: string, option: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw new ArgumentError(`augment ${name}: ${option} is ${show(value)}. Expected ${choices.join(" or ")}.`);
}

function between(least: number, most: number): string {
  if (least === Number.NEGATIVE_INFINITY) return "that is finite";
  return most === Number.POSITIVE_INFINITY ? `of ${least} or more` : `from ${least} to ${most}`;
}

/**
 * From where to where to draw: a pair as it is; of one number `x`, around 0, −x to x, or around 1, 1 − x (0 at least) to 1 + x.
 */
export function checkRange(
  name: string,
  option: string,
  value: Range,
  { around, least, most }: { readonly around?: 0 | 1; readonly least?: number; readonly most?: number } = {},
): readonly [low: number, high: number] {
  const bottom = least ?? Number.NEGATIVE_INFINITY;
  if (Array.isArray(value)) {
    const [low, high]: readonly number[] = value;
    checkNumber(name, option, low, bottom, most);
    checkNumber(name, option, high, bottom, most);
    if (value.length === 2 && low <= high) return [low, high];
  } else if (typeof value === "number") {
    if (around === undefined) {
      checkNumber(name, option, value, bottom, most);
      return [value, value];
    }
    checkNumber(name, option, value, 0, most);
    return around === 0 ? [-value, value] : [Math.max(0, 1 - value), 1 + value];
  }
  throw new ArgumentError(
    `augment ${name}: ${option} is ${show(value)}. Expected a number, or [lowest, highest] in this order.`,
  );
}

/** A number of the range; fixed ones draw nothing. */
export function drawFrom(random: RandomStream, [low, high]: readonly [number, number]): number {
  return low === high ? low : random.uniform(low, high);
}
