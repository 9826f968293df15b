/**
 * Functions that are made of ops, with random sizes and settings on every device with kernels, against the definitions in
 * float64: results and gradients. Half of the settings are the same in each run, half are new; FOVEA_TEST_SEED repeats those.
 */

import { describe, it } from "node:test";
import { formatShape } from "../../src/core/shape.js";
import { onWarning } from "../../src/core/warnings.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { Draw } from "../support/configurations/draw.js";
import { functionConfigurations } from "../support/configurations/functions.js";
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

// Sizes that leave something out come up on purpose.
onWarning(() => {});

const perSeed = delayed ? 3 : 25;

function casesOf(name: string): RandomCase[] {
  return [fixedSeed, seed].flatMap((from) =>
    Array.from({ length: perSeed }, (_, number): RandomCase => {
      const drawn = new Draw(from, number, streamOf(name));
      const { inputs, settings, call } = functionConfigurations[name](drawn);
      return {
        title: `${name} of ${inputs.map(({ shape }) => formatShape(shape)).join(", ")}, ${JSON.stringify(settings)}`,
        inputs,
        call: (...tensors) => [call(...(tensors as Tensor[]))].flat(),
        differentiable: true,
        traits: drawn.traits,
        values: [from, number],
      };
    }),
  );
}

const definitions = new Map<string, ReturnType<typeof defineCases>>();

for (const { name: deviceName, device, reason } of kernelDevices) {
  describe(`functions with random settings on ${deviceName} (seeds ${fixedSeed} and ${seed})`, { skip: reason }, () => {
    for (const name of Object.keys(functionConfigurations)) {
      it(name, async (t) => {
        if (device === undefined) return;
        const cases = casesOf(name);
        const expected = definitions.get(name) ?? defineCases(cases);
        definitions.set(name, expected);
        assertAgree(cases, await computeCases(device, cases), await expected);
        t.diagnostic(`${name}: ${coverage(cases)}`);
      });
    }
  });
}
