#!/usr/bin/env node
/**
 * Starts the command. A file of its own, so that it is there, and says what to do, in a checkout that has not been built:
 * npx links it once and for all.
 */

import { existsSync } from "node:fs";

if (existsSync(new URL("../dist/src/cli/main.js", import.meta.url))) {
  await import("../dist/src/cli/main.js");
} else {
  console.error("fovea: this checkout has not been built yet. Fix: npm run setup");
  process.exitCode = 1;
}
