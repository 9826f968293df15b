/**
 * What a page downloads to train LeNet-5: the ten lines of README.md in a bundler's build, as a server would compress it.
 *
 *   npm run size
 */

import { readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./build-step.js";

export interface Part {
  readonly name: string;
  readonly bytes: number;
  readonly gzip: number;
  readonly brotli: number;
}

/** The kernels that a page needs one variant of. */
const variants = ["simd", "simd-threads", "relaxed", "relaxed-threads"];

/** The parts of the download: what the program imports, and of what it loads later the largest kernels. */
export async function downloadParts(): Promise<Part[]> {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const program = /^## Ten lines\n+```ts\n(.*?)^```/ms.exec(readme)?.[1] ?? "";
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, loader: "ts", resolveDir: root },
    ...{ bundle: true, splitting: true, minify: true, write: false, format: "esm", target: "es2022" },
    ...{ platform: "browser", outdir: "out", entryNames: "program and library", chunkNames: "[name]-[hash]" },
    ...{ absWorkingDir: root, metafile: true },
    alias: { fovea: join(root, "dist/src/index.js") },
  });
  const contents = new Map(outputFiles.map((file) => [relative(root, file.path), file.contents]));
  const part = (path: string, name: string): Part => {
    const bytes = contents.get(path);
    if (bytes === undefined) throw new Error(`the build has no ${path}`);
    return {
      name,
      bytes: bytes.length,
      gzip: gzipSync(bytes, { level: 9 }).length,
      brotli: brotliCompressSync(bytes).length,
    };
  };
  const later = new Map<string, string>();
  const imported = new Set(["out/program and library.js"]);
  for (const path of imported) {
    for (const { path: target, kind } of metafile.outputs[path].imports) {
      if (kind === "import-statement") imported.add(target);
      else later.set(basename(metafile.outputs[target].entryPoint ?? "", ".js"), target);
    }
  }
  const loaded = (name: string): Part => {
    const path = later.get(name);
    if (path === undefined) throw new Error(`${name} is not a chunk of its own`);
    return part(path, name);
  };
  const kernels = variants.map(loaded).sort((a, b) => b.brotli - a.brotli);
  const own = [...imported].map((path, i) => part(path, i === 0 ? "program and library" : "shared chunk"));
  return [...own, kernels[0]];
}

export function totalOf(parts: readonly Part[]): Part {
  const sum = (of: (part: Part) => number) => parts.reduce((total, part) => total + of(part), 0);
  return { name: "total", bytes: sum((p) => p.bytes), gzip: sum((p) => p.gzip), brotli: sum((p) => p.brotli) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const parts = await downloadParts();
  console.log(`${"KB".padEnd(22)} ${["minified", "gzip", "brotli"].map((text) => text.padStart(9)).join("")}`);
  for (const { name, bytes, gzip, brotli } of [...parts, totalOf(parts)]) {
    const columns = [bytes, gzip, brotli].map((size) => (size / 1000).toFixed(1).padStart(9));
    console.log(`${name.padEnd(22)} ${columns.join("")}`);
  }
}
