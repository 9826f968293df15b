/** Values of the examples' options. */

import { InvalidArgumentError } from "commander";

/** A parser of integers of at least `least`. */
export function whole(least: number) {
  return (text: string): number => {
    if (/^\d{1,6}$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`Expected an integer of ${least} or more, below a million.`);
  };
}

/** A number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("Expected a number above 0.");
}
