/** All ops of ONNX that there are. */

import type { Definition, OpTable } from "../definition.js";
import { activations } from "./activations.js";
import { arithmetic } from "./arithmetic.js";
import { attentions } from "./attention.js";
import { bits } from "./bits.js";
import { control } from "./control.js";
import { conversion } from "./conversion.js";
import { convolutions } from "./convolutions.js";
import { creation } from "./creation.js";
import { summation } from "./einsum.js";
import { gathers } from "./gathers.js";
import { logic } from "./logic.js";
import { losses } from "./losses.js";
import { products } from "./matmul.js";
import { normalizations } from "./normalizations.js";
import { borders } from "./padding.js";
import { pools } from "./pools.js";
import { quantization } from "./quantization.js";
import { recurrent } from "./recurrent.js";
import { reductions } from "./reductions.js";
import { regions } from "./regions.js";
import { resizing } from "./resize.js";
import { sampling } from "./sampling.js";
import { scatters } from "./scatters.js";
import { shapes } from "./shapes.js";

/** The newest opset whose ops are known. */
export const newestOpset = 28;

export const table: OpTable = {
  ...activations,
  ...arithmetic,
  ...attentions,
  ...bits,
  ...borders,
  ...control,
  ...conversion,
  ...convolutions,
  ...creation,
  ...gathers,
  ...logic,
  ...losses,
  ...normalizations,
  ...pools,
  ...products,
  ...quantization,
  ...recurrent,
  ...reductions,
  ...regions,
  ...resizing,
  ...sampling,
  ...scatters,
  ...shapes,
  ...summation,
};

/** An op's form in an opset; undefined if it is not there. */
export function find(op: string, opset: number): Definition | undefined {
  if (opset > newestOpset || !Object.hasOwn(table, op)) return undefined;
  return table[op].findLast(({ since }) => since <= opset);
}
