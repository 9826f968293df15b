/**
 * Measures which algorithm computes each convolution of the networks fastest, and writes the tables that the kernels
 * choose by. Run with `npm run bench:algorithms`; bench/README.md says how.
 */

import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { createWasmDevice, setDevice } from "fovea";
import { namesOf, scriptCommand, wholeNumber } from "../scripts/command.js";
import type { Device } from "../src/backends/backend.js";
import { measuredTables } from "../src/backends/cpu/algorithms/index.js";
import { algorithmsOf } from "../src/backends/cpu/kernels/convolutionCase.js";
import { machineOf, type Variant, variants } from "../src/backends/cpu/machines.js";
import { createNativeDevice } from "../src/backends/native/device.js";
import { chooseVariant } from "../src/backends/wasm/variants.js";
import { showProgress } from "../src/cli/progress.js";
import { casesOf, measuredNetworks } from "./algorithms/cases.js";
import { enter, entriesOf, type Measured, readTables, tableOf, writeModule, writeTables } from "./algorithms/table.js";
import { Timer } from "./algorithms/times.js";
import { newerNode, root } from "./sides/packages.js";

const options = scriptCommand(
  "bench:algorithms",
  "Measures which algorithm computes each convolution of the networks fastest, and writes the tables that kernels\n" +
    "choose by. What has been measured is kept in .cache/algorithms: interrupted, it goes on from there next time.",
  "--variant native-avx2,wasm-relaxed --only 'batch 1 last 3x3'",
)
  .option("--variant <names>", `of ${variants.join(", ")} (default: those of this machine)`, namesOf(variants))
  .option(
    "--network <names>",
    "networks whose convolutions are measured",
    namesOf(measuredNetworks()),
    measuredNetworks(),
  )
  .option("--only <text>", 'part of the names of convolutions, such as "conv2d batch 1" or "512x7>512"', "")
  .option("--rounds <n>", "turns of each algorithm", wholeNumber(2), 7)
  .option("--fresh", "forget what was measured before, and what the tables had")
  .option("--write", "measure nothing: write what has been measured")
  .option("--out <file>", "a JSON file for FOVEA_ALGORITHMS, in place of the project's own tables")
  .parse()
  .opts<{
    variant?: Variant[];
    network: string[];
    only: string;
    rounds: number;
    fresh?: true;
    write?: true;
    out?: string;
  }>();

/** Those whose tables this machine can measure. */
function usual(): Variant[] {
  const native = deviceFor("native-avx2")?.variant ?? deviceFor("native-neon")?.variant;
  return [...variants.filter((each) => each === native), newerNode() === undefined ? "wasm-simd" : "wasm-relaxed"];
}

/** With one thread; undefined where there can be none. */
function deviceFor(variant: Variant): Device | undefined {
  const [name, kernels] = variant.split("-");
  try {
    if (name === "native") {
      process.env.FOVEA_ISA = kernels;
      return createNativeDevice({ threads: 1 });
    }
    return createWasmDevice({ variant: chooseVariant(kernels === "simd" ? kernels : "relaxed"), threads: 1 });
  } catch {
    return undefined;
  }
}

const cacheOf = (variant: Variant) => join(root, ".cache/algorithms", `${variant}.jsonl`);
const keyOf = ({ name: { group, shape } }: Pick<Measured, "name">) => `${group} ${shape}`;

/** What has been measured; of a line that an interruption has cut off, nothing. */
function readMeasured(variant: Variant): Map<string, Measured> {
  const path = cacheOf(variant);
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  return new Map(
    lines.map((line) => {
      const measured: Measured = JSON.parse(line);
      return [keyOf(measured), measured];
    }),
  );
}

async function measure(variant: Variant): Promise<void> {
  const device = deviceFor(variant);
  if (device === undefined) throw new Error(`${variant} does not run here. Fix: another --variant.`);
  setDevice(device);
  await device.ready;
  const known = readMeasured(variant);
  const isWanted = (key: string) => key.includes(options.only);
  const found = casesOf(options.network, variant, device).filter((each) => isWanted(keyOf(each)));
  const left = found.filter((each) => !known.has(keyOf(each)));
  const machine = machineOf(variant, 1);
  const timer = new Timer(device, variant);
  mkdirSync(dirname(cacheOf(variant)), { recursive: true });
  for (const [i, each] of left.entries()) {
    showProgress(`${variant}: ${keyOf(each)}`, found.length - left.length + i, found.length);
    const times = await timer.time(each, algorithmsOf(each.given, machine), options.rounds);
    const rounded = Object.fromEntries(Object.entries(times).map(([name, time]) => [name, Math.round(10 * time) / 10]));
    appendFileSync(cacheOf(variant), `${JSON.stringify({ name: each.name, times: rounded })}\n`);
  }
  showProgress(variant, found.length, found.length);
  await device.close();
}

function write(variant: Variant): void {
  const { out, fresh } = options;
  const before = out === undefined ? measuredTables[variant] : readTables(out)[variant];
  const entries = entriesOf(fresh === true ? {} : (before ?? {}));
  const measured = [...readMeasured(variant).values()];
  for (const each of measured) enter(entries, variant, each);
  const table = tableOf(entries);
  const path = out ?? relative(process.cwd(), writeModule(variant, table));
  if (out !== undefined) writeTables(out, variant, table);
  const count = [...entries.values()].reduce((sum, shapes) => sum + shapes.size, 0);
  console.log(`${path}: ${count} entries for ${variant}, of ${measured.length} convolutions measured`);
}

for (const variant of options.variant ?? usual()) {
  const other = newerNode();
  if (variant === "wasm-relaxed" && other !== undefined && other !== process.execPath) {
    const rest = process.argv.slice(2).filter((word, i, words) => word !== "--variant" && words[i - 1] !== "--variant");
    const { status } = spawnSync(other, [process.argv[1], ...rest, "--variant", variant], { stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
    continue;
  }
  if (options.fresh && !options.write) rmSync(cacheOf(variant), { force: true });
  if (!options.write) await measure(variant);
  write(variant);
}
// The devices' threads would keep the process.
process.exit(0);
