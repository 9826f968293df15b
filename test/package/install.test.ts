/** The package in an empty TypeScript project: its types, and the snippet that README.md begins with. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { emptyFolder, install, type Outcome, pack, removeFolder, root, run, succeed, writeProject } from "./npm.js";

/** The compiler that this repository uses. */
const { version: typescript } = JSON.parse(readFileSync(join(root, "node_modules/typescript/package.json"), "utf8"));

/** The first TypeScript block of README.md. */
function snippet(): string {
  const block = /^```ts\n(.*?)^```/ms.exec(readFileSync(join(root, "README.md"), "utf8"));
  assert.ok(block !== null, "README.md has no TypeScript in it");
  return block[1];
}

/** As strict as it gets; declarations of packages are checked as well. */
const strict = {
  strict: true,
  skipLibCheck: false,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noPropertyAccessFromIndexSignature: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
};

const configurations = {
  nodenext: { ...strict, target: "es2022", module: "nodenext", types: ["node"], outDir: "out" },
  bundler: {
    ...strict,
    ...{ target: "es2022", module: "esnext", moduleResolution: "bundler", types: [], noEmit: true },
    lib: ["ES2022", "DOM", "DOM.Iterable"],
  },
};

/** Uses methods that are declared by augmentation, callable modules, compiled functions. */
const program = `
import { compile, crossEntropy, flatten, maxPool2d, nn, relu, SGD, type Shape, type Tensor, tensor, zeros } from "fovea";

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 6, 5);
  fc = new nn.Linear(6 * 12 * 12, 10);

  override forward(x: Tensor): Tensor {
    return this.fc(flatten(maxPool2d(relu(this.conv(x)), 2)));
  }
}

const net = new Net();
const optimizer = new SGD(net.parameters(), { lr: 0.1 });
const step = compile((x: Tensor, y: Tensor<Shape, "int32">) => {
  const loss = crossEntropy(net(x.mul(2).add(1)), y);
  loss.backward();
  void optimizer.step();
  return loss;
});
const loss = await step(zeros([2, 1, 28, 28]), tensor(new Int32Array([1, 2])));
const value: number = await loss.item();
console.log(value > 0);
`;

const wrong = `
import { nn, zeros } from "fovea";
export const y = new nn.Linear(784, 10)(zeros([1, 28, 28]));
`;

const fromNode = `
import { cacheFolder, mnist, readImage } from "fovea/node";
console.log(cacheFolder(), mnist, readImage);
`;

describe("the package in an empty TypeScript project", { timeout: 600_000 }, () => {
  let folder: string | undefined;
  let unreachable: string | undefined;

  before(async () => {
    folder = emptyFolder();
    const { tarball } = await pack(folder);
    unreachable = await install(folder, [tarball, `typescript@${typescript}`, "@types/node@20"]);
    const tsconfig = (compilerOptions: object, files: string[]) => JSON.stringify({ compilerOptions, files });
    writeProject(folder, {
      "snippet.ts": snippet(),
      "program.ts": program,
      "node.ts": fromNode,
      "wrong.ts": wrong,
      "require.cjs": `console.log(typeof require("fovea").tensor);`,
      "nodenext.json": tsconfig(configurations.nodenext, ["snippet.ts", "program.ts", "node.ts"]),
      "bundler.json": tsconfig(configurations.bundler, ["snippet.ts", "program.ts"]),
      "wrong.json": tsconfig(configurations.bundler, ["wrong.ts"]),
    });
  });
  after(() => removeFolder(folder));

  /** Runs Node in the project; skips the test where there is none. */
  const node = async (
    context: TestContext,
    run: (folder: string) => Promise<Outcome>,
  ): Promise<Outcome | undefined> => {
    if (unreachable === undefined && folder !== undefined) return run(folder);
    context.skip(unreachable);
    return undefined;
  };
  const compiler = "node_modules/typescript/bin/tsc";

  for (const name of ["bundler", "nodenext"]) {
    it(`type-checks with module resolution ${name}, declarations included`, async (context) => {
      await node(context, (cwd) => succeed(process.execPath, [compiler, "-p", `${name}.json`], cwd));
    });
  }

  it("rejects a layer that does not fit", async (context) => {
    const outcome = await node(context, (cwd) => run(process.execPath, [compiler, "-p", "wrong.json"], cwd));
    if (outcome !== undefined) assert.match(outcome.stdout, /wrong\.ts.*features: got 28, but this layer expects 784/s);
  });

  it("runs the snippet of README.md", async (context) => {
    const outcome = await node(context, (cwd) => succeed(process.execPath, ["out/snippet.js"], cwd));
    if (outcome === undefined) return;
    // WebAssembly takes over, and says so once.
    assert.equal(outcome.stderr.match(/FoveaWarning: computing in WebAssembly/g)?.length, 1, outcome.stderr);
    assert.match(outcome.stdout, /epoch 3: 0\.9/);
  });

  it("runs a program with a network and a loop of its own", async (context) => {
    const outcome = await node(context, (cwd) => succeed(process.execPath, ["out/program.js"], cwd));
    if (outcome !== undefined) assert.equal(outcome.stdout, "true\n");
  });

  it("gives the command", async (context) => {
    const outcome = await node(context, (cwd) => succeed("npx", ["--no-install", "fovea", "devices"], cwd));
    if (outcome !== undefined) assert.match(outcome.stdout + outcome.stderr, /wasm/);
  });

  it("can be required by CommonJS", async (context) => {
    const outcome = await node(context, (cwd) => succeed(process.execPath, ["require.cjs"], cwd));
    if (outcome !== undefined) assert.equal(outcome.stdout, "function\n");
  });
});
