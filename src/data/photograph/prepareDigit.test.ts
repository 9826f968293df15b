/** Photographed digits: whatever the ink, the place, the size and the light, what comes out is the same digit. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RandomStream } from "../../core/philox.js";
import { digits } from "../digits/digits.js";
import { fromPlanar, type PixelImage } from "../pixels.js";
import { resizePixels } from "../resize.js";
import { prepareDigit } from "./prepareDigit.js";

const drawn = await digits({ split: "test", size: 10 });
const digit = (index: number) => fromPlanar(drawn.get(index).image, [1, 28, 28]);

interface Scene {
  readonly left: number;
  readonly top: number;
  /** Side of the digit's picture. */
  readonly side: number;
  readonly ink: number;
  readonly light: (x: number, y: number) => number;
}

/** A digit on paper of 160×120 pixels. */
function photograph(picture: PixelImage, { left, top, side, ink, light }: Scene): PixelImage {
  const [width, height] = [160, 120];
  const { data: large } = resizePixels(picture, [side, side]);
  const noise = new RandomStream(1, 2);
  const data = Uint8Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const inside = x >= left && x < left + side && y >= top && y < top + side;
    const covered = inside ? large[(y - top) * side + x - left] / 255 : 0;
    const paper = light(x, y);
    return Math.min(255, Math.max(0, paper + covered * (ink - paper) + noise.normal(0, 2)));
  });
  return { width, height, channels: 1, data };
}

const scenes: Readonly<Record<string, Scene>> = {
  "dark on light, at the left": { left: 3, top: 20, side: 60, ink: 40, light: () => 200 },
  "light on dark, at the right": { left: 90, top: 40, side: 64, ink: 230, light: () => 50 },
  "in uneven light": { left: 40, top: 8, side: 80, ink: 30, light: (x, y) => 240 - 0.7 * x - 0.0035 * (y - 20) ** 2 },
};

function centreOfMass({ data, width }: PixelImage): readonly [x: number, y: number] {
  let [sum, x, y] = [0, 0, 0];
  data.forEach((value, pixel) => {
    sum += value;
    x += value * ((pixel % width) + 0.5);
    y += value * (Math.floor(pixel / width) + 0.5);
  });
  return [x / sum, y / sum];
}

/** Cosine of the angle between two pictures, in which half a pixel more or less is not seen: 1 for the same. */
function likeness(a: PixelImage, b: PixelImage): number {
  const [x, y] = [a, b].map((picture) => resizePixels(picture, [10, 10]).data);
  const product = (u: Uint8Array, v: Uint8Array) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}

