/** gradcheck passes what is right, finds what is wrong and names it, and passes over corners alone. */

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import {
  add,
  conv2d,
  crossEntropy,
  detach,
  dropout,
  exp,
  grad,
  gradcheck,
  gradcheckModel,
  manualSeed,
  mul,
  nn,
  normal,
  relu,
  sum,
  type Tensor,
  tanh,
  tensor,
  zeros,
} from "fovea";
import { defineOp, sameDType } from "../../src/graph/op.js";
import { anyDevice, kernelDevices, useDevice } from "../support/devices.js";

/** x², whose gradient rule is wrong wherever x is above `limit`. */
const badSquare = defineOp<"badSquare", "x", { readonly limit: number }>({
  name: "badSquare",
  inputs: ["x"],
  shape: ({ x }) => x,
  dtype: sameDType("badSquare", ["float32"]),
  reference: ({ x }, _, output) => {
    for (let i = 0; i < x.data.length; i++) output.data[i] = x.data[i] ** 2;
  },
  gradient: ({ x }, { limit }, upstream) => ({
    x: () => mul(upstream, add(mul(x, 2), mul(relu(add(x, -limit) as Tensor), 1e-4))) as Tensor,
  }),
  cost: () => ({ macs: 0 }),
  samples: [],
});

beforeEach(() => {
  useDevice(anyDevice());
  manualSeed(2);
});

describe("gradcheck", () => {
  it("passes a convolution, far below the error that it allows", async () => {
    const result = await gradcheck(
      (x: Tensor, w: Tensor) => tanh(conv2d(x, w, null, { padding: 1, stride: 2 })),
      [normal([1, 2, 5, 4]), normal([3, 2, 3, 3])],
      { names: ["picture", "weight"] },
    );
    assert.equal(result.passed, true);
    assert.equal(result.precision, "float64");
    assert.equal(result.checked, 40 + 54);
    assert.equal(result.kinks, 0);
    assert.ok((result.worst?.error ?? 1) < 1e-8);
    assert.match(`${result}`, /^gradcheck passed: 94 elements in float64, 0 wrong, 0 at corners\n {2}worst: .*\n/);
    assert.match(`${result}`, /\n {2}weight 3×2×3×3: 54 of 54 elements, error /);
  });

  it("names the element of a wrong gradient", async () => {
    const square = (x: Tensor) => badSquare({ x }, { limit: 2 }) as Tensor;
    const x = tensor([
      [1, -1, 0.5],
      [0.1, 3, 1.5],
    ]);
    const result = await gradcheck((other: Tensor, y: Tensor) => add(square(y), other), [zeros([3]), x]);
    assert.equal(result.passed, false);
    assert.equal(result.wrong, 1);
    assert.deepEqual(result.worst?.index, [1, 1]);
    assert.equal(result.worst?.input, "input 1");
    assert.ok(Math.abs((result.worst?.error ?? 0) - 1e-4 / 6) < 1e-6);
    assert.match(`${result}`, /^gradcheck FAILED: .* 1 wrong.*\n {2}worst: input 1\[1, 1\]: gradient /);
    assert.equal((await gradcheck(square, [tensor([0.5, 1])])).passed, true);
  });

  it("passes over corners, says how many, and does not pass when there are many", async () => {
    const few = Array.from({ length: 200 }, (_, i) => (i === 77 ? 0 : i - 99.5));
    const result = await gradcheck(relu, [tensor(few)]);
    assert.equal(result.kinks, 1);
    assert.equal(result.passed, true);
    const many = await gradcheck(relu, [tensor([0, 0, 1, 2])]);
    assert.equal(many.kinks, 2);
    assert.equal(many.wrong, 0);
    assert.equal(many.passed, false);
    assert.match(`${many}`, /Too many elements lie at corners/);
    assert.equal((await gradcheck(relu, [tensor([0, 0, 1, 2])], { mostKinks: 0.5 })).passed, true);
  });

  it("comes closer where a corner is near, and does not take what is bent for a corner", async () => {
    const result = await gradcheck(relu, [tensor([4e-6, -4e-6, 1])]);
    assert.deepEqual([result.kinks, result.wrong], [0, 0]);
    const bent = await gradcheck((x: Tensor) => exp(mul(x, 300) as Tensor), [tensor([0.1, -0.1])], { tolerance: 1e-5 });
    assert.deepEqual([bent.kinks, bent.wrong], [0, 0]);
  });

  it("knows the types of what the function is called with", async () => {
    const parameter = new nn.Parameter(normal([4]));
    const result = await gradcheck((x, scale) => x.mul(2).add(scale.value), [normal([3, 4]), parameter]);
    assert.equal(result.passed, true);
    assert.equal(result.checked, 16);
    const layer = new nn.Linear(4, 2);
    assert.equal((await gradcheck((x: Tensor) => layer(x), [normal([3, 4]), layer.weight])).checked, 20);
    // @ts-expect-error
    await gradcheck((x: Tensor<[5]>) => tanh(x), [normal([4])]);
  });

  it("checks gradients of gradients", async () => {
    const slope = (x: Tensor) => grad(sum(tanh(mul(x, x) as Tensor)), [x])[0];
    assert.equal((await gradcheck(slope, [normal([5])])).passed, true);
  });

  it("takes labels as they are, draws as they fall, and what is detached as constant", async () => {
    const labels = tensor([0, 2], { dtype: "int32" });
    const loss = (scores: Tensor, classes: Tensor<readonly number[], "int32">) => crossEntropy(scores, classes);
    assert.equal((await gradcheck(loss, [normal([2, 3]), labels])).checked, 6);
    const result = await gradcheck((x: Tensor) => dropout(mul(x, detach(x)) as Tensor, 0.5), [normal([40])]);
    assert.equal(result.passed, true);
    assert.ok((result.inputs[0].worst?.error ?? 1) < 1e-6);
  });

  it("checks so many elements as it is told, others with another seed", async () => {
    const first = await gradcheck(tanh, [normal([1000])], { elements: 20 });
    assert.equal(first.checked, 20);
    const repeated = await gradcheck(tanh, [zeros([1000])], { elements: 20, seed: 4 });
    assert.equal(repeated.checked, 20);
  });

  it("can be ended early, and reports how far it is", async () => {
    const controller = new AbortController();
    let total = 0;
    const onProgress = (_: number, all: number) => {
      total = all;
      controller.abort();
    };
    const slow = (x: Tensor) => conv2d(x, normal([8, 4, 5, 5]));
    await assert.rejects(gradcheck(slow, [normal([1, 4, 24, 24])], { onProgress, signal: controller.signal }));
    assert.equal(total, 500);
  });

  it("says what it cannot check", async () => {
    const labels = tensor([0, 2], { dtype: "int32" });
    await assert.rejects(
      gradcheck(() => zeros([]), [labels]),
      /no input is float32/,
    );
    await assert.rejects(gradcheck(tanh, [zeros([2])], { step: 0 }), /step is 0. Expected a number above 0/);
    await assert.rejects(gradcheck(tanh, [zeros([2])], { names: ["a", "b"] }), /2 names for 1 inputs/);
    await assert.rejects(
      gradcheck((x: Tensor) => dropout(x), [zeros([2])], { gradients: "device" }),
      /draws random numbers.*model\.eval\(\)/,
    );
  });
});

