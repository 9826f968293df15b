/** Calls of every op and every function with gradients, by name. */

import { type Operation, recordCall } from "../../graph/op.js";
import type { AnyTensor, Tensor } from "../../graph/tensor.js";
import { aliasOps, elementwiseOps, kernelOps } from "../../ops/primitives.js";
import { arrayCases } from "./arrays.js";
import type { CheckCase } from "./case.js";
import { elementwiseCases } from "./elementwise.js";
import { lossCases } from "./losses.js";
import { windowCases } from "./windows.js";

export { type CheckCase, randomTensor } from "./case.js";

const operations: readonly Operation[] = [kernelOps, elementwiseOps, aliasOps].flatMap((table) =>
  Object.values<{ readonly operation: Operation }>(table).map((op) => op.operation),
);

/** Calls of functions that are made of ops. */
export const functionCases: readonly CheckCase[] = [...elementwiseCases, ...windowCases, ...arrayCases, ...lossCases];

/** The samples of the ops with gradients. */
export const operationCases: readonly CheckCase[] = operations.flatMap((op) => {
  if (typeof op.gradient !== "function") return [];
  return op.samples.flatMap(({ inputs, params }, i): CheckCase[] => {
    const names = Object.keys(inputs);
    const called = Object.values(inputs);
    if (!called.some((input) => !("dtype" in input) || input.dtype === "float32")) return [];
    const fn = (...tensors: AnyTensor[]) =>
      recordCall(op, Object.fromEntries(names.map((name, n) => [name, tensors[n]])), params) as Tensor;
    return [{ name: op.name, setting: `op, sample ${i}`, inputs: called, fn }];
  });
});

/** All calls: of functions and, under the ops' own names, of ops. */
export const allCases: readonly CheckCase[] = [...operationCases, ...functionCases];
