/**
 * Loading VGG-16 from a safetensors file of 528 MB that lies in the system's cache, against reading that file: time, and
 * how much memory the process takes more at its peak, on every device. Each run is a process of its own; medians of
 * interleaved runs. Run with `npm run bench:loading`; `--json` for programs.
 */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Option } from "commander";
import { type DeviceName, defaultDevice, listDevices, models, setDevice } from "fovea";
import { scriptCommand } from "../scripts/command.js";
import { median } from "./statistics.js";

const rounds = 9;

interface Measured {
  readonly milliseconds: number;
  /** Bytes of memory at the peak, beyond what the process had before. */
  readonly growth: number;
}

/** One run, in this process: how long it takes and by how much the memory grows. */
async function measure(kind: string, path: string): Promise<Measured> {
  let work: () => unknown = () => readFileSync(path);
  if (kind !== "read") {
    setDevice(kind as DeviceName);
    await defaultDevice().ready;
    const model = models.create("vgg16");
    work = () => model.load(path);
  }
  const before = process.memoryUsage().rss;
  const begun = performance.now();
  const result = await work();
  const milliseconds = performance.now() - begun;
  const growth = process.resourceUsage().maxRSS * 1024 - before;
  if (result === undefined) throw new Error("nothing was read");
  return { milliseconds, growth };
}

async function compare(json: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "fovea-loading-"));
  try {
    const path = join(folder, "vgg16.safetensors");
    const script = fileURLToPath(import.meta.url);
    const run = async (kind: string) =>
      (await promisify(execFile)(process.execPath, [script, "--run", kind, "--file", path])).stdout;
    // Not in this process: the system would count its peak as that of the processes that it starts.
    await run("save");
    const { size } = statSync(path);
    const devices = listDevices().filter(({ name, device }) => device !== undefined && name !== "reference");
    const kinds = ["read", ...devices.map(({ name }) => name)];
    const results = new Map<string, Measured[]>(kinds.map((kind) => [kind, []]));
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) {
        results.get(kind)?.push(JSON.parse(await run(kind)));
      }
    }
    const reading = median((results.get("read") ?? []).map(({ milliseconds }) => milliseconds));
    const rows = kinds.map((kind) => {
      const runs = results.get(kind) ?? [];
      const milliseconds = median(runs.map((run) => run.milliseconds));
      const growth = Math.max(...runs.map((run) => run.growth));
      return { kind, milliseconds, timesReading: milliseconds / reading, growth, timesFile: growth / size };
    });
    if (json) {
      console.log(JSON.stringify({ bytes: size, rows }));
      return;
    }
    console.log(`${(size / 2 ** 20).toFixed(0)} MiB`.padEnd(12), "milliseconds  / reading   memory, MiB  / file");
    for (const { kind, milliseconds, timesReading, growth, timesFile } of rows) {
      const columns = [milliseconds.toFixed(0).padStart(12), timesReading.toFixed(2).padStart(10)];
      columns.push((growth / 2 ** 20).toFixed(0).padStart(13), timesFile.toFixed(2).padStart(7));
      console.log(kind.padEnd(12), columns.join(" "));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const command = scriptCommand(
  "bench:loading",
  "Times loading VGG-16 from a safetensors file on every device, against reading the file.",
  "--json",
)
  .option("--json", "one object of JSON")
  // Used between the processes.
  .addOption(new Option("--run <kind>").hideHelp())
  .addOption(new Option("--file <path>").hideHelp())
  .parse();
const { run, file = "", json } = command.opts<{ run?: string; file?: string; json?: true }>();
if (run === undefined) await compare(json === true);
else if (run === "save") await models.create("vgg16").save(file);
else console.log(JSON.stringify(await measure(run, file)));
