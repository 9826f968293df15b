/** Every block of TypeScript in README.md and docs/ compiles on its own, against the declarations that the package ships. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { root, run } from "../package/npm.js";
import { pageBlocks, blocks as readmeBlocks, tenLines } from "../support/readme.js";

const folder = join(root, "dist/test/types/readme");
const compiler = join(root, "node_modules/typescript/bin/tsc");

/** As strict as it gets; the package's declarations are checked as well. */
const compilerOptions = {
  ...{ strict: true, skipLibCheck: false, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
  ...{ target: "es2022", module: "esnext", moduleResolution: "bundler", noEmit: true },
  ...{ lib: ["ES2022", "DOM", "DOM.Iterable"], types: [] },
  paths: Object.fromEntries(
    Object.entries<{ readonly types?: string }>(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).exports)
      .filter(([, { types }]) => types !== undefined)
      .map(([door, { types = "" }]) => [join("fovea", door), [join(root, types)]]),
  ),
};

const blocks = [...readmeBlocks, ...pageBlocks];

describe("the TypeScript in README.md and docs/", { timeout: 300_000 }, () => {
  it("compiles, each block with its own imports, without a cast", async () => {
    assert.ok(readmeBlocks.length >= 2 && pageBlocks.length > 0 && tenLines !== "");
    const files = blocks.map((_, i) => `block${i + 1}.ts`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [i, block] of blocks.entries()) writeFileSync(join(folder, files[i]), `${block}\nexport {};\n`);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    const { code, stdout } = await run(process.execPath, [compiler, "-p", "."], folder);
    assert.equal(code, 0, stdout);
    for (const block of blocks) assert.doesNotMatch(block.replaceAll(/^import .*$/gm, ""), /\bas\s+\w/);
  });
});
