/** Integers that stand for numbers: value = (integer − zero point) · scale. */

import type { Tensor } from "../../../graph/tensor.js";
import { add, clip, div, maximum, minimum, mul, sub } from "../../../ops/elementwise/arithmetic.js";
import { round } from "../../../ops/elementwise/derived.js";
import { floor } from "../../../ops/elementwise/functions.js";
import { cast } from "../../../ops/elementwise/select.js";
import { max, min } from "../../../ops/reduce/extreme.js";
import { expand } from "../../../ops/reduce/sum.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { type Range, slice } from "../../../ops/shape/slice.js";
import type { Call } from "../call.js";
import { define, int, type OpTable, type Outputs } from "../definition.js";
import { dtypeOf, type ElementType, ranges } from "../elementTypes.js";
import { type TensorValue, tensorValue } from "../value.js";
import { convolve } from "./convolutions.js";
import { typeNamed } from "./creation.js";
import { numpyMatmul } from "./matmul.js";
import type { Int } from "./numeric.js";
import { windowAttributes } from "./windows.js";

interface Quantized {
  readonly axis: number;
  readonly block: number;
}

/** Parameters brought to broadcast with x: one number, one for each place along an axis, or one for each block there. */
function fitting(call: Call, values: Tensor, x: Tensor, { axis, block }: Quantized): Tensor {
  if (values.size === 1) return reshape(values, []);
  const along = call.axis(axis, x.rank);
  if (block === 0 || values.rank !== x.rank) {
    if (values.rank !== 1) return values;
    return reshape(
      values,
      x.shape.map((_, i) => (i === along ? values.size : 1)),
    );
  }
  const apart = reshape(
    values,
    values.shape.flatMap((length, i) => (i === along ? [length, 1] : [length])),
  );
  const spread = expand(
    apart,
    values.shape.flatMap((length, i) => (i === along ? [length, block] : [length])),
  );
  const whole = reshape(
    spread,
    values.shape.map((length, i) => (i === along ? length * block : length)),
  );
  return slice(whole, ...x.shape.map((length, i): Range => (i === along ? [0, length] : null)));
}

function asFloat(call: Call, index: number): Tensor {
  return cast(call.tensor(index), "float32") as Tensor;
}

/** Rounded to even, and limited to what the type holds. */
function toIntegers(x: Tensor, type: ElementType): TensorValue {
  const [low, high] = ranges[type as keyof typeof ranges];
  return tensorValue(type, cast(clip(x, low, high), dtypeOf(type)));
}

function quantized(call: Call, settings: Quantized & { readonly dtype: number }): TensorValue {
  const x = asFloat(call, 0);
  const scale = fitting(call, asFloat(call, 1), x, settings);
  const type = call.has(2) ? call.type(2) : typeNamed(call, settings.dtype, "uint8");
  const steps = round(div(x, scale) as Tensor);
  return toIntegers(call.has(2) ? (add(steps, fitting(call, asFloat(call, 2), x, settings)) as Tensor) : steps, type);
}

function dequantized(call: Call, settings: Quantized & { readonly dtype: number }): TensorValue {
  const x = asFloat(call, 0);
  const from = call.has(2) ? (sub(x, fitting(call, asFloat(call, 2), x, settings)) as Tensor) : x;
  const type = typeNamed(call, settings.dtype, call.type(1));
  return tensorValue(type, mul(from, fitting(call, asFloat(call, 1), x, settings)) as Tensor);
}

/** By the range of the values themselves, with 0 in it. */
function dynamicallyQuantized(call: Call): Outputs {
  const x = call.float(0);
  const high = maximum(max(x), 0) as Tensor;
  const low = minimum(min(x), 0) as Tensor;
  const scale = div(sub(high, low), 255) as Tensor;
  const zero = clip(round(div(sub(0, low), scale) as Tensor), 0, 255);
  const steps = add(round(div(x, scale) as Tensor), zero) as Tensor;
  return [toIntegers(steps, "uint8"), tensorValue("float32", scale), toIntegers(zero, "uint8")];
}

