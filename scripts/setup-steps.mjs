// @ts-check
/** The steps of setup.mjs: plain JavaScript as well. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @param {string} path */
const at = (path) => join(root, path);

/**
 * What was done, how long it took, and how it went.
 *
 * @type {{ what: string, seconds: number, outcome: string, failed: boolean }[]}
 */
const steps = [];

/**
 * Runs a command in the repository; says whether it went well.
 *
 * @param {string} what
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} [environment]
 */
function attempt(what, command, args, environment) {
  const begun = performance.now();
  console.log(`${what} …`);
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...environment },
    shell: process.platform === "win32" && command === "npm",
  });
  const seconds = (performance.now() - begun) / 1000;
  if (error !== undefined) console.error(`${what}: ${error.message}`);
  const failed = status !== 0;
  console[failed ? "error" : "log"](`${what}${failed ? " failed after" : ":"} ${seconds.toFixed(1)} s`);
  steps.push({ what, seconds, outcome: failed ? "FAILED" : "ok", failed });
  // Somebody pressed Ctrl-C: nothing more is wanted.
  if (signal === "SIGINT" || status === 130) finish();
  return !failed;
}

/**
 * Runs a command without which nothing further makes sense.
 *
 * @param {Parameters<typeof attempt>} args
 */
function run(...args) {
  if (!attempt(...args)) finish();
}

/**
 * Notes a step that was not taken.
 *
 * @param {string} what
 * @param {string} reason
 */
function leaveOut(what, reason) {
  console.log(`${what}: ${reason}`);
  steps.push({ what, seconds: 0, outcome: reason, failed: false });
}

/**
 * Ends this process, with a table of all steps where there were several to wait for.
 *
 * @param {{ summary?: boolean }} [options]
 * @returns {never}
 */
function finish({ summary = true } = {}) {
  if (summary) {
    const width = Math.max(...steps.map(({ what }) => what.length));
    console.log("");
    for (const { what, seconds, outcome } of steps) {
      console.log(`  ${what.padEnd(width)}  ${seconds.toFixed(1).padStart(6)} s  ${outcome}`);
    }
    const total = steps.reduce((sum, { seconds }) => sum + seconds, 0);
    console.log(`  ${"in all".padEnd(width)}  ${total.toFixed(1).padStart(6)} s`);
  }
  process.exit(steps.some(({ failed }) => failed) ? 1 : 0);
}

/** Whether the packages that the sources name are there (npm's own list may be newer than a deleted folder). */
function hasPackages() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  return Object.keys({ ...dependencies, ...devDependencies }).every((name) =>
    existsSync(at(`node_modules/${name}/package.json`)),
  );
}

/** Installs packages unless those of this package-lock.json are there. */
function install() {
  const what = "Installing packages";
  const stamp = at("node_modules/.fovea-installed");
  const wanted = createHash("sha256")
    .update(`${process.platform} ${process.arch} `)
    .update(readFileSync(at("package-lock.json")))
    .digest("hex");
  const installed = at("node_modules/.package-lock.json");
  // Without a stamp somebody else has installed them, with `npm ci` for example.
  const isCurrent = existsSync(stamp)
    ? readFileSync(stamp, "utf8") === wanted
    : existsSync(installed) && statSync(installed).mtimeMs >= statSync(at("package-lock.json")).mtimeMs;
  if (isCurrent && hasPackages()) {
    console.log(`${what}: unchanged`);
  } else {
    // Of an installation that was cut short, packages may be there in part: npm would take them for whole.
    const begun = at("node_modules/.fovea-installing");
    if (existsSync(begun)) rmSync(at("node_modules"), { recursive: true });
    mkdirSync(at("node_modules"), { recursive: true });
    writeFileSync(begun, "");
    rmSync(stamp, { force: true });
    // Npm would believe this list, whatever has been deleted since.
    rmSync(installed, { force: true });
    const npm = process.env.npm_execpath;
    // Not `npm ci`: it refuses a lock file written where a registry lacks packages for other platforms.
    const args = ["install", "--no-save", "--include=dev", "--include=optional"];
    /** @type {[string, string[]]} */
    const command = npm?.endsWith(".js") ? [process.execPath, [npm, ...args]] : ["npm", args];
    if (!attempt(what, ...command)) {
      steps.pop();
      console.log("Perhaps the registry did not answer: trying once more in 5 seconds.");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000);
      run(what, ...command);
    }
    rmSync(begun);
  }
  writeFileSync(stamp, wanted);
}

