/**
 * The native kernels under the address and the undefined-behaviour sanitizer: builds the addon with them in a copy of the
 * repository and runs the tests that compare every op with its definition. Run with `npm run sanitize`; words choose
 * other tests, by parts of their paths. Needs a C compiler with sanitizers, and Linux.
 */

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Checkout, removeCheckouts } from "./mutation-checkout.js";
import { run, stopCommands } from "./run-command.js";

const sanitizers = "address,undefined";
const flags = `-O1 -g1 -w -fsanitize=${sanitizers} -fno-sanitize-recover=undefined`;
const standard = ["ops/conformance", "ops/random-configurations", "ops/winograd", "ops/corners"];

/** The sanitizers' libraries: Node itself was built without them, so they must be there first. */
function libraries(compiler: string): string {
  const paths = ["libasan.so", "libubsan.so"].map((name) =>
    spawnSync(compiler, [`-print-file-name=${name}`], { encoding: "utf8" }).stdout?.trim(),
  );
  if (paths.some((path) => !path?.startsWith("/"))) {
    throw new Error(`${compiler} has no sanitizers. Fix: install gcc with libasan and libubsan, or set CC.`);
  }
  return paths.join(" ");
}

async function sanitize(words: readonly string[]): Promise<boolean> {
  if (process.platform !== "linux") throw new Error("the sanitizers are loaded into Node as on Linux only.");
  const compiler = process.env.CC ?? "gcc";
  const preload = libraries(compiler);
  const { folder } = new Checkout();
  const environment = { ...process.env, CC: compiler, CFLAGS: flags } as Record<string, string>;
  console.log(`building the addon with -fsanitize=${sanitizers}`);
  const built = await run(process.execPath, ["dist/scripts/build.js", "addon"], {
    folder,
    environment,
    minutes: 20,
  });
  if (built.status !== 0) throw new Error(built.output);
  const tests = readdirSync(join(folder, "dist/test"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.js") && words.some((word) => path.includes(word)))
    .map((path) => join("dist/test", path));
  if (tests.length === 0) throw new Error(`no test has ${words.join(" or ")} in its path.`);
  console.log(`running ${tests.join(" ")} on native`);
  const settings = { ...environment, LD_PRELOAD: preload, ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1" };
  const args = ["--test", "--test-concurrency=1", "--test-reporter=tap", "--test-name-pattern=native", ...tests];
  const { status, output } = await run(process.execPath, args, { folder, environment: settings, minutes: 60 });
  const counted = output
    .match(/^# (?:pass|fail) .*$/gm)
    ?.join(", ")
    .replaceAll("# ", "");
  const passed = Number(output.match(/^# pass (\d+)$/m)?.[1] ?? 0);
  const complaints = output.split("\n").filter((line) => /AddressSanitizer|runtime error|^ *not ok/.test(line));
  if (status === 0 && passed > 0 && complaints.length === 0) {
    console.log(`clean: ${counted}`);
    return true;
  }
  console.error(complaints.slice(0, 40).join("\n"));
  console.error(`${counted ?? "no test ended"}; status ${status}`);
  return false;
}

process.on("SIGINT", () => {
  stopCommands();
  removeCheckouts();
  process.exit(130);
});
try {
  const words = process.argv.slice(2);
  if (!(await sanitize(words.length === 0 ? standard : words))) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  removeCheckouts();
}
