/** Copies of the repository to change at will. */

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { root } from "./build-step.js";

/** What copies do without. */
const left = new Set([".git", "node_modules", "runs", ".cache"]);

const folders = new Set<string>();

/** A copy of the sources and of everything built from them; packages are shared. */
function copyOf(original: string): string {
  const folder = mkdtempSync(join(tmpdir(), "fovea-mutation-"));
  folders.add(folder);
  cpSync(original, folder, {
    recursive: true,
    preserveTimestamps: true,
    filter: (source) => !left.has(relative(original, source)),
  });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  return folder;
}

/** The repository as it was at first: what is edited or built there meanwhile makes no test fail. */
let base: string | undefined;

export class Checkout {
  readonly folder: string;

  constructor() {
    base ??= copyOf(root);
    this.folder = copyOf(base);
  }

  static hasAddon(): boolean {
    return existsSync(join(root, "dist/native/fovea.node"));
  }

  /** Replaces `from` in a file if it occurs just once; returns how often it does. */
  replace(file: string, from: string, to: string): number {
    const path = join(this.folder, file);
    const parts = readFileSync(path, "utf8").split(from);
    if (parts.length === 2) writeFileSync(path, parts.join(to));
    return parts.length - 1;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
    folders.delete(this.folder);
  }
}

/** Those that are left over after an interruption. */
export function removeCheckouts(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
