/** Writing into places that indices name. */

import { sizeOf } from "../../../core/shape.js";
import type { AnyTensor } from "../../../graph/tensor.js";
import { tensor } from "../../../ops/create.js";
import { add, maximum, minimum, mul, sub } from "../../../ops/elementwise/arithmetic.js";
import { greater, notEqual } from "../../../ops/elementwise/comparison.js";
import { where } from "../../../ops/elementwise/select.js";
import { scatterAlongAxisOp } from "../../../ops/indexing/alongAxis.js";
import { argsort } from "../../../ops/indexing/sort.js";
import { scatterTakeOp, take } from "../../../ops/indexing/take.js";
import { concat } from "../../../ops/shape/concat.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { slice } from "../../../ops/shape/slice.js";
import type { Call } from "../call.js";
import { constantValues } from "../constants.js";
import { define, int, type OpTable, type Outputs, type Steps, string } from "../definition.js";
import { tensorValue } from "../value.js";
import { flat, flatPlaces, fromFront, placesAlong } from "./indices.js";
import { type Int, type Numeric, numeric, typed } from "./numeric.js";

/** Rows of a matrix, and what is to be written to which of them. */
interface Writing {
  /** rows × inner */
  readonly data: AnyTensor;
  /** count */
  readonly places: Int;
  /** count × inner */
  readonly updates: AnyTensor;
}

/** Which update, if any, each row takes: the last that names it, counted from 1; 0 for none. */
function lastWriters(places: Int, rows: number): Int {
  const order = argsort(places);
  const sorted = take(places, order);
  const following = concat([slice(sorted, [1, null]), tensor(Int32Array.of(-1), { device: sorted.device })], 0);
  const numbers = where(notEqual(sorted, following), add(order, 1), 0) as Int;
  return scatterAlongAxisOp({ upstream: numbers, indices: sorted }, { axis: 0, length: rows }) as Int;
}

/** The rows, with those that are named replaced. */
function replaced({ data, places, updates }: Writing): AnyTensor {
  const rows = data.shape[0];
  const writers = lastWriters(places, rows);
  const chosen = take(updates, maximum(sub(writers, 1), 0) as Int);
  return where(reshape(greater(writers, 0), [rows, 1]), chosen, data) as AnyTensor;
}

type Combine = (a: Numeric, b: Numeric) => Numeric;

const combining: Readonly<Record<string, Combine>> = {
  mul: (a, b) => mul(a, b) as Numeric,
  max: (a, b) => maximum(a, b) as Numeric,
  min: (a, b) => minimum(a, b) as Numeric,
};

/** Combines updates with what is there, as many times as a row is named: first all first times, then all second ones … */
function combined({ data, places, updates }: Writing, named: Float64Array, combine: Combine): Numeric {
  const times = new Map<number, number>();
  const rounds: number[][] = [];
  for (const [i, place] of named.entries()) {
    const time = times.get(place) ?? 0;
    times.set(place, time + 1);
    rounds[time] = [...(rounds[time] ?? []), i];
  }
  let result = numeric(data);
  for (const round of rounds) {
    const which = tensor(Int32Array.from(round), { device: data.device });
    const own = take(places, which);
    const next = combine(take(result, own), take(numeric(updates), which));
    result = replaced({ data: result, places: own, updates: next }) as Numeric;
  }
  return result;
}

/** The sums themselves where there is nothing to add them to. */
function added(data: AnyTensor, sums: Numeric): Numeric {
  let source = data;
  while (
    source.origin.kind === "computed" &&
    (source.origin.op.kind === "alias" || source.origin.op.kind === "stretch")
  )
    source = source.origin.inputs[0];
  const isNothing = source.size === 1 && constantValues(source)?.[0] === 0;
  return isNothing ? sums : (add(numeric(data), sums) as Numeric);
}

function* written(call: Call, writing: Writing, reduction: string, shape: readonly number[]): Steps<Outputs> {
  const type = call.type(0);
  if (writing.places.size === 0) return call.value(0);
  if (reduction === "none") return tensorValue(type, reshape(replaced(writing), shape));
  if (reduction === "add") {
    const data = numeric(writing.data);
    const params = { axis: 0, length: data.shape[0] };
    const sums = scatterTakeOp({ upstream: numeric(writing.updates), indices: writing.places }, params) as Numeric;
    return typed(type, reshape(added(data, sums), shape));
  }
  const combine = Object.hasOwn(combining, reduction) ? combining[reduction] : undefined;
  if (combine === undefined)
    throw call.error(`reduction is ${JSON.stringify(reduction)}. Expected "none", "add", "mul", "max" or "min"`);
  const named =
    constantValues(writing.places) ?? (yield { value: tensorValue("int64", writing.places), node: call.node });
  return typed(type, reshape(combined(writing, named, combine), shape));
}

function* scatterElements(call: Call, axis: number, reduction: string): Steps<Outputs> {
  const data = call.tensor(0);
  const [indices, updates] = [call.int(1), call.tensor(2)];
  const along = call.axis(axis, data.rank);
  if (indices.shape.join() !== updates.shape.join())
    throw call.shapeError(`the indices are ${indices.shape.join("×")} but the updates ${updates.shape.join("×")}`);
  const aligned = data.shape.every((length, axis) => axis === along || length === indices.shape[axis]);
  if (reduction === "add" && aligned && indices.rank === data.rank && indices.size > 0) {
    const params = { axis: along, length: data.shape[along] };
    const upstream = numeric(updates);
    const sums = scatterAlongAxisOp({ upstream, indices: fromFront(indices, params.length) }, params) as Numeric;
    return typed(call.type(0), added(data, sums));
  }
  const column = (x: AnyTensor) => reshape(x, [sizeOf(x.shape), 1]);
  const places = flat(placesAlong(indices, data.shape, along));
  return yield* written(call, { data: column(data), places, updates: column(updates) }, reduction, data.shape);
}

function* scatterND(call: Call, reduction: string): Steps<Outputs> {
  const data = call.tensor(0);
  const [indices, updates] = [call.int(1), call.tensor(2)];
  const depth = indices.shape[indices.rank - 1] ?? 0;
  const lengths = data.shape.slice(0, depth);
  const inner = sizeOf(data.shape.slice(depth));
  const rows = (x: AnyTensor) => reshape(x, [sizeOf(x.shape) / Math.max(1, inner), inner]);
  const places = flat(flatPlaces(indices, lengths));
  return yield* written(call, { data: rows(data), places, updates: rows(updates) }, reduction, data.shape);
}

const reduction = string("none");

export const scatters: OpTable = {
  Scatter: [
    define({ since: 9, attributes: { axis: int(0) }, build: (call, { axis }) => scatterElements(call, axis, "none") }),
  ],
  ScatterElements: [
    define({
      since: 11,
      attributes: { axis: int(0), reduction },
      build: (call, settings) => scatterElements(call, settings.axis, settings.reduction),
    }),
  ],
  ScatterND: [
    define({ since: 11, attributes: { reduction }, build: (call, settings) => scatterND(call, settings.reduction) }),
  ],
};
