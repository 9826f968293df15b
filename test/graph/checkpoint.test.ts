/** Pieces that are computed once more on the way back: less memory, the same bits. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  add,
  checkpoint,
  compile,
  crossEntropy,
  DataError,
  grad,
  manualSeed,
  mul,
  nn,
  normal,
  relu,
  SGD,
  type Shape,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
} from "../../src/index.js";
import { anyDevice, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";

/** Bytes of the working memory that a compiled function takes. */
function workingMemory(explanation: string): number {
  const [, size, unit] = /working memory ([\d.]+) (\w+)/.exec(explanation) ?? [];
  return Number(size) * (unit === "MB" ? 1e6 : unit === "KB" ? 1e3 : 1);
}

class Deep extends nn.Module {
  blocks = Array.from(
    { length: 6 },
    (_, i) =>
      new nn.Sequential(
        new nn.Conv2d(i === 0 ? 1 : 4, 4, 3, { padding: 1 }),
        new nn.BatchNorm2d(4),
        new nn.Tanh(),
        new nn.Dropout(0.3),
        new nn.Conv2d(4, 4, 3, { padding: 1 }),
        new nn.GELU(),
      ),
  );
  head = new nn.Linear(4 * 256, 3);

  constructor(readonly again: boolean) {
    super();
  }

  override forward(x: Tensor): Tensor {
    let h = x;
    for (const block of this.blocks) h = this.again ? checkpoint(block, h) : block(h);
    return this.head(h.reshape([-1, 4 * 256]));
  }
}

/** Three steps of training: losses and all states after them, and the working memory. */
async function train(again: boolean, compiled: boolean) {
  manualSeed(9);
  const model = new Deep(again);
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const labels = tensor([0, 1], { dtype: "int32" });
  const run = (x: Tensor) => {
    const loss = crossEntropy(model(x), labels);
    loss.backward();
    void optimizer.step();
    return loss;
  };
  const step = compile(run);
  const x = normal([2, 1, 16, 16]);
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) losses.push(await (compiled ? await step(x) : run(x)).item());
  return { losses, states: await model.stateDict(), bytes: compiled ? workingMemory(step.explain()) : 0 };
}

describe("checkpoint", () => {
  for (const { name, device, reason } of [
    ...kernelDevices,
    { name: "the reference", device: referenceDevice, reason: undefined },
  ]) {
    it(`gives the same losses, weights and statistics to the bit, on ${name}`, { skip: reason }, async () => {
      if (device === undefined) return;
      useDevice(device);
      const kept = await train(false, true);
      const again = await train(true, true);
      const uncompiled = await train(true, false);
      assert.deepEqual(again.losses, kept.losses);
      assert.deepEqual(again.states, kept.states);
      assert.deepEqual(uncompiled.states, kept.states);
      if (device !== referenceDevice) {
        assert.ok(again.bytes < 0.5 * kept.bytes, `${again.bytes} bytes, and without it ${kept.bytes}`);
      }
    });
  }

  it("takes and returns several tensors, of which some may be inputs, and may lie within another", async () => {
    useDevice(anyDevice());
    const [a, b] = [normal([3, 4]), normal([3, 4])];
    const pieces = (x: Tensor, y: Tensor) => {
      const inner = checkpoint((each: Tensor) => tanh(mul(each, each) as Tensor), x);
      return [add(tanh(inner), y) as Tensor, x, relu(y)];
    };
    const total = (parts: readonly Tensor[]) => sum(mul(mul(parts[0], parts[1]), parts[2])) as Tensor;
    const [expected, found] = [total(pieces(a, b)), total(checkpoint(pieces, a, b))];
    assert.equal(await found.item(), await expected.item());
    for (const [i, gradient] of grad(found, [a, b]).entries()) {
      assert.deepEqual(await gradient.data(), await grad(expected, [a, b])[i].data());
    }
  });

  it("changes nothing without gradients", async () => {
    useDevice(anyDevice());
    const x = normal([4, 100]);
    const deep = (h: Tensor) => tanh(tanh(h));
    const [plain, again] = [compile((h: Tensor) => deep(h)), compile((h: Tensor) => checkpoint(deep, h))];
    assert.deepEqual(await (await again(x)).data(), await (await plain(x)).data());
    assert.equal(again.explain(), plain.explain());
  });

  it("refuses an asynchronous function", () => {
    useDevice(anyDevice());
    // @ts-expect-error: the types say so too
    assert.throws(() => checkpoint(async (x: Tensor) => x, normal([4])), /asynchronous function.*Fix:/);
  });

  it("refuses what is no function", () => {
    useDevice(anyDevice());
    // @ts-expect-error: the types say so too
    assert.throws(() => checkpoint("block", normal([4])), /given a string where a module or a function.*Fix:/);
  });

  it("lets what is inside fail as ever", async () => {
    useDevice(anyDevice());
    const indices = tensor([1, 7], { dtype: "int32" });
    const loss = checkpoint((x: Tensor<Shape>) => sum(tanh(take(x, indices))) as Tensor, normal([4]));
    await assert.rejects(loss.item(), DataError);
  });
});
