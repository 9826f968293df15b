/**
 * Every op's gradient rule against finite differences of its definition, in float64 on the reference device.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createReferenceDevice } from "../../src/backends/reference/device.js";
import { RandomStream } from "../../src/core/philox.js";
import { sizeOf } from "../../src/core/shape.js";
import { storageOf } from "../../src/graph/lazy.js";
import { type Operation, type ReferenceArray, recordCall } from "../../src/graph/op.js";
import { Storage } from "../../src/graph/storage.js";
import { type AnyTensor, Tensor } from "../../src/graph/tensor.js";
import { grad } from "../../src/ops/gradient.js";
import { useDevice } from "../support/devices.js";
import { emptyReferenceArray, randomInput, seed, toReferenceArray } from "../support/numbers.js";
import { allOperations } from "../support/samples.js";

const device = createReferenceDevice();
const tolerance = 1e-6;
const step = 1e-5;
/** Elements of an input that are checked. */
const most = 200;

type Arrays = Record<string, ReferenceArray>;

/** Σ weight · op(inputs): one number, whose gradient is compared. */
function objective(
  op: Operation,
  inputs: Arrays,
  params: object,
  weights: ArrayLike<number>,
  output: ReferenceArray,
): number {
  op.reference(inputs, params, output);
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i] * output.data[i];
  return total;
}

/** By place: of all elements, or of so many of a long input's. */
function numericGradient(
  op: Operation,
  inputs: Arrays,
  params: object,
  weights: Float64Array,
  name: string,
  output: ReferenceArray,
  random: RandomStream,
): Map<number, number> {
  const { data } = inputs[name];
  const places = data.length <= most ? data.keys() : Array.from({ length: most }, () => random.integer(data.length));
  const slopes = new Map<number, number>();
  for (const i of places) {
    const value = data[i];
    data[i] = value + step;
    const above = objective(op, inputs, params, weights, output);
    data[i] = value - step;
    const below = objective(op, inputs, params, weights, output);
    data[i] = value;
    slopes.set(i, (above - below) / (2 * step));
  }
  return slopes;
}

/** A tensor on the reference device that holds float64 numbers. */
function exactTensor({ shape, dtype, data }: ReferenceArray): AnyTensor {
  return new Tensor(shape, dtype, device, { kind: "stored" }, new Storage(device, device.upload(data)));
}

describe(`gradients of all ops, checked in float64 (seed ${seed})`, () => {
  useDevice(device);
  for (const op of allOperations) {
    if (typeof op.gradient !== "function") {
      const { reason } = op.gradient;
      it(`${op.name} has none: ${reason}`, () => assert.ok(reason.length > 10));
      continue;
    }
    op.samples.forEach((sample, index) => {
      it(`${op.name}, sample ${index}`, async () => {
        const random = new RandomStream(seed, index);
        const inputs: Arrays = {};
        for (const [name, input] of Object.entries(sample.inputs))
          inputs[name] = toReferenceArray(randomInput(input, random));
        const tensors = Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, exactTensor(array)]));
        const result = recordCall(op, tensors, sample.params);
        if (result.dtype !== "float32") return;
        const weights = Float64Array.from({ length: sizeOf(result.shape) }, () => random.uniform(-1, 1));
        const upstream = exactTensor({ shape: result.shape, dtype: "float32", data: weights }) as Tensor;
        const names = Object.keys(inputs).filter((name) => inputs[name].dtype === "float32");
        const gradients = grad(
          result as Tensor,
          names.map((name) => tensors[name] as Tensor),
          { allowUnused: true, upstream },
        );
        const output = emptyReferenceArray(result.shape, result.dtype);
        for (const [i, name] of names.entries()) {
          const found = await device.readExact(storageOf(gradients[i]).handle);
          const expected = numericGradient(op, inputs, sample.params, weights, name, output, random);
          let scale = 1e-3;
          for (const value of expected.values()) scale = Math.max(scale, Math.abs(value));
          expected.forEach((value, at) => {
            const error = Math.abs(found[at] - value) / scale;
            assert.ok(
              error < tolerance,
              `${op.name}: d/d${name}[${at}] is ${found[at]}, finite differences give ${value}`,
            );
          });
        }
      });
    });
  }
});
