/** The meter tells networks that treat moved pictures alike from those that do not. */

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { equivarianceError, globalAvgPool, manualSeed, maxPool2d, moves, nn, normal, relu, type Tensor } from "fovea";
import { anyDevice, useDevice } from "../support/devices.js";

const { shift, flip, rotate90, scale } = moves;

describe("equivarianceError", () => {
  let inputs: Tensor;
  before(() => {
    useDevice(anyDevice());
    manualSeed(1);
    inputs = normal([2, 3, 12, 16]);
  });

  it("is 0 for shifts of a convolution with a circular border", async () => {
    const conv = new nn.Conv2d(3, 4, 3, { padding: "same", paddingMode: "circular" });
    for (const move of [shift(1, 0), shift(-3, 5), shift(12, 16)])
      assert.ok((await equivarianceError((x) => relu(conv(x)), move, { inputs })) < 1e-6, move.name);
  });

  it("shows the border of a convolution padded with zeros, and nothing without that border", async () => {
    const conv = new nn.Conv2d(3, 4, 3, { padding: 1 });
    assert.ok((await equivarianceError(conv, shift(1, 2), { inputs })) > 0.05);
    assert.ok((await equivarianceError(conv, shift(1, 2), { inputs, crop: 3 })) < 1e-6);
  });

  it("of max pooling with stride 2 is 0 for even shifts alone", async () => {
    const pool = (x: Tensor) => maxPool2d(x, 2);
    assert.equal(await equivarianceError(pool, shift(2, 4), { inputs }), 0);
    for (const move of [shift(1, 0), shift(2, 3)])
      assert.ok((await equivarianceError(pool, move, { inputs })) > 0.1, move.name);
  });

  it("of global average pooling is 0 when invariance is asked for", async () => {
    for (const move of [shift(1, 3), flip(3), flip(-2), rotate90(1), rotate90(2), rotate90(-1)])
      assert.ok((await equivarianceError(globalAvgPool, move, { inputs, invariant: true })) < 1e-6, move.name);
  });

  it("of a fully connected layer is large", async () => {
    const layer = new nn.Sequential(new nn.Flatten(), new nn.Linear(3 * 12 * 16, 10));
    assert.ok((await equivarianceError(layer, shift(1, 0), { inputs, invariant: true })) > 0.3);
  });

  it("is 0 for what works on each pixel alone, however it is moved", async () => {
    const conv = new nn.Conv2d(3, 4, 1);
    for (const move of [flip(2), flip(3), rotate90(1), rotate90(2), rotate90(3), rotate90(4), scale(2), scale(0.5)])
      assert.ok((await equivarianceError(conv, move, { inputs })) < 1e-6, move.name);
  });

  it("of a learned 3×3 convolution is not 0 for turns, mirrors and sizes", async () => {
    const conv = new nn.Conv2d(3, 4, 3, { padding: "same", paddingMode: "circular" });
    for (const move of [flip(3), rotate90(1), scale(2)])
      assert.ok((await equivarianceError(conv, move, { inputs })) > 0.1, move.name);
  });

  it("says what cannot be compared, and how to mend it", async () => {
    const layer = new nn.Sequential(new nn.Flatten(), new nn.Linear(3 * 12 * 16, 10));
    await assert.rejects(equivarianceError(layer, shift(1, 0), { inputs }), /2×10.*no height and width.*invariant/);
    const pool = (x: Tensor) => maxPool2d(x, 4);
    await assert.rejects(equivarianceError(pool, shift(4, 0), { inputs, crop: 2 }), /nothing is left of 2×3×3×4/);
    assert.throws(() => shift(0.5, 0), /0\.5 pixels. Expected an integer/);
    assert.throws(() => flip(1), /Expected 2 or 3/);
    assert.throws(() => scale(0), /Expected a number above 0/);
    assert.throws(() => rotate90(0.5), /Expected an integer/);
  });
});

describe("moves", () => {
  it("turn against the clock and shift down and to the right", async () => {
    const { tensor, reshape } = await import("fovea");
    const picture = reshape(tensor([1, 2, 3, 4]), [1, 1, 2, 2]);
    const done = async (move: moves.Move) => [...(await move.apply(picture).data())];
    assert.deepEqual(await done(rotate90(1)), [2, 4, 1, 3]);
    assert.deepEqual(await done(rotate90(3)), [3, 1, 4, 2]);
    assert.deepEqual(await done(shift(1, 0)), [3, 4, 1, 2]);
    assert.deepEqual(await done(shift(0, 1)), [2, 1, 4, 3]);
    assert.deepEqual(await done(flip(3)), [2, 1, 4, 3]);
  });
});
