/** The WebAssembly device in Chromium: with and without shared memory, in a page and in a worker of it. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import {
  bundle,
  callInBrowser,
  compiledTest,
  launch,
  noBrowser,
  pageFiles,
  type Server,
  serve,
} from "../support/browser.js";
import { hasFusedMultiplyAdd } from "../support/machine.js";
import { longProgram, noScalars, ramp, readFloats } from "../support/programs.js";
import type { PageResult } from "./page.js";

const count = 10_000;

/** The same program in Node. */
async function expected(): Promise<number[]> {
  const device = createWasmDevice({ variant: "simd" });
  const program = device.load(longProgram(device, count, 20));
  const output = device.allocate(4 * count);
  await device.submit(program, [device.upload(ramp(count)), output], noScalars);
  const values = [...(await readFloats(device, output, count))];
  await device.close();
  return values;
}

describe("WebAssembly in Chromium", { skip: noBrowser, timeout: 600_000 }, () => {
  let browser: Browser;
  let files: Map<string, string | Uint8Array>;
  let isolated: Server;
  let plain: Server;

  before(async () => {
    files = new Map([...pageFiles, ...(await bundle(compiledTest("backends/page.js")))]);
    [browser, isolated, plain] = await Promise.all([launch(), serve(files, { isolated: true }), serve(files)]);
  });
  after(async () => {
    await Promise.all([browser?.close(), isolated?.close(), plain?.close()]);
  });

  for (const worker of [false, true]) {
    const place = worker ? "a worker" : "a page";
    it(`runs in ${place} with shared memory`, async () => {
      const options = { variant: "simd", threads: 3 };
      const result = await callInBrowser<PageResult>(browser, isolated, "runDevice", [options, count], { worker });
      assert.equal(result.isolated, true);
      assert.equal(result.threads, 3);
      assert.equal(result.cancelled, "FOVEA_ABORTED");
      assert.deepEqual(result.values, await expected());
    });

    it(`runs in ${place} without shared memory`, async () => {
      const options = { variant: "simd", threads: 3 };
      const result = await callInBrowser<PageResult>(browser, plain, "runDevice", [options, count], { worker });
      assert.equal(result.isolated, false);
      assert.equal(result.threads, 1);
      assert.equal(result.cancelled, "FOVEA_ABORTED");
      assert.ok(result.frames > 0, "the page was frozen");
      assert.deepEqual(result.values, await expected());
    });
  }

  it("chooses relaxed SIMD by itself, and loads nothing else", async () => {
    const first = isolated.requests.length;
    const result = await callInBrowser<PageResult>(browser, isolated, "runDevice", [{}, count]);
    const fused = hasFusedMultiplyAdd();
    if (fused !== undefined) assert.equal(result.variant, fused ? "wasm-relaxed" : "wasm-simd");
    const chunks = isolated.requests.slice(first).filter((path) => /chunks\/(simd|relaxed)/.test(path));
    assert.deepEqual(
      chunks.map((path) => path.replace(/-[^-]*$/, "")),
      [`/chunks/${result.variant.slice(5)}-threads`],
    );
    const simd = await expected();
    for (const [i, value] of result.values.entries()) assert.ok(Math.abs(value - simd[i]) < 1e-5);
  });

  it("says why memory cannot be shared", async () => {
    assert.match(await callInBrowser(browser, plain, "failure", [{ shared: true }]), /Cross-Origin-Opener-Policy/);
  });

  it("says that a content security policy forbids its workers", async () => {
    const html = `<!doctype html><meta http-equiv="Content-Security-Policy" content="worker-src 'self'">`;
    const strict = await serve(new Map([...files, ["/index.html", html]]));
    try {
      // The browser complains on the console as well.
      await assert.rejects(callInBrowser(browser, strict, "failure", [{}]), /blob:/);
    } finally {
      await strict.close();
    }
  });
});
