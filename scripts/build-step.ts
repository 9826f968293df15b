/** What the steps of the build have in common: hashing what they are made from, writing what they make. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

export const schemaPath = "kernels/generated/schema.h";

/** Something to build. */
export interface BuildStep {
  readonly name: string;
  /** Paths under the repository that it makes; a step that makes none is always run. */
  readonly outputs: readonly string[];
  /** What it is made from, as text: files, flags, versions. */
  readonly inputs: () => string;
  /** Returns a remark for the step's line. */
  readonly run: () => string | Promise<string>;
}

/** Runs a step, unless all that it is made from is as it was, and says how long it took. */
export async function runStep(step: BuildStep): Promise<void> {
  const begun = performance.now();
  const stamp = `dist/.build/${step.name.replaceAll(/[^\w]+/g, "-")}`;
  const inputs = createHash("sha256").update(step.inputs()).digest("hex");
  const done = existsSync(join(root, stamp)) ? readFileSync(join(root, stamp), "utf8") : "";
  const complete = () => step.outputs.every((path) => existsSync(join(root, path)));
  let remark = "unchanged";
  if (done !== inputs || step.outputs.length === 0 || !complete()) {
    remark = await step.run();
    if (complete()) writeOutput(stamp, inputs);
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`  ${step.name.padEnd(22)} ${seconds.padStart(5)} s  ${remark}`);
}

/** Hash of the files' names and contents; paths are relative to the repository. */
export function hashFiles(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  return hash.digest("hex");
}

/** C files of tests. */
const testFiles = ["client.h", "replay.c", "stress.c"];

/** The C files, without those of the other runtime and of tests. */
export function kernelFiles(without: readonly string[]): string[] {
  const left = new Set([...without, ...testFiles]);
  const names = readdirSync(join(root, "kernels")).filter((name) => /\.[ch]$/.test(name) && !left.has(name));
  return [...names.sort().map((name) => `kernels/${name}`), schemaPath];
}

/** Version of an installed package. */
export function versionOf(name: string): string {
  return JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
}

/** Writes a file in one go: whoever has the old one open keeps it. */
export function writeOutput(path: string, content: string | Uint8Array): void {
  replaceOutput(path, (temporary) => writeFileSync(temporary, content));
}

/** The same for a file that `make` writes. */
export function replaceOutput(path: string, make: (temporary: string) => void): void {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}`;
  make(temporary);
  renameSync(temporary, target);
}

/** A JavaScript module that exports one string, and its declaration. */
export function writeStringModule(path: string, name: string, value: string): void {
  writeOutput(path, `export const ${name} =\n  ${JSON.stringify(value)};\n`);
  writeOutput(path.replace(/\.js$/, ".d.ts"), `export declare const ${name}: string;\n`);
}
