/** The ONNX project's backend tests, as far as they are at hand. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { delayed, kernelDevices, useDevice } from "../support/devices.js";
import { casesIn, outOfScope, runCase } from "../support/onnxCases.js";

const folder = fileURLToPath(new URL("../../../../shared/conformance/onnx/", import.meta.url));
const sets = ["node", "pytorch-operator"];

const absent = existsSync(folder) ? undefined : `the ONNX project's test cases are not on this machine (${folder})`;

describe("the ONNX project's backend tests", () => {
  for (const { name, device, reason } of kernelDevices) {
    const skip = absent ?? reason ?? (delayed && "they need no device that answers late");
    it(`give on ${name} what they should`, { skip }, async (t) => {
      if (device === undefined) return;
      useDevice(device);
      const cases = sets.flatMap((set) => casesIn(join(folder, set)));
      const skipped = new Map<string, string>();
      const failed: string[] = [];
      for (const path of cases) {
        const why = outOfScope(path);
        if (why !== undefined) {
          skipped.set(basename(path), why);
          continue;
        }
        try {
          await runCase(path);
        } catch (error) {
          failed.push(`${basename(path)}: ${error instanceof Error ? error.message : error}`);
        }
      }
      const passed = cases.length - skipped.size - failed.length;
      t.diagnostic(`${cases.length} cases: ${passed} passed, ${failed.length} failed, ${skipped.size} skipped`);
      for (const [path, why] of skipped) t.diagnostic(`skipped ${path}: ${why}`);
      assert.deepEqual(failed, []);
      assert.ok(passed >= 265, `only ${passed} cases passed`);
    });
  }
});
