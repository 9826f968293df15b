/**
 * What a page downloads to train LeNet-5: the ten lines of README.md in a bundler's build, as a server would compress it.
 *
 *   npm run size
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
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

/** The parts of the download; of the kernels the largest variant. */
export async function downloadParts(): Promise<Part[]> {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const program = /^## Ten lines\n+```ts\n(.*?)^```/ms.exec(readme)?.[1] ?? "";
  const { outputFiles } = await build({
    stdin: { contents: program, loader: "ts", resolveDir: root },
    ...{ bundle: true, splitting: true, minify: true, write: false, format: "esm", target: "es2022" },
    ...{ platform: "browser", outdir: "/", entryNames: "program and library", chunkNames: "[name]" },
    alias: { fovea: join(root, "dist/src/index.js") },
  });
  const parts = outputFiles.map(({ path, contents }) => ({
    name: path.replace(/^\/|\.js$/g, ""),
    bytes: contents.length,
    gzip: gzipSync(contents, { level: 9 }).length,
    brotli: brotliCompressSync(contents).length,
  }));
  const kernels = parts.filter(({ name }) => variants.includes(name)).sort((a, b) => b.brotli - a.brotli);
  if (kernels.length !== variants.length) throw new Error("the kernels are not chunks of their own");
  return parts.filter((part) => !kernels.slice(1).includes(part));
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
