/**
 * L0: "object detection" by template matching. A template is slid over a picture; where both are bright the sum of their
 * products is large. The largest response decides, which is max pooling over the whole picture.
 */

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { conv2d, globalMaxPool, maxPool2d, stack, vision } from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { assertGrid, grid } from "./grid.js";

const { applyKernel, templateMatch } = vision;

beforeEach(() => useDevice(anyDevice()));

const two = () =>
  grid(`
    0 1 1 1 0 0 0 0
    0 0 0 1 0 0 0 0
    0 1 1 1 0 0 0 0
    0 1 0 0 0 0 0 0
    0 1 1 1 0 0 0 0
    0 0 0 0 0 0 0 0
    0 0 0 0 0 0 0 0
    0 0 0 0 0 0 0 0`);

const template = (digit: 0 | 1 | 2 | 9) =>
  grid(
    {
      0: "1 1 1\n1 0 1\n1 0 1\n1 0 1\n1 1 1",
      1: "0 1 0\n0 1 0\n0 1 0\n0 1 0\n0 1 0",
      2: "1 1 1\n0 0 1\n1 1 1\n1 0 0\n1 1 1",
      9: "1 1 1\n1 0 1\n1 1 1\n0 0 1\n1 1 1",
    }[digit],
  );

describe("L0, template matching on the 8×8 picture of a 2", () => {
  it("a template of 5×3 fits in 4 rows and 6 columns", () => {
    assert.deepEqual(templateMatch(two(), template(2)).shape, [4, 6]);
  });

  for (const { digit, first, largest } of [
    { digit: 0, first: "5 10 5 4 0 0", largest: 10 },
    { digit: 1, first: "4 3 4 0 0 0", largest: 4 },
    { digit: 2, first: "6 11 6 3 0 0", largest: 11 },
    { digit: 9, first: "6 10 6 4 0 0", largest: 10 },
  ] as const) {
    it(`the template of a ${digit} answers with ${first} …, ${largest} at most`, async () => {
      const response = templateMatch(two(), template(digit));
      await assertGrid(response.slice([0, 1]), first);
      const [peak] = await vision.findPeaks(response);
      assert.equal(peak.value, largest);
    });
  }

  it("one convolution with all templates, then the largest of each map: the answer is 2", async () => {
    const digits = [0, 1, 2, 9] as const;
    const weight = stack(digits.map(template)).unsqueeze(1); // 4×1×5×3
    const maps = conv2d(two().reshape([1, 1, 8, 8]), weight); // 1×4×4×6
    const scores = globalMaxPool(maps);
    await assertGrid(scores, "10 4 11 10");
    assert.equal(digits[await scores.argmax(1).item()], 2);
    // The same as a pooling layer whose window is the whole map.
    assert.deepEqual(await maxPool2d(maps, [4, 6]).flatten().array(), await scores.array());
  });

  it("with a border of (2, 1) zeros the response has the picture's size", async () => {
    const response = templateMatch(two(), template(2), { padding: [2, 1] });
    assert.deepEqual(response.shape, [8, 8]);
    await assertGrid(response.slice([0, 1]), "2 4 6 4 3 0 0 0");
  });

  it("with a stride of 2 every second row and column is left", async () => {
    await assertGrid(
      applyKernel(two(), template(2), { padding: [2, 1], stride: 2 }),
      `2  6 3 0
       3 11 3 0
       3  6 2 0
       1  3 1 0`,
    );
  });
});
