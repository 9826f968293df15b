/** Activation functions, forward and gradient, as PyTorch computes them. */

import { describe, it } from "node:test";
import * as fovea from "../../src/index.js";
import { grad, mul, sum, type Tensor } from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

const functions: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  leakyRelu: (x) => fovea.leakyRelu(x, 0.1),
  elu: (x) => fovea.elu(x, 1.5),
  selu: fovea.selu,
  gelu: (x) => fovea.gelu(x),
  geluTanh: (x) => fovea.gelu(x, { approximate: "tanh" }),
  silu: fovea.silu,
  softplus: (x) => fovea.softplus(x, 2),
  logSigmoid: fovea.logSigmoid,
  mish: fovea.mish,
  softsign: fovea.softsign,
  hardtanh: (x) => fovea.hardtanh(x, -0.5, 2),
  relu6: fovea.relu6,
  hardsigmoid: fovea.hardsigmoid,
  hardswish: fovea.hardswish,
  hardshrink: (x) => fovea.hardshrink(x, 0.7),
  softshrink: (x) => fovea.softshrink(x, 0.7),
  erf: fovea.erf,
  expm1: (x) => fovea.expm1(mul(x, 1 / 8)),
  log1p: (x) => fovea.log1p(mul(x, x)),
};

/** Small arguments, some near 1, large and very large ones are each compared with the largest of their own kind. */
const parts = 4;
const tolerance = 2e-6;

function assertPartsClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const part = (values: ArrayLike<number>, index: number) => {
    const size = values.length / parts;
    return Array.from(values).slice(index * size, (index + 1) * size);
  };
  for (let i = 0; i < parts; i++) assertClose(part(actual, i), part(expected, i), tolerance, `${what}, part ${i}`);
}

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`PyTorch's activations on ${name}`, { skip: reason }, () => {
    const golden = new Golden<string>("activations");
    const x = () => golden.tensor("x");
    for (const key of golden.cases) {
      it(key, async () => {
        if (device === undefined) return;
        useDevice(device);
        const input = x();
        const y = functions[key](input);
        const [gradient] = grad(sum(mul(y, golden.tensor("upstream")) as Tensor), [input]);
        assertPartsClose(await y.data(), golden.get(`${key}.y`).data, "output");
        assertPartsClose(await gradient.data(), golden.get(`${key}.g`).data, "gradient");
      });
    }
    for (const key of ["prelu", "preluByChannel"]) {
      it(key, async () => {
        if (device === undefined) return;
        useDevice(device);
        const [input, weight] = [x(), golden.tensor(`${key}.weight`)];
        const y = fovea.prelu(input, weight);
        const [gx, gw] = grad(sum(mul(y, golden.tensor("upstream")) as Tensor), [input, weight]);
        assertPartsClose(await y.data(), golden.get(`${key}.y`).data, "output");
        assertPartsClose(await gx.data(), golden.get(`${key}.g`).data, "gradient");
        assertClose(await gw.data(), golden.get(`${key}.gw`).data, 1e-5, "gradient of the slopes");
      });
    }
  });
}