describe("prepareDigit", () => {
  for (const [name, scene] of Object.entries(scenes)) {
    it(`makes of a digit ${name} what it makes of the digit itself`, () => {
      for (let i = 0; i < drawn.size; i++) {
        const photo = photograph(digit(i), scene);
        const { image, polarity, box } = prepareDigit(photo);
        assert.deepEqual([image.width, image.height, image.channels], [28, 28, 1]);
        assert.equal(polarity, scene.ink < 128 ? "dark-on-light" : "light-on-dark");
        const itself = prepareDigit(digit(i)).image;
        const [same, other] = [itself, prepareDigit(digit((i + 1) % drawn.size)).image].map((each) =>
          likeness(each, image),
        );
        assert.ok(same > 0.92 && same > other + 0.1, `digit ${i}: ${same}, another ${other}`);
        assert.ok(box.left >= scene.left && box.left + box.width <= scene.left + scene.side + 1, JSON.stringify(box));
        assert.ok(box.top >= scene.top && box.top + box.height <= scene.top + scene.side + 1, JSON.stringify(box));
      }
    });
  }

  it("gives digits MNIST's form: 20 of 28 pixels, the centre of mass in the middle, black around", () => {
    for (let i = 0; i < drawn.size; i++) {
      const { image } = prepareDigit(digit(i));
      for (const place of centreOfMass(image)) assert.ok(Math.abs(place - 14) <= 0.6, `digit ${i}: ${place}`);
      const inked = [...image.data.keys()].filter((pixel) => image.data[pixel] > 0);
      const [columns, rows] = [inked.map((pixel) => pixel % 28), inked.map((pixel) => Math.floor(pixel / 28))];
      const extent = Math.max(...[columns, rows].map((each) => Math.max(...each) - Math.min(...each) + 1));
      assert.ok(extent === 20 || extent === 19, `digit ${i}: ${extent}`);
      assert.equal(Math.max(...image.data), 255);
    }
    assert.deepEqual(prepareDigit(digit(0), { size: 56 }).image.width, 56);
  });

  it("leaves out specks and the edge of the table, and keeps strokes that stand apart", () => {
    const { left, top } = { left: 50, top: 30 };
    const plain = photograph(digit(3), { left, top, side: 60, ink: 40, light: () => 200 });
    const untidy = { ...plain, data: plain.data.slice() };
    for (let y = 0; y < 120; y++) untidy.data.fill(20, y * 160, y * 160 + 6);
    untidy.data[15 * 160 + 140] = 30;
    assert.ok(likeness(prepareDigit(plain).image, prepareDigit(untidy).image) > 0.97);
    // Two bars: the shorter is a fifth of the other.
    const bars = { width: 60, height: 60, channels: 1, data: new Uint8Array(3600).fill(255) } as const;
    for (let y = 10; y < 50; y++) bars.data.fill(0, y * 60 + 20, y * 60 + 25);
    for (let y = 10; y < 15; y++) bars.data.fill(0, y * 60 + 30, y * 60 + 38);
    assert.deepEqual(prepareDigit(bars).box, { left: 20, top: 10, width: 18, height: 40 });
  });

  it("takes colours and transparency, large photographs, and the ink that it is told", () => {
    const picture = digit(4);
    const grey = prepareDigit(picture);
    const colours = Uint8Array.from({ length: 3 * 784 }, (_, i) => picture.data[Math.floor(i / 3)]);
    assert.deepEqual(prepareDigit({ ...picture, channels: 3, data: colours }), grey);
    const black = Uint8Array.from({ length: 4 * 784 }, (_, i) => (i % 4 === 3 ? picture.data[i >> 2] : 0));
    const transparent = prepareDigit({ ...picture, channels: 4, data: black });
    assert.equal(transparent.polarity, "dark-on-light");
    assert.ok(likeness(transparent.image, grey.image) > 0.99);
    const large = prepareDigit(resizePixels(picture, [2000, 2000]));
    assert.ok(Math.abs(large.box.width / 2000 - grey.box.width / 28) < 0.08, JSON.stringify(large.box));
    assert.ok(likeness(large.image, grey.image) > 0.95);
    assert.deepEqual(prepareDigit(picture, { polarity: "light-on-dark" }), grey);
    assert.throws(() => prepareDigit(picture, { polarity: "dark-on-light" }), /nothing stands out/);
  });

  it("refuses what shows nothing", () => {
    const noise = new RandomStream(3, 4);
    const paper = Uint8Array.from({ length: 6400 }, () => Math.min(255, Math.max(0, noise.normal(180, 12))));
    const blank = { width: 80, height: 80, channels: 1, data: paper } as const;
    const flat = { width: 1, height: 1, channels: 1, data: Uint8Array.of(7) } as const;
    for (const picture of [blank, flat]) {
      assert.throws(() => prepareDigit(picture), /nothing stands out from the ground.* Fix: more contrast/);
    }
    assert.throws(() => prepareDigit(digit(0), { size: 4 }), /size is 4\. Expected 8 pixels or more/);
    assert.throws(() => prepareDigit({ ...flat, width: 2 }), /1 bytes are not a picture of 2×1/);
  });
});
