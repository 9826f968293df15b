/**
 * The package in an empty TypeScript project on a machine without a C compiler: its types, the code in README.md, the
 * command.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { blocks, tenLines } from "../support/readme.js";
import { emptyFolder, install, pack, removeFolder, root, run, succeed, withoutCompiler, writeProject } from "./npm.js";

/** The compiler that this repository uses, and an older one that many projects do. */
const { version } = JSON.parse(readFileSync(join(root, "node_modules/typescript/package.json"), "utf8"));
const compilers = [`typescript@${version}`, "older@npm:typescript@5.9"];

/** As strict as it gets; declarations of packages are checked as well. */
const strict = {
  strict: true,
  noImplicitOverride: true,
  skipLibCheck: false,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noPropertyAccessFromIndexSignature: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
};

const configurations = {
  // Node alone, without the types of browsers.
  nodenext: { ...strict, target: "es2022", module: "nodenext", lib: ["ES2022"], types: ["node"], outDir: "out" },
  bundler: {
    ...strict,
    ...{ target: "es2022", module: "esnext", moduleResolution: "bundler", types: [], noEmit: true },
    lib: ["ES2022", "DOM", "DOM.Iterable"],
  },
};

const wrong = `
import { nn, zeros } from "fovea";
export const y = new nn.Linear(784, 10)(zeros([1, 28, 28]));
`;

/** What comes from here has methods, though nothing else is imported. */
const fromNode = `
import { cacheFolder, mnist, readImage, writePng } from "fovea/node";
await writePng("dot.png", { width: 1, height: 1, channels: 1, data: new Uint8Array([7]) });
const image = await readImage("dot.png", { channels: 1 });
console.log(typeof cacheFolder(), typeof mnist, await image.to("float32").mul(2).array());
`;

describe("the package in an empty TypeScript project", { timeout: 600_000 }, () => {
  let folder: string | undefined;
  let unreachable: string | undefined;
  let environment: NodeJS.ProcessEnv;

  before(async () => {
    folder = emptyFolder();
    environment = withoutCompiler(folder);
    for (const compiler of ["gcc", "clang", "cc", "make"]) {
      await assert.rejects(run(compiler, ["--version"], folder, environment), { code: "ENOENT" });
    }
    const { tarball } = await pack(folder);
    unreachable = await install(folder, [tarball, ...compilers, "@types/node@20"], environment);
    const tsconfig = (compilerOptions: object, files: string[]) => JSON.stringify({ compilerOptions, files });
    const readme = Object.fromEntries(blocks.map((block, i) => [`readme${i + 1}.ts`, block]));
    const files = ["snippet.ts", ...Object.keys(readme)];
    writeProject(folder, {
      ...readme,
      "snippet.ts": tenLines,
      "node.ts": fromNode,
      "wrong.ts": wrong,
      "require.cjs": `console.log(typeof require("fovea").tensor);`,
      "nodenext.json": tsconfig(configurations.nodenext, [...files, "node.ts"]),
      "bundler.json": tsconfig(configurations.bundler, files),
      "wrong.json": tsconfig(configurations.bundler, ["wrong.ts"]),
    });
  });
  after(() => removeFolder(folder));

  /** Runs a command in the project, without a compiler on its path; skips the test where there is no project. */
  async function attempt(context: TestContext, command: string, ...args: string[]) {
    if (unreachable === undefined && folder !== undefined) return succeed(command, args, folder, environment);
    context.skip(unreachable);
    return undefined;
  }

  const checks = [
    ["bundler", "typescript"],
    ["nodenext", "typescript"],
    ["bundler", "older"],
  ];
  for (const [name, compiler] of checks) {
    it(`type-checks with module resolution ${name} in ${compiler === "older" ? "an older " : ""}TypeScript, declarations included`, async (t) => {
      await attempt(t, "node", `node_modules/${compiler}/bin/tsc`, "-p", `${name}.json`);
    });
  }

  it("rejects a layer that does not fit", async (t) => {
    if (unreachable !== undefined || folder === undefined) return t.skip(unreachable);
    const { stdout } = await run("node", ["node_modules/typescript/bin/tsc", "-p", "wrong.json"], folder, environment);
    assert.match(stdout, /wrong\.ts.*features: got 28, but this layer expects 784/s);
  });

  it("trains with the ten lines of README.md, and says once that it computes in WebAssembly", async (t) => {
    const outcome = await attempt(t, "node", "out/snippet.js");
    if (outcome === undefined) return;
    assert.equal(outcome.stderr.match(/FoveaWarning: computing in WebAssembly/g)?.length, 1, outcome.stderr);
    assert.match(outcome.stdout, /^epoch 1: 0\.\d+\nepoch 2: 0\.\d+\nepoch 3: 0\.9\d+\n$/);
  });

  for (const [i, block] of blocks.entries()) {
    if (block === tenLines) continue;
    it(`runs block ${i + 1} of README.md`, async (t) => {
      const outcome = await attempt(t, "node", `out/readme${i + 1}.js`);
      if (outcome !== undefined) assert.match(outcome.stdout, /\d\n$/);
    });
  }

  it("reads pictures with fovea/node alone", async (t) => {
    const outcome = await attempt(t, "node", "out/node.js");
    if (outcome !== undefined) assert.equal(outcome.stdout, "string function [ [ [ 14 ] ] ]\n");
  });

  it("gives the command, which says in one line why there is no native device", async (t) => {
    const outcome = await attempt(t, "npx", "--no-install", "fovea", "devices");
    if (outcome === undefined) return;
    const lines = (outcome.stdout + outcome.stderr).split("\n").filter((line) => !line.startsWith("npm "));
    assert.match(lines[0], /^ {2}native\s.*does not contain it.*checkout/);
    assert.match(lines[1], /^\* wasm\s+wasm-/);
    assert.match(lines[2], /^ {2}reference\s/);
    assert.equal(lines.slice(3).join(""), "");
  });

  it("can be required by CommonJS", async (t) => {
    const outcome = await attempt(t, "node", "require.cjs");
    if (outcome !== undefined) assert.equal(outcome.stdout, "function\n");
  });
});
