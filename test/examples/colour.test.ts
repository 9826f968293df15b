/** The experiments with colour pictures in their short form: networks learn, and the figures are what they are called. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { shapes } from "fovea";
import { writePng } from "fovea/node";
import { loadColourPictures } from "../../examples/colour-pictures.js";
import { delayed } from "../support/devices.js";
import { example, folder, printed } from "./running.js";

const skip = delayed && "examples run on a device of their own, without delays";

describe("the example cifar-recipe", { skip }, () => {
  it("learns shapes in 24 steps, and tests with training pictures where some are held out", async () => {
    const figures = JSON.parse(await printed("cifar-recipe", "--quick", "--json", "--hold-out", "96", "--size", "480"));
    assert.deepEqual([figures.data, figures.size, figures.testSize, figures.heldOut], ["drawn shapes", 384, 96, 96]);
    const [{ accuracy, sixViews, parameters, seconds, processorSeconds }] = figures.outcomes;
    assert.ok(accuracy > 50 && accuracy <= 100, String(accuracy));
    assert.ok(Math.abs(sixViews - accuracy) < 20 && sixViews > 50, JSON.stringify(figures));
    // Whitening of 12 values, both ways; six convolutions with a scale and a shift for each map; the head.
    const convolutions = 9 * (24 * 8 + 8 * 8 + 8 * 16 + 16 * 16 + 16 * 32 + 32 * 32) + 2 * 2 * (8 + 16 + 32);
    assert.equal(parameters, 24 * 12 + 24 + convolutions + 3 * 32);
    assert.ok(seconds > 0 && processorSeconds > 0);
  });

  it("needs some pictures to learn from", async () => {
    const all = await example("cifar-recipe", "--quick", "--size", "100", "--test-size", "10", "--hold-out", "100");
    assert.equal(all.status, 1);
    assert.match(all.stderr, /^--hold-out is 100 of 100 pictures\. Expected fewer/);
  });
});

describe("the example cifar-cnn", { skip }, () => {
  it("convolutions learn more with fewer parameters", async () => {
    const figures = JSON.parse(await printed("cifar-cnn", "--quick", "--json"));
    const { cnn, fullyConnected } = figures;
    assert.ok(cnn.accuracy.mean > fullyConnected.accuracy.mean + 4 && cnn.accuracy.mean > 38, JSON.stringify(figures));
    assert.ok(fullyConnected.parameters > 4 * cnn.parameters);
  });
});

describe("pictures of the experiments with CIFAR-10", () => {
  it("are read from a folder, of each class an equal share", async () => {
    const kinds = ["circle", "star"] as const;
    const dataDir = join(folder, "pictures");
    for (const split of ["train", "test"] as const) {
      const { pictures } = await shapes({ split, size: 24, kinds, count: [1, 1] });
      for (let i = 0; i < pictures.size; i++) {
        const place = join(dataDir, split, kinds[i % 2]);
        mkdirSync(place, { recursive: true });
        const { image } = pictures.get(i);
        const data = Uint8Array.from({ length: 3072 }, (_, at) => image[(at % 3) * 1024 + Math.floor(at / 3)]);
        await writePng(join(place, `${i}.png`), { width: 32, height: 32, channels: 3, data });
      }
    }
    const { train, test } = await loadColourPictures({ dataDir }, { size: 100, testSize: 8 });
    assert.deepEqual([train.size, train.classCounts()], [24, [12, 12]]);
    assert.deepEqual([test.size, test.classCounts(), test.shape], [8, [4, 4], [3, 32, 32]]);
    const { pictures } = await shapes({ split: "train", size: 24, kinds, count: [1, 1] });
    assert.deepEqual(train.get(0).image, pictures.get(0).image);
  });

  it("are CIFAR-10's where the folder has its files", async () => {
    const counts = { size: 100, testSize: 10 };
    await assert.rejects(
      loadColourPictures({ dataDir: join(folder, "nothing") }, counts),
      /^FileError: CIFAR-10: there is no/,
    );
  });
});
