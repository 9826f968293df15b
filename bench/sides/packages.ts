/** The peers' packages: a project of their own, installed when they are first asked for. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../..", import.meta.url));

export const peersFolder = join(root, "bench", "peers");

/** Installs the packages unless those of this package.json are there. */
export function installPeers(say: (line: string) => void): void {
  const stamp = join(peersFolder, "node_modules", ".installed");
  const wanted = readFileSync(join(peersFolder, "package.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  say("installing the peers' packages into bench/peers, 900 MB …");
  const options = "--no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error".split(" ");
  // Its own set-up would fetch libraries for graphics cards.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip", ONNXRUNTIME_NODE_INSTALL_CUDA: "skip" };
  const shell = process.platform === "win32";
  const { status } = spawnSync("npm", ["install", ...options], { cwd: peersFolder, stdio: "inherit", env, shell });
  if (status !== 0) throw new Error(`npm install in bench/peers ended with code ${status}`);
  writeFileSync(stamp, wanted);
}

/** A Node with relaxed SIMD, 22 or newer: this one, or that of the peers' packages. */
export function newerNode(): string | undefined {
  if (Number(process.versions.node.split(".")[0]) >= 22) return process.execPath;
  const path = join(peersFolder, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  return existsSync(path) ? path : undefined;
}
