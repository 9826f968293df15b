/** Integers as bits: four at a time, looked up in a table. */

import { tensor } from "../../../ops/create.js";
import { add, maximum, minimum, mul, quotient, sub } from "../../../ops/elementwise/arithmetic.js";
import { greaterEqual, less } from "../../../ops/elementwise/comparison.js";
import { where } from "../../../ops/elementwise/select.js";
import { take } from "../../../ops/indexing/take.js";
import type { Call } from "../call.js";
import { type Definition, define, type OpTable, required, string } from "../definition.js";
import type { TensorValue } from "../value.js";
import { commonType, floorModulo, type Int, numeric, typed } from "./numeric.js";

const digit = 16;
const digits = 8;

function constant(value: number, like: Int): Int {
  return add(mul(like, 0), value) as Int;
}

/** The lowest four bits, and the others moved down. */
function apart(x: Int): readonly [low: Int, rest: Int] {
  const low = floorModulo(x, constant(digit, x));
  return [low, quotient(sub(x, low), digit) as Int];
}

/** Applies a function of bits. */
function bitwise(a: Int, b: Int, combine: (a: number, b: number) => number): Int {
  const table = tensor(
    Int32Array.from({ length: digit * digit }, (_, i) => combine(Math.floor(i / digit), i % digit)),
    {
      device: a.device,
    },
  );
  let [restA, restB] = [a, b];
  let result: Int | undefined;
  for (let i = 0; i < digits; i++) {
    const [lowA, nextA] = apart(restA);
    const [lowB, nextB] = apart(restB);
    const four = take(table, add(mul(lowA, digit), lowB) as Int);
    // The highest bit stands for a negative number.
    const signed = i < digits - 1 ? four : (where(greaterEqual(four, digit / 2), sub(four, digit), four) as Int);
    const placed = mul(signed, digit ** i) as Int;
    result = result === undefined ? placed : (add(result, placed) as Int);
    [restA, restB] = [nextA, nextB];
  }
  return result ?? a;
}

function ofTwo(combine: (a: number, b: number) => number): Definition[] {
  return [
    define({
      since: 18,
      build: (call) => {
        const type = commonType(call, [call.any(0), call.any(1)]);
        return typed(type, bitwise(call.int(0), call.int(1), combine));
      },
    }),
  ];
}

/** Powers of two up to half the width of int32. */
const powers = Int32Array.from({ length: 17 }, (_, i) => 2 ** i);

/** To the left by multiplying, to the right by dividing, in two steps whose factors int32 holds. Negative shifts are endless. */
function shifted(call: Call, direction: string): TensorValue {
  if (direction !== "LEFT" && direction !== "RIGHT") throw call.error(`direction is ${JSON.stringify(direction)}`);
  const type = commonType(call, [call.any(0), call.any(1)]);
  const x = numeric(call.tensor(0)) as Int;
  const given = call.int(1);
  const by = where(less(given, 0), 32, minimum(given, 32)) as Int;
  const table = tensor(powers, { device: x.device });
  const step = (value: Int, count: Int): Int => {
    const factor = take(table, count);
    return (
      direction === "LEFT" ? mul(value, factor) : quotient(sub(value, floorModulo(value, factor)), factor)
    ) as Int;
  };
  return typed(type, step(step(x, minimum(by, 16) as Int), maximum(sub(by, 16), 0) as Int));
}

export const bits: OpTable = {
  BitShift: [
    define({
      since: 11,
      attributes: { direction: required(string()) },
      build: (call, { direction }) => shifted(call, direction),
    }),
  ],
  BitwiseAnd: ofTwo((a, b) => a & b),
  BitwiseOr: ofTwo((a, b) => a | b),
  BitwiseXor: ofTwo((a, b) => a ^ b),
  // −1 − x has every bit of x turned over; of unsigned types, what wraps around has so too.
  BitwiseNot: [define({ since: 18, build: (call) => typed(call.type(0), sub(-1, call.int(0)) as Int) })],
};
