/** Damaged files are read, or refused with an error of Fovea's, within time and memory: scripts/fuzz.ts, with few inputs. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { readers } from "../../scripts/fuzz/readers.js";
import type { FuzzReport } from "../../scripts/fuzz/run.js";

const script = fileURLToPath(new URL("../../scripts/fuzz.js", import.meta.url));

describe("damaged files", { concurrency: 2 }, () => {
  for (const { name } of readers) {
    it(`${name}: 3,000 of them`, { timeout: 300_000 }, async (context) => {
      const args = [script, name, "--count", "3000", "--json"];
      const stdout = await new Promise<string>((resolve) => {
        execFile(process.execPath, args, (_, output) => resolve(output));
      });
      const { inputs, accepted, refused, slowest, growth, failures }: FuzzReport = JSON.parse(stdout);
      context.diagnostic(
        `${accepted} read, ${refused} refused, slowest ${slowest.toFixed(0)} ms, memory +${growth} bytes`,
      );
      assert.deepEqual(failures, []);
      assert.equal(accepted + refused, inputs);
      // Damage that always, or never, makes a file unreadable tests nothing.
      assert.ok(accepted > 20 && refused > 1000, `${accepted} read, ${refused} refused`);
    });
  }
});
