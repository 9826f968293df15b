/**
 * The native kernels and their queue under the thread sanitizer. Its library cannot be loaded into a Node that was built
 * without it; so what the tests ask of the ordinary addon is recorded (test/support/recording.ts), and a program in C
 * does it all again (kernels/replay.c) and compares the results' bits.
 */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platform } from "#platform";
import { instructionSets } from "../build-addon.js";
import { root } from "../build-step.js";
import { run } from "../run-command.js";
import { compiler, sanitizerLibraries } from "./compiler.js";
import { runTests } from "./tests.js";

const threadCounts = [2, 4];
const flags = "-D_GNU_SOURCE -O1 -g1 -std=gnu11 -w -pthread -ffp-contract=off -fno-math-errno -fsanitize=thread".split(
  " ",
);

async function compile(args: readonly string[]): Promise<void> {
  const { status, output } = await run(compiler, args, { folder: join(root, "kernels"), minutes: 20 });
  if (status !== 0) throw new Error(output);
}

/** Builds the player for the instruction set that the addon takes here. */
async function buildReplay(isa: string, folder: string): Promise<string> {
  const [object, binary] = [join(folder, "kernels.o"), join(folder, "replay")];
  const table = ["-DFOVEA_TABLE=fovea_kernels_test", `-DFOVEA_ISA="${isa}"`];
  const own = instructionSets[process.arch]?.[isa] ?? [];
  await compile([...flags, ...own, ...table, "-c", "all.c", "-o", object]);
  await compile([...flags, "replay.c", object, "-o", binary]);
  return binary;
}

export async function sanitizeThreads(tests: readonly string[]): Promise<string[]> {
  sanitizerLibraries(["libtsan.so"]);
  const folder = mkdtempSync(join(tmpdir(), "fovea-replay-"));
  try {
    const isa = process.env.FOVEA_ISA || platform.loadNativeAddon().isas()[0];
    console.log(`  building kernels/replay.c for ${isa} with -fsanitize=thread`);
    const binary = await buildReplay(isa, folder);
    const complaints: string[] = [];
    for (const threads of threadCounts) {
      const traces = mkdtempSync(join(folder, "traces-"));
      const environment = {
        FOVEA_TEST_MODE: "recorded",
        ...{ FOVEA_TEST_TRACES: traces, FOVEA_THREADS: `${threads}`, FOVEA_ISA: isa },
      };
      const failures = await runTests({ tests, folder: root, environment, device: "native" });
      const files = readdirSync(traces).map((name) => join(traces, name));
      const options = { folder, environment: { TSAN_OPTIONS: "exitcode=1" }, minutes: 30 };
      const { status, output } = await run(binary, files, options);
      console.log(output.replace(/^(?=\d)/gm, "  ").trimEnd());
      if (files.length === 0) complaints.push("nothing was recorded");
      if (status !== 0) complaints.push(`replayed with ${threads} threads: status ${status}`);
      complaints.push(...failures);
    }
    return complaints;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
