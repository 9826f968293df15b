/** What draws random numbers gives the same with the same seed, something else with another, and is certain when evaluating. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fovea from "../../src/index.js";
import { compile, Generator, manualSeed, nn, type Shape, type Tensor } from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";

type Draws = (x: Tensor, options: { generator?: Generator }) => Tensor<Shape>;

const shape = [4, 3, 8, 6, 4];

const functions: Readonly<Record<string, readonly [rank: number, draws: Draws]>> = {
  uniform: [3, (x, options) => fovea.uniform(x.shape, -1, 1, options)],
  normal: [3, (x, options) => fovea.normal(x.shape, 0, 1, options)],
  dropout: [3, (x, options) => fovea.dropout(x, 0.5, options)],
  featureDropout: [4, (x, options) => fovea.featureDropout(x, 0.5, options)],
  stochasticPool1d: [3, (x, options) => fovea.stochasticPool1d(x, 2, options)],
  stochasticPool2d: [4, (x, options) => fovea.stochasticPool2d(x, 2, options)],
  stochasticPool3d: [5, (x, options) => fovea.stochasticPool3d(x, 2, options)],
};

type Layer = nn.ModuleBase & ((x: Tensor) => Tensor);

const layers: Readonly<Record<string, readonly [rank: number, make: () => Layer]>> = {
  Dropout: [3, () => new nn.Dropout(0.5)],
  FeatureDropout: [4, () => new nn.FeatureDropout(0.5)],
  StochasticPool1d: [3, () => new nn.StochasticPool1d(2)],
  StochasticPool2d: [4, () => new nn.StochasticPool2d(2)],
  StochasticPool3d: [5, () => new nn.StochasticPool3d(2)],
};

/** Positive numbers that all differ. */
function input(rank: number): Tensor {
  const own = shape.slice(0, rank);
  const size = own.reduce((a, b) => a * b);
  return fovea.tensor(
    Float32Array.from({ length: size }, (_, i) => 0.5 + ((i * 7919) % size) / size),
    own,
  );
}

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`random numbers on ${name}`, { skip: reason }, () => {
    const on = (title: string, body: () => Promise<void>) =>
      it(title, async () => {
        if (device === undefined) return;
        useDevice(device);
        await body();
      });

    for (const [title, [rank, draws]] of Object.entries(functions)) {
      on(`${title} follows the seed`, async () => {
        const x = input(rank);
        const draw = async (options: { generator?: Generator } = {}) => await draws(x, options).data();
        manualSeed(1);
        const [first, second] = [await draw(), await draw()];
        assert.notDeepEqual(second, first, "the same twice");
        manualSeed(1);
        assert.deepEqual([await draw(), await draw()], [first, second]);
        manualSeed(2);
        assert.notDeepEqual(await draw(), first, "the same with another seed");
        // A generator of one's own is seeded apart, and leaves the common one alone.
        manualSeed(1);
        const own = new Generator(1);
        assert.deepEqual([await draw({ generator: own }), await draw({ generator: own })], [first, second]);
        assert.deepEqual(await draw(), first);
      });

      on(`${title}, compiled, draws anew at each run, and the same with the same seed`, async () => {
        const x = input(rank);
        const step = compile((given: Tensor) => draws(given, {}));
        const run = async () => await (await step(x)).data();
        manualSeed(5);
        const [first, second] = [await run(), await run()];
        assert.notDeepEqual(second, first);
        manualSeed(5);
        assert.deepEqual([await run(), await run()], [first, second]);
      });
    }

    for (const [title, [rank, make]] of Object.entries(layers)) {
      on(`nn.${title} draws while training and is certain when evaluating`, async () => {
        const [x, layer] = [input(rank), make()];
        const run = async () => await layer(x).data();
        manualSeed(3);
        const first = await run();
        assert.notDeepEqual(await run(), first);
        manualSeed(3);
        assert.deepEqual(await run(), first);
        layer.eval();
        const certain = await run();
        assert.deepEqual(await run(), certain);
        assert.notDeepEqual(certain, first);
      });
    }
  });
}
