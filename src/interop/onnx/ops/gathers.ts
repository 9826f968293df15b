/** Picking by indices, ordering, and finding. */

import { sizeOf } from "../../../core/shape.js";
import type { AnyTensor } from "../../../graph/tensor.js";
import { tensor } from "../../../ops/create.js";
import { add, sub } from "../../../ops/elementwise/arithmetic.js";
import { greaterEqual, less } from "../../../ops/elementwise/comparison.js";
import { where } from "../../../ops/elementwise/select.js";
import { takeAlongAxis } from "../../../ops/indexing/alongAxis.js";
import { arange } from "../../../ops/indexing/oneHot.js";
import { argsort } from "../../../ops/indexing/sort.js";
import { take } from "../../../ops/indexing/take.js";
import { expand } from "../../../ops/reduce/sum.js";

import { reshape } from "../../../ops/shape/reshape.js";
import { type Range, slice } from "../../../ops/shape/slice.js";
import type { Call } from "../call.js";
import { constantFrom } from "../constants.js";
import { define, int, type OpTable, type Outputs, required, type Steps } from "../definition.js";
import { type TensorValue, tensorValue } from "../value.js";
import { flatPlaces, fromFront } from "./indices.js";
import { type Int, numeric } from "./numeric.js";
import { moved } from "./shapes.js";

/** Picks the element at each index along an axis; indices may be fewer than the tensor along other axes. */
function gatherElements(call: Call, axis: number): TensorValue {
  const x = call.tensor(0);
  const indices = call.int(1);
  const along = call.axis(axis, x.rank);
  const within = slice(x, ...indices.shape.map((length, i): Range => (i === along ? null : [0, length])));
  return moved(call, takeAlongAxis(within, fromFront(indices, x.shape[along]), along));
}

function gatherND(call: Call, batch: number): TensorValue {
  const x = call.tensor(0);
  const indices = call.int(1);
  const depth = indices.shape[indices.rank - 1] ?? 0;
  const lead = x.shape.slice(0, batch);
  const lengths = x.shape.slice(batch, batch + depth);
  const rest = x.shape.slice(batch + depth);
  let places = flatPlaces(indices, lengths);
  const outer = indices.shape.slice(0, -1);
  if (batch > 0) {
    const sizes = [sizeOf(lead), sizeOf(outer.slice(batch))];
    const begin = reshape(arange(0, sizes[0] * sizeOf(lengths), Math.max(1, sizeOf(lengths))), [sizes[0], 1]);
    places = reshape(add(reshape(places, sizes), begin) as Int, outer);
  }
  const rows = reshape(x, [sizeOf(lead) * sizeOf(lengths), ...rest]);
  return moved(call, take(rows, places));
}

/** The k first in order along an axis, and where they were. */
function ordered(call: Call, k: number, axis: number, largest: boolean): Outputs {
  const x = numeric(call.tensor(0));
  const along = call.axis(axis, x.rank);
  if (!Number.isInteger(k) || k < 0 || k > x.shape[along])
    throw call.error(`k is ${k}. Expected 0 to ${x.shape[along]}, the length of axis ${along}`);
  const indices = argsort(x, along, { descending: largest, count: k });
  return [moved(call, takeAlongAxis(call.tensor(0), indices, along)), tensorValue("int64", indices)];
}

/** Turns the first elements of each row around: as many as the row's length says. */
function reversed(call: Call, time: number, batch: number): TensorValue {
  const x = call.tensor(0);
  const lengths = call.int(1);
  const [t, b] = [call.axis(time, x.rank), call.axis(batch, x.rank)];
  const shapeOf = (axis: number) => x.shape.map((length, i) => (i === axis ? length : 1));
  const position = reshape(arange(x.shape[t]), shapeOf(t));
  const length = reshape(lengths, shapeOf(b));
  const turned = sub(sub(length, 1), position) as Int;
  const index = where(less(position, length), turned, position) as Int;
  return moved(call, takeAlongAxis(x, expand(index, x.shape), t));
}

/** A matrix of positions, one row for each axis. */
function positionMatrix(places: readonly number[], shape: readonly number[]): TensorValue {
  const values = new Float64Array(shape.length * places.length);
  for (const [column, place] of places.entries()) {
    let rest = place;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      values[axis * places.length + column] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
  }
  return tensorValue("int64", constantFrom("int64", [shape.length, places.length], values));
}

function* nonZero(call: Call): Steps<Outputs> {
  const values = yield* call.numbers(0);
  const places = Array.from(values.keys()).filter((i) => values[i] !== 0);
  return positionMatrix(places, call.shape(0));
}

