/** Pictures of a page as bytes and tensors. */

import { ArgumentError, FormatError } from "../core/errors.js";
import { type PixelImage, toPlanar } from "../data/pixels.js";
import { fitPixels, type PictureInput } from "../data/resize.js";
import type { Tensor } from "../graph/tensor.js";
import { tensorOver } from "../ops/create.js";

/** What a page has pictures in: files and what else can be drawn on a canvas. */
export type PictureSource = Blob | CanvasImageSource | ImageData;

/** More pixels are refused, as in Node. */
const mostPixels = 1e8;

/**
 * The pixels of a file, an `<img>`, a canvas, a `<video>`'s current frame. Photographs are turned as their EXIF orientation
 * says, what is transparent is laid on white.
 *
 * @param channels 3 for colours, 1 for grey
 * @throws FormatError for what the browser cannot decode, or has not loaded; ArgumentError for more than 100 million pixels
 * @example const { width, height, data } = await pixelsOf(document.querySelector("img"));
 */
export async function pixelsOf(source: PictureSource, channels: 1 | 3 = 3): Promise<PixelImage> {
  const name = source instanceof File ? source.name : "the picture";
  if (source instanceof HTMLImageElement) {
    await source.decode().catch((cause) => {
      throw undecodable(source.currentSrc || name, cause);
    });
  }
  const bitmap = await createImageBitmap(source).catch((cause) => {
    throw undecodable(name, cause);
  });
  try {
    const { width, height } = bitmap;
    if (width * height > mostPixels)
      throw new ArgumentError(`${name} has ${width}×${height} pixels. Expected at most ${mostPixels / 1e6} million.`);
    const context = new OffscreenCanvas(width, height).getContext("2d");
    if (context === null) throw new FormatError(`${name}: this browser has no canvas to draw it on.`);
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    return { width, height, channels, data: opaque(context.getImageData(0, 0, width, height).data, channels) };
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "SecurityError") {
      throw new FormatError(
        `${name} comes from another site, which does not allow its pixels to be read. Fix: crossorigin="anonymous" on the element, and a server that allows it.`,
        { cause },
      );
    }
    throw cause;
  } finally {
    bitmap.close();
  }
}

/**
 * A picture as a network expects it, resized and cropped as its entry says: a C×H×W tensor of bytes, as `readPicture` gives it in
 * Node.
 *
 * @example
 * const entry = models.find("resnet18");
 * const picture = await pictureOf(input.files[0], entry);
 * const scores = model(normalizePixels(picture.unsqueeze(0), entry.normalization));
 */
export async function pictureOf(
  source: PictureSource,
  input: PictureInput,
): Promise<Tensor<[channels: number, height: number, width: number], "uint8">> {
  const { width, height, channels, data } = await fittedPixels(source, input);
  return tensorOver(toPlanar({ width, height, channels, data }), [channels, height, width], "uint8");
}

export async function fittedPixels(source: PictureSource, input: PictureInput): Promise<PixelImage> {
  return fitPixels(await pixelsOf(source, input.inputShape[0] === 1 ? 1 : 3), input);
}

function undecodable(name: string, cause: unknown): FormatError {
  return new FormatError(
    `${name} cannot be decoded. Expected a picture that browsers show, such as JPEG, PNG, WebP or GIF. Fix: open it in an image program and save it as PNG.`,
    { cause },
  );
}

/** Without opacity; grey as ITU-R BT.601 weighs colours. */
function opaque(rgba: Uint8ClampedArray, channels: 1 | 3): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array((rgba.length / 4) * channels);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const [red, green, blue] = [rgba[from], rgba[from + 1], rgba[from + 2]];
    if (channels === 1) data[to++] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
    else {
      data[to++] = red;
      data[to++] = green;
      data[to++] = blue;
    }
  }
  return data;
}
