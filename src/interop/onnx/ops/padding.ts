/** Borders. */

import type { AnyTensor } from "../../../graph/tensor.js";
import { tensor } from "../../../ops/create.js";
import { take } from "../../../ops/indexing/take.js";
import { pad } from "../../../ops/shape/pad.js";
import type { Call } from "../call.js";
import { define, float, ints, type OpTable, type Outputs, required, type Steps, string } from "../definition.js";
import type { TensorValue } from "../value.js";
import { moved } from "./shapes.js";

interface Border {
  readonly mode: string;
  readonly value: number;
  /** How much before each of the axes, then how much behind each; negative widths cut. */
  readonly pads: readonly number[];
  readonly axes: readonly number[];
}

function padded(call: Call, { mode, value, pads, axes }: Border): TensorValue {
  const x = call.tensor(0);
  if (pads.length !== 2 * axes.length)
    throw call.error(
      `there are ${pads.length} widths. Expected ${2 * axes.length}: two for each of ${axes.length} axes`,
    );
  const widths = x.shape.map(() => [0, 0] as [number, number]);
  for (const [i, axis] of call.axes(axes, x.rank).entries()) widths[axis] = [pads[i], pads[i + axes.length]];
  if (mode === "constant") return moved(call, pad(x, widths, value));
  const place = { reflect: mirrored, edge: nearest, wrap: turned }[mode];
  if (place === undefined)
    throw call.error(`the mode is ${JSON.stringify(mode)}. Expected "constant", "reflect", "edge" or "wrap"`);
  return moved(
    call,
    widths.reduce((result, [before, after], axis) => extended(call, result, axis, before, after, place), x),
  );
}

type Place = (at: number, length: number) => number;

const mirrored: Place = (at, length) => {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const within = ((at % period) + period) % period;
  return within < length ? within : period - within;
};
const nearest: Place = (at, length) => Math.min(Math.max(at, 0), length - 1);
const turned: Place = (at, length) => ((at % length) + length) % length;

/** The axis from −before to length + after; `place` says which element stands where there is none. */
function extended(call: Call, x: AnyTensor, axis: number, before: number, after: number, place: Place): AnyTensor {
  if (before === 0 && after === 0) return x;
  const length = x.shape[axis];
  const count = length + before + after;
  if (length === 0 || count < 0) throw call.shapeError(`axis ${axis} of length ${length} cannot become ${count} long`);
  const places = Int32Array.from({ length: call.tableLength(count) }, (_, i) => place(i - before, length));
  return take(x, tensor(places, { device: x.device }), axis);
}

function* byInputs(call: Call, mode: string): Steps<Outputs> {
  const pads = yield* call.integers(1);
  const value = call.has(2) ? yield* call.number(2) : 0;
  const axes = (yield* call.optionalIntegers(3)) ?? call.shape(0).map((_, axis) => axis);
  return padded(call, { mode, value, pads, axes });
}

/** Cut or padded on both sides alike, with what is left over behind. */
function* centred(call: Call, { axes }: { readonly axes: readonly number[] | undefined }): Steps<Outputs> {
  const x = call.tensor(0);
  const wanted = yield* call.integers(1);
  const along = call.axes(axes ?? x.shape.map((_, axis) => axis), x.rank);
  if (along.length !== wanted.length) throw call.error(`there are ${wanted.length} lengths for ${along.length} axes`);
  const widths = x.shape.map(() => [0, 0] as [number, number]);
  for (const [i, axis] of along.entries()) {
    const more = wanted[i] - x.shape[axis];
    const before = more < 0 ? -Math.floor(-more / 2) : Math.floor(more / 2);
    widths[axis] = [before, more - before];
  }
  return moved(call, pad(x, widths));
}

const mode = string("constant");

export const borders: OpTable = {
  Pad: [
    define({
      since: 1,
      attributes: { mode, paddings: required(ints()), value: float(0) },
      build: (call, { paddings, ...rest }) =>
        padded(call, { ...rest, pads: paddings, axes: call.shape(0).map((_, axis) => axis) }),
    }),
    define({
      since: 2,
      attributes: { mode, pads: required(ints()), value: float(0) },
      build: (call, settings) => padded(call, { ...settings, axes: call.shape(0).map((_, axis) => axis) }),
    }),
    define({
      since: 11,
      attributes: { mode },
      known: [1, 2, 3],
      build: (call, settings) => byInputs(call, settings.mode),
    }),
  ],
  CenterCropPad: [define({ since: 18, attributes: { axes: ints() }, known: [1], build: centred })],
};
