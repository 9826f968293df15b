/**
 * L0, group exercise: a very deep network in which every sum z is 0. What becomes of the gradient of the weights as one
 * goes down? `npm run example -- deep-gradients` draws it for thousands of layers.
 */

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { grad, relu, sigmoid, sum, type Tensor, tanh, tensor, zeros } from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";

before(() => useDevice(anyDevice()));

const depth = 6;

/** Sizes of ∂f/∂z and ∂f/∂W at each layer of a chain of single units. */
async function gradientsOf(unit: (z: Tensor) => Tensor) {
  const weights = Array.from({ length: depth }, () => tensor([[1]]));
  let output: Tensor = zeros([1, 1]);
  const sums: Tensor[] = [];
  for (const weight of weights) {
    // What comes in is taken away again, so that z is 0 and still depends on what is below.
    const incoming = output.matmul(weight);
    const z = incoming.sub(incoming.detach()) as Tensor;
    sums.push(z);
    output = unit(z);
  }
  const loss = sum(output);
  const [errors, slopes] = [grad(loss, sums), grad(loss, weights)];
  const read = (list: readonly Tensor[]) => Promise.all(list.map((each) => each.reshape([]).item()));
  return { errors: await read(errors), slopes: await read(slopes) };
}

describe("L0, the gradient's way through many layers with every sum 0", () => {
  it("tanh: its slope at 0 is 1, so the error arrives; the weights' gradients are 0 all the same, for tanh(0) is 0", async () => {
    const { errors, slopes } = await gradientsOf(tanh);
    assert.deepEqual(errors, Array(depth).fill(1));
    assert.deepEqual(slopes, Array(depth).fill(0));
  });

  it("ReLU: its slope at 0 is taken as 0, so nothing arrives", async () => {
    const { errors, slopes } = await gradientsOf(relu);
    assert.deepEqual(errors, Array(depth).fill(0));
    assert.deepEqual(slopes, Array(depth).fill(0));
  });

  it("the logistic sigmoid: its slope at 0 is 1/4, so the error is divided by four a layer; 1/2 comes in", async () => {
    const { errors, slopes } = await gradientsOf(sigmoid);
    assert.deepEqual(
      errors,
      Array.from({ length: depth }, (_, layer) => 0.25 ** (depth - layer)),
    );
    // The first layer's input is the network's own, 0.
    assert.deepEqual(
      slopes,
      errors.map((error, layer) => (layer === 0 ? 0 : error / 2)),
    );
  });
});
