/**
 * `npm run onnx:cases -- folder…`: runs cases in the layout of the ONNX project's backend tests, and says which fail. That
 * project's Python package writes more than 1,800 of them.
 */

import { basename } from "node:path";
import { Option } from "commander";
import { type DeviceName, setDevice } from "../src/index.js";
import { casesIn, outOfScope, runCase } from "../test/support/onnxCases.js";
import { scriptCommand } from "./command.js";

const command = scriptCommand(
  "onnx:cases",
  "Runs cases in the layout of the ONNX project's backend tests, and says which fail.",
  "cases/node --only test_conv",
)
  .argument("<folders...>", "folders that hold a folder for each case")
  .addOption(
    new Option("--device <name>", "where to compute").choices(["auto", "native", "wasm", "reference"]).default("auto"),
  )
  .option("--only <text>", "cases whose names contain the text", "")
  .parse();
const values = command.opts<{ device: DeviceName | "auto"; only: string }>();
setDevice(values.device);

const count = { passed: 0, failed: 0, skipped: 0 };
const reasons = new Map<string, number>();
for (const path of command.args.flatMap(casesIn).filter((each) => basename(each).includes(values.only))) {
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
