// @ts-check
/**
 * From a fresh checkout to something that runs: installs packages, compiles, builds, and skips what is up to date.
 * Plain JavaScript, because it runs before anything is installed.
 *
 *   npm run setup          prepare everything
 *   npm start              … and run the demo
 *   npm test [-- filter…]  … and run the tests, or those whose path contains one of the filters
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [mode, ...rest] = process.argv.slice(2);

/**
 * Runs a command in the repository; ends this process with its status if it fails.
 *
 * @param {string} what
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} [environment]
 */
function run(what, command, args, environment) {
  const begun = performance.now();
  console.log(`${what} …`);
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...environment },
    shell: process.platform === "win32" && command === "npm",
  });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  if (error !== undefined) console.error(`${what}: ${error.message}`);
  if (status !== 0) {
    console.error(`${what} failed after ${seconds} s`);
    process.exit(status ?? 1);
  }
  console.log(`${what}: ${seconds} s`);
}

/** @param {string} path */
const at = (path) => join(root, path);

/** Installs packages unless those of this package-lock.json are there. */
function install() {
  const stamp = at("node_modules/.fovea-installed");
  const wanted = createHash("sha256")
    .update(readFileSync(at("package-lock.json")))
    .digest("hex");
  const installed = at("node_modules/.package-lock.json");
  const upToDate = existsSync(stamp)
    ? readFileSync(stamp, "utf8") === wanted
    : existsSync(installed) && statSync(installed).mtimeMs >= statSync(at("package-lock.json")).mtimeMs;
  if (!upToDate) {
    const npm = process.env.npm_execpath;
    // Not `npm ci`: it refuses a lock file written where a registry lacks packages for other platforms.
    const args = ["install", "--no-save", "--include=dev"];
    if (npm?.endsWith(".js")) run("Installing packages", process.execPath, [npm, ...args]);
    else run("Installing packages", "npm", args);
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
  const isDebian = existsSync("/etc/os-release") && /^ID="?debian"?$/m.test(readFileSync("/etc/os-release", "utf8"));
  if (!isDebian || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    console.log("No Chromium found: tests in the browser are skipped. Install it, or name one in FOVEA_CHROMIUM.");
    return;
  }
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  run("Updating the list of Debian packages", "apt-get", ["-q", "update"], environment);
  run("Installing Chromium", "apt-get", ["-q", "install", "-y", "--no-install-recommends", "chromium"], environment);
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

/** @param {readonly string[]} filters */
function test(filters) {
  const files = [...testFiles("dist/test"), ...testFiles("dist/src")].filter(
    (path) => filters.length === 0 || filters.some((filter) => path.includes(filter.replace(/\.ts$/, ".js"))),
  );
  if (files.length === 0) {
    console.error(`No test has ${filters.join(" or ")} in its path.`);
    process.exit(1);
  }
  run(`Testing ${files.length} files`, process.execPath, [
    "--test",
    "--test-reporter=spec",
    "--test-timeout=900000",
    ...files,
  ]);
}

install();
run("Compiling", process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."]);
run("Building", process.execPath, ["dist/scripts/build.js"]);
if (mode === "--start") run("Demo", process.execPath, ["dist/src/cli/main.js", "demo", ...rest]);
if (mode === "--test") {
  installBrowser();
  test(rest);
}
