/** Photographs turned as their EXIF orientation says, compared with Pillow: every byte. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { decodePixels } from "../../src/node/image.js";
import { Golden } from "../support/golden.js";
import { noPictures } from "../support/pictures.js";

const golden = new Golden<{ readonly kind: string; readonly orientation: number }>("orientations");

for (const [i, { kind, orientation }] of golden.cases.entries()) {
  it(`${kind}, orientation ${orientation}`, { skip: noPictures }, async () => {
    const { shape, data } = golden.get(`${i}.result`);
    const image = await decodePixels(Uint8Array.from(golden.get(`${i}.file`).data), kind);
    assert.deepEqual([image.height, image.width, image.channels], [...shape]);
    assert.deepEqual(image.data, data);
  });
}
