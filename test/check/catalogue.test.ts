/** Every function with a gradient, checked in float64: ops by their samples, and what is made of them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allCases, functionCases, randomTensor } from "../../src/check/catalogue/index.js";
import { gradcheckCall } from "../../src/check/gradcheck.js";
import { RandomStream } from "../../src/core/philox.js";
import { onWarning } from "../../src/core/warnings.js";
import * as losses from "../../src/nn/losses/index.js";
import * as functions from "../../src/ops/index.js";
import { referenceDevice, useDevice } from "../support/devices.js";
import { seed } from "../support/numbers.js";

/** Functions that have no gradient to check, and why. */
const others: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ..."all any isfinite isnan equal greater greaterEqual less lessEqual notEqual".split(" "),
      ..."logicalAnd logicalNot logicalOr".split(" "),
    ].map((name) => [name, "gives booleans"]),
  ),
  ...Object.fromEntries(["argmax", "argmin", "argsort", "arange", "quotient"].map((name) => [name, "gives integers"])),
  ...Object.fromEntries(
    ["eye", "full", "linspace", "ones", "oneHot", "tensor", "zeros"].map((name) => [
      name,
      "is made of numbers, not of tensors",
    ]),
  ),
  ...Object.fromEntries(["normal", "uniform"].map((name) => [name, "depends on a seed alone"])),
  ...Object.fromEntries(
    ["Generator", "evaluate", "grad", "manualSeed"].map((name) => [name, "is no function of numbers"]),
  ),
};

describe(`gradients of all functions (seed ${seed})`, () => {
  useDevice(referenceDevice);
  // Sizes that leave something out are checked on purpose.
  onWarning(() => {});
  let checked = 0;
  let kinks = 0;
  allCases.forEach(({ name, setting, inputs, fn }, i) => {
    it(`${name}${setting && `: ${setting}`}`, async () => {
      const random = new RandomStream(seed, i, 3);
      const result = await gradcheckCall(
        fn,
        inputs.map((input) => randomTensor(input, random)),
        { seed, elements: 150, mostKinks: 0.05 },
      );
      checked += result.checked;
      kinks += result.kinks;
      assert.ok(result.checked > 0);
      assert.ok(result.passed, `${result}`);
    });
  });

  it("passed over one element in a hundred at most", (t) => {
    t.diagnostic(`${checked} elements checked, ${kinks} of them at corners`);
    assert.ok(kinks <= checked / 100, `${kinks} of ${checked}`);
  });
});

describe("the catalogue of gradient checks", () => {
  it("has every exported function that has a gradient", () => {
    const known = new Set(functionCases.map(({ name }) => name));
    const exported = Object.keys({ ...functions, ...losses });
    assert.deepEqual(
      exported.filter((name) => !known.has(name) && !(name in others)),
      [],
    );
    assert.deepEqual(
      [...known, ...Object.keys(others)].filter((name) => !exported.includes(name)),
      [],
      "named here, but exported no more",
    );
  });
});
