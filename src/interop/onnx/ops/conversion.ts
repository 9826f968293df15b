/** From one element type to another. */

import type { AnyTensor, Tensor } from "../../../graph/tensor.js";
import { tensor } from "../../../ops/create.js";
import { add, div, maximum, minimum, mul } from "../../../ops/elementwise/arithmetic.js";
import { equal, greater } from "../../../ops/elementwise/comparison.js";
import { round } from "../../../ops/elementwise/derived.js";
import { abs, floor, log, sign } from "../../../ops/elementwise/functions.js";
import { cast, where } from "../../../ops/elementwise/select.js";
import { take } from "../../../ops/indexing/take.js";
import type { Call } from "../call.js";
import { define, int, type OpTable, required, string } from "../definition.js";
import { describeDataType, type ElementType, elementTypeFrom, isFloat } from "../elementTypes.js";
import { dataTypes } from "../proto.js";
import { type TensorValue, tensorValue } from "../value.js";
import { typeNamed } from "./creation.js";
import { type Int, numeric, typed } from "./numeric.js";

/** Precision of the short floating-point types: bits of the fraction, and exponents from the least to the greatest. */
const shortFloats = {
  float16: { bits: 10, least: -14, greatest: 15 },
  bfloat16: { bits: 7, least: -126, greatest: 127 },
} as const;

/** A tensor's values as an element type holds them, if that is float16 or bfloat16. */
export function rounded(x: AnyTensor, type: ElementType): AnyTensor {
  return type === "float16" || type === "bfloat16" ? toShort(x as Tensor, type) : x;
}

/** To the nearest number that a short type holds; infinite beyond those. */
function toShort(x: Tensor, type: keyof typeof shortFloats): Tensor {
  const { bits, least, greatest } = shortFloats[type];
  const size = abs(x);
  // Rounding near a power of two gives that power, so it does not matter if the logarithm falls short of it.
  const exponent = floor(mul(log(size), Math.LOG2E) as Tensor);
  const within = minimum(maximum(exponent, least), greatest) as Tensor;
  const steps = tensor(
    Float32Array.from({ length: greatest - least + 1 }, (_, i) => 2 ** (i + least - bits)),
    { device: x.device },
  );
  const places = add(cast(within, "int32"), -least) as Int;
  const step = take(steps, places);
  const result = mul(round(div(x, step) as Tensor), step) as Tensor;
  const largest = (2 - 2 ** -bits) * 2 ** greatest;
  const overflows = greater(abs(result), largest);
  const endless = equal(size, Number.POSITIVE_INFINITY);
  return where(endless, x, where(overflows, mul(sign(x), Number.POSITIVE_INFINITY), result)) as Tensor;
}

/** A tensor's values as another type: towards zero, and narrow integers wrap around. */
export function converted({ type, tensor: x }: TensorValue, to: ElementType): TensorValue {
  if (to === type) return tensorValue(to, x);
  if (to === "bool") return tensorValue(to, cast(x, "bool"));
  if (isFloat(to)) {
    const exact = type === "bool" || type === "uint8" || type === "int8";
    const value = cast(x, "float32");
    return tensorValue(to, exact ? value : rounded(value, to));
  }
  return typed(to, isFloat(type) ? cast(x, "int32") : numeric(x));
}

function namedType(call: Call, to: string): ElementType {
  const number = Object.entries(dataTypes).find(([name]) => name.toUpperCase() === to)?.[1];
  const type = number === undefined ? undefined : elementTypeFrom(number);
  if (type === undefined) throw call.error(`there are no values of type ${JSON.stringify(to)}`);
  return type;
}

/** Says so if a type is not there. */
function refuse({ to }: { readonly to: number }): string | undefined {
  return elementTypeFrom(to) === undefined ? `conversion to ${describeDataType(to)}` : undefined;
}

/** What matters only for 8-bit floating point. */
const saturation = { saturate: int(1), round_mode: string("up") };

export const conversion: OpTable = {
  Cast: [
    define({
      since: 1,
      attributes: { to: required(string()) },
      build: (call, { to }) => converted(call.any(0), namedType(call, to)),
    }),
    define({
      since: 6,
      attributes: { to: required(int()), ...saturation },
      refuse,
      build: (call, { to }) => converted(call.any(0), typeNamed(call, to, "float32")),
    }),
  ],
  CastLike: [define({ since: 15, attributes: saturation, build: (call) => converted(call.any(0), call.type(1)) })],
};
