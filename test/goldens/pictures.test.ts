/** Pictures resized and cropped, compared with Pillow and torchvision: every byte. */

import assert from "node:assert/strict";
import { it } from "node:test";
import type { PixelImage } from "../../src/data/pixels.js";
import { fitPixels, type Interpolation, resizePixels } from "../../src/data/resize.js";
import { Golden } from "../support/golden.js";

interface Case {
  readonly interpolation: Interpolation;
  readonly size?: readonly [number, number];
  readonly resize?: number;
  readonly crop?: number;
}

const golden = new Golden<Case>("pictures");

function picture(key: string): PixelImage {
  const { shape, data } = golden.get(key);
  const [height, width, channels] = shape;
  assert.ok(channels === 1 || channels === 3);
  return { width, height, channels, data: Uint8Array.from(data) };
}

for (const [i, { interpolation, size, resize = 0, crop = 0 }] of golden.cases.entries()) {
  const image = picture(`${i}.image`);
  const what = size === undefined ? `short side ${resize}, middle ${crop}` : `${size[0]}×${size[1]}`;
  it(`${image.height}×${image.width}×${image.channels} to ${what}, ${interpolation}`, () => {
    const inputShape = [image.channels, crop, crop] as const;
    const result =
      size === undefined
        ? fitPixels(image, { inputShape, resizing: { resize, crop, interpolation } })
        : resizePixels(image, size, interpolation);
    assert.deepEqual(result, picture(`${i}.result`));
  });
}