/** Browsers that the tests may use. */
const browsers = [
  process.env.FOVEA_CHROMIUM ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** On Debian, root installs its Chromium; elsewhere the tests that need a browser are skipped without one. */
function installBrowser() {
  if (browsers.some((path) => path !== "" && existsSync(path))) return;
  const what = "Installing Chromium";
  const isDebian = existsSync("/etc/os-release") && /^ID="?debian"?$/m.test(readFileSync("/etc/os-release", "utf8"));
  if (!isDebian || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    const hint = isDebian ? "`apt-get install chromium` as root" : "install it, or name one in FOVEA_CHROMIUM";
    leaveOut(what, `left out (${hint}); tests in the browser are skipped`);
    return;
  }
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  const done =
    attempt("Updating the list of Debian packages", "apt-get", ["-q", "update"], environment) &&
    attempt(what, "apt-get", ["-q", "install", "-y", "--no-install-recommends", "chromium"], environment);
  if (done) return;
  // Not the fault of anything here: the tests that need a browser say that there is none.
  Object.assign(steps[steps.length - 1], { failed: false, outcome: "did not work; tests in the browser are skipped" });
}

/**
 * Compiled tests whose source still exists. (Node 20 does not expand patterns itself.)
 *
 * @param {string} folder
 * @returns {string[]}
 */
function testFiles(folder) {
  if (!existsSync(at(folder))) return [];
  return readdirSync(at(folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith(".test.js") && existsSync(at(path.slice("dist/".length).replace(/\.js$/, ".ts"))))
    .sort();
}

/**
 * @param {string} what
 * @param {readonly string[]} files
 * @param {Readonly<Record<string, string>>} [environment]
 * @param {number} [concurrency] files at a time: two even on two cores, for many tests wait for other processes
 */
function runTests(what, files, environment, concurrency = Math.max(2, Math.min(8, availableParallelism() - 1))) {
  const options = ["--test", "--test-reporter=spec", "--test-timeout=900000", `--test-concurrency=${concurrency}`];
  attempt(`${what} (${files.length} files)`, process.execPath, [...options, ...files], environment);
}

/**
 * Tests of what a device that answers late could change: the order of what is sent to it, how long memory and states live,
 * errors that come afterwards, values that are waited for; and of every op with the kernels that have no shared memory. How
 * numbers, shapes, files and messages come about is the same as in the first run.
 */
const delayedTests = [
  "graph/",
  "train/",
  "nn/",
  "ops/random-",
  "ops/dropout",
  "ops/stochastic",
  "ops/sizes",
  "goldens/training",
  "onnx/control",
  "onnx/model",
  "determinism",
].map((path) => `dist/test/${path}`);

/** Whether a test is to be run with delays: it must use the devices of test/support/devices.ts, which FOVEA_TEST_MODE changes. */
const runsDelayed = (/** @type {string} */ path) =>
  delayedTests.some((start) => path.startsWith(start)) && readFileSync(at(path), "utf8").includes("support/devices.js");

/** @param {readonly string[]} filters */
function test(filters) {
  const all = [...testFiles("dist/test"), ...testFiles("dist/src")];
  if (filters.length > 0) {
    const files = all.filter((path) => filters.some((filter) => path.includes(filter.replace(/\.ts$/, ".js"))));
    if (files.length === 0) {
      console.error(`No test has ${filters.join(" or ")} in its path.`);
      process.exit(1);
    }
    runTests("Testing", files);
    return;
  }
  // Each of these may fail without keeping the others from being run.
  attempt("Linting", process.execPath, ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."]);
  if (process.env.FOVEA_TEST_MODE === undefined) runTests("Testing", all);
  // These wait more than they compute.
  const environment = { FOVEA_TEST_MODE: "delayed" };
  runTests("Testing on WebAssembly without shared memory, with delays", all.filter(runsDelayed), environment, 4);
}

/** @param {readonly string[]} args */
export function main([mode, ...rest]) {
  install();
  run("Compiling", process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."]);
  run("Building", process.execPath, ["dist/scripts/build.js"]);
  if (mode === "--start") {
    const { status } = spawnSync(process.execPath, ["dist/src/cli/main.js", "demo", ...rest], {
      cwd: root,
      stdio: "inherit",
    });
    process.exit(status ?? 1);
  }
  if (mode === "--test") {
    installBrowser();
    test(rest);
  }
  if (mode === "--soak") {
    runTests("Training for ten thousand steps", ["dist/test/train/memory.test.js"], { FOVEA_SOAK: "1" });
    runTests("Pairs of instructions with all operands", ["dist/test/graph/pairs.test.js"], { FOVEA_SOAK: "1" });
    runTests("Killing runs at random moments", ["dist/test/cli/kill.test.js"], { FOVEA_SOAK: "1" });
  }
  finish({ summary: mode === "--test" });
}
