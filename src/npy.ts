/** Tensors as NumPy's .npy files. */

import type { DType } from "./core/dtype.js";
import type { Shape } from "./core/shape.js";
import { convertArray } from "./formats/convert.js";
import { parseNpy, writeNpy } from "./formats/npy.js";
import type { Tensor } from "./graph/tensor.js";
import { tensorOver } from "./ops/create.js";
import { asTensor, type TensorLike } from "./ops/tensors.js";

/**
 * The array in a .npy file: floating point as float32, integers as int32 (uint8 and bool stay).
 *
 * @param name of the file, for errors
 * @throws FormatError for damaged files; DataError for integers that int32 cannot hold
 * @example const weights = fromNpy(await (await fetch("weights.npy")).bytes());
 */
export function fromNpy(bytes: Uint8Array<ArrayBuffer>, name = "npy data"): Tensor<Shape, DType> {
  const { dtype, shape, data } = convertArray(parseNpy(bytes, name), name);
  return tensorOver<Shape, DType>(data, shape, dtype);
}

/** The bytes of a .npy file with the tensor's values. */
export async function toNpy(x: TensorLike<Shape, DType>): Promise<Uint8Array<ArrayBuffer>> {
  const tensor = asTensor("toNpy", x);
  const data = await tensor.data();
  const { shape, dtype } = tensor;
  if (data instanceof Float32Array) return writeNpy({ dtype: "float32", shape, data });
  if (data instanceof Int32Array) return writeNpy({ dtype: "int32", shape, data });
  return writeNpy({ dtype: dtype === "bool" ? "bool" : "uint8", shape, data });
}
