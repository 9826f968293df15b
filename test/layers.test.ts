/** The layers of the code: which folders may import which, and that no files import one another in a circle. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../../src/", import.meta.url));

/** What each folder may import besides itself. Types may also be imported from the folders in `types`. */
const layers: Readonly<Record<string, { readonly values: readonly string[]; readonly types?: readonly string[] }>> = {
  core: { values: [] },
  classes: { values: [] },
  formats: { values: ["core"] },
  graph: { values: ["core", "backends/backend.ts"], types: ["backends"] },
  ops: { values: ["core", "graph"], types: ["backends"] },
  backends: { values: ["core", "platform"], types: ["graph", "ops"] },
  platform: { values: ["core", "node", "formats"], types: ["backends", "data"] },
  nn: { values: ["core", "formats", "graph", "ops", "platform"], types: ["backends"] },
  optim: { values: ["core", "graph", "ops"] },
  data: { values: ["core", "formats", "classes", "platform"] },
  models: { values: ["core", "graph", "ops", "nn"] },
  check: { values: ["core", "graph", "ops", "nn"] },
  vision: { values: ["core", "graph", "ops"] },
  analysis: { values: ["core", "graph", "ops", "nn"], types: ["backends"] },
  train: { values: ["core", "formats", "graph", "ops", "nn", "optim", "data"], types: ["models"] },
  report: { values: ["core", "formats"], types: ["train"] },
  interop: { values: ["core", "formats", "graph", "ops", "nn", "platform", "version.ts"], types: ["backends"] },
  browser: { values: ["core", "data", "graph", "ops"] },
  node: { values: ["core", "formats", "graph", "ops", "data"] },
  cli: {
    values: [
      "core",
      "formats",
      "graph",
      "ops",
      "nn",
      "optim",
      "data",
      "models",
      "interop",
      "train",
      "check",
      "analysis",
      "report",
      "classes",
      "interop",
      "node",
      "device.ts",
      "features.ts",
      "npy.ts",
      "version.ts",
    ],
    types: ["index.ts"],
  },
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(source, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return /\.ts$/.test(entry.name) && !/(\.test|\.d)\.ts$/.test(entry.name) ? [path] : [];
  });
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(source, file), "utf8");
  const found: Import[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s+)?([^;]*?)from\s+"([^"]+)";/gms)) {
    const [, type, names, target] = match;
    const to =
      target === "#platform"
        ? "platform/platform.ts"
        : target.startsWith(".")
          ? normalize(join(dirname(file), target)).replace(/\.js$/, ".ts")
          : undefined;
    if (to === undefined) continue;
    const named = /^\{([^}]*)\}\s*$/s.exec(names)?.[1];
    const allTypes = named?.split(",").every((name) => name.trim() === "" || name.trim().startsWith("type "));
    found.push({ from: file, to, typeOnly: type !== undefined || allTypes === true });
  }
  return found;
}

const files = sourceFiles("");
const imports = files.flatMap(importsOf);
const folderOf = (path: string) => (path.includes("/") ? path.split("/")[0] : path);

describe("the layers", () => {
  it("cover every folder", () => {
    const folders = new Set(files.filter((file) => file.includes("/")).map(folderOf));
    assert.deepEqual([...folders].sort(), Object.keys(layers).sort());
  });

  it("import only downwards", () => {
    const wrong = imports.filter(({ from, to, typeOnly }) => {
      const layer = layers[folderOf(from)];
      if (layer === undefined || folderOf(from) === folderOf(to)) return false;
      const allowed = typeOnly ? [...layer.values, ...(layer.types ?? [])] : layer.values;
      return !allowed.includes(folderOf(to)) && !allowed.includes(to);
    });
    assert.deepEqual(
      wrong.map(({ from, to, typeOnly }) => `${from} imports ${typeOnly ? "types of " : ""}${to}`),
      [],
    );
  });

  it("have no circles", () => {
    const targets = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) if (!typeOnly) targets.set(from, [...(targets.get(from) ?? []), to]);
    const state = new Map<string, "open" | "done">();
    const path: string[] = [];
    const visit = (file: string): string[] | undefined => {
      if (state.get(file) === "done") return undefined;
      if (state.get(file) === "open") return [...path.slice(path.indexOf(file)), file];
      state.set(file, "open");
      path.push(file);
      for (const target of targets.get(file) ?? []) {
        const circle = visit(target);
        if (circle !== undefined) return circle;
      }
      path.pop();
      state.set(file, "done");
      return undefined;
    };
    for (const file of files) assert.equal(visit(file)?.join(" → "), undefined);
  });

  it("keep Node out of what browsers load", () => {
    const seen = new Set<string>();
    const stack = ["index.ts", "analysis/index.ts", "classes/index.ts", "report/index.ts", "tfjs.ts"];
    for (let file = stack.pop(); file !== undefined; file = stack.pop()) {
      // The build makes one of them, which imports nothing.
      if (seen.has(file) || !existsSync(join(source, file))) continue;
      seen.add(file);
      assert.doesNotMatch(
        readFileSync(join(source, file), "utf8"),
        /from "node:/,
        `${file} is reached from an entry for browsers`,
      );
      for (const { from, to } of imports)
        if (from === file) stack.push(to === "platform/platform.ts" ? "platform/browser.ts" : to);
    }
    assert.ok(seen.size > 40, `only ${seen.size} files are reached: ${relative(source, source)}`);
  });
});
