/** Moving values between positions of their plane: each op is the other's gradient. */

import type { DType } from "../../core/dtype.js";
import { DTypeError, ShapeError } from "../../core/errors.js";
import { formatShape, type Pair, type Shape, sameShape } from "../../core/shape.js";
import { defineOp, type SampleInput } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";

function checkPlanes(op: string, values: Shape, indices: Shape): void {
  if (values.length !== 4 || indices.length !== 4 || values[0] !== indices[0] || values[1] !== indices[1]) {
    throw new ShapeError(
      `${op}: values are ${formatShape(values)} and indices ${formatShape(indices)}. Expected N×C×H×W with equal N and C.`,
    );
  }
}

const planeDType =
  (op: string) =>
  (dtypes: Readonly<Record<string, DType>>): DType => {
    const { indices, ...others } = dtypes;
    const [value] = Object.values(others);
    if (indices !== "int32" || value !== "float32") {
      throw new DTypeError(`${op}: takes float32 values and int32 indices, not ${value} and ${indices}.`);
    }
    return value;
  };

const indexMend = "the size of what was pooled, and the indices that pooling gave";

const planeIndices = (below: number, ...shape: number[]): SampleInput => ({ shape, dtype: "int32", below });

export const scatterPlaneOp = defineOp<"scatterPlane", "values" | "indices", { readonly size: Pair }>({
  name: "scatterPlane",
  inputs: ["values", "indices"],
  indexLimit: (_, { size }) => size[0] * size[1],
  indexMend,
  shape: ({ values, indices }, { size }) => {
    checkPlanes("scatterPlane", values, indices);
    if (!sameShape(values, indices)) {
      throw new ShapeError(
        `scatterPlane: values are ${formatShape(values)} but indices ${formatShape(indices)}. Expected equal shapes.`,
      );
    }
    return [values[0], values[1], size[0], size[1]];
  },
  dtype: planeDType("scatterPlane"),
  reference: ({ values, indices }, { size }, output) => {
    output.data.fill(0);
    const plane = size[0] * size[1];
    const perPlane = values.shape[2] * values.shape[3];
    for (let i = 0; i < values.data.length; i++) {
      output.data[Math.floor(i / perPlane) * plane + indices.data[i]] += values.data[i];
    }
  },
  gradient: ({ indices }, _, upstream) => ({
    values: (): Tensor => gatherPlaneOp({ input: upstream, indices }, {}) as Tensor,
  }),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { values: [2, 3, 2, 3], indices: planeIndices(24, 2, 3, 2, 3) }, params: { size: [4, 6] } },
    { inputs: { values: [1, 2, 3, 3], indices: planeIndices(4, 1, 2, 3, 3) }, params: { size: [2, 2] } },
  ],
});

export const gatherPlaneOp = defineOp<"gatherPlane", "input" | "indices", Readonly<Record<string, never>>>({
  name: "gatherPlane",
  inputs: ["input", "indices"],
  indexLimit: ({ input }) => input[2] * input[3],
  indexMend,
  shape: ({ input, indices }) => {
    checkPlanes("gatherPlane", input, indices);
    return indices;
  },
  dtype: planeDType("gatherPlane"),
  reference: ({ input, indices }, _, output) => {
    const plane = input.shape[2] * input.shape[3];
    const perPlane = indices.shape[2] * indices.shape[3];
    for (let i = 0; i < indices.data.length; i++) {
      output.data[i] = input.data[Math.floor(i / perPlane) * plane + indices.data[i]];
    }
  },
  gradient: ({ input, indices }, _, upstream) => ({
    input: (): Tensor =>
      scatterPlaneOp({ values: upstream, indices }, { size: [input.shape[2], input.shape[3]] }) as Tensor,
  }),
  cost: () => ({ macs: 0 }),
  samples: [{ inputs: { input: [2, 3, 4, 6], indices: planeIndices(24, 2, 3, 2, 3) }, params: {} }],
});

/** Adds each value at its index of a plane of zeros. */
export function scatterPlane(values: Tensor, indices: Tensor<Shape, "int32">, size: Pair): Tensor {
  return scatterPlaneOp({ values, indices }, { size }) as Tensor;
}
