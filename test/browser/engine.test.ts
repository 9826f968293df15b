/** The whole engine from a bundler's build in Chromium: it trains as in Node, bit by bit, and the page stays alive. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import type { Browser } from "playwright-core";
import { DeviceError, models, type WasmVariant } from "../../src/index.js";
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
import { errors, loadAndScore, type Training, train } from "./page.js";

// Node 20 has it, but does not offer it by itself.
setFlagsFromString("--experimental-wasm-relaxed-simd");

const steps = 200;

interface Case {
  readonly variant: WasmVariant;
  readonly shared: boolean;
  readonly worker: boolean;
}

const cases: readonly Case[] = [
  { variant: "simd", shared: true, worker: false },
  { variant: "simd", shared: false, worker: false },
  { variant: "simd", shared: true, worker: true },
  { variant: "simd", shared: false, worker: true },
  { variant: "relaxed", shared: true, worker: false },
  { variant: "relaxed", shared: false, worker: false },
];

describe("the engine in Chromium", { skip: noBrowser, timeout: 600_000 }, () => {
  let folder = "";
  let weightsFile = "";
  let browser: Browser;
  let isolated: Server;
  let plain: Server;
  const inNode = new Map<WasmVariant, Promise<Training>>();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "fovea-browser-"));
    weightsFile = join(folder, "lenet5.safetensors");
    const model = models.create("lenet5");
    const names = ["lenet5.safetensors", "lenet5.pth", "lenet5.npz"];
    for (const name of names) await model.save(join(folder, name));
    const files = new Map<string, string | Uint8Array>([
      ...pageFiles,
      ...(await bundle(compiledTest("browser/page.js"))),
      ...names.map((name) => [`/${name}`, readFileSync(join(folder, name))] as const),
    ]);
    [browser, isolated, plain] = await Promise.all([launch(), serve(files, { isolated: true }), serve(files)]);
  });
  after(async () => {
    await Promise.all([browser?.close(), isolated?.close(), plain?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** The same training in Node with one thread; undefined, with the test skipped, where this machine cannot. */
  async function expected(context: TestContext, variant: WasmVariant): Promise<Training | undefined> {
    const training = inNode.get(variant) ?? train({ variant, threads: 1 }, steps);
    inNode.set(variant, training);
    try {
      return await training;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      context.skip(error.message);
      return undefined;
    }
  }

  for (const { variant, shared, worker } of cases) {
    const threads = shared ? 3 : 1;
    const place = `${worker ? "a worker" : "a page"} ${shared ? "with" : "without"} shared memory`;
    it(`trains LeNet-5 to the same bits as Node, with ${variant} in ${place}`, async (context) => {
      const node = await expected(context, variant);
      if (node === undefined) return;
      const server = shared ? isolated : plain;
      const found = await callInBrowser<Training>(browser, server, "train", [{ variant, threads }, steps], { worker });
      assert.deepEqual([found.isolated, found.variant, found.threads], [shared, `wasm-${variant}`, threads]);
      assert.equal(found.data, node.data, "the digits differ");
      assert.deepEqual(found.losses, node.losses);
      assert.equal(found.weights, node.weights);
      assert.ok(found.losses[found.losses.length - 1] < found.losses[0] / 2, String(found.losses));
      // Timers and the screen got their turns while it trained.
      assert.ok(found.timers > 10, `${found.timers} turns of a timer`);
      if (!worker) assert.ok(found.frames > 1, `${found.frames} frames`);
    });
  }

  it("gives the errors that Node gives, and its own for what pages cannot do", async () => {
    const options = { expected: /404/ };
    const found = await callInBrowser<Record<string, string>>(browser, plain, "errors", [], options);
    assert.match(
      found["wrong shape"],
      /^FOVEA_SHAPE 1\.c1: conv2d: the input has 3 channels.*Fix: new Conv2d\(3, 6, …\)/,
    );
    assert.match(found["label out of range"], /^FOVEA_DATA .*7/);
    assert.match(found["missing file"], /^FOVEA_FILE cannot read \/missing\.safetensors: the server answered 404/);
    assert.match(found["no files to write"], /^FOVEA_FILE .*pages have no files\. Fix: .*serialize\(\)/);
    assert.match(found["no native device"], /^FOVEA_DEVICE .*only in Node/);
    for (const [name, message] of Object.entries(await errors(["wrong shape", "label out of range"]))) {
      // In a bundle the line of the call cannot be told.
      const [text] = message.split(" Called at ");
      assert.ok(found[name].startsWith(text), `${found[name]}\n${text}`);
    }
  });

  it("loads weights of every format from the server and computes what Node computes", async () => {
    const { scores } = await loadAndScore({ variant: "simd", threads: 1 }, weightsFile);
    for (const path of ["/lenet5.safetensors", "/lenet5.pth", "/lenet5.npz"]) {
      const args = [{ variant: "simd" }, path];
      const found = await callInBrowser<Awaited<ReturnType<typeof loadAndScore>>>(browser, plain, "loadAndScore", args);
      assert.deepEqual(found.usable, ["wasm", "reference"]);
      assert.deepEqual(found.scores, scores, path);
    }
  });
});
