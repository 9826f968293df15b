/** The native addon: the kernels once for each instruction set, and the queue, with the system's C compiler. */

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type BuildStep, hashFiles, kernelFiles, replaceOutput, root, versionOf } from "./build-step.js";

const output = "dist/native/fovea.node";

/** Flags for each instruction set that a processor of this kind may have; kernels/native.c chooses at run time. */
export const instructionSets: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  x64: {
    sse2: [],
    avx2: ["-mavx2", "-mfma"],
    avx512: "-mavx2 -mfma -mavx512f -mavx512vl -mavx512dq -mavx512bw -mprefer-vector-width=512".split(" "),
  },
  arm64: { neon: [] },
};

const compileFlags = [
  ..."-D_GNU_SOURCE -O3 -std=gnu11 -fPIC -fvisibility=hidden -pthread -ffp-contract=off -fno-math-errno".split(" "),
  ..."-Wall -Wextra -Wno-unused-function -Wno-psabi".split(" "),
  // Last, so that they win.
  ...(process.env.CFLAGS ?? "").split(/\s+/).filter((flag) => flag !== ""),
];

const linkFlags =
  process.platform === "darwin"
    ? ["-bundle", "-undefined", "dynamic_lookup"]
    : ["-shared", "-pthread", "-Wl,--gc-sections"];

/** The first C compiler that answers, and what it says of itself. */
function findCompiler(): { command: string; version: string } | undefined {
  for (const command of [process.env.CC, "clang", "gcc", "cc"]) {
    if (!command) continue;
    const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (status === 0) return { command, version: stdout };
  }
  return undefined;
}

export function addonStep(): BuildStep {
  const name = "native addon";
  const sets = instructionSets[process.arch];
  const compiler = process.platform === "win32" || sets === undefined ? undefined : findCompiler();
  if (compiler === undefined || sets === undefined) {
    const hint = sets === undefined || process.platform === "win32" ? "" : " Install gcc or clang for native speed.";
    const remark = `left out: ${hint === "" ? `not made for ${process.platform} ${process.arch}` : "no C compiler"}.${hint} WebAssembly is used instead.`;
    return { name, outputs: [], inputs: () => remark, run: () => remark };
  }
  const files = kernelFiles(["wasm.c"]);
  return {
    name,
    outputs: [output],
    inputs: () =>
      [compiler.version, process.arch, versionOf("node-api-headers"), hashFiles(files), compileFlags, linkFlags, sets]
        .map((input) => JSON.stringify(input))
        .join(),
    async run() {
      const folder = mkdtempSync(join(tmpdir(), "fovea-"));
      try {
        const objects = await compileAll(compiler.command, sets, folder);
        replaceOutput(output, (path) => {
          const { status, stderr } = spawnSync(compiler.command, [...objects, ...linkFlags, "-o", path], {
            encoding: "utf8",
          });
          if (status !== 0) throw new Error(`the native addon does not link:\n${stderr}`);
        });
      } finally {
        rmSync(folder, { recursive: true });
      }
      return `${compiler.command}, ${Object.keys(sets).join(", ")}`;
    },
  };
}

/** Object files of the kernels and of the queue, as many at once as there are cores. */
async function compileAll(
  compiler: string,
  sets: Readonly<Record<string, readonly string[]>>,
  folder: string,
): Promise<string[]> {
  const headers = join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include");
  const jobs = Object.entries(sets).map(([isa, flags]) => ({
    source: "all.c",
    object: join(folder, `${isa}.o`),
    flags: [...flags, `-DFOVEA_TABLE=fovea_kernels_${isa}`, `-DFOVEA_ISA="${isa}"`],
  }));
  jobs.push({ source: "native.c", object: join(folder, "native.o"), flags: [`-I${headers}`] });
  const queue = [...jobs];
  const work = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      await run(compiler, [...compileFlags, ...job.flags, "-c", join(root, "kernels", job.source), "-o", job.object]);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: availableParallelism() }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return jobs.map(({ object }) => object);
}

/** Runs a command; its warnings go to the terminal. */
function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the native addon does not compile (${command} ended with code ${code})`));
    });
  });
}
