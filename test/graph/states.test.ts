/** States, lazy evaluation and gradients as a user meets them. */

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import {
  add,
  compile,
  crossEntropy,
  DataError,
  evaluate,
  GradientError,
  grad,
  linear,
  manualSeed,
  matmul,
  maximum,
  minimum,
  mul,
  nn,
  oneHot,
  Parameter,
  SGD,
  type Shape,
  ShapeError,
  StaleValueError,
  State,
  sub,
  type Tensor,
  take,
  tensor,
  uniform,
  zeros,
} from "../../src/index.js";
import { withDelays } from "../support/delays.js";
import { anyDevice, useDevice } from "../support/devices.js";

beforeEach(() => useDevice(anyDevice()));

const numbers = async (t: Tensor | State) => [...(await (t instanceof State ? t.value : t).data())];

describe("states", () => {
  it("give the value of the last assignment, in the order written", async () => {
    const state = new State(tensor([1, 2]));
    const before = state.value;
    state.assign(mul(state, 10) as Tensor<[number]>);
    const after = state.value;
    state.assign(add(state, 1) as Tensor<[number]>);
    const sum = add(before, after) as Tensor;
    assert.deepEqual(await numbers(sum), [11, 22]);
    assert.deepEqual(await numbers(state), [11, 21]);
  });

  it("can exchange their values", async () => {
    const [a, b] = [new State(tensor([1, 2])), new State(tensor([3, 4]))];
    await evaluate(a, b);
    const [x, y] = [a.value, b.value];
    a.assign(y);
    b.assign(x);
    assert.deepEqual(
      [await numbers(a), await numbers(b)],
      [
        [3, 4],
        [1, 2],
      ],
    );
  });

  it("can follow one another's new values, in place", async () => {
    const weight = new State(tensor([1, 2]));
    const average = new State(tensor([0, 0]));
    for (let i = 0; i < 3; i++) {
      weight.assign(add(weight, 1) as Tensor<[number]>);
      average.assign(add(mul(average, 0.5), mul(weight, 0.5)) as Tensor<[number]>);
      await evaluate(weight);
    }
    assert.deepEqual(await numbers(weight), [4, 5]);
    assert.deepEqual(await numbers(average), [3, 3.875]);
  });

  it("never compute a first value that is replaced before anybody asks for it", async () => {
    const device = createWasmDevice({ shared: false });
    useDevice(device);
    const layer = new nn.Linear(500, 500, { bias: false });
    const used = layer.weight.value;
    layer.weight.assign(zeros([500, 500]));
    assert.notEqual((await numbers(used))[0], 0);
    const before = await device.memory();
    const other = new nn.Linear(1000, 1000, { bias: false });
    other.weight.assign(tensor(new Float32Array(1_000_000), [1000, 1000]));
    assert.deepEqual(await numbers(layer.weight), Array(250_000).fill(0));
    assert.deepEqual(await other.weight.value.slice([0, 1]).data(), new Float32Array(1000));
    // Random numbers are computed in working memory first.
    assert.equal((await device.memory()).arena, before.arena);
    await device.close();
  });

  it("refuse another shape", () => {
    const state = new State<Shape>(tensor([1, 2]));
    assert.throws(
      () => state.assign(tensor([1, 2, 3])),
      (error: Error) => {
        return error instanceof ShapeError && /holds 2, but the new value is 3/.test(error.message);
      },
    );
  });

  it("say so when a value was not computed before they changed", async () => {
    const state = new State(tensor([1, 2]));
    await evaluate(state);
    const late = mul(state, 2) as Tensor;
    state.assign(tensor([5, 6]));
    await evaluate(state);
    await assert.rejects(
      late.data(),
      (error: Error) => error instanceof StaleValueError && /evaluate\(loss, logits/.test(error.message),
    );
  });

  it("keep the value that they had before, when both are evaluated together", async () => {
    const state = new State(tensor([1, 2]));
    await evaluate(state);
    const before = state.value;
    state.assign(mul(state, 10) as Tensor<[number]>);
    await evaluate(before, state);
    assert.deepEqual(await numbers(before), [1, 2]);
    assert.deepEqual(await numbers(state), [10, 20]);
    const between = state.value;
    state.assign(tensor([0, 0]));
    await evaluate(between);
    await evaluate(state);
    assert.deepEqual(await numbers(between), [10, 20]);
  });

  it("of different sizes can be computed from one another's old values", async () => {
    const [scalar, vector] = [new State(tensor(2)), new State(tensor([1, 2, 3]))];
    await evaluate(scalar, vector);
    for (const swap of [false, true]) {
      const [s, v] = [scalar.value, vector.value];
      const [a, b] = [await s.item(), (await numbers(v))[2]];
      const assignments = [
        () => scalar.assign(add(s, 1) as Tensor<[]>),
        () => vector.assign(mul(v, s) as Tensor<[number]>),
      ];
      for (const assign of swap ? assignments.reverse() : assignments) assign();
      await evaluate(scalar, vector);
      assert.deepEqual([await scalar.value.item(), (await numbers(vector))[2]], [a + 1, a * b]);
    }
  });

  it("keep what was evaluated in time", async () => {
    const state = new State(tensor([1, 2]));
    const early = mul(state, 2) as Tensor;
    await evaluate(early);
    state.assign(tensor([5, 6]));
    await evaluate(state);
    assert.deepEqual(await numbers(early), [2, 4]);
  });
});

describe("gradients", () => {
  it("of a value that has been read already", async () => {
    const w = new Parameter(tensor([[2, -1]]));
    const loss = linear(tensor([[3, 4]]), w).sum();
    assert.equal(await loss.item(), 2);
    loss.backward();
    assert.deepEqual(await w.grad?.array(), [[3, 4]]);
  });

  it("add up over several backward passes, and are used up by step()", async () => {
    const w = new Parameter(tensor([1, 1]));
    const optimizer = new SGD([w], { lr: 1 });
    mul(w, tensor([1, 2]))
      .sum()
      .backward();
    mul(w, tensor([10, 20]))
      .sum()
      .backward();
    await optimizer.step();
    assert.deepEqual(await numbers(w), [-10, -21]);
    assert.equal(w.grad, null);
    assert.throws(() => optimizer.step(), /no parameter has a gradient/);
  });

  it("the loss can be read after step()", async () => {
    const w = new Parameter(tensor([3]));
    const optimizer = new SGD([w], { lr: 0.5 });
    const loss = mul(w, w).sum();
    loss.backward();
    await optimizer.step();
    assert.equal(await loss.item(), 9);
    assert.equal(await w.value.item(), 0);
    assert.throws(
      () => loss.backward(),
      (error: Error) => error instanceof GradientError,
    );
  });

  it("leave frozen parameters alone", async () => {
    const [a, b] = [new Parameter(tensor([2])), new Parameter(tensor([3]), { requiresGrad: false })];
    const optimizer = new SGD([a, b], { lr: 0.1 });
    mul(a, b).sum().backward();
    assert.equal(b.grad, null);
    await optimizer.step();
    assert.ok(Math.abs((await a.value.item()) - 1.7) < 1e-6);
    assert.equal(await b.value.item(), 3);
  });

  it("of tied weights are summed", async () => {
    const w = new Parameter(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    const x = tensor([[1, -1]]);
    const [gradient] = grad(linear(linear(x, w), w).sum(), [w]);
    // y = W W x; d/dW Σ y = 1 (W x)ᵀ + (Wᵀ 1) xᵀ
    assert.deepEqual(await gradient.array(), [
      [3, -5],
      [5, -7],
    ]);
  });

  it("of gradients", async () => {
    const x = tensor([2, 3]);
    const [first] = grad(mul(mul(x, x), x).sum(), [x]);
    const [second] = grad(first.sum(), [x]);
    assert.deepEqual(await numbers(first), [12, 27]);
    assert.deepEqual(await numbers(second), [12, 18]);
  });

  it("of the larger of two equal numbers are shared, as in PyTorch", async () => {
    const [x, y] = [tensor([1, 2, 3]), tensor([3, 2, 1])];
    const shares = async (result: Tensor) => Promise.all(grad(result.sum(), [x, y]).map(numbers));
    assert.deepEqual(await shares(maximum(x, y) as Tensor), [
      [0, 0.5, 1],
      [1, 0.5, 0],
    ]);
    assert.deepEqual(await shares(minimum(x, y) as Tensor), [
      [1, 0.5, 0],
      [0, 0.5, 1],
    ]);
  });

  it("stop at detach()", async () => {
    const x = tensor([2, 3]);
    const [gradient] = grad(mul(x, x.detach()).sum(), [x]);
    assert.deepEqual(await numbers(gradient), [2, 3]);
  });

  it("must be of one number, of something that depends on the target", () => {
    const x = tensor([1, 2]);
    assert.throws(() => grad(mul(x, 2), [x]), /must be one number/);
    assert.throws(() => grad(mul(x, 2), [x], { upstream: tensor([1, 2, 3]) }), /upstream gradient is 3\. Expected 2/);
    assert.throws(() => grad(tensor([1, 2]).sum(), [x]), /does not depend on target 0/);
    assert.throws(() => mul(x, 2).sum().backward(), /no parameter that can be trained/);
  });
});

describe("programs of the same structure", () => {
  it("take the numbers of each call, also where two were once equal", async () => {
    const x = tensor([1, 2]);
    const combine = (a: number, b: number) => add(mul(x, a), mul(x, b)) as Tensor;
    assert.deepEqual(await numbers(combine(3, 3)), [6, 12]);
    assert.deepEqual(await numbers(combine(3, 5)), [8, 16]);
  });

  it("may be long: every epilogue is carried out", async () => {
    let total = zeros([2, 2]) as Tensor;
    const identity = tensor([
      [1, 0],
      [0, 1],
    ]);
    for (let n = 0; n < 60; n++) total = add(total, mul(total.add(1).matmul(identity), 0.5)) as Tensor;
    let expected = 0;
    for (let n = 0; n < 60; n++) expected += (expected + 1) * 0.5;
    assert.ok(Math.abs((await numbers(total))[0] / expected - 1) < 1e-4);
  });
});

describe("fused programs", () => {
  it("do not write over a value that is needed again later", async () => {
    const x = tensor([
      [1, 2],
      [3, 5],
    ]);
    const product = matmul(x, x);
    const later = matmul(matmul(mul(product, 2) as Tensor, x), x);
    // [[7, 12], [18, 31]] and twice its square
    assert.deepEqual(await numbers(add(product, later) as Tensor), [537, 924, 1386, 2385]);
  });

  it("do not wait for themselves where a value is needed under two shapes", async () => {
    const x = tensor(Float32Array.from({ length: 15 }, (_, i) => i)).reshape([3, 5]);
    const [five, three] = [tensor([1, 2, 3, 4, 5]), tensor([2, 3, 4])];
    const sum = add(mul(x, 2), five) as Tensor;
    const turned = mul(sum.reshape([5, 3]), three) as Tensor;
    const result = add(mul(turned.reshape([3, 5]), five), sum) as Tensor;
    const expected = Array.from({ length: 15 }, (_, i) => {
      const value = 2 * i + (i % 5) + 1;
      return value * ((i % 3) + 2) * ((i % 5) + 1) + value;
    });
    assert.deepEqual(await numbers(result), expected);
  });
});

describe("a failing program", () => {
  it("names the label, the module and the line, and changes no weights", async () => {
    manualSeed(1);
    const model = new nn.Sequential(new nn.Linear(4, 3));
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const before = await model.stateDict();
    const step = (labels: number[]) => {
      const loss = crossEntropy(model(uniform([2, 4])), tensor(labels, { dtype: "int32" }));
      loss.backward();
      optimizer.step().catch(() => undefined);
      return loss;
    };
    await assert.rejects(step([1, 3]).item(), (error: Error) => {
      assert.ok(error instanceof DataError);
      assert.match(error.message, /element 1 of the indices \(2×1\) is 3, expected 0 … 2/);
      assert.match(error.message, /states\.test\.js:\d+/);
      return true;
    });
    assert.deepEqual(await model.stateDict(), before);
    assert.ok(Number.isFinite(await step([1, 2]).item()));
    assert.notDeepEqual(await model.stateDict(), before);
  });

  it("is told alike where each step of many was waited for before", async () => {
    const model = new nn.Sequential(new nn.Linear(4, 3));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const x = uniform([2, 4]);
    const step = compile((labels: Tensor<Shape, "int32">) => {
      const loss = crossEntropy(model(x), labels);
      loss.backward();
      void optimizer.step();
      return loss;
    });
    const lossOf = async (labels: number[]) => (await step(tensor(labels, { dtype: "int32" }))).item();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 20; i++) assert.ok(Number.isFinite(await lossOf([1, 2])));
      const before = await model.stateDict();
      await assert.rejects(lossOf([1, 3]), /^DataError: .*element 1 of the indices \(2×1\) is 3, expected 0 … 2/);
      assert.deepEqual(await model.stateDict(), before);
    }
  });

  it("names the module's path where the numbers were used inside one, compiled and uncompiled", async () => {
    class Words extends nn.Module {
      table = new Parameter(uniform<[number, number]>([4, 2]));
      override forward(words: Tensor<Shape, "int32">): Tensor {
        return matmul(oneHot(words, 4), this.table);
      }
    }
    class Reader extends nn.Module {
      layers = [new Words(), new Words()];
      override forward(words: Tensor<Shape, "int32">): Tensor {
        return add(this.layers[0](tensor([0, 1], { dtype: "int32" })), this.layers[1](words)) as Tensor;
      }
    }
    const reader = new Reader();
    const read = (words: Tensor<Shape, "int32">) => reader(words);
    for (const run of [async (words: Tensor<Shape, "int32">) => read(words), compile(read)]) {
      const words = tensor([1, 9], { dtype: "int32" });
      await assert.rejects(
        run(words).then((result) => result.data()),
        (error: Error) => {
          assert.ok(error instanceof DataError);
          assert.match(error.message, /^layers\.1: oneHot: element 1 of the indices \(2\) is 9, expected 0 … 3/);
          assert.match(error.message, /Words\.forward \(.*states\.test\.js:\d+:\d+\)/);
          return true;
        },
      );
    }
  });

  it("is told by a state that it should have filled and by what comes of it, and leaves nothing unhandled", async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listen);
    try {
      const broken = () => new State(take(zeros([4, 3]), tensor([9], { dtype: "int32" })));
      const message = /^DataError: take: element 0 of the indices \(1\) is 9, expected 0 … 3/;
      await assert.rejects(broken().value.data(), message);
      // Two programs fail here: the one that should have filled the state, and the one that uses it.
      await assert.rejects(broken().value.sum().data(), message);
      await new Promise((resolve) => setTimeout(resolve, 150));
    } finally {
      process.off("unhandledRejection", listen);
    }
    assert.deepEqual(unhandled, []);
  });

  it("is told by a state whose reading takes long, too", async () => {
    const device = anyDevice();
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listen);
    try {
      useDevice(withDelays(device, 300));
      const broken = new State(take(zeros([4, 3]), tensor([9], { dtype: "int32" })));
      await assert.rejects(broken.value.data(), /^DataError: take/);
    } finally {
      process.off("unhandledRejection", listen);
      useDevice(device);
    }
    assert.deepEqual(unhandled, []);
  });

  it("poisons what should have come of it", async () => {
    const bad = crossEntropy(zeros([1, 3]), tensor([7], { dtype: "int32" }));
    await assert.rejects(bad.item(), DataError);
    await assert.rejects(sub(bad, 1).data());
  });
});

