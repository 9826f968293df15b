/**
 * Ink on pixels: polylines drawn with a round pen, antialiased, fitted into a 20×20 box and centred by mass in 28×28
 * pixels, which is how MNIST's digits were prepared.
 */

import type { RandomStream } from "../../core/philox.js";

export const SIDE = 28;
const BOX = 20;
/** Sheet on which a digit is drawn before it is centred; the margin holds the pen's soft edge. */
const SHEET = BOX + 4;

/** Lines to draw: x and y by turns in `points`; line `i` ends before number `ends[i]`. */
export interface Drawing {
  readonly points: Float64Array<ArrayBuffer>;
  readonly ends: readonly number[];
  /** The pen's radius at each point. */
  readonly radii: Float64Array<ArrayBuffer>;
}

export interface Ink {
  /** Width of the soft edge, in pixels. */
  readonly softness: number;
  /** How far the edge is ragged, as a share of full coverage. */
  readonly raggedness: number;
}

const sheet = new Float32Array(SHEET * SHEET);

/** Draws into the 784 bytes of `image` from `offset` on: 0 is paper, 255 is ink. */
export function render(drawing: Drawing, ink: Ink, random: RandomStream, image: Uint8Array, offset: number): void {
  fitIntoBox(drawing, ink.softness / 4);
  sheet.fill(0);
  let start = 0;
  for (const end of drawing.ends) {
    for (let i = start; i + 2 < end; i += 2) drawPiece(drawing, i, ink.softness);
    start = end;
  }
  roughen(ink.raggedness, random);
  centreByMass(image, offset);
}

/** Scales and moves the points so that the pen's outline touches the 20×20 box in its longer direction. */
function fitIntoBox({ points, radii, ends }: Drawing, edge: number): void {
  const length = ends[ends.length - 1];
  let left = Number.POSITIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < length; i += 2) {
    const radius = radii[i / 2];
    left = Math.min(left, points[i] - radius);
    right = Math.max(right, points[i] + radius);
    top = Math.min(top, points[i + 1] - radius);
    bottom = Math.max(bottom, points[i + 1] + radius);
  }
  const scale = (BOX - 2 * edge) / Math.max(right - left, bottom - top);
  const x0 = SHEET / 2 - (scale * (left + right)) / 2;
  const y0 = SHEET / 2 - (scale * (top + bottom)) / 2;
  for (let i = 0; i < length; i += 2) {
    points[i] = x0 + scale * points[i];
    points[i + 1] = y0 + scale * points[i + 1];
    radii[i / 2] *= scale;
  }
}

/** One straight piece from point `i` to the next: each pixel takes the darkest coverage that reaches its centre. */
function drawPiece({ points, radii }: Drawing, i: number, softness: number): void {
  const x0 = points[i];
  const y0 = points[i + 1];
  const dx = points[i + 2] - x0;
  const dy = points[i + 3] - y0;
  const r0 = radii[i / 2];
  const dr = radii[i / 2 + 1] - r0;
  const inverse = 1 / Math.max(1e-9, dx * dx + dy * dy);
  const reach = Math.max(r0, r0 + dr) + softness / 2;
  const left = Math.max(0, Math.floor(Math.min(x0, x0 + dx) - reach));
  const right = Math.min(SHEET - 1, Math.ceil(Math.max(x0, x0 + dx) + reach));
  const top = Math.max(0, Math.floor(Math.min(y0, y0 + dy) - reach));
  const bottom = Math.min(SHEET - 1, Math.ceil(Math.max(y0, y0 + dy) + reach));
  for (let row = top; row <= bottom; row++) {
    const py = row + 0.5 - y0;
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - x0;
      const t = Math.min(1, Math.max(0, (px * dx + py * dy) * inverse));
      const ex = px - t * dx;
      const ey = py - t * dy;
      const coverage = (r0 + t * dr - Math.sqrt(ex * ex + ey * ey)) / softness + 0.5;
      const at = row * SHEET + column;
      if (coverage > sheet[at]) sheet[at] = coverage;
    }
  }
}

/** Paper and scanner: each inked pixel is a little lighter or darker, which shows where it is not fully covered. */
function roughen(raggedness: number, random: RandomStream): void {
  let bits = 0;
  let left = 0;
  for (let at = 0; at < sheet.length; at++) {
    if (sheet[at] === 0) continue;
    if (left === 0) {
      bits = random.bits();
      left = 4;
    }
    const noise = (bits & 0xff) / 127.5 - 1;
    bits >>>= 8;
    left--;
    sheet[at] = Math.min(1, Math.max(0, sheet[at] + raggedness * noise));
  }
}

function centreByMass(image: Uint8Array, offset: number): void {
  let mass = 0;
  let momentX = 0;
  let momentY = 0;
  for (let row = 0; row < SHEET; row++) {
    for (let column = 0; column < SHEET; column++) {
      const at = row * SHEET + column;
      const coverage = sheet[at];
      mass += coverage;
      momentX += coverage * (column + 0.5);
      momentY += coverage * (row + 0.5);
    }
  }
  const shiftX = Math.round(SIDE / 2 - momentX / mass);
  const shiftY = Math.round(SIDE / 2 - momentY / mass);
  image.fill(0, offset, offset + SIDE * SIDE);
  for (let row = 0; row < SHEET; row++) {
    const y = row + shiftY;
    if (y < 0 || y >= SIDE) continue;
    for (let column = 0; column < SHEET; column++) {
      const x = column + shiftX;
      if (x >= 0 && x < SIDE) image[offset + y * SIDE + x] = Math.round(255 * sheet[row * SHEET + column]);
    }
  }
}
