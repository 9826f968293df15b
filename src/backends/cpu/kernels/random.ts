/** Random numbers. */

import { type Shape, sizeOf } from "../../../core/shape.js";
import { i32, input, output } from "../fields.js";
import type { Lower } from "../lowering.js";

export const randomSteps = {
  /** `draw` holds four words: seed and number of the draw, low words first. `normal` is 0 for numbers in [0, 1). */
  random: { draw: input, output, count: i32, normal: i32 },
} as const;

export interface RandomParams {
  readonly shape: Shape;
}

const random =
  (normal: number): Lower<"draw", RandomParams> =>
  ({ inputs: { draw }, output: into }, to) =>
    to.step("random", { draw: draw.buffer, output: into.buffer, count: sizeOf(into.shape), normal });

export const randomLowerings = { uniform: random(0), normal: random(1) } as const;
