/** Programs of thousands of operations after one another: no recursion, and no search that grows with the square. */

import { beforeEach, describe, it } from "node:test";
import { compile, grad, matmul, mul, sum, type Tensor, tanh, tensor } from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { assertClose } from "../support/numbers.js";

beforeEach(() => useDevice(anyDevice()));

const start = [0.9, -0.4, 0.1];

/** `depth` hyperbolic tangents in a row, and their derivatives, in float64. */
function expected(depth: number): { values: number[]; slopes: number[] } {
  const values = [...start];
  const slopes = start.map(() => 1);
  for (let i = 0; i < depth; i++) {
    for (const n of start.keys()) {
      values[n] = Math.tanh(values[n]);
      slopes[n] *= 1 - values[n] ** 2;
    }
  }
  return { values, slopes };
}

describe("very deep programs", () => {
  const depth = 4000;

  it("of elementwise operations give the values and the gradient of all of them", async () => {
    const x = tensor(start);
    let value: Tensor = x;
    for (let i = 0; i < depth; i++) value = tanh(value);
    const [slopes] = grad(sum(value), [x]);
    assertClose(await value.data(), expected(depth).values, 1e-4);
    assertClose(await slopes.data(), expected(depth).slopes, 1e-3);
  });

  it("of layers give the gradient at the first, compiled", async () => {
    const layers = 3000;
    // A reflection: 3000 of them are the identity, so that only tanh is left.
    const mirror = tensor([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ]);
    const slopesOf = compile((x: Tensor) => {
      let value: Tensor = x;
      for (let i = 0; i < layers; i++) value = tanh(matmul(value, mirror));
      return grad(sum(mul(value, 1)), [x])[0];
    });
    assertClose(await (await slopesOf(tensor([start]))).data(), expected(layers).slopes, 1e-3);
  });
});
