/** Ops that take elements one by one, in all the types that they have. */

import { array, floats, scalar } from "../../support/onnxModels.js";
import { call, constant, f, i, type OnnxCase } from "./case.js";

const special = array("float32", [8], [Number.NaN, Infinity, -Infinity, 0, -0, 1e-30, 3e38, -2.5]);

function* arithmetic(): Generator<OnnxCase> {
  for (const op of ["Add", "Sub", "Mul", "Div"]) {
    yield call(op, 7, [f([2, 3, 4]), f([3, 1])]);
    yield call(op, 14, [f([4]), f([2, 3, 1])]);
    yield call(op, 14, [i("int32", [3, 4], -99, 99), i("int32", [4], 1, 9)]);
    yield call(op, 14, [i("int64", [3, 4], -99, 99), i("int64", [4], -9, -1)]);
  }
  for (const op of ["Add", "Sub", "Mul"]) yield call(op, 14, [i("uint8", [9], 0, 255), i("uint8", [9], 1, 255)]);
  yield call("Div", 14, [i("uint8", [9], 0, 255), i("uint8", [9], 1, 9)]);
  yield call("Add", 14, [special, f([8])]);
  yield call("Pow", 7, [f([2, 5], 0.2, 3), f([5])]);
  yield call("Pow", 12, [f([9], -3, 3), constant(scalar("float32", 2))]);
  yield call("Pow", 12, [f([9], -3, 3), constant(scalar("int64", 3))]);
  yield call("Pow", 12, [i("int32", [9], -7, 7), i("int32", [9], 0, 5)]);
  yield call("Pow", 12, [i("int64", [9], -7, 7), constant(scalar("float32", 2))]);
  yield call("Mod", 13, [i("int32", [9], -20, 20), array("int32", [9], [3, -3, 4, -4, 7, 7, -7, 1, 5])]);
  yield call("Mod", 13, [i("int32", [9], -20, 20), array("int32", [9], [3, -3, 4, -4, 7, 7, -7, 1, 5])], { fmod: 1 });
  yield call("Mod", 13, [i("uint8", [9], 0, 255), constant(array("uint8", [1], [7]))]);
  yield call("Mod", 13, [f([9], -9, 9), floats(2.5, -2.5, 1, 0.3, -0.3, 7, 20, -20, 4)], { fmod: 1 });
  for (const op of ["Max", "Min"]) {
    yield call(op, 8, [f([2, 1, 4]), f([3, 1]), f([1])]);
    yield call(op, 13, [i("int32", [5]), i("int32", [5])]);
    yield call(op, 13, [i("int64", [5]), i("int64", [5])]);
    yield call(op, 13, [special, f([8])]);
  }
  yield call("Sum", 13, [f([2, 3]), f([3]), f([2, 1])]);
  yield call("Mean", 13, [f([2, 3]), f([3]), f([2, 1])]);
  for (const op of ["Neg", "Abs", "Sign"])
    for (const type of ["int32", "int64", "int8"] as const) yield call(op, op === "Sign" ? 13 : 6, [i(type, [9])]);
}

function* functions(): Generator<OnnxCase> {
  const whole = {
    Neg: 6,
    Abs: 6,
    Sign: 13,
    Floor: 6,
    Ceil: 6,
    Round: 11,
    Reciprocal: 6,
    Exp: 6,
    Erf: 9,
    Sin: 7,
    Cos: 7,
  };
  const whole2 = {
    Tan: 7,
    Atan: 7,
    Sinh: 9,
    Cosh: 9,
    Tanh: 6,
    Asinh: 9,
    Softplus: 1,
    Softsign: 1,
    Sigmoid: 6,
    Relu: 6,
    IsNaN: 9,
  };
  for (const [op, opset] of Object.entries({ ...whole, ...whole2 }))
    yield call(op, opset, [f([3, 7], -3, 3)], {}, { outputs: [op === "IsNaN" ? "bool" : "float32"] });
  for (const op of ["Asin", "Acos", "Atanh"]) yield call(op, op === "Atanh" ? 9 : 7, [f([21], -0.99, 0.99)]);
  yield call("Acosh", 9, [f([21], 1.01, 9)]);
  for (const op of ["Sqrt", "Log"]) yield call(op, 6, [f([21], 0.001, 9)]);
  for (const op of [
    "Floor",
    "Ceil",
    "Round",
    "Abs",
    "Neg",
    "Exp",
    "Sqrt",
    "Log",
    "Sigmoid",
    "Tanh",
    "Relu",
    "Atan",
    "Erf",
  ])
    yield call(op, op === "Erf" ? 9 : op === "Round" ? 11 : op === "Atan" ? 7 : 6, [special]);
  yield call("Round", 11, [floats(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997, 8388609)]);
  yield call("Atan", 7, [floats(-1e6, -2.5, -1, -0.4, 0.4, 1, 2.4, 2.5, 1e6)]);
  yield call("IsInf", 10, [special], { detect_negative: 0 }, { outputs: ["bool"] });
  yield call("IsInf", 10, [special], { detect_positive: 0 }, { outputs: ["bool"] });
  yield call("IsNaN", 13, [special], {}, { outputs: ["bool"] });
}

