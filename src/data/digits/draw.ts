/** One digit, drawn from random numbers: a letterform, a hand that writes it, and ink. */

import { FoveaError } from "../../core/errors.js";
import type { RandomStream } from "../../core/philox.js";
import { type ControlPoints, parseStroke, polylineLength, traceCurve } from "./curves.js";
import { distort, drawHand, within } from "./distortion.js";
import { letterforms } from "./letterforms/index.js";
import { render } from "./rendering.js";

/** A letterform with its control points read: `extremes[e][s]` is stroke `s` of extreme `e`. */
interface Form {
  readonly weight: number;
  readonly extremes: readonly (readonly ControlPoints[])[];
}

const forms: readonly (readonly Form[])[] = letterforms.map((list) =>
  list.map(({ name, weight, between }) => {
    const extremes = between.map((strokes) => strokes.map(parseStroke));
    const counts = extremes.map((strokes) => strokes.map(({ corners }) => corners.length).join(" "));
    if (counts.some((count) => count !== counts[0])) {
      throw new FoveaError("FOVEA_INTERNAL", `letterform "${name}": its extremes have unequal points: ${counts}`);
    }
    return { weight, extremes };
  }),
);

/** Digits that people write taller come out with thinner lines when all are scaled to the same box. */
const boldness = [1.12, 1.24, 1.08, 1.06, 0.96, 1.06, 0.96, 1.06, 0.88, 0.9];

/** How far shapes spread about the middle of a letterform's extremes: 1 stays between them, more goes a little beyond. */
const EXAGGERATION = 1.7;

/** Room for the longest drawing. */
const room = Math.max(
  ...forms
    .flat()
    .map(({ extremes }) => extremes[0].reduce((sum, { corners }) => sum + polylineLength(corners.length), 0)),
);
const points = new Float64Array(2 * room);
const radii = new Float64Array(room);

/** Draws `digit` into the 28×28 bytes of `image` from `offset` on. */
export function drawDigit(digit: number, random: RandomStream, image: Uint8Array, offset: number): void {
  const form = choose(forms[digit], random);
  const hand = drawHand(random);
  const shares = form.extremes.map(() => -Math.log(1 - random.uniform()));
  const total = shares.reduce((sum, share) => sum + share, 0);
  // Corners cannot be mixed: they are those of the extreme with the largest share.
  const nearest = form.extremes[shares.indexOf(Math.max(...shares))];

  const ends: number[] = [];
  let end = 0;
  for (let stroke = 0; stroke < form.extremes[0].length; stroke++) {
    const { corners } = nearest[stroke];
    const control = new Float64Array(2 * corners.length);
    for (const [e, extreme] of form.extremes.entries()) {
      const share = 1 / shares.length + EXAGGERATION * (shares[e] / total - 1 / shares.length);
      for (let i = 0; i < control.length; i++) control[i] += share * extreme[stroke].points[i];
    }
    for (let i = 0; i < control.length; i++) control[i] += within(random, 0, hand.unsteadiness);
    const start = end;
    end = traceCurve(control, corners, points, start);
    pressPen(random, hand.pen * boldness[digit], hand.pressure, start / 2, end / 2);
    ends.push(end);
  }
  distort(points, end, hand);
  render({ points, ends, radii }, hand.ink, random, image, offset);
}

/** The pen's radius along one stroke: a slow swell, drawn anew for each stroke. */
function pressPen(random: RandomStream, pen: number, pressure: number, from: number, to: number): void {
  const phase = random.uniform(0, 2 * Math.PI);
  const turns = random.uniform(0.5, 2) * Math.PI;
  for (let i = from; i < to; i++) {
    radii[i] = pen * (1 + pressure * Math.sin(phase + (turns * (i - from)) / (to - from)));
  }
}

function choose(list: readonly Form[], random: RandomStream): Form {
  let left = random.uniform() * list.reduce((sum, { weight }) => sum + weight, 0);
  for (const form of list) {
    left -= form.weight;
    if (left < 0) return form;
  }
  return list[list.length - 1];
}
