/** Products of matrices. */

import type { Tensor } from "../../../graph/tensor.js";
import { add, mul } from "../../../ops/elementwise/arithmetic.js";
import { cast } from "../../../ops/elementwise/select.js";
import { matmul, matmulOp } from "../../../ops/linear/matmul.js";
import { reshape } from "../../../ops/shape/reshape.js";
import type { Call } from "../call.js";
import { define, float, int, type OpTable } from "../definition.js";
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
  const product = matmulOp({ a, b }, { transposeA: transA !== 0, transposeB: transB !== 0 }) as Tensor;
  const scaled = alpha === 1 ? product : (mul(product, alpha) as Tensor);
  if (!call.has(2) || beta === 0) return tensorValue(call.type(0), scaled);
  const c = call.float(2);
  return tensorValue(call.type(0), add(scaled, beta === 1 ? c : mul(c, beta)) as Tensor);
}

const gemmAttributes = { alpha: float(1), beta: float(1), transA: int(0), transB: int(0) };

export const products: OpTable = {
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
