import assert from "node:assert/strict";
import { test } from "node:test";
import { ArgumentError } from "../core/errors.js";
import type { PixelImage } from "./pixels.js";
import { cropCenter, fitPixels, resizePixels } from "./resize.js";

const image: PixelImage = {
  width: 5,
  height: 4,
  channels: 1,
  data: Uint8Array.from({ length: 20 }, (_, i) => 10 * i),
};

test("the same size is the same picture, and a network without a crop gets all of it", () => {
  assert.deepEqual(resizePixels(image, [4, 5]), image);
  assert.deepEqual(fitPixels(image, { inputShape: [1, 2, 2] }), resizePixels(image, [2, 2]));
  assert.deepEqual([...resizePixels(image, [1, 1]).data], [95]);
});

test("the middle is found as Python rounds: halves to the even number", () => {
  assert.deepEqual([...cropCenter(image, [1, 2]).data], [120, 130]);
  assert.deepEqual([...cropCenter(image, [3, 5]).data.subarray(0, 1)], [0]);
  assert.deepEqual(cropCenter(image, [4, 5]), image);
});

test("sizes and channels that do not fit are refused", () => {
  const refused = (make: () => PixelImage, message: RegExp) =>
    assert.throws(make, (error) => error instanceof ArgumentError && message.test(error.message));
  refused(() => resizePixels(image, [0, 3]), /the size is \[0, 3\]\. Expected \[height, width\], integers from 1/);
  refused(() => resizePixels(image, [2.5, 3]), /the size is \[2\.5, 3\]/);
  refused(() => resizePixels({ ...image, width: 6 }, [2, 2]), /20 bytes are not a picture of 6×4/);
  refused(() => cropCenter(image, [5, 5]), /integers from 1 to the picture's 4 and 5/);
  refused(() => fitPixels(image, { inputShape: [3, 2, 2] }), /has 1 channels\. Expected 3/);
});
