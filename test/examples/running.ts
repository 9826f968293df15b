/** Runs an example as a user does: in a process of its own, in a folder that is deleted afterwards. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const runner = fileURLToPath(new URL("../../examples/run.js", import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), "fovea-examples-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is said, rightly, where the addon has not been built. */
const withoutAddon = /^\(node:\d+\) FoveaWarning: computing in WebAssembly: .*\n\(Use `node --trace-warnings.*\n/;

export function example(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [runner, ...args], { cwd: folder, timeout: 300_000 }, (error, stdout, stderr) => {
      const told = stderr.replace(withoutAddon, "");
      resolve({ status: error === null ? 0 : (error.code ?? error.signal), stdout, stderr: told });
    });
  });
}

export async function printed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await example(...args);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  return stdout;
}