/**
 * A sum of products of integers, exact although it is computed in float32: one factor is taken in two parts of which
 * neither makes sums that float32 cannot hold, up to 4,096 products each.
 */
function exactly(a: Tensor, b: Tensor, multiply: (a: Tensor, b: Tensor) => Tensor): Int {
  const upper = floor(mul(b, 1 / 16) as Tensor);
  const lower = sub(b, mul(upper, 16)) as Tensor;
  const sums = [upper, lower].map((part) => cast(multiply(a, part), "int32"));
  return add(mul(sums[0], 16), sums[1]) as Int;
}

/** An input of integers less its zero point, which is one number or one for each place along an axis. */
function centred(call: Call, index: number, zero: number, axis: number): Tensor {
  const x = asFloat(call, index);
  if (!call.has(zero)) return x;
  const points = asFloat(call, zero);
  const fit = points.rank > 1 || x.rank === 1 ? points : fitting(call, points, x, { axis, block: 0 });
  return sub(x, points.size === 1 ? reshape(points, []) : fit) as Tensor;
}

/** Sums as integers of another scale. */
function rescaled(call: Call, sums: Int, factor: Tensor, zero: number): TensorValue {
  const steps = round(mul(cast(sums, "float32"), factor) as Tensor);
  return toIntegers(add(steps, asFloat(call, zero)) as Tensor, call.type(zero));
}

const convAttributes = { ...windowAttributes, group: int(1) };

export const quantization: OpTable = {
  QuantizeLinear: [
    define({
      since: 10,
      attributes: { axis: int(1), block_size: int(0), output_dtype: int(0), precision: int(0), saturate: int(1) },
      note: "integers of 8 and 16 bits",
      build: (call, { axis, block_size: block, output_dtype: dtype }) => quantized(call, { axis, block, dtype }),
    }),
  ],
  DequantizeLinear: [
    define({
      since: 10,
      attributes: { axis: int(1), block_size: int(0), output_dtype: int(0) },
      note: "integers of 8, 16 and 32 bits",
      build: (call, { axis, block_size: block, output_dtype: dtype }) => dequantized(call, { axis, block, dtype }),
    }),
  ],
  DynamicQuantizeLinear: [define({ since: 11, build: dynamicallyQuantized })],
  ConvInteger: [
    define({
      since: 10,
      attributes: convAttributes,
      build: (call, settings) => {
        const [x, weight] = [centred(call, 0, 2, 1), centred(call, 1, 3, 0)];
        return tensorValue(
          "int32",
          exactly(x, weight, (a, b) => convolve(call, a, b, null, settings)),
        );
      },
    }),
  ],
  MatMulInteger: [
    define({
      since: 10,
      build: (call) => {
        const [a, b] = [centred(call, 0, 2, -2), centred(call, 1, 3, -1)];
        return tensorValue("int32", exactly(a, b, numpyMatmul));
      },
    }),
  ],
  QLinearConv: [
    define({
      since: 10,
      attributes: convAttributes,
      build: (call, settings) => {
        const [x, weight] = [centred(call, 0, 2, 1), centred(call, 3, 5, 0)];
        const sums = exactly(x, weight, (a, b) => convolve(call, a, b, null, settings));
        const places = x.shape.slice(2).map(() => 1);
        const shifted = call.has(8) ? (add(sums, reshape(call.int(8), [-1, ...places])) as Int) : sums;
        const factor = div(mul(asFloat(call, 1), reshape(asFloat(call, 4), [-1, ...places])), asFloat(call, 6));
        return rescaled(call, shifted, factor as Tensor, 7);
      },
    }),
  ],
  QLinearMatMul: [
    define({
      since: 10,
      build: (call) => {
        const [a, b] = [centred(call, 0, 2, -2), centred(call, 3, 5, -1)];
        const factor = div(mul(asFloat(call, 1), asFloat(call, 4)), asFloat(call, 6));
        return rescaled(call, exactly(a, b, numpyMatmul), factor as Tensor, 7);
      },
    }),
  ],
};
