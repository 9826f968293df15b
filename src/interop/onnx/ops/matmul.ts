/** Products of matrices. */

import { sameShape, sizeOf } from "../../../core/shape.js";
import type { Tensor } from "../../../graph/tensor.js";
import { add, mul } from "../../../ops/elementwise/arithmetic.js";
import { cast } from "../../../ops/elementwise/select.js";
import { linear, matmul, matmulOp } from "../../../ops/linear/matmul.js";
import { reshape } from "../../../ops/shape/reshape.js";
import type { Call } from "../call.js";
import { constantFrom } from "../constants.js";
import { define, float, int, type OpTable, type Outputs, type Steps } from "../definition.js";
import { dtypeOf } from "../elementTypes.js";
import { type TensorValue, tensorValue } from "../value.js";

/** NumPy's product: vectors are rows on the left and columns on the right. */
export function numpyMatmul(a: Tensor, b: Tensor): Tensor {
  const left = a.rank === 1 ? reshape(a, [1, a.size]) : a;
  const right = b.rank === 1 ? reshape(b, [b.size, 1]) : b;
  const result = matmul(left, right);
  const shape = result.shape.filter((_, axis) => {
    if (a.rank === 1 && axis === result.rank - 2) return false;
    return !(b.rank === 1 && axis === result.rank - 1);
  });
  return reshape(result, shape);
}

interface GemmSettings {
  readonly alpha: number;
  readonly beta: number;
  readonly transA: number;
  readonly transB: number;
}

/** alpha · A · B + beta · C */
function gemm(call: Call, { alpha, beta, transA, transB }: GemmSettings): TensorValue {
  const [a, b] = [call.float(0), call.float(1)];
  if (a.rank !== 2 || b.rank !== 2)
    throw call.shapeError(`the factors are ${a.shape.join("×")} and ${b.shape.join("×")}. Expected matrices`);
  const isLinear = transA === 0 && transB !== 0 && alpha === 1 && beta === 1;
  const bias = call.has(2) ? call.float(2) : null;
  if (isLinear && (bias === null || sameShape(bias.shape, [b.shape[0]])))
    return tensorValue(call.type(0), linear(a, b, bias) as Tensor);
  const product = matmulOp({ a, b }, { transposeA: transA !== 0, transposeB: transB !== 0 }) as Tensor;
  const scaled = alpha === 1 ? product : (mul(product, alpha) as Tensor);
  if (bias === null || beta === 0) return tensorValue(call.type(0), scaled);
  return tensorValue(call.type(0), add(scaled, beta === 1 ? bias : mul(bias, beta)) as Tensor);
}

/** Determinants, by elimination; in JavaScript, for there is no kernel that would look for pivots. */
function* determinants(call: Call): Steps<Outputs> {
  const { tensor, type } = call.any(0);
  const numbers = yield* call.numbers(0);
  const size = tensor.shape[tensor.rank - 1];
  if (tensor.rank < 2 || size !== tensor.shape[tensor.rank - 2])
    throw call.shapeError(`the input is ${tensor.shape.join("×")}. Expected square matrices`);
  const lead = tensor.shape.slice(0, -2);
  const each = size * size;
  const values = Float64Array.from({ length: sizeOf(lead) }, (_, i) =>
    determinant(numbers.slice(i * each, (i + 1) * each), size),
  );
  return tensorValue(type, constantFrom(type, lead, values));
}

/** Of a matrix, which is used up. */
function determinant(matrix: Float64Array, size: number): number {
  let result = 1;
  for (let k = 0; k < size; k++) {
    let pivot = k;
    for (let i = k + 1; i < size; i++)
      if (Math.abs(matrix[i * size + k]) > Math.abs(matrix[pivot * size + k])) pivot = i;
    const top = matrix[pivot * size + k];
    if (top === 0) return 0;
    if (pivot !== k) {
      result = -result;
      for (let j = k; j < size; j++)
        [matrix[k * size + j], matrix[pivot * size + j]] = [matrix[pivot * size + j], matrix[k * size + j]];
    }
    for (let i = k + 1; i < size; i++) {
      const factor = matrix[i * size + k] / top;
      for (let j = k; j < size; j++) matrix[i * size + j] -= factor * matrix[k * size + j];
    }
    result *= top;
  }
  return result;
}

const gemmAttributes = { alpha: float(1), beta: float(1), transA: int(0), transB: int(0) };

export const products: OpTable = {
  Det: [define({ since: 11, note: "waits for its input; no gradient", build: determinants })],
  MatMul: [
    define({
      since: 1,
      build: (call) => {
        const product = numpyMatmul(
          cast(call.tensor(0), "float32") as Tensor,
          cast(call.tensor(1), "float32") as Tensor,
        );
        return tensorValue(call.type(0), cast(product, dtypeOf(call.type(0))));
      },
    }),
  ],
  Gemm: [
    define({ since: 1, attributes: { ...gemmAttributes, broadcast: int(0) }, build: gemm }),
    define({ since: 7, attributes: gemmAttributes, build: gemm }),
  ],
};
