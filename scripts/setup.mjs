// @ts-check
/**
 * From a fresh checkout to something that runs: installs packages, compiles, builds, and skips what is up to date.
 *
 *   npm run setup          prepare everything
 *   npm start              … and run the demo
 *   npm test [-- filter…]  … and run the tests, or those whose path contains one of the filters
 *   npm run soak           … and run what takes long: ten thousand steps of training, in which memory stays flat, and more
 *
 * Plain JavaScript, because it runs before anything is installed. This file also parses on a Node that is too old, to say
 * so; the steps are in setup-steps.mjs.
 */

import { readFileSync } from "node:fs";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const wanted = engines.node.replace(">=", "");
const [major, minor] = process.versions.node.split(".").map(Number);
const [wantedMajor, wantedMinor] = wanted.split(".").map(Number);

if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
  console.error(`Fovea needs Node ${wanted} or newer, and this is ${process.versions.node} (${process.execPath}).`);
  console.error("Fix: install a current Node from https://nodejs.org and run this again.");
  process.exit(1);
} else {
  import("./setup-steps.mjs").then(({ main }) => main(process.argv.slice(2)));
}
