/** `--views`: several looks at each picture, over which what a network says is averaged. */

import { InvalidArgumentError, Option } from "commander";
import { ArgumentError } from "../core/errors.js";
import { flipViews, shiftViews, turnViews, type View } from "../data/augment/views.js";
import type { PixelViews } from "../train/pixelPrediction.js";

const names = ["flips", "turns", "shifts", "both"] as const;
export type ViewsName = (typeof names)[number];

const flipped = flipViews();
const shifted = shiftViews();

/** By name; each has a number of looks of its own, which may stand for it. */
const views: Readonly<Record<ViewsName, readonly View[]>> = {
  flips: flipped,
  turns: turnViews(),
  shifts: shifted,
  both: shifted.flatMap((shift) =>
    flipped.map(
      (flip): View =>
        (picture) =>
          flip(shift(picture)),
    ),
  ),
};

function parseViews(text: string): ViewsName {
  const found = names.find((name) => text === name || text === String(views[name].length));
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`Expected ${names.map((name) => `${name} (${views[name].length})`).join(", ")}.`);
}

export function viewsOption(): Option {
  return new Option(
    "--views <name or n>",
    "average over several looks at each picture: flips (2: its mirror image), turns (8: that and quarter turns), shifts (9: by a pixel), both (18: flips and shifts)",
  ).argParser(parseViews);
}

/** The looks at whole pictures. */
export function viewsOf(name: ViewsName | undefined): readonly View[] | undefined {
  return name && views[name];
}

/** Those after which pixels can be put back in their places. @throws ArgumentError for others */
export function pixelViewsOf(name: ViewsName | undefined): PixelViews | undefined {
  if (name === undefined || name === "flips" || name === "turns") return name;
  throw new ArgumentError(
    `--views ${name} is for weights that name pictures, and these answer for every pixel. Expected flips or turns.`,
  );
}
