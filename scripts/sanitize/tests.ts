/** What the sanitizers run: tests of the ops, and what comes of them. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../build-step.js";
import { run } from "../run-command.js";

const standard = ["ops/conformance", "ops/random-configurations", "ops/winograd", "ops/corners", "nn/training"];

/** The compiled tests whose path contains one of the words, relative to the repository. */
export function findTests(words: readonly string[]): string[] {
  const wanted = words.length === 0 ? standard : words;
  const tests = readdirSync(join(root, "dist/test"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.js") && wanted.some((word) => path.includes(word.replace(/\.ts$/, ".js"))))
    .map((path) => join("dist/test", path));
  if (tests.length === 0) throw new Error(`no test has ${wanted.join(" or ")} in its path.`);
  return tests;
}

export interface TestRun {
  readonly tests: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** A device: tests with its name are run. */
  readonly device: string;
  /** Lines of the output that are complaints, beside tests that fail. */
  readonly complaint?: RegExp;
}

/** Runs the tests of a device one after the other; what is to be complained of. */
export async function runTests({ tests, folder, environment, device, complaint }: TestRun): Promise<string[]> {
  console.log(`  running ${tests.join(" ")} on ${device}`);
  const args = ["--test", "--test-concurrency=1", "--test-reporter=tap", `--test-name-pattern=${device}`, ...tests];
  const { status, output } = await run(process.execPath, args, { folder, environment, minutes: 60 });
  const complaints = output.split("\n").filter((line) => /^ *not ok/.test(line) || complaint?.test(line));
  const counted = output.match(/^# (?:pass|fail) .*$/gm)?.join(", ");
  const passed = Number(output.match(/^# pass (\d+)$/m)?.[1] ?? 0);
  console.log(`  ${counted?.replaceAll("# ", "") ?? "no test ended"}`);
  if (complaints.length > 0) return complaints.slice(0, 40);
  return status === 0 && passed > 0 ? [] : [`the tests ended with status ${status}\n${output.slice(-2000)}`];
}
