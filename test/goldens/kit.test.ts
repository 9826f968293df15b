/** The tensor kit, forward and gradient, as PyTorch computes it. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fovea from "../../src/index.js";
import { type AnyTensor, add, grad, mul, sum, Tensor } from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

interface Case {
  readonly name: string;
  readonly inputs: number;
  /** "$0" is the first input, { greater: ["$0", "$1"] } a call. */
  readonly arguments: readonly unknown[];
  readonly results: number;
  /** Which inputs have one; absent where results are no numbers that vary smoothly. */
  readonly gradients?: readonly number[];
}

const golden = new Golden<Case>("kit");
const functions = new Map(Object.entries<unknown>({ ...fovea }));

function call(name: string, values: readonly unknown[]): unknown {
  const found = functions.get(name);
  assert.ok(typeof found === "function", name);
  return Reflect.apply(found, undefined, values);
}

/** What an argument of a case stands for. */
function revive(argument: unknown, inputs: readonly AnyTensor[]): unknown {
  if (typeof argument === "string" && argument.startsWith("$")) return inputs[Number(argument.slice(1))];
  if (Array.isArray(argument)) return argument.map((each) => revive(each, inputs));
  if (typeof argument !== "object" || argument === null) return argument;
  const [[name, values]] = Object.entries<unknown>({ ...argument });
  return functions.has(name) && Array.isArray(values)
    ? call(
        name,
        values.map((each) => revive(each, inputs)),
      )
    : argument;
}

function tensorsIn(result: unknown): Tensor[] {
  const list = Array.isArray(result)
    ? result
    : typeof result === "object" && result !== null && "values" in result && "indices" in result
      ? [result.values, result.indices]
      : [result];
  return list.map((each) => {
    assert.ok(each instanceof Tensor);
    return each;
  });
}

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`PyTorch's tensor kit on ${name}`, { skip: reason }, () => {
    golden.cases.forEach((each, i) => {
      it(`${each.name} ${i} ${JSON.stringify(each.arguments)}`, async () => {
        if (device === undefined) return;
        useDevice(device);
        const inputs = Array.from({ length: each.inputs }, (_, n) => golden.anyTensor(`${i}.x.${n}`));
        const results = tensorsIn(
          call(
            each.name,
            each.arguments.map((argument) => revive(argument, inputs)),
          ),
        );
        assert.equal(results.length, each.results);
        for (const [n, result] of results.entries()) {
          const expected = golden.get(`${i}.y.${n}`);
          assert.deepEqual(result.shape, expected.shape);
          assertClose(await result.data(), expected.data, 1e-5, `result ${n}`);
        }
        if (each.gradients === undefined) return;
        const losses = results
          .filter((result) => result.dtype === "float32")
          .map((result, n) => sum(mul(result, golden.tensor(`${i}.upstream.${n}`))));
        const total = losses.reduce((a, b) => add(a, b));
        const targets = each.gradients.map((n) => inputs[n] as Tensor);
        for (const [n, gradient] of grad(total, targets, { allowUnused: true }).entries()) {
          const expected = golden.get(`${i}.g.${each.gradients[n]}`);
          assertClose(await gradient.data(), expected.data, 1e-5, `gradient of input ${each.gradients[n]}`);
        }
      });
    });
  });
}
