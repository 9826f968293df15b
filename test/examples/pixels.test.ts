/** The examples of masks and of noise in their short form. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readPixels } from "fovea/node";
import { delayed } from "../support/devices.js";
import { folder, printed } from "./running.js";

const skip = delayed && "examples run on a device of their own, without delays";

describe("the example denoising", { skip }, () => {
  it("gains decibels, and draws what it does", async () => {
    const out = join(folder, "denoised.png");
    const figures = JSON.parse(await printed("denoising", "--quick", "--test-size", "10", "--json", "--out", out));
    assert.equal(figures.testSize, 10);
    assert.ok(figures.gain.mean > 2, JSON.stringify(figures));
    assert.ok(figures.baselines.median.psnr > figures.before.psnr + 1, JSON.stringify(figures));
    const { width, height } = await readPixels(out);
    assert.deepEqual([width, height], [4 * (84 + 4) + 4, 6 * (84 + 4) + 4]);
  });
});
