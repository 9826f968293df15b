/** `--views`: several looks at each picture, over which what a network says is averaged. */

import { InvalidArgumentError, Option } from "commander";
import { flipViews, shiftViews, type View } from "../data/augment/views.js";

const flipped = flipViews();
const shifted = shiftViews();

/** By name; each has a number of looks of its own, which may stand for it. */
const viewsOf: Readonly<Record<string, readonly View[]>> = {
  flips: flipped,
  shifts: shifted,
  both: shifted.flatMap((shift) =>
    flipped.map(
      (flip): View =>
        (picture) =>
          flip(shift(picture)),
    ),
  ),
};

function parseViews(text: string): readonly View[] {
  const found = viewsOf[text] ?? Object.values(viewsOf).find((views) => text === String(views.length));
  if (found !== undefined) return found;
  const expected = Object.entries(viewsOf).map(([name, views]) => `${name} (${views.length})`);
  throw new InvalidArgumentError(`Expected ${expected.join(", ")}.`);
}

export function viewsOption(): Option {
  return new Option(
    "--views <name or n>",
    "average over several looks at each picture: flips (2: its mirror image), shifts (9: by a pixel), both (18)",
  ).argParser(parseViews);
}
