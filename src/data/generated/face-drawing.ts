/** One drawn face: who it is, and what of that a picture shows. */

import type { RandomStream } from "../../core/philox.js";
import { arc, type Canvas, type Colour, ellipse, mix, type Outline } from "./canvas.js";

export interface Person {
  readonly smiling: boolean;
  readonly female: boolean;
  /** In years. */
  readonly age: number;
}

/** From the darkest skin to the lightest, and what lips and blood add to it. */
const skins: readonly [Colour, Colour] = [
  [0.36, 0.22, 0.15],
  [0.97, 0.82, 0.7],
];
const hairs: readonly Colour[] = [
  [0.07, 0.05, 0.05],
  [0.23, 0.13, 0.08],
  [0.45, 0.27, 0.12],
  [0.82, 0.65, 0.33],
  [0.55, 0.2, 0.08],
];
const [grey, white, black, red]: Colour[] = [
  [0.78, 0.78, 0.78],
  [0.96, 0.96, 0.93],
  [0.06, 0.05, 0.05],
  [0.75, 0.13, 0.18],
];

/** Fills an outline given in the head's own lengths: half its height is 1, and its middle is (0, 0). */
type Brush = (
  middle: readonly [x: number, y: number],
  reach: number,
  outline: Outline,
  colour: Colour,
  opacity?: number,
) => void;

/**
 * Draws a face on the canvas. The traits of men and women, of young and old overlap as they do among people, and how far
 * the corners of the mouth are raised is normally distributed about +1 for those who smile and −1 for those who do not.
 *
 * @param subtlety standard deviation of that distribution
 */
export function drawFace(canvas: Canvas, person: Person, subtlety: number, random: RandomStream): void {
  const { smiling, female, age } = person;
  const chance = (share: number) => random.uniform() < share;
  const around = (mean: number, deviation: number) => {
    const value = random.normal();
    return mean + deviation * Math.max(-2.5, Math.min(2.5, value));
  };
  const share = () => random.uniform(0.15, 0.85);
  canvas.clear([share(), share(), share()]);
  const brush = holdBrush(canvas, random);

  const skin = mix(skins[0], skins[1], random.uniform());
  const shadow = mix(skin, black, 0.35);
  const greyness = clamp((age - around(52, 9)) / 20);
  const hair = mix(hairs[random.integer(hairs.length)], grey, greyness);
  const long = chance(female ? 0.85 : 0.03);
  const bald = !female && chance(clamp((age - 30) / 70));

  // Behind the face: hair, clothes, neck.
  const hairWidth = around(0.88, 0.04);
  const hairLength = long ? random.uniform(0.9, 1.5) : random.uniform(0.1, 0.35);
  if (!bald) {
    brush([0, -0.1], 1.1, ellipse(0, -0.16, hairWidth, 0.98), hair);
    if (long) brush([0, 0.3], 1.7, ellipse(0, hairLength - 0.75, hairWidth + 0.1, hairLength + 0.1), hair);
  }
  const clothes: Colour = [share(), share(), share()];
  brush([0, 1.7], 1.5, ellipse(0, 1.95, 1.35, 0.85), clothes);
  const neck = female ? 0.27 : 0.36;
  brush([0, 1], 0.6, (x, y) => Math.max(Math.abs(x) - neck, Math.abs(y - 1) - 0.35), shadow);

  // The head: an ellipse, with a jaw.
  const width = around(0.72, 0.03);
  const jaw = around(female ? 0.46 : 0.62, 0.04);
  for (const side of [-1, 1]) brush([side * width, 0], 0.2, ellipse(side * width, 0.02, 0.1, 0.17), shadow);
  brush([0, 0], 1, ellipse(0, 0, width, 0.97), skin);
  brush([0, 0.35], 0.75, ellipse(0, 0.34, jaw, 0.62), skin);
  if (!bald) {
    const hairline = around(0.55, 0.06) + (female ? 0 : 0.25 * clamp((age - 30) / 50));
    const bend = around(0.25, 0.15);
    const cap = ellipse(0, -0.02, width + 0.06, 1);
    brush([0, -0.4], 1, (x, y) => Math.max(cap(x, y), y + hairline - bend * x * x), hair);
  }

  // Age: lines on the forehead and beside the nose.
  const lines = clamp((age - around(38, 6)) / 40);
  const wrinkle = mix(skin, black, 0.45);
  for (const y of [-0.5, -0.42]) brush([0, y], 0.4, arc(0, y, 0.34, -0.03, 0.035), wrinkle, lines);
  for (const side of [-1, 1]) {
    brush([side * 0.31, 0.04], 0.2, arc(side * 0.31, 0.04, 0.12, 0.05, 0.035), wrinkle, lines);
    const fold: Outline = (x, y) =>
      Math.max(Math.abs(side * x - 0.28 - 0.3 * (y - 0.3)) - 0.02, Math.abs(y - 0.33) - 0.14);
    brush([side * 0.3, 0.33], 0.25, fold, wrinkle, lines);
  }

  drawEyes(brush, person, hair, skin, random);
  brush([0, 0.2], 0.25, ellipse(around(0, 0.01), 0.2, around(female ? 0.08 : 0.11, 0.015), 0.07), shadow, 0.8);
  if (!female && chance(0.35)) {
    const chin = ellipse(0, 0.34, jaw + 0.02, 0.64);
    brush([0, 0.6], 0.8, (x, y) => Math.max(chin(x, y), 0.36 + 0.25 * x * x - y), hair, random.uniform(0.25, 0.8));
  }
  const raised = around(smiling ? 1 : -1, subtlety);
  for (const side of [-1, 1]) {
    const blush = 0.1 * clamp(0.5 + raised / 2) + (female ? random.uniform(0, 0.2) : 0);
    brush([side * 0.4, 0.24], 0.2, ellipse(side * 0.4, 0.24, 0.17, 0.12), red, blush);
  }
  const redness = female ? random.uniform(0.4, 0.95) : random.uniform(0, 0.25);
  drawMouth(brush, raised, mix(mix(skin, red, redness), black, 0.4), random);

  canvas.shade(random.uniform(0, 0.25), random.uniform(0, 2 * Math.PI));
}

