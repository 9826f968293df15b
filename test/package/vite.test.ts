/** The package in an empty Vite project: built for production, and served by the development server, in Chromium. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { launch, noBrowser, serve } from "../support/browser.js";
import { tenLines } from "../support/readme.js";
import { emptyFolder, install, pack, plainEnvironment, removeFolder, run, writeProject } from "./npm.js";

const vite = "node_modules/vite/bin/vite.js";

const page = (script: string) => `<!doctype html>
<html><head><title>app</title><link rel="icon" href="data:," /></head>
<body><script type="module" src="${script}"></script></body></html>
`;

/** Ends sooner than README's ten lines; says what came of it where they print. */
const brief = `
import { defaultDevice, digits, models, SGD, Trainer } from "fovea";

const train = await digits({ split: "train", size: 640 });
const model = models.create("lenet5");
const trainer = new Trainer(model, { optimizer: new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 }) });
const epochs = await trainer.fit(train, { epochs: 2 });
const [first, second] = epochs.map((epoch) => epoch.train.loss);
console.log(defaultDevice().variant + " learned " + (second < first && first < 3));
`;

/** What the page prints until `last` comes; whatever it complains of is an error. */
async function printed(browser: Browser, url: string, last: RegExp): Promise<string[]> {
  const tab = await browser.newPage();
  const lines: string[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(["the page does not end", ...lines].join("\n"))), 120_000);
      const complain = (text: string) => {
        clearTimeout(deadline);
        reject(new Error(text));
      };
      tab.on("pageerror", (error) => complain(String(error)));
      tab.on("console", (message) => {
        const text = message.text();
        if (["error", "warning"].includes(message.type())) return complain(text);
        // The development server greets the page.
        if (message.type() === "log") lines.push(text);
        if (!last.test(text)) return;
        clearTimeout(deadline);
        resolve();
      });
      tab.goto(url).catch(complain);
    });
    return lines;
  } finally {
    await tab.close();
  }
}

/** The files of a folder as a server has them. */
function filesIn(folder: string): Map<string, Uint8Array> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => /\.\w+$/.test(path));
  return new Map(paths.map((path) => [`/${path}`, readFileSync(join(folder, path))]));
}

describe("the package in an empty Vite project", { skip: noBrowser, timeout: 600_000 }, () => {
  let folder = "";
  let unreachable: string | undefined;
  let browser: Browser;

  before(async () => {
    folder = emptyFolder();
    const { tarball } = await pack(folder);
    unreachable = await install(folder, [tarball, "vite@8"]);
    writeProject(folder, {
      "index.html": page("/main.ts"),
      "main.ts": tenLines,
      "brief.html": page("/brief.ts"),
      "brief.ts": brief,
    });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    removeFolder(folder);
  });

  it("trains with the ten lines of README.md from a production build", async (context) => {
    if (unreachable !== undefined) return context.skip(unreachable);
    const { code, stdout, stderr } = await run(process.execPath, [vite, "build"], folder);
    assert.equal(code, 0, stdout + stderr);
    assert.doesNotMatch(stdout + stderr, /warn/i);
    const server = await serve(filesIn(join(folder, "dist")));
    try {
      const lines = await printed(browser, server.url, /^epoch 3/);
      assert.match(lines.join("\n"), /^epoch 1: 0\.\d+\nepoch 2: 0\.\d+\nepoch 3: 0\.9\d+$/);
      // Of the kernels it loads one variant.
      const variants = server.requests.filter((path) => /\/(simd|relaxed)/.test(path));
      assert.equal(variants.length, 1, String(variants));
    } finally {
      await server.close();
    }
  });

  it("trains from esbuild's bundle in one file", async (context) => {
    if (unreachable !== undefined) return context.skip(unreachable);
    const { outputFiles, warnings } = await build({
      ...{ entryPoints: [join(folder, "brief.ts")], outfile: "/main.ts" },
      ...{ bundle: true, format: "esm", write: false, absWorkingDir: folder },
    });
    assert.deepEqual(warnings, []);
    const server = await serve(
      new Map<string, string | Uint8Array>([
        ["/index.html", page("/bundle.js")],
        ["/bundle.js", outputFiles[0].contents],
      ]),
    );
    try {
      const lines = await printed(browser, server.url, /learned/);
      assert.match(lines.join("\n"), /^wasm-(simd|relaxed) learned true$/);
    } finally {
      await server.close();
    }
  });

  it("trains from the development server, which bundles dependencies by itself", async (context) => {
    if (unreachable !== undefined) return context.skip(unreachable);
    const args = [vite, "--host", "127.0.0.1"];
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: plainEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
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
      const lines = await printed(browser, `${url}brief.html`, /learned/);
      assert.match(lines.join("\n"), /^wasm-(simd|relaxed) learned true$/m);
      assert.doesNotMatch(output, /warn|error/i);
      assert.ok(readdirSync(join(folder, "node_modules/.vite/deps")).includes("fovea.js"));
    } finally {
      child.kill();
    }
  });
});
