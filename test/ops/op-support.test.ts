/** Every op has a kernel and tests, the document says so, and an op without a kernel is an error. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { describeOpSupport, opSupportFile } from "../../scripts/op-support.js";
import { UnsupportedOpError } from "../../src/core/errors.js";
import { defineOp } from "../../src/graph/op.js";
import { zeros } from "../../src/ops/create.js";
import { randomOperations } from "../support/configurations/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { allOperations } from "../support/samples.js";

const define = (kind: "elementwise" | undefined) =>
  defineOp<"cubeRoot", "x", Readonly<Record<string, never>>>({
    name: "cubeRoot",
    inputs: ["x"],
    kind,
    shape: ({ x }) => x,
    dtype: ({ x }) => x,
    reference: ({ x }, _, output) => output.data.set(x.data.map(Math.cbrt)),
    gradient: { reason: "a test needs none" },
    cost: () => ({ macs: 0 }),
    samples: [],
  });

describe("docs/op-support.md", () => {
  const document = describeOpSupport();

  it("is what `npm run docs:ops` writes", () => {
    const written = readFileSync(opSupportFile, "utf8");
    assert.equal(written, document, "out of date. Fix: npm run docs:ops");
  });

  it("has a row for each op, and no op without a kernel, a test or a reason", () => {
    for (const { name } of allOperations) assert.match(document, new RegExp(`^\\| \`${name}\` +\\|`, "m"));
    assert.doesNotMatch(document, /no kernel *\||\| +\||\| 0 +\|$/m);
  });

  it("finds each op among the random settings, but for those that compute nothing", () => {
    const known = new Set(randomOperations.map(({ op }) => op));
    const missing = allOperations.filter((op) => op.kind !== "alias" && !known.has(op));
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    );
  });
});

for (const { name, device, reason } of kernelDevices) {
  describe(`an op without a kernel on ${name}`, { skip: reason }, () => {
    for (const kind of [undefined, "elementwise"] as const) {
      it(`is an error that names op, device and where it exists${kind ? " (elementwise)" : ""}`, async () => {
        if (device === undefined) return;
        const cubeRoot = define(kind);
        useDevice(device);
        await assert.rejects(
          async () => cubeRoot({ x: zeros([3]) }, {}).data(),
          (error) => {
            assert.ok(error instanceof UnsupportedOpError);
            assert.match(error.message, /cubeRoot/);
            assert.match(error.message, new RegExp(`\\b${device.name}\\b`));
            assert.match(error.message, /reference/);
            return true;
          },
        );
        useDevice(referenceDevice);
        assert.deepEqual([...(await cubeRoot({ x: zeros([3]) }, {}).data())], [0, 0, 0]);
      });
    }
  });
}
