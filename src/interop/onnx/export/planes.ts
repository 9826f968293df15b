/** Reductions, and what planes are made of where ONNX has no word for it: products with matrices, parts one by one. */

import { partOf, type Resampling, weightedRuns } from "../../../core/resampling.js";
import type { AnyTensor } from "../../../graph/tensor.js";
import type { ResampleParams } from "../../../ops/resampling.js";
import { int, ints } from "./builder.js";
import type { Emission } from "./emitter.js";

export type Reduction = "ReduceSum" | "ReduceMax" | "ReduceMin";

export function reduce(
  { builder, node, opset }: Emission,
  opType: Reduction,
  name: string,
  axes: readonly number[],
  keepdim: boolean,
): string {
  // Maxima took their axes as an attribute at first.
  if (opset < 18 && opType !== "ReduceSum") return node(opType, [name], { axes: ints(axes), keepdims: int(keepdim) });
  return node(opType, [name, builder.integers(axes)], { keepdims: int(keepdim) });
}

/** The largest of each of `count` even parts of an axis. */
function partsOf(emission: Emission, name: string, axis: number, length: number, count: number): string {
  const { builder, node } = emission;
  const largest = Array.from({ length: count }, (_, i) => {
    const [begin, end] = partOf(i, length, count);
    const part = node("Slice", [name, ...[begin, end, axis].map((each) => builder.integers([each]))]);
    return reduce(emission, "ReduceMax", part, [axis], true);
  });
  return node("Concat", largest, { axis: int(axis) });
}

/** The largest of even parts of planes, along one axis after the other. */
export function emitParts(emission: Emission, input: AnyTensor, counts: readonly number[]): string {
  return counts.reduce(
    (name, count, i) => partsOf(emission, name, i + 2, input.shape[i + 2], count),
    emission.value(input),
  );
}

/** Products with the matrices of the weights. */
export function emitResample({ builder, node, value }: Emission, input: AnyTensor, params: ResampleParams): string {
  const { rows, columns, transposed } = params;
  const matrix = (axis: Resampling, length: number, isTurned: boolean) => {
    const runs = weightedRuns(axis, transposed);
    const dims = isTurned ? [length, runs.length] : [runs.length, length];
    const data = new Float32Array(runs.length * length);
    for (const [i, { begin, weights }] of runs.entries()) {
      for (const [k, weight] of weights.entries()) {
        data[isTurned ? (begin + k) * runs.length + i : i * length + begin + k] = weight;
      }
    }
    return builder.constant(dims, "float32", data);
  };
  const down = rows === null ? value(input) : node("MatMul", [matrix(rows, input.shape[2], false), value(input)]);
  return columns === null ? down : node("MatMul", [down, matrix(columns, input.shape[3], true)]);
}
