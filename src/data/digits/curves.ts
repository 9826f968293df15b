/** Pen strokes as curves: control points written as text, and smooth curves through them. */

import { FoveaError } from "../../core/errors.js";

/** Control points of one stroke: x and y by turns, and which of them are corners. */
export interface ControlPoints {
  readonly points: Float64Array<ArrayBuffer>;
  readonly corners: readonly boolean[];
}

/** Reads `"10,20 30,5! 50,20"`: points in units of a hundredth, corners marked with `!`. */
export function parseStroke(text: string): ControlPoints {
  const words = text.split(" ");
  const points = new Float64Array(words.length * 2);
  const corners: boolean[] = [];
  for (const [i, word] of words.entries()) {
    const match = /^(-?\d+),(-?\d+)(!?)$/.exec(word);
    if (match === null) throw new FoveaError("FOVEA_INTERNAL", `"${word}" is not a control point such as 10,20`);
    points[2 * i] = Number(match[1]) / 100;
    points[2 * i + 1] = Number(match[2]) / 100;
    corners.push(match[3] === "!");
  }
  return { points, corners };
}

/** Straight pieces per span between two control points. */
const PIECES = 6;

/** Points that the polyline of a stroke with `count` control points has. */
export function polylineLength(count: number): number {
  return (count - 1) * PIECES + 1;
}

/**
 * Writes a polyline along the smooth curve through `points` (a cubic Hermite spline whose tangents are those of the
 * parabola through three neighbours, spaced by the square root of their distance) to `out`, from `start` on.
 * Returns the position after the last number written.
 */
export function traceCurve(
  points: Float64Array,
  corners: readonly boolean[],
  out: Float64Array<ArrayBuffer>,
  start: number,
): number {
  const count = points.length / 2;
  let at = start;
  out[at++] = points[0];
  out[at++] = points[1];
  for (let i = 0; i + 1 < count; i++) {
    const x0 = points[2 * i];
    const y0 = points[2 * i + 1];
    const x1 = points[2 * i + 2];
    const y1 = points[2 * i + 3];
    const span = spacing(x1 - x0, y1 - y0);
    let u0 = x1 - x0;
    let v0 = y1 - y0;
    let u1 = u0;
    let v1 = v0;
    if (i > 0 && !corners[i]) {
      const dx = x0 - points[2 * i - 2];
      const dy = y0 - points[2 * i - 1];
      const before = spacing(dx, dy);
      const share = span / (before + span);
      u0 = share * dx * (span / before) + (1 - share) * u0;
      v0 = share * dy * (span / before) + (1 - share) * v0;
    }
    if (i + 2 < count && !corners[i + 1]) {
      const dx = points[2 * i + 4] - x1;
      const dy = points[2 * i + 5] - y1;
      const after = spacing(dx, dy);
      const share = span / (after + span);
      u1 = share * dx * (span / after) + (1 - share) * u1;
      v1 = share * dy * (span / after) + (1 - share) * v1;
    }
    for (let piece = 1; piece <= PIECES; piece++) {
      const t = piece / PIECES;
      const t2 = t * t;
      const t3 = t2 * t;
      const h01 = 3 * t2 - 2 * t3;
      const h10 = t3 - 2 * t2 + t;
      const h11 = t3 - t2;
      out[at++] = (1 - h01) * x0 + h10 * u0 + h01 * x1 + h11 * u1;
      out[at++] = (1 - h01) * y0 + h10 * v0 + h01 * y1 + h11 * v1;
    }
  }
  return at;
}

/** The centripetal parameter: the square root of the distance, which keeps curves from looping at close points. */
function spacing(dx: number, dy: number): number {
  return Math.max(1e-3, Math.sqrt(Math.hypot(dx, dy)));
}
