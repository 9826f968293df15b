/** The algorithms of convolutions: each against the definition, tables of them, and what is no table. */

import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { benchmark } from "../../src/analysis/index.js";
import { measuredTables } from "../../src/backends/cpu/algorithms/index.js";
import { shapesIn } from "../../src/backends/cpu/algorithms.js";
import {
  algorithmsOf,
  type ConvolutionCase,
  caseOf,
  convolutionOps,
  nameOf,
} from "../../src/backends/cpu/kernels/convolutionCase.js";
import { machineOf, variants } from "../../src/backends/cpu/machines.js";
import {
  type AlgorithmTables,
  ArgumentError,
  compile,
  conv2d,
  grad,
  nn,
  setAlgorithms,
  setPrecision,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";

afterEach(() => setAlgorithms(null));

function noise(size: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function filled(shape: readonly number[], seed: number): Tensor {
  return tensor(noise(product(shape), seed), [...shape]);
}

/** A convolution and its gradients, in the order of `convolutionOps`. */
async function convolve({ sizes, params }: ConvolutionCase): Promise<Float32Array[]> {
  const { batch, channels, outputs, input, kernel } = sizes;
  const { groups, stride, dilation, padding } = params;
  const x = filled([batch, channels, ...input], 1);
  const weight = filled([outputs, channels / groups, ...kernel], 2);
  const y = conv2d(x, weight, null, { groups, stride, dilation, padding });
  const results = [y, ...grad(y, [x, weight], { upstream: filled(y.shape, 3) })];
  return Promise.all(results.map((result) => result.data()));
}

/** As tables name them, without the op. */
const cases = [
  ["batch 2 3x3 padding 1", "33x9x11>40"],
  ["batch 1 3x3", "16x14x5>70"],
  ["batch 3 3x3 padding 1x0x2x1 groups 2", "64x6x7>34"],
  ["batch 2 5x5 padding 2", "20x11>9"],
  ["batch 1 5x3 padding 4x0", "3x8x9>33"],
  ["batch 2 3x3 stride 2 padding 1", "17x13>19"],
  ["batch 1 4x2 stride 2x1 dilation 1x3", "5x11x16>18"],
  ["batch 2 1x1", "19x7>33"],
  ["batch 2 3x3 padding 1 groups 6", "6x10>12"],
] as const;

for (const { name, device, reason } of kernelDevices) {
  describe(`algorithms on ${name}`, { skip: reason }, () => {
    for (const [settings, shape] of cases) {
      it(`each computes ${shape}, ${settings}`, async () => {
        if (device === undefined) return;
        const variant = variants.find((each) => each === device.variant);
        assert.ok(variant);
        const found = convolutionOps.map((op) => caseOf({ group: `${op} ${settings}`, shape }));
        assert.ok(found[0]);
        useDevice(referenceDevice);
        const expected = await convolve(found[0]);
        useDevice(device);
        for (const [i, given] of found.entries()) {
          assert.ok(given);
          const { group } = nameOf(given);
          for (const algorithm of algorithmsOf(given, machineOf(variant, 1))) {
            setAlgorithms({ [variant]: { [group]: { [algorithm]: shape } } });
            const values = (await convolve(given))[i];
            const most = expected[i].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
            const error = expected[i].reduce((worst, value, at) => Math.max(worst, Math.abs(value - values[at])), 0);
            assert.ok(error < 1e-5 * most, `${group} by ${algorithm} is off by ${error} of ${most}`);
          }
        }
      });
    }

    it("a table takes effect in programs compiled before, and is said to have", async () => {
      if (device === undefined) return;
      useDevice(device);
      const step = compile((x: Tensor, weight: Tensor) => conv2d(x, weight, null, { padding: 1 }));
      const inputs = [filled([1, 32, 8, 8], 1), filled([32, 32, 3, 3], 2)] as const;
      const usual = await (await step(...inputs)).data();
      const layer = new nn.Conv2d(32, 32, 3, { padding: 1 });
      const chosen = async () => (await benchmark(layer, [1, 32, 8, 8], { rounds: 1 })).work[0].chosen;
      assert.match(step.explain(), /\bwinograd\b/);
      setAlgorithms({ [device.variant]: { "conv2d batch 1 3x3 padding 1": { "direct-pixels": "32x8>32" } } });
      assert.notDeepEqual(await (await step(...inputs)).data(), usual);
      assert.doesNotMatch(step.explain(), /winograd/);
      assert.deepEqual(await chosen(), { algorithm: "direct-pixels", by: "own table" });
      setAlgorithms({ [device.variant]: {} });
      assert.equal((await chosen())?.by, "model");
      setAlgorithms(null);
      assert.deepEqual(await (await step(...inputs)).data(), usual);
    });

    it("a table with Winograd's algorithm leaves exact results as they are", async () => {
      if (device === undefined) return;
      useDevice(device);
      const apply = () => conv2d(filled([1, 32, 8, 8], 1), filled([32, 32, 3, 3], 2), null, { padding: 1 }).data();
      try {
        setPrecision("exact");
        const exact = await apply();
        setAlgorithms({ [device.variant]: { "conv2d batch 1 3x3 padding 1": { "winograd-2x2": "32x8>32" } } });
        assert.deepEqual(await apply(), exact);
        setPrecision("fast");
        assert.notDeepEqual(await apply(), exact);
      } finally {
        setPrecision("fast");
      }
    });
  });
}

describe("the project's tables", () => {
  it("name every convolution once, and algorithms that can compute it", () => {
    for (const variant of ["native-avx2", "wasm-simd", "wasm-relaxed"] as const) assert.ok(measuredTables[variant]);
    setAlgorithms(measuredTables);
  });

  it("name them as lowerings do", () => {
    for (const table of Object.values(measuredTables)) {
      for (const [group, byAlgorithm] of Object.entries(table)) {
        for (const shape of Object.values(byAlgorithm).flatMap(shapesIn)) {
          const given = caseOf({ group, shape });
          assert.deepEqual(given && nameOf(given), { group, shape });
        }
      }
    }
  });
});

describe("setAlgorithms", () => {
  const group = "conv2d batch 1 3x3 padding 1";
  const table = (byAlgorithm: Record<string, unknown>, name = group) => ({ "native-avx2": { [name]: byAlgorithm } });
  const refused: readonly (readonly [unknown, RegExp])[] = [
    ["winograd", /the tables are a string\. Expected \{"native-avx2"/],
    [{ avx2: {} }, /there are no kernels named "avx2"\. Expected native-avx512, native-avx2/],
    [{ "native-avx2": [] }, /native-avx2 is an array\. Expected a table/],
    [{ "native-avx2": { [group]: "64x56>64" } }, /"conv2d batch 1 3x3 padding 1" is a string/],
    [
      table({ winograd: "64x56>64" }),
      /there is no algorithm "winograd"\. Expected winograd-4x4, winograd-3x3, winograd-2x2/,
    ],
    [table({ "winograd-4x4": ["64x56>64"] }), /winograd-4x4 is an array\. Expected a text such as/],
    [table({ "winograd-4x4": "64x56" }), /"64x56" is no such convolution\. Expected a group such as/],
    [table({ "winograd-4x4": "64x56x56>64" }), /"64x56x56>64" is no such convolution/],
    [table({ "winograd-4x4": "64x0>64" }), /"64x0>64" is no such convolution/],
    [table({ "direct-channels": "64x56>64" }, "conv3d batch 1 3x3"), /conv3d batch 1 3x3: "64x56>64" is no such/],
    [table({ "direct-channels": "3x2>4" }, "conv2d batch 1 7x7"), /"3x2>4" is no such convolution/],
    [table({ "direct-channels": "3x9>4" }, "conv2d batch 1 3x3 groups 2"), /"3x9>4" is no such convolution/],
    [table({ "direct-channels": "3x9>4" }, "conv2d batch 1 3x3 stride 1"), /"3x9>4" is no such convolution/],
    [
      table({ "winograd-4x4": "8x9>8", "direct-pixels": "8x9>8" }),
      /cannot compute 8x9>8\. Expected direct-channels or/,
    ],
    [table({ "winograd-4x4": "64x9>64", "winograd-2x2": "64x9>64" }), /64x9>64 is there twice\. Fix: name one/],
    [table({ "direct-channels": "64x9>64" }, "conv2d batch 1 9x9"), /Expected no entry: it is a matrix product/],
    [table({ "direct-pixels": "64x9>64" }, "conv2d batch 1 last 3x3"), /direct-pixels cannot compute 64x9>64/],
  ];
  for (const [tables, message] of refused) {
    it(`refuses ${JSON.stringify(tables)}`, () => {
      assert.throws(
        () => setAlgorithms(tables as AlgorithmTables),
        (error) => error instanceof ArgumentError && message.test(error.message),
      );
    });
  }
});
