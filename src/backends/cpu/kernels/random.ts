/** Random numbers. */

import { type Shape, sizeOf } from "../../../core/shape.js";
import { epilogue, i32, input, makeLocal, output } from "../fields.js";
import type { Lower } from "../lowering.js";

export const randomSteps = {
  /**
   * `draw` holds four words: seed and number of the draw, low words first. `normal` is 0 for numbers in [0, 1). An output in
   * the local slot is for the epilogue only.
   */
  random: { draw: input, output, count: i32, normal: i32, epilogue },
} as const;

export interface RandomParams {
  readonly shape: Shape;
}

const random =
  (normal: number): Lower<"draw", RandomParams> =>
  ({ inputs: { draw }, output: { buffer, shape } }, to) => {
    if (to.isForEpilogueOnly(buffer)) makeLocal(buffer);
    to.step("random", { draw: draw.buffer, output: buffer, count: sizeOf(shape), normal, epilogue: to.epilogue });
  };

export const randomLowerings = { uniform: random(0), normal: random(1) } as const;
