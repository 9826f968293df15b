/**
 * Shows that the tests can fail: makes each change of mutation-list.ts in a copy of the repository, builds what depends
 * on it, and runs the tests that should notice. A change that none of them notices is an error.
 *
 *   npm run mutations [-- --only 3,7] [-- --json] [-- --help]
 */

import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { chooseVariant } from "../src/backends/wasm/variants.js";
import { root } from "./build-step.js";
import { scriptCommand } from "./command.js";
import { Checkout, removeCheckouts } from "./mutation-checkout.js";
import { type Mutation, mutations } from "./mutation-list.js";
import { interrupted, run, stopCommands } from "./run-command.js";

interface Result {
  readonly number: number;
  readonly what: string;
  readonly file: string;
  /** The test that failed, or undefined where none did. */
  readonly caughtBy: string | undefined;
  /** Why the change could not be tried. */
  readonly problem?: string;
  readonly seconds: number;
}

/** The kernels are compiled quickly rather than well: their results are the same. */
const buildEnvironment = { CFLAGS: "-O1" };
const testMinutes = 5;

function parseNumbers(text: string): number[] {
  const numbers = text.split(",").map(Number);
  if (!numbers.every((number) => Number.isInteger(number) && number >= 1 && number <= mutations.length)) {
    throw new InvalidArgumentError(`Expected numbers from 1 to ${mutations.length} with commas between them.`);
  }
  return numbers;
}

const options = scriptCommand(
  "mutations",
  "Makes one wrong change after another in a copy of the repository and requires that a test notices.\n" +
    "Exits with 1 when a change goes unnoticed or cannot be made, or when the tests fail without any.",
  "--only 3,7",
)
  .option("--only <numbers>", "only these changes, such as 3,7", parseNumbers)
  .option("--list", "say which changes there are")
  .option("--json", "one JSON object for each change on standard output (of `node dist/scripts/mutations.js`)")
  .parse()
  .opts<{ only?: number[]; list?: true; json?: true }>();

const say = (text: string) => process.stderr.write(`${text}\n`);
const sinceThen = (begun: number) => Math.round((performance.now() - begun) / 100) / 10;

/** The first test in one of the files that fails, by name, or undefined if all pass. */
async function findFailure(checkout: Checkout, tests: readonly string[]): Promise<string | undefined> {
  for (const test of tests) {
    const file = join("dist/test", `${test}.test.js`);
    let failed: string | undefined;
    // Node's runner would go through the rest of the file; one failure is enough.
    const outcome = await run(process.execPath, ["--test-reporter=tap", file], {
      folder: checkout.folder,
      minutes: testMinutes,
      stopAt(line) {
        failed ??= /^\s*not ok \d+ - (.*?)(?: # .*)?$/.exec(line)?.[1];
        return failed !== undefined;
      },
    });
    if (failed !== undefined) return `${test}: ${failed}`;
    if (outcome.timedOut) return `${test}: not done after ${testMinutes} minutes`;
    if (outcome.status !== 0) return `${test}: ended with ${outcome.status}`;
  }
  return undefined;
}

/** Builds what depends on the change; undefined, or what the compiler said against it. */
async function build(checkout: Checkout, mutation: Mutation): Promise<string | undefined> {
  const kernels = mutation.build === "addon" && Checkout.hasAddon() ? "addon" : `wasm ${chooseVariant(undefined)}`;
  const command =
    mutation.build === undefined
      ? [join(root, "node_modules/typescript/bin/tsc"), "-p", "."]
      : ["dist/scripts/build.js", kernels];
  const { status, output } = await run(process.execPath, command, {
    folder: checkout.folder,
    minutes: 15,
    environment: buildEnvironment,
  });
  return status === 0 ? undefined : `does not build: ${output.trim().split("\n").slice(-5).join(" ")}`;
}

async function attempt(mutation: Mutation, number: number): Promise<Result> {
  const begun = performance.now();
  const checkout = new Checkout();
  const { what, file } = mutation;
  const result = (rest: Pick<Result, "caughtBy" | "problem">): Result => {
    return { number, what, file, ...rest, seconds: sinceThen(begun) };
  };
  try {
    const places = checkout.replace(file, mutation.from, mutation.to);
    if (places !== 1) return result({ caughtBy: undefined, problem: `the text to change occurs ${places} times` });
    const problem = await build(checkout, mutation);
    if (problem !== undefined) return result({ caughtBy: undefined, problem });
    return result({ caughtBy: await findFailure(checkout, mutation.tests) });
  } finally {
    checkout.remove();
  }
}

/** The tests must pass as things are: else their failures would say nothing. */
async function checkUnchanged(tests: readonly string[]): Promise<boolean> {
  const begun = performance.now();
  say(`Without any change: ${tests.join(", ")} …`);
  const checkout = new Checkout();
  try {
    const failure = await findFailure(checkout, tests);
    if (interrupted()) return false;
    say(failure === undefined ? `  pass  ${sinceThen(begun).toFixed(0)} s` : `  FAIL  ${failure}`);
    return failure === undefined;
  } finally {
    checkout.remove();
  }
}

function report(results: readonly Result[]): void {
  const rows = results.map(({ number, what, file, caughtBy, problem, seconds }) => [
    String(number),
    what,
    file,
    problem ?? caughtBy ?? "NOTHING: a test is missing",
    seconds.toFixed(0),
  ]);
  const all = [["#", "change", "file", "caught by", "s"], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  for (const row of all) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
  }
}

async function main(): Promise<void> {
  const chosen = mutations
    .map((mutation, index) => ({ mutation, number: index + 1 }))
    .filter(({ number }) => options.only?.includes(number) ?? true);
  if (options.list) {
    for (const { mutation, number } of chosen) console.log(`${String(number).padStart(2)}  ${mutation.what}`);
    return;
  }
  if (!Checkout.hasAddon())
    say("There is no native addon here: kernels are tested in WebAssembly, which takes longer.");
  const begun = performance.now();
  const tests = [...new Set(chosen.flatMap(({ mutation }) => mutation.tests))];
  let ok = await checkUnchanged(tests);
  const results: Result[] = [];
  for (const { mutation, number } of ok ? chosen : []) {
    if (interrupted()) break;
    say(`${number}. ${mutation.what} …`);
    const result = await attempt(mutation, number);
    if (interrupted()) break;
    results.push(result);
    const { caughtBy, problem, seconds } = result;
    if (caughtBy === undefined) ok = false;
    say(
      `  ${caughtBy === undefined ? "FAIL" : "caught"}  ${seconds.toFixed(0)} s  ${problem ?? caughtBy ?? "by no test"}`,
    );
    if (options.json) console.log(JSON.stringify(result));
  }
  if (!options.json && results.length > 0) report(results);
  const caught = results.filter(({ caughtBy }) => caughtBy !== undefined).length;
  if (interrupted()) say("Interrupted.");
  say(`${caught} of ${chosen.length} changes were noticed, ${sinceThen(begun).toFixed(0)} s`);
  if (!ok && !interrupted()) process.exitCode = 1;
}

for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.on(signal, () => {
    process.exitCode = status;
    stopCommands();
  });
}
try {
  await main();
} finally {
  removeCheckouts();
}