describe("reading", () => {
  it("works on every element type", async () => {
    assert.deepEqual(await tensor([true, false]).array(), [1, 0]);
    assert.deepEqual(await tensor([1.5, -2.5]).to("int32").array(), [1, -2]);
    assert.deepEqual(await tensor([300, -5, 7.9]).to("uint8").array(), [255, 0, 7]);
    assert.deepEqual(await tensor([0, 0.5]).to("bool").array(), [0, 1]);
    assert.deepEqual(await tensor([3, 200], { dtype: "uint8" }).to("float32").mul(0.5).array(), [1.5, 100]);
  });

  it("says what it is before and after", async () => {
    const y = tensor([
      [1, 2],
      [3, 4],
    ]).mul(2);
    assert.match(String(y), /2×2 float32 \(not read yet: await t\.array\(\)/);
    await y.array();
    assert.equal(String(y), "Tensor 2×2 float32\n[[2., 4.],\n [6., 8.]]");
    assert.throws(() => Number(y), /used as a number/);
    assert.throws(() => `${y.sum().item()}`, /await t\.item\(\)/);
    assert.throws(() => y.item(), /one element/);
  });

  it("of empty tensors gives nothing", async () => {
    assert.deepEqual(await zeros([0, 3]).add(1).array(), []);
    assert.deepEqual(await zeros([0, 3]).sum(0).array(), [0, 0, 0]);
  });

  it("is refused after dispose()", async () => {
    const x = tensor([1]).mul(2);
    await evaluate(x);
    x.dispose();
    assert.throws(() => x.add(1), /after it had been disposed/);
  });

  it("complains about promises in place of tensors", () => {
    const promise = Promise.resolve(tensor([1]));
    // @ts-expect-error: the types forbid it too
    assert.throws(() => add(promise, 1), /got a promise.*await/);
  });
});
