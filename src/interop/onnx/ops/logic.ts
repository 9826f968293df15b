/** Comparisons, logic, and choosing by a condition. */

import type { AnyTensor, Tensor } from "../../../graph/tensor.js";
import {
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  notEqual,
} from "../../../ops/elementwise/comparison.js";
import { isnan } from "../../../ops/elementwise/derived.js";
import { where } from "../../../ops/elementwise/select.js";
import type { Call } from "../call.js";
import { type Definition, define, int, type OpTable } from "../definition.js";
import { type TensorValue, tensorValue } from "../value.js";
import { oldBroadcasting } from "./arithmetic.js";
import { commonType, type Flags, operands } from "./numeric.js";

/** An op of two tensors of one type that gives truth values. */
function relation(compare: (a: AnyTensor, b: AnyTensor) => AnyTensor): Definition[] {
  const build = (call: Call, [a, b]: readonly [TensorValue, TensorValue]) => {
    commonType(call, [a, b]);
    return tensorValue("bool", compare(a.tensor, b.tensor));
  };
  return [
    define({
      since: 1,
      attributes: oldBroadcasting,
      build: (call, attributes) => build(call, operands(call, attributes)),
    }),
    define({ since: 7, build: (call) => build(call, [call.any(0), call.any(1)]) }),
  ];
}

const isLess = relation((a, b) => less(a, b));
const isGreater = relation((a, b) => greater(a, b));

export const logic: OpTable = {
  And: relation((a, b) => logicalAnd(a as Flags, b as Flags)),
  Or: relation((a, b) => logicalOr(a as Flags, b as Flags)),
  Xor: relation((a, b) => notEqual(a, b)),
  Not: [define({ since: 1, build: (call) => tensorValue("bool", logicalNot(call.flags(0))) })],
  Equal: relation((a, b) => equal(a, b)),
  Less: isLess,
  Greater: isGreater,
  LessOrEqual: [define({ since: 12, build: (call) => tensorValue("bool", lessEqual(call.tensor(0), call.tensor(1))) })],
  GreaterOrEqual: [
    define({ since: 12, build: (call) => tensorValue("bool", greaterEqual(call.tensor(0), call.tensor(1))) }),
  ],
  Where: [
    define({
      since: 9,
      build: (call) => {
        const type = commonType(call, [call.any(1), call.any(2)]);
        return tensorValue(type, where(call.flags(0), call.tensor(1), call.tensor(2)) as AnyTensor);
      },
    }),
  ],
  IsNaN: [define({ since: 9, build: (call) => tensorValue("bool", isnan(call.float(0))) })],
  IsInf: [
    define({
      since: 10,
      attributes: { detect_negative: int(1), detect_positive: int(1) },
      build: (call, { detect_negative: negative, detect_positive: positive }) => {
        const x: Tensor = call.float(0);
        const above = positive === 0 ? none(x) : equal(x, Number.POSITIVE_INFINITY);
        const below = negative === 0 ? none(x) : equal(x, Number.NEGATIVE_INFINITY);
        return tensorValue("bool", logicalOr(above, below));
      },
    }),
  ],
};

/** False for each element. */
function none(x: Tensor): Flags {
  return less(x, Number.NEGATIVE_INFINITY) as Flags;
}
