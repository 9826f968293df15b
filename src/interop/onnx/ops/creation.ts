/** Constants, ranges, random numbers. */

import type { AnyTensor, Tensor } from "../../../graph/tensor.js";
import { cumsum } from "../../../ops/arrange.js";
import { full } from "../../../ops/create.js";
import { add, mul } from "../../../ops/elementwise/arithmetic.js";
import { equal, less } from "../../../ops/elementwise/comparison.js";
import { cast, where } from "../../../ops/elementwise/select.js";
import { arange } from "../../../ops/indexing/oneHot.js";
import { Generator } from "../../../ops/random/generator.js";
import { normal, type RandomOptions, uniform } from "../../../ops/random/random.js";
import { sum } from "../../../ops/reduce/sum.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { softmax } from "../../../ops/softmax.js";
import type { Call } from "../call.js";
import { constantFrom, constantTensor } from "../constants.js";
import {
  type Definition,
  define,
  float,
  floats,
  int,
  ints,
  type OpTable,
  type Outputs,
  required,
  type Steps,
  tensor,
} from "../definition.js";
import { dtypeOf, type ElementType, elementTypeFrom, isFloat } from "../elementTypes.js";
import { dataTypes } from "../proto.js";
import type { HostArray } from "../tensorProto.js";
import { type TensorValue, tensorValue } from "../value.js";
import type { Int } from "./numeric.js";
import { vector } from "./shapes.js";

function constant(array: HostArray): TensorValue {
  return tensorValue(array.type, constantTensor(array));
}

/** A constant of one kind or another; text and sparse ones are not there. */
function anyConstant(
  call: Call,
  given: {
    readonly value: HostArray | undefined;
    readonly value_float: number | undefined;
    readonly value_floats: readonly number[] | undefined;
    readonly value_int: number | undefined;
    readonly value_ints: readonly number[] | undefined;
  },
): TensorValue {
  const numbers = (type: "float32" | "int64", shape: readonly number[], values: readonly number[]) =>
    tensorValue(type, constantFrom(type, shape, Float64Array.from(values)));
  if (given.value !== undefined) return constant(given.value);
  if (given.value_float !== undefined) return numbers("float32", [], [given.value_float]);
  if (given.value_int !== undefined) return numbers("int64", [], [given.value_int]);
  if (given.value_ints !== undefined) return vector(given.value_ints);
  if (given.value_floats !== undefined) return numbers("float32", [given.value_floats.length], given.value_floats);
  throw call.error("the constant has no value");
}

/** A tensor of a shape filled with one number. */
function filled(type: ElementType, shape: readonly number[], value: number): TensorValue {
  return tensorValue(type, full(shape, value, { dtype: dtypeOf(type) }));
}

/** More than this many numbers are counted on the device. */
const shortRange = 4096;

/** start, start + delta, … before the limit. */
function* range(call: Call): Steps<Outputs> {
  const [start, limit, delta] = [yield* call.number(0), yield* call.number(1), yield* call.number(2)];
  if (delta === 0) throw call.error("the step is 0");
  const type = call.type(0);
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!Number.isSafeInteger(count))
    throw call.error(`from ${start} to ${limit} by ${delta} there is no number of steps`);
  if (count <= shortRange) {
    const values = Float64Array.from({ length: count }, (_, i) => start + i * delta);
    return tensorValue(type, constantFrom(type, [count], isFloat(type) ? values.map(Math.fround) : values));
  }
  const steps = isFloat(type) ? cast(arange(count), "float32") : arange(count);
  const values = add(mul(steps as Tensor, delta), start);
  return tensorValue(type, cast(values as AnyTensor, dtypeOf(type)));
}

/** The type that a number names; where it is 0 or left out, another. */
export function typeNamed(call: Call, number: number | undefined, otherwise: ElementType): ElementType {
  if (number === undefined || number === 0) return otherwise;
  const type = elementTypeFrom(number);
  if (type === undefined) throw call.error(`there are no values of ONNX's data type ${number}`);
  return type;
}

/** Ones on a diagonal. */
function eye(call: Call, { dtype, k }: { readonly dtype: number | undefined; readonly k: number }): TensorValue {
  const [rows, columns] = call.shape(0);
  if (call.tensor(0).rank !== 2) throw call.shapeError("the input must be a matrix");
  const type = typeNamed(call, dtype, call.type(0));
  const diagonal = equal(add(reshape(arange(rows), [rows, 1]), k), arange(columns));
  return tensorValue(type, cast(diagonal, dtypeOf(type)));
}

/** Two numbers, one where an index names the place along a new axis, the other elsewhere. */
function* oneHot(call: Call, { axis }: { readonly axis: number }): Steps<Outputs> {
  const depth = yield* call.number(1);
  const values = yield* call.numbers(2);
  const given = cast(call.tensor(0), "int32");
  const at = call.axis(axis, given.rank + 1);
  const full = (value: number): Int => add(mul(given, 0), value) as Int;
  const index = where(less(given, 0), add(given, depth), given) as Int;
  const outside = less(add(given, depth), 0);
  const place = where(outside, full(-1), index) as Int;
  const before = given.shape.slice(0, at);
  const after = given.shape.slice(at);
  const places = reshape(arange(Math.trunc(depth)), [Math.trunc(depth), ...after.map(() => 1)]);
  const hot = equal(reshape(place, [...before, 1, ...after]), places);
  const type = call.type(2);
  const pick = (i: number) => tensorConstant(type, values[i]);
  return tensorValue(type, where(hot, pick(1), pick(0)) as AnyTensor);
}

