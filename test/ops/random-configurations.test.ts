/**
 * Every op with random sizes and settings on every device with kernels, against its definition: results and gradients. Half
 * of the settings are the same in each run, half are new; FOVEA_TEST_SEED repeats those.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { ExactGraph } from "../../src/check/exact.js";
import { RandomStream } from "../../src/core/philox.js";
import { formatShape } from "../../src/core/shape.js";
import { withTrace } from "../../src/graph/context.js";
import { evaluateTensors } from "../../src/graph/lazy.js";
import { type Operation, recordCall } from "../../src/graph/op.js";
import type { AnyTensor, Tensor } from "../../src/graph/tensor.js";
import { tensorOver } from "../../src/ops/create.js";
import { mul } from "../../src/ops/elementwise/arithmetic.js";
import { grad } from "../../src/ops/gradient.js";
import { sum } from "../../src/ops/reduce/sum.js";
import { type Configuration, configurationsPerSeed, Draw, randomOperations } from "../support/configurations/index.js";
import { delayed, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { assertClose, randomInput, seed } from "../support/numbers.js";

/** Of results, and of gradients of a weighted sum of them, as a share of the largest. */
const tolerance = 1e-5;

const fixedSeed = 1998;

/** With delays all that counts is that they are awaited. */
const perSeed = delayed ? 5 : configurationsPerSeed;

interface Case extends Configuration {
  readonly title: string;
  readonly traits: ReadonlySet<string>;
  /** Seed and number of its values. */
  readonly values: readonly [seed: number, number: number];
}

function casesOf(op: Operation, draw: (draw: Draw) => Configuration): Case[] {
  return [fixedSeed, seed].flatMap((from) =>
    Array.from({ length: perSeed }, (_, number): Case => {
      const drawn = new Draw(from, number, op.id);
      const { inputs, params } = draw(drawn);
      const shapes = Object.entries(inputs).map(([name, { shape, dtype }]) => `${name} ${formatShape(shape)} ${dtype}`);
      const title = `${op.name} of ${shapes.join(", ")}, ${JSON.stringify(params)}`;
      return { inputs, params, title, traits: drawn.traits, values: [from, number] };
    }),
  );
}

/** The result, and the gradients where there are some. */
function record(op: Operation, { inputs, params, values: [from, number] }: Case): AnyTensor[] {
  const random = new RandomStream(from, number, 7);
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => {
      const { data, shape, dtype } = randomInput(input, random);
      return [name, tensorOver(data, shape, dtype) as AnyTensor] as const;
    }),
  );
  const result = recordCall(op, tensors, params);
  if (typeof op.gradient !== "function" || result.dtype !== "float32") return [result];
  const weights = tensorOver(
    Float32Array.from({ length: result.size }, () => random.uniform(-1, 1)),
    result.shape,
    "float32",
  );
  const targets = Object.values(tensors).filter((tensor): tensor is Tensor => tensor.dtype === "float32");
  return [result, ...grad(sum(mul(result as Tensor, weights) as Tensor), targets, { allowUnused: true })];
}

/** All cases in one program, as ops meet one another in a network. */
function compute(device: Device, op: Operation, cases: readonly Case[]) {
  useDevice(device);
  const recorded = cases.map((each) => record(op, each));
  evaluateTensors(recorded.flat());
  return Promise.all(recorded.map((tensors) => Promise.all(tensors.map((tensor) => tensor.data()))));
}

/** The same by the definitions, in float64. */
async function define(op: Operation, cases: readonly Case[]) {
  useDevice(referenceDevice);
  const trace = { states: new Map(), guards: [], gradients: new Set<never>() };
  const recorded = withTrace(trace, () => cases.map((each) => record(op, each)));
  const graph = await ExactGraph.compute(recorded.flat(), new Map());
  return recorded.map((tensors) => tensors.map((tensor) => graph.valueOf(tensor)));
}

function coverage(cases: readonly Case[]): string {
  const counts = new Map<string, number>();
  for (const { traits } of cases) for (const trait of traits) counts.set(trait, (counts.get(trait) ?? 0) + 1);
  const list = [...counts].sort(([, a], [, b]) => b - a).map(([trait, count]) => `${trait} ${count}`);
  return `${cases.length} configurations: ${list.join(", ")}`;
}

/** Of the settings that are always the same, some must be of each of these kinds. */
const required: Readonly<Record<string, readonly string[]>> = Object.fromEntries([
  ...["conv2d", "conv2dInputGradient", "conv2dWeightGradient"].map((name) => [
    name,
    [
      ..."empty batch,length 1,odd length,prime length,stride > kernel,asymmetric padding,dilation".split(","),
      ..."dilation with groups,depthwise,kernel 1×1,even kernel,one place,overlap".split(","),
    ],
  ]),
  ...["maxPool2d", "maxPool2dIndices", "averagePool2d", "averagePool2dGradient"].map((name) => [
    name,
    ["empty batch", "stride > kernel", "asymmetric padding", "dilation", "overlap", "ceil"],
  ]),
  ["matmul", ["empty batch", "empty inner", "batch shared", "both transposed", "length 1", "prime length"]],
  ["sum", ["sum of nothing", "empty", "no axes", "all axes", "int32"]],
  ["permute", ["empty", "five axes", "bool", "last axis moved"]],
  ["slice", ["empty", "backwards", "with gaps", "uint8"]],
]);

const definitions = new Map<Operation, ReturnType<typeof define>>();

for (const { name, device, reason } of kernelDevices) {
  describe(`random settings on ${name} (seeds ${fixedSeed} and ${seed})`, { skip: reason }, () => {
    for (const { op, draw } of randomOperations) {
      it(op.name, async (t) => {
        if (device === undefined) return;
        const cases = casesOf(op, draw);
        const expected = definitions.get(op) ?? define(op, cases);
        definitions.set(op, expected);
        const found = await compute(device, op, cases);
        for (const [i, values] of (await expected).entries()) {
          assert.equal(found[i].length, values.length);
          values.forEach((each, part) => {
            const what = part === 0 ? "the result" : `gradient ${part - 1}`;
            // Of sums that happen to be about 0 only the terms, of up to 1, say what an error is.
            assertClose(found[i][part], each, tolerance, `${cases[i].title} (seed ${cases[i].values[0]}): ${what}`, 1);
          });
        }
        t.diagnostic(`${op.name}: ${coverage(cases)}`);
        if (delayed) return;
        const met = new Set(cases.slice(0, perSeed).flatMap(({ traits }) => [...traits]));
        assert.deepEqual(
          (required[op.name] ?? []).filter((trait) => !met.has(trait)),
          [],
          "kinds of settings that the fixed seed does not give",
        );
      });
    }
  });
}
