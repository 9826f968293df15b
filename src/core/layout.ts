/** How images lie in memory. */

import type { Shape } from "./shape.js";

/**
 * The order of the elements of images (N, C, H, W): that of their axes, or N, H, W, C, so that the channels of a pixel
 * are side by side. Shapes are N, C, H, W in either case.
 */
export type Layout = "channelsFirst" | "channelsLast";

/** Where the axes N, C, H, W are in memory, if the channels are last. */
export const placesOfAxes = [0, 3, 1, 2] as const;

/** The axes in the order of memory, outermost first. Fewer than four are the last ones of N, C, H, W. */
export function inMemory(shape: Shape, layout: Layout | undefined): Shape {
  if (layout !== "channelsLast") return shape;
  const [batch, channels, height, width] = [...[1, 1, 1, 1].slice(shape.length), ...shape];
  return [batch, height, width, channels];
}