function tensorConstant(type: ElementType, value: number): AnyTensor {
  return constantFrom(type, [], Float64Array.of(value));
}

/** Draws of their own where the model gives a seed, else those that `manualSeed` seeds. */
function drawing(seed: number | undefined): RandomOptions {
  return seed === undefined ? {} : { generator: new Generator(Math.abs(Math.trunc(seed))) };
}

type Distribution = (shape: readonly number[], call: RandomSettings) => Tensor;

interface RandomSettings {
  readonly low?: number;
  readonly high?: number;
  readonly mean?: number;
  readonly scale?: number;
  readonly seed: number | undefined;
}

const evenly: Distribution = (shape, { low, high, seed }) => uniform(shape, low, high, drawing(seed));
const normally: Distribution = (shape, { mean, scale, seed }) => normal(shape, mean, scale, drawing(seed));

function random(bounds: Record<string, ReturnType<typeof float>>, draw: Distribution): Definition[] {
  return [
    define({
      since: 1,
      attributes: { ...bounds, seed: float(), dtype: int(dataTypes.float), shape: required(ints()) },
      build: (call, { dtype, shape, ...settings }) =>
        tensorValue(typeNamed(call, dtype, "float32"), draw(shape, settings)),
    }),
  ];
}

function randomLike(bounds: Record<string, ReturnType<typeof float>>, draw: Distribution): Definition[] {
  return [
    define({
      since: 1,
      attributes: { ...bounds, seed: float(), dtype: int() },
      build: (call, { dtype, ...settings }) =>
        tensorValue(typeNamed(call, dtype, call.type(0)), draw(call.shape(0), settings)),
    }),
  ];
}

const interval = { low: float(0), high: float(1) };
const bell = { mean: float(0), scale: float(1) };

/** How many shares of the whole lie below a number drawn evenly: the class that was drawn. */
function multinomial(call: Call, count: number, seed: number | undefined, type: ElementType): TensorValue {
  const logits = call.float(0);
  const [rows, classes] = logits.shape;
  const below = cumsum(softmax(logits, 1), 1);
  const drawn = uniform([rows, count, 1], 0, 1, drawing(seed));
  const passed = cast(less(reshape(below, [rows, 1, classes]), drawn), "int32");
  const chosen = sum(passed, 2);
  const last = full(chosen.shape, classes - 1, { dtype: "int32" });
  return tensorValue(type, where(less(chosen, last), chosen, last) as AnyTensor);
}

/** Windows of signal processing: cosines added up. */
function cosineWindow(terms: readonly number[]): Definition[] {
  return [
    define({
      since: 17,
      attributes: { output_datatype: int(dataTypes.float), periodic: int(1) },
      known: [0],
      *build(call, { output_datatype, periodic }) {
        const size = call.tableLength(yield* call.number(0));
        const period = periodic === 0 ? size - 1 : size;
        const at = (i: number) =>
          terms.reduce((total, term, k) => total + term * Math.cos((2 * Math.PI * k * i) / period), 0);
        const type = typeNamed(call, output_datatype, "float32");
        return tensorValue(
          type,
          constantFrom(
            type,
            [size],
            Float64Array.from({ length: size }, (_, i) => at(i)),
          ),
        );
      },
    }),
  ];
}

export const creation: OpTable = {
  Constant: [
    define({ since: 1, attributes: { value: required(tensor()) }, build: (_, { value }) => constant(value) }),
    define({
      since: 12,
      attributes: {
        value: tensor(),
        value_float: float(),
        value_floats: floats(),
        value_int: int(),
        value_ints: ints(),
      },
      note: "neither text nor sparse values",
      build: anyConstant,
    }),
  ],
  ConstantOfShape: [
    define({
      since: 9,
      attributes: { value: tensor() },
      known: [0],
      *build(call, { value }) {
        const shape = yield* call.integers(0);
        return filled(value?.type ?? "float32", shape, Number(value?.data[0] ?? 0));
      },
    }),
  ],
  Range: [define({ since: 11, attributes: { stash_type: int(1) }, known: [0, 1, 2], build: range })],
  EyeLike: [define({ since: 9, attributes: { dtype: int(), k: int(0) }, build: eye })],
  OneHot: [define({ since: 9, attributes: { axis: int(-1) }, known: [1, 2], build: oneHot })],
  RandomUniform: random(interval, evenly),
  RandomNormal: random(bell, normally),
  RandomUniformLike: randomLike(interval, evenly),
  RandomNormalLike: randomLike(bell, normally),
  Bernoulli: [
    define({
      since: 15,
      attributes: { seed: float(), dtype: int() },
      build: (call, { seed, dtype }) => {
        const type = typeNamed(call, dtype, call.type(0));
        const chance = call.float(0);
        return tensorValue(type, cast(less(uniform(chance.shape, 0, 1, drawing(seed)), chance), dtypeOf(type)));
      },
    }),
  ],
  Multinomial: [
    define({
      since: 7,
      attributes: { dtype: int(dataTypes.int32), sample_size: int(1), seed: float() },
      build: (call, { dtype, sample_size, seed }) =>
        multinomial(call, sample_size, seed, typeNamed(call, dtype, "int32")),
    }),
  ],
  HannWindow: cosineWindow([0.5, -0.5]),
  HammingWindow: cosineWindow([25 / 46, -21 / 46]),
  BlackmanWindow: cosineWindow([0.42, -0.5, 0.08]),
};
