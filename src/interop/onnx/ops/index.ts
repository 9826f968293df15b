/** All ops of ONNX that there are. */

import type { Definition, OpTable } from "../definition.js";
import { activations } from "./activations.js";
import { arithmetic } from "./arithmetic.js";
import { conversion } from "./conversion.js";
import { creation } from "./creation.js";
import { logic } from "./logic.js";
import { shapes } from "./shapes.js";

/** The newest opset whose ops are known. */
export const newestOpset = 28;

export const table: OpTable = {
  ...activations,
  ...arithmetic,
  ...conversion,
  ...creation,
  ...logic,
  ...shapes,
};

/** An op's form in an opset; undefined if it is not there. */
export function find(op: string, opset: number): Definition | undefined {
  if (opset > newestOpset || !Object.hasOwn(table, op)) return undefined;
  return table[op].findLast(({ since }) => since <= opset);
}
