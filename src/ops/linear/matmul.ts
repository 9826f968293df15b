/** Matrix products. */

import { ShapeError } from "../../core/errors.js";
import { broadcastShapes, formatShape, type Shape, sizeOf } from "../../core/shape.js";
import { defineOp, sameDType } from "../../graph/op.js";
import type { AnyTensor, Tensor } from "../../graph/tensor.js";
import { composite } from "../composites.js";
import { add } from "../elementwise/arithmetic.js";
import { expand, sum } from "../reduce/sum.js";
import { reshape } from "../shape/reshape.js";
import { asTensor, type TensorLike } from "../tensors.js";

export interface MatmulParams {
  /** Read the operand's last two axes in exchanged order. */
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

interface Sizes {
  readonly batch: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Operands have two axes, or three with the batch first; a batch of one, or none, serves all of the other's. */
function sizesOf(a: Shape, b: Shape, { transposeA, transposeB }: MatmulParams): Sizes {
  const [rows, innerA] = lastTwo(a, transposeA);
  const [innerB, columns] = lastTwo(b, transposeB);
  const batchA = a.length === 3 ? a[0] : 1;
  const batchB = b.length === 3 ? b[0] : 1;
  if (innerA !== innerB || (batchA !== batchB && batchA !== 1 && batchB !== 1)) {
    throw new ShapeError(
      `matmul: ${formatShape(a)}${transposeA ? " transposed" : ""} times ${formatShape(b)}${transposeB ? " transposed" : ""}: ` +
        (innerA !== innerB
          ? `rows of ${innerA} meet columns of ${innerB}. Expected equal lengths.`
          : `batches of ${batchA} and ${batchB} do not match. Expected equal ones, or 1.`),
    );
  }
  return { batch: batchA === 1 ? batchB : batchA, rows, inner: innerA, columns };
}

function lastTwo(shape: Shape, transposed: boolean): [number, number] {
  const [a, b] = shape.slice(-2);
  return transposed ? [b, a] : [a, b];
}

export const matmulOp = defineOp<"matmul", "a" | "b", MatmulParams>({
  name: "matmul",
  inputs: ["a", "b"],
  shape: ({ a, b }, params) => {
    const { batch, rows, columns } = sizesOf(a, b, params);
    return a.length === 2 && b.length === 2 ? [rows, columns] : [batch, rows, columns];
  },
  dtype: sameDType("matmul", ["float32"]),
  reference: ({ a, b }, params, output) => {
    const { batch, rows, inner, columns } = sizesOf(a.shape, b.shape, params);
    const at = (array: typeof a, n: number, row: number, column: number, transposed: boolean) => {
      const [height, width] = array.shape.slice(-2);
      const base = array.shape.length === 3 && array.shape[0] > 1 ? n * height * width : 0;
      return array.data[base + (transposed ? column * width + row : row * width + column)];
    };
    for (let n = 0; n < batch; n++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          let total = 0;
          for (let k = 0; k < inner; k++)
            total += at(a, n, row, k, params.transposeA) * at(b, n, k, column, params.transposeB);
          output.data[(n * rows + row) * columns + column] = total;
        }
      }
    }
  },
  gradient: ({ a, b }, { transposeA, transposeB }, upstream) => ({
    a: (): Tensor => {
      const product: AnyTensor = transposeA
        ? matmulOp({ a: b, b: upstream }, { transposeA: transposeB, transposeB: true })
        : matmulOp({ a: upstream, b }, { transposeA: false, transposeB: !transposeB });
      return sumBatch(product as Tensor, a.shape);
    },
    b: (): Tensor => {
      const product: AnyTensor = transposeB
        ? matmulOp({ a: upstream, b: a }, { transposeA: true, transposeB: transposeA })
        : matmulOp({ a, b: upstream }, { transposeA: !transposeA, transposeB: false });
      return sumBatch(product as Tensor, b.shape);
    },
  }),
  cost: ({ a, b }, params) => {
    const { batch, rows, inner, columns } = sizesOf(a, b, params);
    return { macs: batch * rows * inner * columns };
  },
  samples: [
    { inputs: { a: [3, 4], b: [4, 5] }, params: { transposeA: false, transposeB: false } },
    { inputs: { a: [4, 3], b: [5, 4] }, params: { transposeA: true, transposeB: true } },
    { inputs: { a: [17, 33], b: [19, 33] }, params: { transposeA: false, transposeB: true } },
    { inputs: { a: [2, 3, 4], b: [2, 4, 5] }, params: { transposeA: false, transposeB: false } },
    { inputs: { a: [2, 4, 3], b: [4, 5] }, params: { transposeA: true, transposeB: false } },
    { inputs: { a: [3, 4], b: [3, 5, 4] }, params: { transposeA: false, transposeB: true } },
  ],
});

