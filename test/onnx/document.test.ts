/** docs/onnx.md tells the truth. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { describeOnnxSupport, missingOps, onnxSupportFile } from "../../scripts/onnx-support.js";
import { table } from "../../src/interop/onnx/ops/index.js";

describe("docs/onnx.md", () => {
  it("is what `npm run docs:onnx` writes", () => {
    assert.equal(readFileSync(onnxSupportFile, "utf8"), describeOnnxSupport(), "out of date. Fix: npm run docs:onnx");
  });

  it("names nothing as missing that is there", () => {
    for (const name of Object.values(missingOps).flat()) assert.ok(!(name in table), name);
  });

  it("lists the forms of each op from the oldest to the newest", () => {
    for (const [name, forms] of Object.entries(table)) {
      const opsets = forms.map(({ since }) => since);
      assert.deepEqual(
        opsets,
        [...new Set(opsets)].sort((a, b) => a - b),
        name,
      );
    }
  });
});
