/** Every op on every device with kernels agrees with its definition, on its samples with fresh random inputs. */

import { describe, it } from "node:test";
import { RandomStream } from "../../src/core/philox.js";
import { recordCall } from "../../src/graph/op.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { tensorOver } from "../../src/ops/create.js";
import { mul } from "../../src/ops/elementwise/arithmetic.js";
import { grad } from "../../src/ops/gradient.js";
import { sum } from "../../src/ops/reduce/sum.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { assertClose, emptyReferenceArray, randomInput, seed, toReferenceArray } from "../support/numbers.js";
import { allOperations } from "../support/samples.js";

const tolerance = 1e-5;

for (const { name: deviceName, device, reason } of kernelDevices) {
  describe(`all ops on ${deviceName} (seed ${seed})`, { skip: reason }, () => {
    for (const op of allOperations) {
      op.samples.forEach((sample, index) => {
        const inputs = () => {
          const random = new RandomStream(seed, index);
          return Object.entries(sample.inputs).map(([name, input]) => [name, randomInput(input, random)] as const);
        };

        it(`${op.name}, sample ${index}`, async () => {
          if (device === undefined) return;
          useDevice(device);
          const arrays = inputs();
          const tensors = Object.fromEntries(
            arrays.map(([n, { data, shape, dtype }]) => [n, tensorOver(data, shape, dtype)]),
          );
          const result = recordCall(op, tensors, sample.params);
          const expected = emptyReferenceArray(result.shape, result.dtype);
          op.reference(Object.fromEntries(arrays.map(([n, a]) => [n, toReferenceArray(a)])), sample.params, expected);
          assertClose(await result.data(), expected.data, tolerance, op.name);
        });

        if (typeof op.gradient !== "function") return;
        it(`gradient of ${op.name}, sample ${index}`, async () => {
          if (device === undefined) return;
          const gradientsOn = async (where: typeof device) => {
            useDevice(where);
            const tensors = inputs().map(([n, { data, shape, dtype }]) => [n, tensorOver(data, shape, dtype)] as const);
            const result = recordCall(op, Object.fromEntries(tensors), sample.params);
            if (result.dtype !== "float32") return [];
            const weights = new RandomStream(seed, index, 1);
            const data = Float32Array.from({ length: result.size }, () => weights.uniform(-1, 1));
            const weighted = mul(result as Tensor, tensorOver(data, result.shape, "float32")) as Tensor;
            const floats = tensors.filter(([, tensor]) => tensor.dtype === "float32");
            const gradients = grad(
              sum(weighted),
              floats.map(([, tensor]) => tensor as Tensor),
              { allowUnused: true },
            );
            return Promise.all(gradients.map((gradient) => gradient.data()));
          };
          const found = await gradientsOn(device);
          const expected = await gradientsOn(referenceDevice);
          for (const [i, values] of found.entries())
            assertClose(values, expected[i], tolerance, `gradient ${i} of ${op.name}`);
        });
      });
    }
  });
}
