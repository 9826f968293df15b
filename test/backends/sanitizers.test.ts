/** The native queue under the thread and the address sanitizer (kernels/stress.c), where the C compiler has them. */

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { encodeProgram } from "../../src/backends/cpu/encode.js";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import { longProgram } from "../support/programs.js";

const kernels = fileURLToPath(new URL("../../../kernels/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "fovea-stress-"));
const compiler = [process.env.CC, "clang", "gcc", "cc"].find((c) => c && spawnSync(c, ["--version"]).status === 0);
const execute = promisify(execFile);

/** Why a sanitizer cannot be used; programs that it has been built into may not even start. */
function unusable(sanitizer: string): string | false {
  if (compiler === undefined) return "there is no C compiler";
  const [source, binary] = [join(folder, "empty.c"), join(folder, "empty")];
  writeFileSync(source, "int main(void) { return 0; }\n");
  const compiled = spawnSync(compiler, [`-fsanitize=${sanitizer}`, source, "-o", binary]).status === 0;
  return compiled && spawnSync(binary).status === 0 ? false : `${compiler} has no usable -fsanitize=${sanitizer}`;
}

/**
 * The machine of kernels/program.c with the one kernel that the program calls: all of them take long to compile under
 * the sanitizers, and `npm run sanitize` runs them.
 */
function writeKernels(): string {
  const header = readFileSync(join(kernels, "generated/schema.h"), "utf8");
  const steps = [...header.matchAll(/^ {2}X\((\w+), (\w+)\)/gm)].filter(([, name]) => name !== "elementwise");
  const never = steps.map(
    ([, name, type]) =>
      `static void kernel_${name}(const Context *context, const ${type} *step) { __builtin_trap(); }\n`,
  );
  const path = join(folder, "kernels.c");
  writeFileSync(path, `#include "fovea.h"\n#include "elementwise.c"\n${never.join("")}#include "program.c"\n`);
  return path;
}

describe("the native queue", () => {
  after(() => rmSync(folder, { recursive: true }));

  for (const sanitizer of ["thread", "address,undefined"]) {
    // How threads wait makes no difference to which memory they touch.
    const own = process.platform === "linux" ? ["futex"] : ["condition"];
    for (const waiting of sanitizer === "thread" ? ["futex", "condition"] : own) {
      const skip = unusable(sanitizer) || (waiting === "futex" && process.platform !== "linux" && "no futexes here");
      it(`is clean under the ${sanitizer} sanitizer, waiting by ${waiting}`, { skip }, async () => {
        if (compiler === undefined) return;
        const device = createWasmDevice({ threads: 1 });
        const count = 20_000;
        const program = longProgram(device, count, 10);
        await device.close();
        const encoded = join(folder, "program");
        writeFileSync(encoded, encodeProgram(program));
        const binary = join(folder, `${sanitizer}-${waiting}`);
        const flags = `-D_GNU_SOURCE -O1 -g1 -std=gnu11 -w -pthread -ffp-contract=off -fno-sanitize-recover=all`.split(
          " ",
        );
        if (waiting === "condition") flags.push("-DFOVEA_NO_FUTEX");
        const table = ["-DFOVEA_TABLE=fovea_kernels_test", '-DFOVEA_ISA="test"'];
        flags.push(`-fsanitize=${sanitizer}`, ...table);
        const object = `${binary}.o`;
        await execute(compiler, [...flags, `-I${kernels}`, "-c", writeKernels(), "-o", object]);
        await execute(compiler, [...flags, join(kernels, "stress.c"), object, "-o", binary]);
        for (const threads of [1, 2, 5]) {
          const args = [encoded, program.arenaBytes, count, threads, 24].map(String);
          const { stdout } = await execute(binary, args, { env: { ...process.env, TSAN_OPTIONS: "halt_on_error=1" } });
          assert.equal(stdout.trim(), "ok");
        }
      });
    }
  }
});
