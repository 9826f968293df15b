/** The package in an empty Vite project: built for production, and served by the development server, in Chromium. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { launch, noBrowser, serve } from "../support/browser.js";
import { emptyFolder, install, pack, removeFolder, run, writeProject } from "./npm.js";

const vite = "node_modules/vite/bin/vite.js";

const page = `<!doctype html>
<html><head><title>app</title><link rel="icon" href="data:," /></head>
<body><script type="module" src="/main.ts"></script></body></html>
`;

const program = `
import { defaultDevice, digits, models, SGD, Trainer } from "fovea";

const train = await digits({ split: "train", size: 640 });
const model = models.create("lenet5");
const trainer = new Trainer(model, { optimizer: new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 }) });
const epochs = await trainer.fit(train, { epochs: 2 });
document.title = JSON.stringify({ losses: epochs.map((epoch) => epoch.train.loss), device: defaultDevice().variant });
`;

interface Result {
  readonly losses: readonly number[];
  readonly device: string;
}

/** What the page says in its title when it has trained; whatever it complains of is an error. */
async function resultOf(browser: Browser, url: string): Promise<Result> {
  const tab = await browser.newPage();
  const complaints: string[] = [];
  tab.on("pageerror", (error) => complaints.push(String(error)));
  tab.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  try {
    await tab.goto(url);
    await tab
      .waitForFunction(() => document.title !== "app", undefined, { timeout: 60_000 })
      .catch((error) => {
        throw new Error(`${error}\n${complaints.join("\n")}`);
      });
    assert.deepEqual(complaints, []);
    return JSON.parse(await tab.title());
  } finally {
    await tab.close();
  }
}

function check({ losses, device }: Result): void {
  assert.match(device, /^wasm-(simd|relaxed)$/);
  assert.ok(losses[1] < losses[0] && losses[0] < 3, String(losses));
}

describe("the package in an empty Vite project", { skip: noBrowser, timeout: 600_000 }, () => {
  let folder = "";
  let unreachable: string | undefined;
  let browser: Browser;

  before(async () => {
    folder = emptyFolder();
    const { tarball } = await pack(folder);
    unreachable = await install(folder, [tarball, "vite@8"]);
    writeProject(folder, { "index.html": page, "main.ts": program });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    removeFolder(folder);
  });

  it("trains from a production build", async (context) => {
    if (unreachable !== undefined) return context.skip(unreachable);
    const { code, stdout, stderr } = await run(process.execPath, [vite, "build"], folder);
    assert.equal(code, 0, stdout + stderr);
    assert.doesNotMatch(stdout + stderr, /warn/i);
    const output = join(folder, "dist");
    const paths = readdirSync(output, { recursive: true, encoding: "utf8" }).filter((path) => /\.\w+$/.test(path));
    const server = await serve(new Map(paths.map((path) => [`/${path}`, readFileSync(join(output, path))])));
    try {
      check(await resultOf(browser, server.url));
      // Of the kernels it loads one variant.
      const variants = server.requests.filter((path) => /\/(simd|relaxed)/.test(path));
      assert.equal(variants.length, 1, String(variants));
    } finally {
      await server.close();
    }
  });

  it("trains from the development server, which bundles dependencies by itself", async (context) => {
    if (unreachable !== undefined) return context.skip(unreachable);
    const environment: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1" };
    delete environment.NODE_TEST_CONTEXT;
    const args = [vite, "--host", "127.0.0.1"];
    const child = spawn(process.execPath, args, { cwd: folder, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    try {
      const url = await new Promise<string>((resolve, reject) => {
        const hear = (text: string) => {
          output += text;
          const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(output);
          if (found !== null) resolve(found[0]);
        };
        child.stdout.setEncoding("utf8").on("data", hear);
        child.stderr.setEncoding("utf8").on("data", hear);
        child.on("close", (code) => reject(new Error(`vite ended with code ${code}\n${output}`)));
      });
      check(await resultOf(browser, url));
      assert.doesNotMatch(output, /warn|error/i);
      assert.ok(readdirSync(join(folder, "node_modules/.vite/deps")).includes("fovea.js"));
    } finally {
      child.kill();
    }
  });
});
