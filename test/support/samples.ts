/** All ops, for tests that treat them alike. */

import type { Operation } from "../../src/graph/op.js";
import { aliasOps, elementwiseOps, kernelOps } from "../../src/ops/primitives.js";

export const allOperations: readonly Operation[] = [kernelOps, elementwiseOps, aliasOps].flatMap((table) =>
  Object.values<{ readonly operation: Operation }>(table).map((op) => op.operation),
);
