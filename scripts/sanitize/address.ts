/**
 * The native kernels under the address and the undefined-behaviour sanitizer: builds the addon with them in a copy of the
 * repository. Node itself was built without them, so their libraries are loaded before anything else.
 */

import { Checkout } from "../mutation-checkout.js";
import { run } from "../run-command.js";
import { compiler, sanitizerLibraries } from "./compiler.js";
import { runTests } from "./tests.js";

const sanitizers = "address,undefined";
const flags = `-O1 -g1 -w -fsanitize=${sanitizers} -fno-sanitize-recover=undefined`;

export async function sanitizeAddresses(tests: readonly string[]): Promise<string[]> {
  const preload = sanitizerLibraries(["libasan.so", "libubsan.so"]).join(" ");
  const { folder } = new Checkout();
  const environment = { CC: compiler, CFLAGS: flags };
  console.log(`  building the addon with -fsanitize=${sanitizers}`);
  const built = await run(process.execPath, ["dist/scripts/build.js", "addon"], { folder, environment, minutes: 20 });
  if (built.status !== 0) throw new Error(built.output);
  return runTests({
    ...{ tests, folder, device: "native", complaint: /AddressSanitizer|runtime error/ },
    environment: { LD_PRELOAD: preload, ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1" },
  });
}
