/** Normalization layers, forward, gradient and running statistics, as PyTorch computes them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  grad,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  mul,
  nn,
  sum,
  type Tensor,
  zeros,
} from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

type Layer = nn.ModuleBase & ((x: Tensor) => Tensor);

interface Case {
  readonly name: string;
  readonly arguments: readonly unknown[];
}

const golden = new Golden<Case>("normalization");

function create({ name, arguments: given }: Case): Layer {
  const make = Object.entries<unknown>({ ...nn }).find(([key]) => key === name)?.[1];
  assert.ok(typeof make === "function");
  return Reflect.construct(make, given);
}

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`PyTorch's normalization on ${name}`, { skip: reason }, () => {
    golden.cases.forEach((each, i) => {
      it(`${each.name} ${JSON.stringify(each.arguments)}`, async () => {
        if (device === undefined) return;
        useDevice(device);
        const layer = create(each);
        layer.loadStateDict(golden.under(`${i}.state`));
        const x = golden.tensor(`${i}.x`);
        const y = layer(x);
        const parameters = [...layer.namedParameters()];
        const targets = [x, ...parameters.map(([, parameter]) => parameter)];
        const gradients = grad(sum(mul(y, golden.tensor(`${i}.upstream`))), targets);
        assertClose(await y.data(), golden.get(`${i}.y`).data, 1e-5, "output");
        assertClose(await gradients[0].data(), golden.get(`${i}.gx`).data, 1e-5, "gradient");
        for (const [n, [parameter]] of parameters.entries()) {
          assertClose(await gradients[n + 1].data(), golden.get(`${i}.g.${parameter}`).data, 1e-5, parameter);
        }
        const after = golden.under(`${i}.after`);
        const states = await layer.stateDict();
        for (const [key, { data }] of Object.entries(after)) assertClose(states[key].data, data, 1e-5, key);
        if (Object.keys(after).length === 0) return;
        layer.eval();
        assertClose(await layer(x).data(), golden.get(`${i}.evaluated`).data, 1e-5, "evaluated");
      });
    });
  });
}

describe("normalization", () => {
  useDevice(referenceDevice);
  const mistakes: [string, () => unknown, RegExp][] = [
    ["other channels", () => new nn.BatchNorm1d(5)(zeros([2, 4])), /Expected N×5 or N×5×L. Fix: new BatchNorm1d\(4\)/],
    ["another rank", () => new nn.BatchNorm3d(5)(zeros([2, 5, 4, 4])), /Expected N×5×D×H×W\.$/],
    ["one value for each channel", () => new nn.BatchNorm1d(5)(zeros([1, 5])), /Expected a larger batch/],
    ["other last axes", () => layerNorm(zeros([2, 5]), [4]), /Expected …×4/],
    ["groups that do not divide", () => groupNorm(zeros([2, 5, 3]), 2), /2 groups do not divide the 5 channels/],
    [
      "weights of another size",
      () => groupNorm(zeros([2, 4]), 2, { weight: zeros([2]) }),
      /the weight is 2. Expected 4/,
    ],
    ["one place", () => instanceNorm(zeros([2, 4, 1])), /more than one place/],
    ["no neighbours", () => localResponseNorm(zeros([2, 4]), 0), /an integer of 1 or more/],
    ["places that are missing", () => localResponseNorm(zeros([2, 4]), 3, { region: "within" }), /Expected N×C×H×W/],
  ];
  for (const [what, call, message] of mistakes) it(`refuses ${what}`, () => void assert.throws(call, message));
});