/** An operand that served a whole batch gathers the gradients of all of it. */
function sumBatch(gradient: Tensor, shape: Shape): Tensor {
  if (gradient.rank === 3 && (shape.length === 2 || (shape[0] === 1 && gradient.shape[0] !== 1))) {
    return reshape(sum(gradient, 0), shape);
  }
  return reshape(gradient, shape);
}

/**
 * The product of matrices: (…×M×K) · (…×K×N) → …×M×N. Leading axes broadcast. float32.
 *
 * @example matmul(tensor([[1, 2]]), tensor([[3], [4]])) // [[11]]
 */
export function matmul(a: TensorLike, b: TensorLike): Tensor {
  const left = asTensor("matmul", a);
  const right = asTensor("matmul", b);
  if (left.rank < 2 || right.rank < 2) {
    throw new ShapeError(
      `matmul: takes matrices, got ${formatShape(left.shape)} and ${formatShape(right.shape)}. Fix: unsqueeze() the vector, or mul() and sum() two vectors.`,
    );
  }
  const params = { transposeA: false, transposeB: false };
  if (left.rank === 2 && right.rank === 2) return matmulOp({ a: left, b: right }, params) as Tensor;
  const batch = broadcastShapes("matmul", left.shape.slice(0, -2), right.shape.slice(0, -2));
  const stackOf = (x: Tensor): Tensor => {
    if (x.rank === 2) return x;
    const [rows, columns] = x.shape.slice(-2);
    return reshape(expand(x, [...batch, rows, columns]), [sizeOf(batch), rows, columns]);
  };
  const product = matmulOp({ a: stackOf(left), b: stackOf(right) }, params) as Tensor;
  return reshape(product, [...batch, left.shape[left.rank - 2], right.shape[right.rank - 1]]);
}

/**
 * A fully connected layer: x · weightᵀ + bias, over the last axis of x.
 *
 * @param x …×I
 * @param weight O×I
 * @param bias O
 * @returns …×O
 */
export function linear(x: TensorLike, weight: TensorLike, bias?: TensorLike | null): Tensor {
  const input = asTensor("linear", x);
  const matrix = asTensor("linear", weight);
  const features = input.shape[input.rank - 1];
  if (matrix.rank !== 2 || input.rank < 1 || features !== matrix.shape[1]) {
    throw new ShapeError(
      `linear: the input is ${formatShape(input.shape)}, but the weight ${formatShape(matrix.shape)} expects ${matrix.shape[1]} features on its last axis. ` +
        `Fix: new Linear(${features}, ${matrix.shape[0]})${input.rank > 2 ? ", or flatten() the input first" : ""}.`,
    );
  }
  const rows = reshape(input, [sizeOf(input.shape.slice(0, -1)), features]);
  const product = matmulOp({ a: rows, b: matrix }, { transposeA: false, transposeB: true }) as Tensor;
  const shaped = reshape(product, [...input.shape.slice(0, -1), matrix.shape[0]]);
  if (bias === undefined || bias === null)
    return composite({ name: "linear", inputs: [input, matrix], params: {} }, shaped);
  const shift = asTensor("linear", bias);
  return composite({ name: "linear", inputs: [input, matrix, shift], params: {} }, add(shaped, shift) as Tensor);
}
