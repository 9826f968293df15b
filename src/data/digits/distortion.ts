/** One writer's hand: how far, and in what way, a digit departs from its letterform. Lengths in digit heights. */

import type { RandomStream } from "../../core/philox.js";
import type { Ink } from "./rendering.js";

export interface Hand {
  /** Standard deviation of each control point. */
  readonly unsteadiness: number;
  /** Radius of the pen. */
  readonly pen: number;
  /** How much the pen's pressure varies along a stroke, as a share of its radius. */
  readonly pressure: number;
  /** The linear map of points about the digit's centre: width, slant and rotation. */
  readonly matrix: readonly [number, number, number, number];
  /** Bends the height: above 0 the upper half is larger, below 0 the lower one. */
  readonly balance: number;
  /** Widens the upper half (above 0) or the lower one. */
  readonly taper: number;
  /** Elastic distortion: waves that displace points. */
  readonly waves: readonly Wave[];
  readonly ink: Ink;
}

/** Displaces points by (dx, dy) times a sine of fx·x + fy·y + phase. */
interface Wave {
  readonly fx: number;
  readonly fy: number;
  readonly phase: number;
  readonly dx: number;
  readonly dy: number;
}

const WAVES = 3;

/**
 * Draws a hand. The figures were chosen by eye, then by how well a network that saw only these digits reads real
 * handwriting, while it still reads nearly all of these.
 */
export function drawHand(random: RandomStream): Hand {
  const spread = (mean: number, deviation: number) => within(random, mean, deviation);
  const unsteadiness = 0.053 * Math.exp(spread(0, 0.35));
  const pen = 0.074 * Math.exp(spread(0, 0.3));
  const pressure = Math.abs(spread(0, 0.22));
  const width = Math.exp(spread(0.04, 0.26));
  const slant = spread(0.18, 0.29);
  const angle = spread(0, 0.15);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  // Rotation after slant after width; slant leans to the right, and y grows downwards.
  const matrix = [cos * width, -cos * slant - sin, sin * width, cos - sin * slant] as const;
  const balance = spread(0, 0.25);
  const taper = spread(0, 0.2);
  const strength = 0.02 * Math.exp(spread(0, 0.4));
  const waves = Array.from({ length: WAVES }, () => ({
    fx: spread(0, 5.5),
    fy: spread(0, 5.5),
    phase: random.uniform(0, 2 * Math.PI),
    dx: spread(0, strength),
    dy: spread(0, strength),
  }));
  const ink = { softness: random.uniform(0.8, 1.4), raggedness: random.uniform(0, 0.2) };
  return { unsteadiness, pen, pressure, matrix, balance, taper, waves, ink };
}

/** Normal, but never further than two deviations from the mean: rare extremes would not be read by anybody. */
export function within(random: RandomStream, mean: number, deviation: number): number {
  const value = random.normal();
  return mean + deviation * (Math.abs(value) <= 2 ? value : value / 2);
}

/** Moves the points of `line` (x and y by turns, `length` numbers) as the hand would. */
export function distort(line: Float64Array<ArrayBuffer>, length: number, hand: Hand): void {
  const [xx, xy, yx, yy] = hand.matrix;
  for (let i = 0; i < length; i += 2) {
    let x = line[i] - 0.5;
    let y = line[i + 1] - 0.5;
    y += hand.balance * (0.25 - y * y);
    x *= 1 - hand.taper * y * 2;
    let u = xx * x + xy * y;
    let v = yx * x + yy * y;
    for (const wave of hand.waves) {
      const swing = Math.sin(wave.fx * x + wave.fy * y + wave.phase);
      u += wave.dx * swing;
      v += wave.dy * swing;
    }
    line[i] = u;
    line[i + 1] = v;
  }
}
