/** Pooling that a convolution does strip by strip has the results of one that comes after it, bit for bit. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  add,
  avgPool2d,
  compile,
  conv2d,
  type Device,
  grad,
  manualSeed,
  maxPool2d,
  mul,
  normal,
  relu,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { kernelDevices, useDevice } from "../support/devices.js";

interface Case {
  readonly what: string;
  readonly input: readonly [batch: number, channels: number, height: number, width: number];
  readonly targets: number;
  readonly groups?: number;
  /** What is done to the convolution's result before it is pooled. Default: a bias and ReLU. */
  readonly between?: (y: Tensor) => Tensor;
  readonly pool?: (y: Tensor) => Tensor;
  /** Pooling steps that are left. Default: none. */
  readonly steps?: number;
}

const halve = (y: Tensor) => maxPool2d(y, 2) as Tensor;

const cases: readonly Case[] = [
  { what: "tiles that fit", input: [1, 64, 28, 28], targets: 64 },
  { what: "several pictures, and rows and columns that are left over", input: [3, 32, 18, 30], targets: 48 },
  { what: "odd sizes", input: [2, 32, 17, 9], targets: 64 },
  { what: "more target channels than one thread takes at once", input: [1, 64, 56, 12], targets: 256 },
  { what: "groups", input: [2, 128, 20, 24], targets: 128, groups: 2 },
  { what: "nothing between", input: [1, 64, 28, 28], targets: 64, between: (y) => y },
  {
    what: "factors that turn the order round",
    input: [2, 64, 14, 14],
    targets: 64,
    between: (y) => mul(y, -2) as Tensor,
  },
  { what: "a sum with what came in", input: [2, 64, 16, 16], targets: 64, between: (y) => relu(y) as Tensor },
  {
    what: "the incomplete windows too",
    input: [1, 64, 15, 14],
    targets: 64,
    pool: (y) => maxPool2d(y, 2, { ceilMode: true }) as Tensor,
    steps: 1,
  },
  {
    what: "windows that overlap",
    input: [1, 64, 16, 16],
    targets: 64,
    pool: (y) => maxPool2d(y, 3, { stride: 2 }) as Tensor,
    steps: 1,
  },
];

const poolingSteps = (explained: string) => explained.match(/ pool[A-Za-z]* /g)?.length ?? 0;

/** A network around the pooling: with `isWanted`, what is pooled is a result too. */
function networks({ input, targets, groups = 1, between = (y) => relu(y) as Tensor, pool = halve }: Case) {
  manualSeed(7);
  const channels = input[1];
  const x = normal([...input]);
  const first = normal([channels, channels, 3, 3], 0, 0.1);
  const weight = normal([targets, channels / groups, 3, 3], 0, 0.1);
  const bias = normal([targets]);
  const last = normal([64, targets, 3, 3], 0, 0.1);
  const run = (isWanted: boolean) =>
    compile((x: Tensor) => {
      const source = relu(conv2d(x, first, null, { padding: 1 })) as Tensor;
      const y = between(conv2d(source, weight, bias, { padding: 1, groups }) as Tensor);
      const pooled = conv2d(pool(y), last, null, { padding: 1 }) as Tensor;
      return { pooled, whole: isWanted ? y : pooled };
    });
  return { x, fused: run(false), apart: run(true) };
}

function check(device: Device): void {
  for (const each of cases) {
    it(each.what, async () => {
      useDevice(device);
      const { x, fused, apart } = networks(each);
      const [own, expected] = [(await fused(x)).pooled, (await apart(x)).pooled];
      assert.deepEqual(await own.data(), await expected.data());
      assert.equal(poolingSteps(fused.explain()), each.steps ?? 0);
      assert.equal(poolingSteps(apart.explain()), 1);
    });
  }

  it("averages come after it", async () => {
    useDevice(device);
    const { x, fused } = networks({
      what: "",
      input: [1, 64, 16, 16],
      targets: 64,
      pool: (y) => avgPool2d(y, 2) as Tensor,
    });
    await (await fused(x)).pooled.data();
    assert.equal(poolingSteps(fused.explain()), 1);
  });

  it("not a number where the convolution's result is none", async () => {
    useDevice(device);
    const { x, fused, apart } = networks({ what: "", input: [1, 32, 12, 12], targets: 32, between: (y) => y });
    const values = await x.data();
    values[40] = Number.NaN;
    values[900] = Number.POSITIVE_INFINITY;
    const input = tensor(values, x.shape);
    assert.deepEqual(await (await fused(input)).pooled.data(), await (await apart(input)).pooled.data());
  });

  it("steps of training, which want the larger picture too", async () => {
    useDevice(device);
    const { x } = networks(cases[0]);
    const weight = normal([64, 64, 3, 3], 0, 0.1);
    const step = (pool: (y: Tensor) => Tensor) =>
      compile((x: Tensor) => {
        const source = relu(conv2d(x, weight, null, { padding: 1 })) as Tensor;
        const loss = sum(
          conv2d(pool(relu(conv2d(source, weight, null, { padding: 1 })) as Tensor), weight, null),
        ) as Tensor;
        return grad(loss, [weight])[0];
      });
    const whole = (y: Tensor) => maxPool2d(add(y, 0) as Tensor, 2) as Tensor;
    assert.deepEqual(await (await step(halve)(x)).data(), await (await step(whole)(x)).data());
  });
}

describe("pooling after a convolution", () => {
  for (const { name, device, reason } of kernelDevices) {
    describe(`on ${name}`, { skip: reason }, () => {
      if (device !== undefined) check(device);
    });
  }
});
