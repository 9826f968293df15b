/** What is in the packed package: all that users need, and nothing else. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { after, before, describe, it } from "node:test";
import { emptyFolder, pack, removeFolder, root } from "./npm.js";

const read = (path: string) => readFileSync(join(root, path), "utf8");
const manifest = JSON.parse(read("package.json"));

/** Paths that package.json names, at any depth of `entry`. */
function pathsIn(entry: unknown): string[] {
  if (typeof entry === "string") return [posix.normalize(entry)];
  return Object.values(entry ?? {}).flatMap(pathsIn);
}

const withoutComments = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");

/** Relative modules that a JavaScript or declaration file names, as a thread's too, and the platform's two. */
function importsOf(path: string): string[] {
  const specifiers = [
    ...withoutComments(read(path)).matchAll(/(?:from|import|module|Worker\(new URL)\s*\(?\s*"([^"]+)"/g),
  ];
  return specifiers.flatMap(([, specifier]) => {
    if (specifier === "#platform") return pathsIn(manifest.imports["#platform"]);
    return specifier.startsWith(".") ? [posix.join(dirname(path), specifier)] : [];
  });
}

const stemOf = (path: string) => path.replace(/\.(d\.ts|js|js\.map)$/, "");

/** Files that `entries` lead to; of each module the code and the declarations. */
function reached(entries: readonly string[], files: ReadonlySet<string>, endings: readonly string[]): Set<string> {
  const stems = new Set<string>();
  const stack = entries.map(stemOf);
  for (let stem = stack.pop(); stem !== undefined; stem = stack.pop()) {
    if (stems.has(stem)) continue;
    stems.add(stem);
    const present = endings.map((ending) => stem + ending).filter((path) => files.has(path));
    assert.ok(present.length > 0, `${stem} is imported but not packed`);
    for (const path of present) stack.push(...importsOf(path).map(stemOf));
  }
  return stems;
}

/** Left over in dist/ from a source that is gone; packing from a fresh checkout does not have it. */
function isStale(path: string): boolean {
  const source = stemOf(path).replace(/^dist\//, "");
  return path.startsWith("dist/src/") && ![".ts", ".d.ts"].some((ending) => existsSync(join(root, source + ending)));
}

describe("the packed package", () => {
  let folder: string | undefined;
  let files: Set<string>;
  const { "./package.json": _, ...doors } = manifest.exports;
  const entries = [doors, manifest.imports, manifest.bin].flatMap(pathsIn);

  before(async () => {
    folder = emptyFolder();
    files = new Set((await pack(folder)).files.filter((path) => !isStale(path)));
  });
  after(() => removeFolder(folder));

  it("holds what package.json names", () => {
    for (const path of [...entries, ...pathsIn(manifest.sideEffects)]) assert.ok(files.has(path), path);
    for (const path of ["README.md", "LICENSE", "CHANGELOG.md"]) assert.ok(files.has(path), path);
  });

  it("holds nothing but modules that these lead to: no addon built elsewhere, no sources in C, no tests", () => {
    const stems = reached(entries, files, [".js", ".d.ts"]);
    const others = [...files].filter((path) => !(/\.(js|d\.ts|js\.map)$/.test(path) && stems.has(stemOf(path))));
    assert.deepEqual(others, ["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
  });

  it("holds the kernels ready-built, in every variant", () => {
    for (const variant of ["simd", "simd-threads", "relaxed", "relaxed-threads"]) {
      assert.match(read(`dist/src/backends/wasm/variants/${variant}.js`), /^export const kernels =\s+"H4sI/);
      assert.ok(files.has(`dist/src/backends/wasm/variants/${variant}.js`), variant);
    }
  });

  it("holds source maps that need no other file", () => {
    const maps = [...files].filter((path) => path.endsWith(".js.map"));
    assert.ok(maps.length > 50);
    for (const path of maps) {
      const { sources, sourcesContent } = JSON.parse(read(path));
      assert.equal(sourcesContent?.length, sources.length, path);
    }
  });

  it("runs no script when it is installed, and has a command that can be run", () => {
    for (const name of ["preinstall", "install", "postinstall"]) assert.equal(manifest.scripts[name], undefined);
    assert.match(read(manifest.bin.fovea), /^#!\/usr\/bin\/env node\n/);
  });

  it("declares types without `any`, without internals, without Node in the main entry", () => {
    const { "./node": node, ...others } = doors;
    const typesOf = (list: object) => pathsIn(list).filter((path) => path.endsWith(".d.ts"));
    const stems = reached(typesOf(others), files, [".d.ts"]);
    const nodeStems = reached(typesOf(node), files, [".d.ts"]);
    for (const stem of [...stems, ...nodeStems]) {
      const text = read(`${stem}.d.ts`);
      // `any(…)` is also a function: whether any element is true.
      const types = withoutComments(text).replaceAll(/^export \{.*$|\bfunction any\b|\bany\(/gm, "");
      assert.doesNotMatch(types, /\bany\b/, stem);
      assert.doesNotMatch(text, /@internal/, stem);
    }
    for (const stem of stems) assert.doesNotMatch(read(`${stem}.d.ts`), /"node:|NodeJS\./, stem);
  });
});
