/** Small files that ask for much take little memory and time, and are refused or read: bombs.ts, each in processes of its own. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bombs } from "./bombs.js";

const script = fileURLToPath(new URL("bombs.js", import.meta.url));
const execute = promisify(execFile);
const MB = 2 ** 20;

describe("small files that ask for much", { concurrency: availableParallelism() }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "fovea-bombs-"));
    await execute(process.execPath, [script, "make", folder]);
  });
  after(() => rm(folder, { recursive: true }));

  for (const name of Object.keys(bombs)) {
    it(name, { timeout: 300_000 }, async (context) => {
      // As it is on machines that collect garbage when they must.
      const flags = ["--max-semi-space-size=4"];
      const { stdout } = await execute(process.execPath, [...flags, script, "read", folder, name]);
      const { outcome, growth, size, milliseconds } = JSON.parse(stdout);
      context.diagnostic(
        `${(growth / MB).toFixed(0)} MiB for ${(size / MB).toFixed(1)}; ${milliseconds.toFixed(0)} ms`,
      );
      assert.match(outcome, /^(read$|FOVEA_FORMAT )/);
      assert.ok(growth <= 64 * MB + 2 * size, `${growth} bytes of memory for an input of ${size}: ${outcome}`);
    });
  }
});
