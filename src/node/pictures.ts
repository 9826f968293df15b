/** Pictures in files as tensors. */

import { toPlanar } from "../data/pixels.js";
import type { Tensor } from "../graph/tensor.js";
import { tensorOver } from "../ops/create.js";
import { type ReadImageOptions, readPixels } from "./image.js";

/**
 * Reads a picture file (PNG, JPEG, WebP, GIF …) as a C×H×W tensor of bytes, 0 … 255.
 *
 * @throws FileError, FormatError when there is no such file or it is no picture
 * @example
 * const image = await readImage("digit.png", { channels: 1, size: 28 });
 * const scores = model(image.unsqueeze(0).to("float32").div(255));
 */
export async function readImage(
  path: string,
  options: ReadImageOptions = {},
): Promise<Tensor<[channels: number, height: number, width: number], "uint8">> {
  const pixels = await readPixels(path, options);
  return tensorOver(toPlanar(pixels), [pixels.channels, pixels.height, pixels.width], "uint8");
}