function* activations(): Generator<OnnxCase> {
  const x = f([3, 4, 5], -4, 4);
  yield call("LeakyRelu", 6, [x], { alpha: 0.3 });
  yield call("Elu", 6, [x], { alpha: 0.7 });
  yield call("Celu", 12, [x], { alpha: 0.7 });
  yield call("Selu", 6, [x]);
  yield call("Selu", 6, [x], { alpha: 1.5, gamma: 0.5 });
  yield call("HardSigmoid", 6, [x], { alpha: 0.3, beta: 0.4 });
  yield call("HardSwish", 14, [x]);
  yield call("Mish", 18, [x]);
  yield call("Gelu", 20, [x]);
  yield call("Gelu", 20, [x], { approximate: "tanh" });
  yield call("Shrink", 9, [x], { lambd: 1.5, bias: 0.5 });
  yield call("ThresholdedRelu", 10, [x], { alpha: 0.8 });
  yield call("PRelu", 9, [x, f([4, 1])]);
  yield call("PRelu", 9, [x, f([1])]);
  for (const op of ["Softmax", "LogSoftmax", "Hardmax"]) {
    for (const axis of [0, 1, 2]) {
      yield call(op, 11, [x], { axis });
      yield call(op, 13, [x], { axis });
    }
    yield call(op, 13, [x]);
    yield call(op, 1, [x]);
    yield call(op, 13, [f([2, 3], 80, 120)], { axis: -1 });
  }
  const bounds = [constant(scalar("float32", -1)), constant(scalar("float32", 0.5))];
  yield call("Clip", 6, [x], { min: -1, max: 0.5 });
  yield call("Clip", 6, [x], { max: 0.5 });
  yield call("Clip", 11, [x, ...bounds]);
  yield call("Clip", 13, [x, undefined, bounds[1]]);
  yield call("Clip", 13, [x, bounds[0]]);
  yield call("Clip", 13, [i("int64", [9]), constant(scalar("int64", -3)), constant(scalar("int64", 4))]);
  yield call("Clip", 12, [i("uint8", [9], 0, 255), constant(scalar("uint8", 30)), constant(scalar("uint8", 99))]);
}

function* logic(): Generator<OnnxCase> {
  const flags = (shape: readonly number[]) => i("bool", shape, 0, 1);
  for (const op of ["And", "Or", "Xor"]) yield call(op, 7, [flags([3, 4]), flags([4])]);
  yield call("Not", 1, [flags([7])]);
  for (const op of ["Equal", "Less", "Greater"]) {
    yield call(op, 13, [i("int32", [4, 5], 0, 3), i("int32", [5], 0, 3)], {}, { outputs: ["bool"] });
    yield call(op, 13, [i("int64", [4, 5], 0, 3), i("int64", [5], 0, 3)], {}, { outputs: ["bool"] });
    yield call(op, op === "Equal" ? 11 : 9, [f([4, 5]), f([4, 1])], {}, { outputs: ["bool"] });
  }
  for (const op of ["LessOrEqual", "GreaterOrEqual"])
    yield call(op, 16, [i("int32", [4, 5], 0, 3), i("int32", [5], 0, 3)], {}, { outputs: ["bool"] });
  for (const type of ["float32", "int32", "int64", "uint8"] as const) {
    const values = (shape: readonly number[]) => (type === "float32" ? f(shape) : i(type, shape, 0, 9));
    yield call("Where", 9, [flags([3, 1]), values([4]), values([3, 4])], {}, { outputs: [type] });
  }
  for (const op of ["BitwiseAnd", "BitwiseOr", "BitwiseXor"])
    for (const type of ["int32", "uint8", "int64"] as const)
      yield call(op, 18, [i(type, [9], -999, 999), i(type, [9], -999, 999)]);
  for (const type of ["int32", "uint8", "int8"] as const) yield call("BitwiseNot", 18, [i(type, [9], -99, 99)]);
  for (const direction of ["LEFT", "RIGHT"])
    yield call("BitShift", 11, [i("uint8", [9], 0, 255), i("uint8", [9], 0, 7)], { direction });
}

function* conversions(): Generator<OnnxCase> {
  const numbers = { float32: 1, int32: 6, int64: 7, uint8: 2, int8: 3, int16: 5, bool: 9 } as const;
  for (const [from] of Object.entries(numbers) as [keyof typeof numbers, number][]) {
    for (const [to, number] of Object.entries(numbers) as [keyof typeof numbers, number][]) {
      if (from === to) continue;
      const x = from === "float32" ? f([9], 0, 100) : i(from, [9], 0, 100);
      yield call("Cast", 13, [x], { to: number }, { outputs: [to] });
    }
  }
  yield call("Cast", 9, [floats(-2.7, -0.5, 0.5, 2.7, -99.9)], { to: 6 }, { outputs: ["int32"] });
  yield call("Cast", 13, [i("int32", [9], -999, 999)], { to: 3 }, { outputs: ["int8"] });
  yield call("Cast", 13, [i("int32", [9], -999, 999)], { to: 2 }, { outputs: ["uint8"] });
  yield call("CastLike", 15, [f([5], -9, 9), i("int32", [1])], {}, { outputs: ["int32"] });
}

export const elementwiseCases: readonly OnnxCase[] = [
  ...arithmetic(),
  ...functions(),
  ...activations(),
  ...logic(),
  ...conversions(),
];
