/** The C compiler, with sanitizers. */

import { spawnSync } from "node:child_process";

export const compiler = process.env.CC ?? "gcc";

/** Paths of the sanitizers' libraries, such as `libasan.so`; an error where there are none. */
export function sanitizerLibraries(names: readonly string[]): string[] {
  if (process.platform !== "linux") throw new Error("the native kernels are built with sanitizers on Linux only.");
  return names.map((name) => {
    const path = spawnSync(compiler, [`-print-file-name=${name}`], { encoding: "utf8" }).stdout?.trim();
    if (!path?.startsWith("/"))
      throw new Error(`${compiler} has no ${name}. Fix: install gcc's sanitizers, or set CC.`);
    return path;
  });
}
