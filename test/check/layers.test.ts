/** Layers with parameters and with two modes: their gradients by the definitions, while training and evaluating. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gradcheckModel, manualSeed, nn, normal, type Shape, type Tensor } from "fovea";
import { referenceDevice, useDevice } from "../support/devices.js";

type Checked = nn.ModuleBase & ((...inputs: never[]) => Tensor<Shape>);

const layers: readonly (readonly [make: () => Checked, ...shape: number[]])[] = [
  [() => new nn.Linear(4, 3), 2, 4],
  [() => new nn.Conv1d(2, 3, 3, { padding: 1 }), 2, 2, 5],
  [() => new nn.Conv2d(2, 3, 3, { stride: 2, padding: 1 }), 2, 2, 5, 4],
  [() => new nn.Conv3d(2, 2, 2), 1, 2, 3, 3, 3],
  [() => new nn.ConvTranspose1d(2, 3, 3, { stride: 2 }), 2, 2, 3],
  [() => new nn.ConvTranspose2d(2, 3, 3, { stride: 2, padding: 1 }), 1, 2, 3, 3],
  [() => new nn.ConvTranspose3d(2, 2, 2), 1, 2, 2, 2, 2],
  [() => new nn.BatchNorm1d(3), 5, 3],
  [() => new nn.BatchNorm2d(3), 3, 3, 2, 4],
  [() => new nn.BatchNorm3d(2), 2, 2, 2, 3, 2],
  [() => new nn.LayerNorm([3, 4]), 2, 3, 4],
  [() => new nn.GroupNorm(2, 4), 2, 4, 3],
  [() => new nn.InstanceNorm(3, { affine: true }), 2, 3, 2, 3],
  [() => new nn.PReLU(3), 2, 3, 4],
  [() => new nn.Maxout(2), 2, 4, 3],
  [() => new nn.Dropout(0.4), 4, 5],
  [() => new nn.FeatureDropout(0.4), 3, 4, 2, 2],
  [() => new nn.StochasticPool2d(2), 2, 2, 4, 4],
];

describe("gradients of layers", () => {
  for (const [make, ...shape] of layers) {
    for (const mode of ["training", "evaluating"] as const) {
      useDevice(referenceDevice);
      manualSeed(6);
      const layer = make().train(mode === "training");
      it(`${layer.constructor.name}, ${mode}`, async () => {
        const states = await layer.stateDict();
        const result = await gradcheckModel(layer, normal(shape), { elements: 60 });
        assert.ok(result.passed, `${result}`);
        assert.equal(result.inputs.length, 1 + layer.parameters().length);
        assert.deepEqual(await layer.stateDict(), states, "the check changed the layer");
      });
    }
  }
});
