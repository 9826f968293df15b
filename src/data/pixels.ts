/** Pictures as bytes, and the two orders of their channels: interleaved as in files, planar as in tensors. */

import { ArgumentError } from "../core/errors.js";

/** A picture as files and canvases hold it: rows of pixels, each with its channels side by side (H×W×C). */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The bytes of a picture in C×H×W order. */
export function toPlanar(image: PixelImage): Uint8Array<ArrayBuffer> {
  checkPixels("toPlanar", image);
  const { channels, data } = image;
  const plane = data.length / channels;
  const planar = new Uint8Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < plane; i++) planar[channel * plane + i] = data[i * channels + channel];
  }
  return planar;
}

/** The picture whose bytes are `planar` in C×H×W order. */
export function fromPlanar<Channels extends PixelImage["channels"]>(
  planar: Uint8Array,
  [channels, height, width]: readonly [Channels, number, number],
): PixelImage & { readonly channels: Channels } {
  const plane = height * width;
  const data = new Uint8Array(channels * plane);
  const image = { width, height, channels, data };
  checkPixels("fromPlanar", { ...image, data: planar });
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < plane; i++) data[i * channels + channel] = planar[channel * plane + i];
  }
  return image;
}

/** Throws unless a picture has as many bytes as its sizes say. */
export function checkPixels(
  what: string,
  { width, height, channels, data }: Omit<PixelImage, "data"> & { readonly data: Uint8Array },
): void {
  const whole = [width, height].every((size) => Number.isInteger(size) && size > 0);
  if (!whole || ![1, 3, 4].includes(channels) || data.length !== width * height * channels) {
    throw new ArgumentError(
      `${what}: ${data.length} bytes are not a picture of ${width}×${height} pixels with ${channels} channels. ` +
        "Expected width × height × channels bytes, with 1, 3 or 4 channels.",
    );
  }
}

/** Rounded to the nearest of 0 … 255. */
export function toByte(value: number): number {
  if (!(value > 0)) return 0;
  return value >= 255 ? 255 : (value + 0.5) | 0;
}
