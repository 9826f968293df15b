/** Repeating, turning, ordering and adding up, forward and gradient, as PyTorch does it. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fovea from "../../src/index.js";
import {
  cumsum,
  fromNpy,
  grad,
  mul,
  repeat,
  roll,
  rot90,
  sum,
  Tensor,
  tensor,
  toNpy,
  topk,
  zeros,
} from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

interface Case {
  readonly name: string;
  readonly arguments: readonly unknown[];
}

const golden = new Golden<Case>("arranging");

function apply({ name, arguments: rest }: Case, x: Tensor): Tensor {
  const found = Object.entries<unknown>({ ...fovea }).find(([key]) => key === name)?.[1];
  assert.ok(typeof found === "function", name);
  const result: unknown = Reflect.apply(found, undefined, [x, ...rest]);
  const first = typeof result === "object" && result !== null && "values" in result ? result.values : result;
  assert.ok(first instanceof Tensor);
  return first;
}

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`PyTorch's arrangements on ${name}`, { skip: reason }, () => {
    golden.cases.forEach((each, i) => {
      const shape = golden.get(`${i}.x`).shape;
      it(`${each.name} of ${shape.join("×")} ${JSON.stringify(each.arguments)}`, async () => {
        if (device === undefined) return;
        useDevice(device);
        const x = golden.tensor(`${i}.x`);
        const y = apply(each, x);
        assert.deepEqual(y.shape, golden.get(`${i}.y`).shape);
        const [gradient] = grad(sum(mul(y, golden.tensor(`${i}.upstream`))), [x]);
        assertClose(await y.data(), golden.get(`${i}.y`).data, 1e-5, "output");
        assertClose(await gradient.data(), golden.get(`${i}.gx`).data, 1e-5, "gradient");
      });
    });
  });
}

describe("arranging", () => {
  useDevice(referenceDevice);

  it("says where the largest elements are", async () => {
    const { values, indices } = topk(
      tensor([
        [3, 9, 5],
        [7, 1, 7],
      ]),
      2,
    );
    assert.deepEqual(await values.array(), [
      [9, 5],
      [7, 7],
    ]);
    assert.deepEqual(await indices.array(), [
      [1, 2],
      [0, 2],
    ]);
  });

  it("keeps element types", async () => {
    const labels = tensor([1, 2, 3], { dtype: "int32" });
    assert.deepEqual(await repeat(labels, [2]).array(), [1, 2, 3, 1, 2, 3]);
    assert.deepEqual(await roll(labels, 1).array(), [3, 1, 2]);
    assert.deepEqual(await rot90(labels.reshape([1, 3])).array(), [[3], [2], [1]]);
  });

  it("passes through NumPy's files", async () => {
    for (const x of [
      tensor([
        [1.5, -2],
        [0, 3],
      ]),
      tensor([1, -7], { dtype: "int32" }),
      tensor([true, false]),
    ]) {
      const back = fromNpy(await toNpy(x));
      assert.deepEqual([back.dtype, back.shape, await back.array()], [x.dtype, x.shape, await x.array()]);
    }
  });

  const mistakes: [string, () => unknown, RegExp][] = [
    ["too few counts", () => repeat(zeros([2, 3]), [2]), /for each axis/],
    ["half a turn of a quarter", () => rot90(zeros([2, 3]), 0.5), /Expected an integer/],
    ["one axis to turn in", () => rot90(zeros([2, 3]), 1, [1, -1]), /both axes are 1/],
    ["more than there are", () => topk(zeros([2, 3]), 4), /Expected an integer from 1 to 3, the length of axis 1/],
    ["a number to sum along", () => cumsum(tensor(1)), /no axis to sum along/],
  ];
  for (const [what, call, message] of mistakes) it(`refuses ${what}`, () => void assert.throws(call, message));
});
