/**
 * The same seed gives the same weights, bit for bit: in every run, in every process, with any number of threads, however
 * quickly the device answers.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { platform } from "#platform";
import { withDelays } from "./support/delays.js";
import { delayed } from "./support/devices.js";
import { openDevice, type Run, train } from "./support/training.js";

const steps = 30;
const script = fileURLToPath(new URL("support/training.js", import.meta.url));

async function trainHere(run: Run, slow = false): Promise<Record<string, string>> {
  const device = openDevice(run);
  try {
    return await train(slow ? withDelays(device, 1) : device, run);
  } finally {
    await device.close();
  }
}

/** The same in a process of its own. */
async function trainElsewhere(run: Run): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(run)]);
  return JSON.parse(stdout);
}

/** More threads than there are cores are among them. */
const threadCounts = [...new Set([1, 2, 3, availableParallelism() + 1])];

/** The kernels that there could be, and why some cannot be had. */
function variants(): { backend: Run["backend"]; variant: string; reason?: string }[] {
  let isas: string[];
  let reason: string | undefined;
  try {
    isas = platform.loadNativeAddon().isas();
  } catch (error) {
    isas = ["any"];
    reason = String(error);
  }
  const native = isas.map((variant) => ({ backend: "native" as const, variant, ...(reason && { reason }) }));
  const wasm = ["simd", "relaxed"].map((variant) => {
    const run: Run = { backend: "wasm", variant, shared: false, network: "lenet5", steps: 0 };
    try {
      void openDevice(run).close();
      return { backend: "wasm" as const, variant };
    } catch (error) {
      return { backend: "wasm" as const, variant, reason: String(error) };
    }
  });
  return [...native, ...wasm];
}

const cases = [
  ["lenet5", "LeNet-5 with SGD"],
  ["dropout", "a network with dropout and batch norm, with Adam"],
] as const;

for (const { backend, variant, reason } of delayed ? [] : variants()) {
  describe(`the same seed on ${backend}, ${variant}`, { skip: reason }, () => {
    for (const [network, title] of cases) {
      it(`${title}: the same bits with ${threadCounts.join(", ")} threads, twice, and in another process`, async () => {
        const run: Run = { backend, variant, network, steps };
        const expected = await trainHere({ ...run, threads: threadCounts[0] });
        assert.deepEqual(await trainHere({ ...run, threads: threadCounts[0] }), expected, "a second run");
        assert.deepEqual(await trainElsewhere({ ...run, threads: 2 }), expected, "another process, two threads");
        for (const threads of threadCounts.slice(1)) {
          assert.deepEqual(await trainHere({ ...run, threads }), expected, `${threads} threads`);
        }
      });
    }
  });
}

describe("the same seed without shared memory", () => {
  for (const [network, title] of cases) {
    it(`${title}: the same bits as with it, and with delays in every operation`, async () => {
      const run: Run = { backend: "wasm", network, steps };
      const expected = await trainHere({ ...run, shared: false });
      assert.deepEqual(await trainHere({ ...run, shared: false }, true), expected, "with delays");
      if (!delayed) assert.deepEqual(await trainHere({ ...run, threads: 2 }), expected, "with shared memory");
    });
  }
});