class Net extends nn.Module {
  layers = new nn.Sequential(
    new nn.Conv2d(1, 3, 3, { padding: 1 }),
    new nn.BatchNorm2d(3),
    new nn.Tanh(),
    new nn.Dropout(0.3),
    new nn.AvgPool2d(2),
    new nn.Flatten(),
    new nn.Linear(12, 2),
  );

  override forward(x: Tensor): Tensor {
    return this.layers(x);
  }
}

describe("gradcheckModel", () => {
  it("checks input and parameters by name, and leaves the model as it was", async () => {
    const net = new Net();
    const before = await net.stateDict();
    const result = await gradcheckModel(net, normal([3, 1, 4, 4]));
    assert.equal(result.passed, true);
    assert.deepEqual(
      result.inputs.map(({ name }) => name),
      ["input", ...[...net.namedParameters()].map(([name]) => name)],
    );
    assert.equal(result.checked, 48 + net.parameterCount());
    assert.deepEqual(await net.stateDict(), before);
    assert.ok(net.parameters().every((parameter) => parameter.grad === null));
  });

  for (const { name, device, reason } of kernelDevices) {
    it(`checks the gradients that ${name} computes`, { skip: reason }, async () => {
      if (device === undefined) return;
      useDevice(device);
      const net = new Net().eval();
      const result = await gradcheckModel(net, normal([3, 1, 4, 4]), { gradients: "device" });
      assert.equal(result.precision, "float32");
      assert.equal(result.passed, true, `${result}`);
      assert.ok((result.worst?.error ?? 0) > 1e-9, "float32 cannot be as exact as that");
    });
  }
});
