/**
 * Every op with random sizes and settings on every device with kernels, against its definition: results and gradients. Half
 * of the settings are the same in each run, half are new; FOVEA_TEST_SEED repeats those.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatShape } from "../../src/core/shape.js";
import { type Operation, recordCall } from "../../src/graph/op.js";
import { type Configuration, configurationsPerSeed, Draw, randomOperations } from "../support/configurations/index.js";
import { delayed, kernelDevices } from "../support/devices.js";
import { seed } from "../support/numbers.js";
import {
  assertAgree,
  computeCases,
  coverage,
  defineCases,
  fixedSeed,
  type RandomCase,
  streamOf,
} from "../support/random-cases.js";

/** With delays all that counts is that they are awaited. */
const perSeed = delayed ? 5 : configurationsPerSeed;

function casesOf(op: Operation, draw: (draw: Draw) => Configuration): RandomCase[] {
  return [fixedSeed, seed].flatMap((from) =>
    Array.from({ length: perSeed }, (_, number): RandomCase => {
      const drawn = new Draw(from, number, streamOf(op.name));
      const { inputs, params } = draw(drawn);
      const names = Object.keys(inputs);
      const shapes = Object.entries(inputs).map(([name, { shape, dtype }]) => `${name} ${formatShape(shape)} ${dtype}`);
      return {
        title: `${op.name} of ${shapes.join(", ")}, ${JSON.stringify(params)}`,
        inputs: Object.values(inputs),
        call: (...tensors) => [recordCall(op, Object.fromEntries(names.map((name, i) => [name, tensors[i]])), params)],
        differentiable: typeof op.gradient === "function",
        traits: drawn.traits,
        values: [from, number],
      };
    }),
  );
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
  ["resample", ["empty batch", "length 1", "shorter", "transposed", "nearest", "linear", "mean", "left as it is"]],
  ["adaptiveMaxPool2d", ["empty batch", "more parts than places", "equal values"]],
  ["matmul", ["empty batch", "empty inner", "batch shared", "both transposed", "length 1", "prime length"]],
  ["sum", ["sum of nothing", "empty", "no axes", "all axes", "int32"]],
  ["permute", ["empty", "five axes", "bool", "last axis moved"]],
  ["slice", ["empty", "backwards", "with gaps", "uint8"]],
]);

const definitions = new Map<Operation, ReturnType<typeof defineCases>>();

for (const { name, device, reason } of kernelDevices) {
  describe(`random settings on ${name} (seeds ${fixedSeed} and ${seed})`, { skip: reason }, () => {
    for (const { op, draw } of randomOperations) {
      it(op.name, async (t) => {
        if (device === undefined) return;
        const cases = casesOf(op, draw);
        const expected = definitions.get(op) ?? defineCases(cases);
        definitions.set(op, expected);
        assertAgree(cases, await computeCases(device, cases), await expected);
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
