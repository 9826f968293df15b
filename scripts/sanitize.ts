/**
 * The kernels under sanitizers, by which they may not touch memory that is not theirs, nor depend on it, nor race:
 *
 *   npm run sanitize                        all of them
 *   npm run sanitize -- --only thread       one
 *   npm run sanitize -- ops/winograd        other tests, by parts of their paths
 *
 * `address` and `thread` need Linux and a C compiler with these sanitizers.
 */

import { namesOf, scriptCommand } from "./command.js";
import { removeCheckouts } from "./mutation-checkout.js";
import { stopCommands } from "./run-command.js";
import { sanitizeAddresses } from "./sanitize/address.js";
import { findTests } from "./sanitize/tests.js";
import { sanitizeThreads } from "./sanitize/thread.js";
import { sanitizeWasm } from "./sanitize/wasm.js";

const sanitizers = { address: sanitizeAddresses, thread: sanitizeThreads, wasm: sanitizeWasm };
type Name = keyof typeof sanitizers;
const names = Object.keys(sanitizers) as Name[];

const command = scriptCommand(
  "sanitize",
  "Runs the tests that compare every op with its definition\n" +
    "  address  natively, under the address and the undefined-behaviour sanitizer\n" +
    "  thread   natively, under the thread sanitizer, with two and with four threads\n" +
    "  wasm     in WebAssembly, where every buffer of every step lies between guards, and nothing may depend on what is in them\n" +
    "Exits with 1 if one complains.",
  "--only thread,wasm ops/conformance",
)
  .argument("[tests...]", "parts of the paths of the tests to run instead")
  .option("--only <names>", `of ${names.join(", ")}`, namesOf(names), names)
  .parse();

process.on("SIGINT", () => {
  stopCommands();
  removeCheckouts();
  process.exit(130);
});
try {
  const tests = findTests(command.args);
  for (const name of command.opts<{ only: Name[] }>().only) {
    console.log(`${name}:`);
    const complaints = await sanitizers[name](tests);
    if (complaints.length === 0) continue;
    console.error(complaints.join("\n"));
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  removeCheckouts();
}
