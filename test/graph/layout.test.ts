/**
 * Images that lie in memory with the channels of a pixel side by side: random networks of everything that may or may not
 * keep them so must give what the reference gives, which knows one layout only.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { sizeOf } from "../../src/core/shape.js";
import {
  add,
  avgPool2d,
  compile,
  concat,
  conv2d,
  convTranspose2d,
  flatten,
  manualSeed,
  maxPool2d,
  models,
  mul,
  normal,
  relu,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { Draw } from "../support/configurations/draw.js";
import { delayed, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { assertClose, seed } from "../support/numbers.js";

const networks = delayed ? 4 : 40;

/** A network that the numbers of `draw` determine, on the default device: its outputs, and a gradient now and then. */
function buildNetwork(draw: Draw): () => Tensor[] {
  const random = (shape: number[], scale: number): Tensor =>
    tensor(Float32Array.from({ length: sizeOf(shape) }, () => draw.normal(0, scale))).reshape(shape);
  const channels = () => draw.pick([4, 8, 16, 24, 32, 48]);
  const steps: ((values: Tensor[]) => Tensor)[] = [];
  const input = random([draw.between(1, 2), draw.pick([3, 8, 16]), draw.between(5, 14), draw.between(5, 14)], 1);
  const shapes: (readonly number[])[] = [input.shape];
  const same = (shape: readonly number[]) => shapes.flatMap((each, i) => (String(each) === String(shape) ? [i] : []));
  for (let i = 0; i < 9; i++) {
    const at = draw.oneIn(4) ? draw.integer(shapes.length) : shapes.length - 1;
    const [batch, from, height, width] = shapes[at];
    const kind = i === 0 ? 0 : draw.integer(10);
    if (kind <= 3 || height < 3 || width < 3) {
      const groups = from % 16 === 0 && draw.oneIn(5) ? 2 : 1;
      const kernel =
        height < 3 || width < 3
          ? [1, 1]
          : draw.pick([
              [1, 1],
              [3, 3],
              [3, 3],
              [5, 3],
              [5, 5],
              [1, 3],
            ]);
      const padding: [number, number] = draw.oneIn(3) ? [0, 0] : [kernel[0] >> 1, kernel[1] >> 1];
      const stride = draw.oneIn(4) ? 2 : 1;
      const into = channels();
      const weight = random([into, from / groups, ...kernel], 1 / Math.sqrt((from / groups) * sizeOf(kernel)));
      const [bias, scale] = [random([into], 1), random([into, 1, 1], 1)];
      const residual = draw.oneIn(2);
      const fits = height + 2 * padding[0] >= kernel[0] && width + 2 * padding[1] >= kernel[1];
      if (!fits) continue;
      const apply = (values: Tensor[]): Tensor => {
        const y = conv2d(values[at], weight, bias, { padding, stride, groups });
        const others = same(y.shape).filter((j) => j < values.length);
        const scaled = relu(mul(y, scale));
        return residual && others.length > 0 ? add(scaled, values[others[0]]) : scaled;
      };
      steps.push(apply);
      const size = (length: number, axis: number) =>
        Math.floor((length + 2 * padding[axis] - kernel[axis]) / stride) + 1;
      shapes.push([batch, into, size(height, 0), size(width, 1)]);
    } else if (kind === 4) {
      const weight = random([from, from, 2, 2], 1 / Math.sqrt(from));
      steps.push((values) => convTranspose2d(values[at], weight, null, { stride: 2 }));
      shapes.push([batch, from, height * 2, width * 2]);
    } else if (kind <= 6) {
      const pool = draw.oneIn(2) ? maxPool2d : avgPool2d;
      const padding = draw.integer(2);
      steps.push((values) => pool(values[at], 3, { stride: 2, padding }));
      const size = (length: number) => Math.floor((length + 2 * padding - 3) / 2) + 1;
      shapes.push([batch, from, size(height), size(width)]);
    } else if (kind === 7) {
      const parts = shapes.flatMap(([, , h, w], j) => (h === height && w === width ? [j] : []));
      steps.push((values) =>
        concat(
          parts.map((part) => values[part]),
          1,
        ),
      );
      shapes.push([batch, parts.reduce((sum, part) => sum + shapes[part][1], 0), height, width]);
    } else if (kind === 8) {
      const factor = random(
        draw.pick([[1, from, 1, 1], [height, width], [1], [from, height, width], [batch, 1, height, 1]]),
        1,
      );
      steps.push((values) => add(mul(values[at], factor), values[at]));
      shapes.push(shapes[at]);
    } else {
      // A mean of each plane, and what it says of every pixel.
      steps.push((values) => mul(values[at], add(avgPool2d(values[at], [height, width]), 1)));
      shapes.push(shapes[at]);
    }
  }
  const outputs = [shapes.length - 1, draw.integer(shapes.length)];
  return () => {
    const values = [input];
    for (const step of steps) values.push(step(values));
    return [flatten(values[outputs[0]]), values[outputs[1]]];
  };
}

async function run(device: Device, from: number, number: number): Promise<Float32Array[]> {
  useDevice(device);
  const network = buildNetwork(new Draw(from, number));
  const compiled = compile(network);
  return Promise.all((await compiled()).map((output) => output.data()));
}

for (const { name, device, reason } of kernelDevices) {
  describe(`memory layouts on ${name}`, { skip: reason }, () => {
    for (const from of [7, seed]) {
      it(`do not change what ${networks} random networks of seed ${from} give`, async () => {
        if (device === undefined) return;
        for (let number = 0; number < networks; number++) {
          const expected = await run(referenceDevice, from, number);
          const found = await run(device, from, number);
          for (const [i, each] of found.entries())
            assertClose(each, expected[i], 3e-5, `output ${i} of network ${number}`);
        }
      });
    }

    it("keep the channels of a pixel together from the first convolution of ResNet-18 to the last", async () => {
      if (device === undefined) return;
      useDevice(device);
      manualSeed(1);
      const network = models.create("resnet18", { numClasses: 10 });
      network.eval();
      const predict = compile((x: Tensor) => network.forward(x));
      await (await predict(normal([1, 3, 64, 64]))).data();
      const lines = predict
        .explain()
        .split("\n")
        .filter((line) => /conv2d/.test(line));
      assert.equal(lines.length, 20);
      assert.equal(lines.filter((line) => /channels last/.test(line)).length, 20, lines.join("\n"));
    });
  });
}