/** A head of some size, at some place, held at some angle. */
function holdBrush(canvas: Canvas, random: RandomStream): Brush {
  const { side } = canvas;
  const scale = side * random.uniform(0.36, 0.42);
  const [x0, y0] = [side * random.uniform(0.46, 0.54), side * random.uniform(0.44, 0.5)];
  const roll = random.uniform(-0.16, 0.16);
  const [cos, sin] = [Math.cos(roll), Math.sin(roll)];
  return ([x, y], reach, outline, colour, opacity = 1) => {
    if (opacity === 0) return;
    const bounds = {
      x: x0 + scale * (cos * x - sin * y),
      y: y0 + scale * (sin * x + cos * y),
      reach: scale * 1.42 * reach,
    };
    const placed: Outline = (px, py) => {
      const [dx, dy] = [(px - x0) / scale, (py - y0) / scale];
      return scale * outline(cos * dx + sin * dy, cos * dy - sin * dx);
    };
    canvas.fill(bounds, placed, colour, opacity);
  };
}

function drawEyes(brush: Brush, { female }: Person, hair: Colour, skin: Colour, random: RandomStream): void {
  const apart = random.uniform(0.27, 0.33);
  const open = random.uniform(0.05, 0.1);
  const look = random.uniform(-0.04, 0.04);
  const iris: Colour = [random.uniform(0.05, 0.35), random.uniform(0.15, 0.4), random.uniform(0.1, 0.5)];
  const brow = random.uniform(0.03, 0.06) + (female ? 0 : 0.035);
  const browBend = random.uniform(-0.09, 0);
  const lashes = female && random.uniform() < 0.6;
  const glasses = random.uniform() < 0.15;
  for (const side of [-1, 1]) {
    const x = side * apart;
    brush([x, -0.1], 0.2, ellipse(x, -0.1, 0.14, open), white);
    brush([x + look, -0.1], 0.1, ellipse(x + look, -0.1, 0.055, Math.min(0.06, open)), iris);
    if (lashes) brush([x, -0.16], 0.25, arc(x, -0.1, 0.15, -open - 0.02, 0.05), black);
    brush([x, -0.28], 0.25, arc(x, -0.25, 0.17, browBend, brow), mix(hair, skin, 0.15));
    if (glasses) {
      const rim = ellipse(x, -0.09, 0.24, 0.19);
      brush([x, -0.09], 0.35, (px, py) => Math.abs(rim(px, py)) - 0.02, black);
    }
  }
}

/** @param raised how far the corners of the mouth are up: about 1 in a smile, −1 without */
function drawMouth(brush: Brush, raised: number, lips: Colour, random: RandomStream): void {
  const y = random.uniform(0.47, 0.52);
  const half = random.uniform(0.27, 0.33) + 0.02 * raised;
  const bend = 0.04 + 0.15 * raised;
  const thickness = random.uniform(0.06, 0.1);
  // The mouth stays where it is: its corners rise as its middle falls.
  const top = y - bend / 2;
  const gap = random.uniform() < 0.4 ? random.uniform(0.05, 0.16) : 0;
  if (gap > 0) {
    const inside: Outline = (px, py) => {
      const along = Math.min(1, Math.max(-1, px / half));
      const middle = top + (bend + gap / 2) * (1 - along * along);
      return Math.max(Math.abs(py - middle) - (gap / 2) * (1 - along * along), Math.abs(px) - half);
    };
    brush([0, y], 0.4, inside, random.uniform() < 0.6 ? white : mix(black, red, 0.3));
    brush([0, y], 0.4, arc(0, top, half, bend + gap, thickness), lips);
  }
  brush([0, y], 0.4, arc(0, top, half, bend, thickness), lips);
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