/** The slices along an axis, or the elements of all, for which a condition holds. */
function* compressed(call: Call, { axis }: { readonly axis: number | undefined }): Steps<Outputs> {
  const condition = yield* call.numbers(1);
  const x = axis === undefined ? reshape(call.tensor(0), [sizeOf(call.shape(0))]) : call.tensor(0);
  const along = axis === undefined ? 0 : call.axis(axis, x.rank);
  const kept = Int32Array.from(condition.keys()).filter((i) => condition[i] !== 0 && i < x.shape[along]);
  return moved(call, take(x, tensor(kept, { device: x.device }), along));
}

/** Distinct elements, or slices along an axis: where each first is, which is which, and how many of each there are. */
function* unique(
  call: Call,
  { axis, sorted }: { readonly axis: number | undefined; readonly sorted: number },
): Steps<Outputs> {
  const x = call.tensor(0);
  const numbers = yield* call.numbers(0);
  const along = axis === undefined ? 0 : call.axis(axis, x.rank);
  const shape = axis === undefined ? [x.size] : x.shape;
  const [outer, count, inner] = [sizeOf(shape.slice(0, along)), shape[along], sizeOf(shape.slice(along + 1))];
  const part = (i: number) =>
    Array.from({ length: outer * inner }, (_, k) => numbers[(Math.floor(k / inner) * count + i) * inner + (k % inner)]);
  const groups = new Map<string, { readonly part: number[]; readonly first: number; count: number; number: number }>();
  const keys = Array.from({ length: count }, (_, i) => {
    const values = part(i);
    const key = values.join();
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { part: values, first: i, count: 1, number: 0 });
    else known.count++;
    return key;
  });
  const list = [...groups.values()];
  if (sorted !== 0) list.sort((a, b) => compare(a.part, b.part));
  for (const [number, group] of list.entries()) group.number = number;
  const vectorOf = (values: readonly number[]) =>
    tensorValue("int64", constantFrom("int64", [values.length], Float64Array.from(values)));
  const places = tensor(
    Int32Array.from(list, ({ first }) => first),
    { device: x.device },
  );
  return [
    moved(call, take(axis === undefined ? reshape(x, shape) : x, places, along)),
    vectorOf(list.map(({ first }) => first)),
    vectorOf(keys.map((key) => groups.get(key)?.number ?? 0)),
    vectorOf(list.map((group) => group.count)),
  ];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((value, k) => value !== b[k]);
  return i < 0 ? 0 : a[i] - b[i];
}

/** The upper or lower triangle; zeros elsewhere. */
function* triangle(call: Call, { upper }: { readonly upper: number }): Steps<Outputs> {
  const x = call.tensor(0);
  const k = call.has(1) ? yield* call.number(1) : 0;
  const [rows, columns] = x.shape.slice(-2);
  if (x.rank < 2) throw call.shapeError("the input must have at least two axes");
  const row = add(reshape(arange(rows), [rows, 1]), k) as Int;
  const column = arange(columns);
  const kept = upper === 0 ? greaterEqual(row, column) : greaterEqual(column, row);
  return moved(call, where(kept, x, 0) as AnyTensor);
}

/** Of ops whose result has as many elements as their input's values say. */
const waits = "waits for its input";

export const gathers: OpTable = {
  Gather: [
    define({
      since: 1,
      attributes: { axis: int(0) },
      build: (call, { axis }) => {
        const x = call.tensor(0);
        const along = call.axis(axis, x.rank);
        return moved(call, take(x, fromFront(call.int(1), x.shape[along]), along));
      },
    }),
  ],
  GatherElements: [
    define({ since: 11, attributes: { axis: int(0) }, build: (call, { axis }) => gatherElements(call, axis) }),
  ],
  GatherND: [
    define({
      since: 11,
      attributes: { batch_dims: int(0) },
      build: (call, { batch_dims: batch }) => gatherND(call, batch),
    }),
  ],
  TopK: [
    define({
      since: 1,
      attributes: { axis: int(-1), k: required(int()) },
      build: (call, { axis, k }) => ordered(call, k, axis, true),
    }),
    define({
      since: 10,
      attributes: { axis: int(-1), largest: int(1), sorted: int(1) },
      known: [1],
      *build(call, { axis, largest }) {
        return ordered(call, yield* call.number(1), axis, largest !== 0);
      },
    }),
  ],
  ReverseSequence: [
    define({
      since: 10,
      attributes: { time_axis: int(0), batch_axis: int(1) },
      build: (call, { time_axis: time, batch_axis: batch }) => reversed(call, time, batch),
    }),
  ],
  Trilu: [define({ since: 14, attributes: { upper: int(1) }, known: [1], build: triangle })],
  NonZero: [define({ since: 9, note: waits, build: nonZero })],
  Compress: [define({ since: 9, note: waits, attributes: { axis: int() }, build: compressed })],
  Unique: [define({ since: 11, note: waits, attributes: { axis: int(), sorted: int(1) }, build: unique })],
};
