/**
 * `npm run onnx:cases -- folder…`: runs cases in the layout of the ONNX project's backend tests, and says which fail. That
 * project's Python package writes more than 1,800 of them.
 *
 *   --device native|wasm|reference   where to compute
 *   --only text                      cases whose names contain the text
 */

import { basename } from "node:path";
import { parseArgs } from "node:util";
import { type DeviceName, setDevice } from "../src/index.js";
import { casesIn, outOfScope, runCase } from "../test/support/onnxCases.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { device: { type: "string", default: "auto" }, only: { type: "string", default: "" } },
});
if (positionals.length === 0) {
  process.stderr.write("npm run onnx:cases -- folder…: folders that hold a folder for each case.\n");
  process.exit(2);
}
setDevice(values.device as DeviceName | "auto");

const count = { passed: 0, failed: 0, skipped: 0 };
const reasons = new Map<string, number>();
for (const path of positionals.flatMap(casesIn).filter((each) => basename(each).includes(values.only))) {
  const reason = outOfScope(path);
  if (reason !== undefined) {
    count.skipped++;
    const kind = reason.replace(/^\S+ /, "").slice(0, 60);
    reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
    continue;
  }
  try {
    await runCase(path);
    count.passed++;
  } catch (error) {
    count.failed++;
    process.stdout.write(`${basename(path)}: ${error instanceof Error ? error.message : error}\n`);
  }
}
for (const [reason, cases] of reasons) process.stdout.write(`${cases} skipped: a value ${reason}\n`);
process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
