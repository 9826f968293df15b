/** Pictures in files as tensors. */

import { type PixelImage, toPlanar } from "../data/pixels.js";
import { fitPixels, type PictureInput } from "../data/resize.js";
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
export async function readImage(path: string, options: ReadImageOptions = {}): Promise<PictureTensor> {
  return toTensor(await readPixels(path, options));
}

/**
 * Reads a picture file as a network expects it, resized and cropped as its entry says: a C×H×W tensor of bytes.
 *
 * @throws FileError, FormatError when there is no such file or it is no picture
 * @example
 * const entry = models.find("resnet18");
 * const picture = await readPicture("cat.jpg", entry); // 3×224×224
 * const scores = model(normalizePixels(picture.unsqueeze(0), entry.normalization));
 */
export async function readPicture(path: string, input: PictureInput): Promise<PictureTensor> {
  const channels = input.inputShape[0] === 1 ? 1 : 3;
  return toTensor(fitPixels(await readPixels(path, { channels }), input));
}

type PictureTensor = Tensor<[channels: number, height: number, width: number], "uint8">;

function toTensor(pixels: PixelImage): PictureTensor {
  return tensorOver(toPlanar(pixels), [pixels.channels, pixels.height, pixels.width], "uint8");
}
