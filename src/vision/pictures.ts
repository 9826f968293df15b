/** What the functions here take as pictures and kernels. */

import { ShapeError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { asFloats, type TensorLike } from "../ops/tensors.js";

const layouts: Readonly<Record<number, string>> = { 2: "H×W", 3: "C×H×W", 4: "N×C×H×W" };

/** The tensor, which must have one of these numbers of axes, and elements. */
export function asPicture(op: string, name: string, value: TensorLike, ranks: readonly number[]): Tensor {
  const x: Tensor = asFloats(op, value);
  if (ranks.includes(x.rank) && !x.shape.includes(0)) return x;
  const expected = ranks.map((rank) => layouts[rank]).join(" or ");
  throw new ShapeError(`${op}: the ${name} is ${formatShape(x.shape)}. Expected ${expected}, none of them 0.`);
}
