/**
 * Steps of training whose images lie in memory with the channels of a pixel side by side: losses and gradients of random networks
 * must be those of the reference, which knows one layout only.
 */

import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { algorithmsOf, caseOf, nameOf } from "../../src/backends/cpu/kernels/convolutionCase.js";
import { machineOf, variants } from "../../src/backends/cpu/machines.js";
import { sizeOf } from "../../src/core/shape.js";
import {
  add,
  avgPool2d,
  compile,
  concat,
  conv2d,
  crossEntropy,
  flatten,
  globalAvgPool,
  globalMaxPool,
  grad,
  manualSeed,
  maxPool2d,
  mul,
  nn,
  relu,
  SGD,
  setAlgorithms,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { Draw } from "../support/configurations/draw.js";
import { delayed, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { assertClose } from "../support/numbers.js";

afterEach(() => setAlgorithms(null));

const networks = delayed ? 3 : 9;

/**
 * A loss and its gradients, by a network that the numbers of `draw` determine, on the default device. `times` as many channels
 * where vectors are as much longer: only whole ones lie side by side.
 */
function buildStep(draw: Draw, times: number): () => Tensor[] {
  const random = (shape: readonly number[], scale: number): Tensor =>
    tensor(Float32Array.from({ length: sizeOf(shape) }, () => draw.normal(0, scale))).reshape(shape);
  const input = random(
    [draw.between(1, 2), draw.pick([3, 8 * times, 16 * times]), draw.between(5, 11), draw.between(5, 11)],
    1,
  );
  const targets: Tensor[] = [input];
  const layers: ((x: Tensor) => Tensor)[] = [];
  let shape: readonly number[] = input.shape;
  const size = (length: number, kernel: number, stride: number, padding: number) =>
    Math.floor((length + 2 * padding - kernel) / stride) + 1;
  for (let i = 0; i < 4; i++) {
    const [batch, from, height, width] = shape;
    const small = Math.min(height, width);
    const kernel = draw.pick([1, 3, 3, 3, 5].filter((each) => each <= small));
    const stride = small > 3 && draw.oneIn(3) ? 2 : 1;
    const padding = draw.oneIn(4) ? 0 : kernel >> 1;
    const groups = from % (16 * times) === 0 && draw.oneIn(5) ? 2 : 1;
    const into = draw.pick([8 * times, 16 * times, 16 * times, 24 * times, 32 * times, 6]);
    const weight = random([into, from / groups, kernel, kernel], 1 / Math.sqrt((from / groups) * kernel * kernel));
    const bias = random([into], 0.5);
    shape = [batch, into, size(height, kernel, stride, padding), size(width, kernel, stride, padding)];
    const residual = draw.oneIn(3) && String(shape) === String([batch, from, height, width]);
    const normalization = new nn.BatchNorm2d(into);
    const normalized = draw.oneIn(2) && sizeOf(shape) > into;
    // Normalizing takes away what a bias adds.
    targets.push(weight, ...(normalized ? [] : [bias]));
    layers.push((x) => {
      const y = conv2d(x, weight, bias, { stride, padding, groups });
      const scaled = normalized ? normalization.forward(y) : y;
      return relu(residual ? add(scaled, x) : scaled);
    });
    const pooling = draw.integer(7);
    const [, , rows, columns] = shape;
    if (pooling <= 3 && Math.min(rows, columns) >= 3) {
      const [window, step, border] = draw.pick([
        [2, 2, 0],
        [2, 2, 0],
        [3, 2, 1],
        [3, 1, 1],
        [2, 1, 0],
      ]);
      const pool = pooling <= 1 ? maxPool2d : avgPool2d;
      layers.push((x) => pool(x, window, { stride: step, padding: border }));
      shape = [batch, into, size(rows, window, step, border), size(columns, window, step, border)];
    } else if (pooling === 4) {
      layers.push((x) => concat([x, mul(x, 0.5)], 1));
      shape = [batch, 2 * into, rows, columns];
    } else if (pooling === 5) {
      const factor = random(
        draw.pick([
          [into, 1, 1],
          [rows, columns],
        ]),
        1,
      );
      targets.push(factor);
      layers.push((x) => mul(x, factor));
    }
  }
  const reduce = draw.pick([globalAvgPool, globalMaxPool, (x: Tensor) => flatten(x), (x: Tensor) => sum(x, [1])]);
  return () => {
    const y = reduce(layers.reduce((x, layer) => layer(x), input));
    const loss = sum(mul(y, sub(y, 0.3))) as Tensor;
    return [loss, ...grad(loss, targets)];
  };
}

async function run(device: Device, build: () => () => Tensor[]): Promise<{ results: Float32Array[]; text: string }> {
  useDevice(device);
  const step = compile(build());
  const results = await Promise.all((await step()).map((output) => output.data()));
  return { results, text: step.explain() };
}

/** Convolutions as tables of algorithms name them, without the op: of whole vectors of channels. */
const cases = [
  ["batch 2 3x3 padding 1", "32x6x9>48"],
  ["batch 3 3x3 padding 1x0x2x1 groups 2", "64x5x6>32"],
  // Neighbours so far apart that tiles are copied.
  ["batch 1 3x3 padding 1", "256x10>16"],
  ["batch 2 5x5 padding 2", "16x7>32"],
  ["batch 2 3x3 stride 2 padding 1", "32x9>16"],
  ["batch 1 4x2 stride 2x1 dilation 1x3", "16x7x12>32"],
  ["batch 2 1x1", "32x7>48"],
  ["batch 2 1x1 stride 2", "32x7>48"],
] as const;

/** The gradients of three convolutions one after another, of which the one in the middle is the case. */
function buildChain(settings: string, shape: string): () => Tensor[] {
  const given = caseOf({ group: `conv2d ${settings}`, shape });
  assert.ok(given);
  const { batch, channels, outputs, input, output, kernel } = given.sizes;
  const draw = new Draw(4, 1);
  const random = (...lengths: number[]): Tensor =>
    tensor(Float32Array.from({ length: sizeOf(lengths) }, () => draw.normal(0, 1))).reshape(lengths);
  const x = random(batch, 16, ...input);
  const weights = [
    random(channels, 16, 1, 1),
    random(outputs, channels / given.params.groups, ...kernel),
    random(16, outputs, 1, 1),
  ];
  const upstream = random(batch, 16, ...output);
  return () => {
    const [before, own, after] = weights;
    const y = conv2d(conv2d(conv2d(x, before), own, null, given.params), after);
    return grad(sum(mul(y, upstream)), weights);
  };
}

/** What the reference gives: the same for all devices. */
const references = new Map<string, Promise<Float32Array[]>>();

async function expected(name: string, build: () => () => Tensor[]): Promise<Float32Array[]> {
  const known = references.get(name) ?? run(referenceDevice, build).then(({ results }) => results);
  references.set(name, known);
  return known;
}

for (const { name, device, reason } of kernelDevices) {
  describe(`memory layouts of training on ${name}`, { skip: reason }, () => {
    it(`do not change the losses and gradients of ${networks} random networks`, async () => {
      if (device === undefined) return;
      const kernels = new Set<string>();
      const variant = variants.find((each) => each === device.variant);
      const times = variant !== undefined && machineOf(variant, 1).vectorWidth > 8 ? 2 : 1;
      for (let number = 0; number < networks; number++) {
        const build = () => buildStep(new Draw(3, number), times);
        const reference = await expected(`network ${number} of ${times}`, build);
        const found = await run(device, build);
        for (const [i, each] of found.results.entries())
          assertClose(each, reference[i], 1e-3, `result ${i} of network ${number}`);
        for (const line of found.text.split("\n")) if (/channels last/.test(line)) kernels.add(line.split(/\s+/)[1]);
      }
      for (const kernel of ["convolution", "poolLast", "scatterPlaneLast", "averagePoolGradientLast"])
        assert.ok(delayed || kernels.has(kernel), `${kernel} has come up: ${[...kernels].join(" ")}`);
    });

    for (const [settings, shape] of cases) {
      it(`let each algorithm give the gradient of weights: ${shape}, ${settings}`, async () => {
        const variant = variants.find((each) => each === device?.variant);
        const given = caseOf({ group: `conv2dWeightGradient ${settings}`, shape });
        assert.ok(device !== undefined && variant !== undefined && given !== undefined);
        const build = () => buildChain(settings, shape);
        const reference = await expected(`${settings} ${shape}`, build);
        const { group } = nameOf(given);
        for (const algorithm of algorithmsOf(given, machineOf(variant, 1))) {
          setAlgorithms({ [variant]: { [group]: { [algorithm]: shape } } });
          const found = await run(device, build);
          for (const [i, each] of found.results.entries())
            assertClose(each, reference[i], 2e-5, `gradient ${i} by ${algorithm}`);
          const maps = found.text.split("\n").filter((line) => /conv2d .*channels last/.test(line));
          assert.ok(maps.length >= 2, found.text);
        }
      });
    }

    it("let winners of pooling be what they are where there are no numbers to compare", async () => {
      if (device === undefined) return;
      const build = (options: { stride: number; padding: number; window: number }) => () => {
        const draw = new Draw(5, 1);
        const random = (shape: readonly number[], scale: number): Tensor =>
          tensor(Float32Array.from({ length: sizeOf(shape) }, () => draw.normal(0, scale))).reshape(shape);
        const [x, before, others] = [random([2, 8, 7, 9], 1), random([16, 8, 3, 3], 0.1), random([16, 8, 3, 3], 0.1)];
        const spoilt = new Float32Array(7 * 9);
        for (const at of [0, 1, 9, 10, 11, 12, 20, 21]) spoilt[at] = Number.NEGATIVE_INFINITY;
        for (const at of [4, 5, 30, 62]) spoilt[at] = Number.NaN;
        const places = tensor(spoilt).reshape([7, 9]);
        return () => {
          const maps = add(conv2d(x, before, null, { padding: 1 }), places) as Tensor;
          const { window, ...rest } = options;
          const pooled = maxPool2d(maps, window, rest);
          // Where gradients go is what counts: these are numbers, unlike what pooling gives.
          const upstream = avgPool2d(conv2d(x, others, null, { padding: 1 }), window, rest);
          return grad(sum(mul(pooled, upstream)), [before]);
        };
      };
      for (const options of [
        { window: 2, stride: 2, padding: 0 },
        { window: 3, stride: 2, padding: 1 },
        { window: 3, stride: 2, padding: 0 },
        { window: 4, stride: 3, padding: 1 },
        { window: 3, stride: 1, padding: 1 },
      ]) {
        const [reference, found] = [await run(referenceDevice, build(options)), await run(device, build(options))];
        assertClose(found.results[0], reference.results[0], 2e-5, "the gradient of the weights before pooling");
        assert.match(found.text, /scatterPlaneLast/);
      }
    });

    it("keep the channels of a pixel together throughout a step of a network that normalizes and pools", async () => {
      if (device === undefined) return;
      useDevice(device);
      manualSeed(1);
      const unit = (from: number, into: number) => [
        new nn.Conv2d(from, into, 3, { padding: 1 }),
        new nn.BatchNorm2d(into),
        new nn.ReLU(),
      ];
      const network = new nn.Sequential(
        ...unit(3, 16),
        new nn.MaxPool2d(2),
        ...unit(16, 32),
        new nn.AvgPool2d(2),
        ...unit(32, 32),
        new nn.GlobalAvgPool(),
        new nn.Linear(32, 4),
      );
      const optimizer = new SGD(network.parameters(), { lr: 0.1 });
      const step = compile((x: Tensor, labels: Tensor<readonly number[], "int32">) => {
        const loss = crossEntropy(network.forward(x), labels);
        loss.backward();
        optimizer.step();
        return loss;
      });
      const x = tensor(Float32Array.from({ length: 4 * 3 * 16 * 16 }, (_, i) => Math.sin(i))).reshape([4, 3, 16, 16]);
      await (await step(x, tensor(Int32Array.of(0, 1, 2, 3)))).item();
      const images = step
        .explain()
        .split("\n")
        .filter((line) => /conv2d(InputGradient)?[+ ]|[pP]ool2d|scatterPlane/.test(line));
      assert.ok(images.length >= 10, images.join("\n"));
      for (const line of images) assert.match(line, /channels last|weights/i);
    });
  });
}
