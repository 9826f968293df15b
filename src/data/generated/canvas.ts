/** A sheet to draw generated pictures on: filled outlines with antialiased edges, light, noise. */

import type { RandomStream } from "../../core/philox.js";
import { toByte } from "../pixels.js";

/** Shares of red, green and blue, 0 … 1. */
export type Colour = readonly [red: number, green: number, blue: number];

/**
 * How far a point lies outside an outline, below 0 inside: in pixels, at least near the edge. Lengths are pixels, x to
 * the right and y downwards; the first pixel's middle is (0.5, 0.5).
 */
export type Outline = (x: number, y: number) => number;

/** Middle and half side of a square that holds an outline. */
export interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly reach: number;
}

export class Canvas {
  /** Red, green and blue, or grey: planes of `side`² shares. */
  readonly #planes: Float32Array[];

  constructor(
    readonly channels: 1 | 3,
    readonly side: number,
  ) {
    this.#planes = Array.from({ length: channels }, () => new Float32Array(side * side));
  }

  /** Gives all pixels one colour. */
  clear(colour: Colour): void {
    const values = this.#values(colour);
    for (const [channel, plane] of this.#planes.entries()) plane.fill(values[channel]);
  }

  /**
   * Fills an outline.
   *
   * @param opacity of the paint, 0 … 1
   * @param inside called with the pixels whose middle lies within the outline
   */
  fill({ x, y, reach }: Bounds, outline: Outline, colour: Colour, opacity = 1, inside?: (pixel: number) => void): void {
    const { side } = this;
    const values = this.#values(colour);
    const right = Math.min(side - 1, Math.ceil(x + reach));
    const bottom = Math.min(side - 1, Math.ceil(y + reach));
    for (let row = Math.max(0, Math.floor(y - reach - 1)); row <= bottom; row++) {
      for (let column = Math.max(0, Math.floor(x - reach - 1)); column <= right; column++) {
        const distance = outline(column + 0.5, row + 0.5);
        if (distance >= 0.5) continue;
        const pixel = row * side + column;
        const cover = opacity * Math.min(1, 0.5 - distance);
        for (let channel = 0; channel < values.length; channel++) {
          const plane = this.#planes[channel];
          plane[pixel] += cover * (values[channel] - plane[pixel]);
        }
        if (distance < 0) inside?.(pixel);
      }
    }
  }

  /** Light that falls off across the picture: adds from −amount on one side to +amount on the other. */
  shade(amount: number, angle: number): void {
    const { side } = this;
    const [cos, sin] = [Math.cos(angle) * amount, Math.sin(angle) * amount];
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const light = (cos * (2 * column + 1 - side) + sin * (2 * row + 1 - side)) / side;
        for (const plane of this.#planes) plane[row * side + column] += light;
      }
    }
  }

  /** Adds normal noise to every value: a camera's grain. */
  grain(deviation: number, random: RandomStream): void {
    if (deviation === 0) return;
    for (const plane of this.#planes) for (let i = 0; i < plane.length; i++) plane[i] += random.normal(0, deviation);
  }

  /** Writes the picture as bytes in C×H×W order from `offset` on. */
  write(image: Uint8Array, offset: number): void {
    const length = this.side * this.side;
    for (const [channel, plane] of this.#planes.entries()) {
      for (let i = 0; i < length; i++) image[offset + channel * length + i] = toByte(255 * plane[i]);
    }
  }

  #values(colour: Colour): readonly number[] {
    return this.channels === 3 ? colour : [greyOf(colour)];
  }
}

/** How bright a colour is: ITU-R BT.601. */
export function greyOf([red, green, blue]: Colour): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** `share` of the way from one colour to another. */
export function mix(from: Colour, to: Colour, share: number): Colour {
  return [0, 1, 2].map((i) => from[i] + share * (to[i] - from[i])) as [number, number, number];
}

/** An ellipse with axes along x and y. */
export function ellipse(x: number, y: number, width: number, height: number): Outline {
  const least = Math.min(width, height);
  return (px, py) => {
    const [across, down] = [(px - x) / width, (py - y) / height];
    return (Math.sqrt(across * across + down * down) - 1) * least;
  };
}

/** A line of some thickness along y = y0 + bend·(1 − ((x − x0) / half)²), with round ends: a parabola's piece. */
export function arc(x: number, y: number, half: number, bend: number, thickness: number): Outline {
  return (px, py) => {
    const along = Math.min(1, Math.max(-1, (px - x) / half));
    const slope = (-2 * bend * along) / half;
    const off = (py - y - bend * (1 - along * along)) / Math.sqrt(1 + slope * slope);
    const beyond = Math.max(0, Math.abs(px - x) - half);
    return Math.sqrt(off * off + beyond * beyond) - thickness / 2;
  };
}

/** The same outline turned by `angle` about a point. */
export function turned(outline: Outline, x: number, y: number, angle: number): Outline {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return (px, py) => outline(x + cos * (px - x) + sin * (py - y), y - sin * (px - x) + cos * (py - y));
}
