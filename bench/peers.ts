/**
 * Fovea against other frameworks: the same weights and pictures, outputs compared before anything is timed, all in turn.
 * Run with `npm run bench:peers`; bench/README.md says how to read it.
 */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Option } from "commander";
import { manualSeed } from "fovea";
import * as onnx from "fovea/onnx";
import { namesOf, scriptCommand, wholeNumber, wholeNumbers } from "../scripts/command.js";
import { formatRow, freshPath, type Results, type Row, readResults, writePage, writeResults } from "./results.js";
import { installPeers, newerNode } from "./sides/packages.js";
import { compareMemory, compareWork, type Settings } from "./sides/rows.js";
import { type Clock, type Job, randomPictures } from "./sides/session.js";
import { createNetwork, peerNames, type Work, works } from "./sides/works.js";

const deviceNames = ["native", "wasm"] as const;
const keys = works.map(({ key }) => key);
const command = scriptCommand(
  "bench:peers",
  "Times Fovea and other frameworks in turn, on the same weights and pictures. bench/README.md says how.",
  "--rows vgg16,train-lenet5 --devices native --rounds 3",
)
  .option("--rows <keys>", `of ${keys.join(", ")} (default: all)`, namesOf(keys), keys)
  .option("--threads <list>", "threads of each side", wholeNumbers, [1, 2])
  .option("--rounds <n>", "turns of each side, of which the median counts", wholeNumber(1), 7)
  .option("--peers <names>", `of ${peerNames.join(", ")} (default: all)`, namesOf(peerNames), [...peerNames])
  .option("--devices <names>", "of native, wasm (default: both)", namesOf(deviceNames), [...deviceNames])
  .addOption(
    new Option("--clock <name>", "cpu: the processes' time on the processors, for machines in use; one thread only")
      .choices(["wall", "cpu"])
      .default("wall"),
  )
  .option("--out <file>", "where results go (default: bench/results/peers-<date>.json for all rows, else nowhere)")
  .option("--page <file>", "measure nothing: write the tables in docs/performance.md from a file of results")
  .option("--json", "a line of JSON for each row on standard output")
  .parse();
const options = command.opts<{
  rows: string[];
  threads: number[];
  rounds: number;
  peers: (typeof peerNames)[number][];
  devices: (typeof deviceNames)[number][];
  clock: Clock;
  out?: string;
  page?: string;
  json?: true;
}>();

const wanted = options.rows.flatMap((key) => works.filter((work) => work.key === key));

const say = (line: string) => void process.stderr.write(`${line}\n`);

const settings: Settings = { ...options, say };

/** The weights, pictures and model of a work, for all sides. */
async function writeFiles(work: Work, folder: string): Promise<NonNullable<Job["files"]>> {
  manualSeed(0);
  const network = createNetwork(work.network);
  const weights = join(folder, `${work.key}.pt`);
  const pictures = join(folder, `${work.key}.f32`);
  await network.save(weights);
  writeFileSync(pictures, randomPictures(work));
  if (work.kind === "training") return { weights, pictures };
  const path = join(folder, `${work.key}.onnx`);
  network.eval();
  writeFileSync(path, await onnx.export(network, { inputs: [work.batch, ...work.input], dynamicBatch: false }));
  return { weights, pictures, onnx: path };
}

/** Measures what is wanted, row by row. */
async function* measure(): AsyncGenerator<Row> {
  const folder = mkdtempSync(join(tmpdir(), "fovea-peers-"));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  // A gigabyte is not left behind when somebody has seen enough. The sides end with this process.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      clean();
      process.exit(130);
    });
  }
  try {
    for (const work of wanted) {
      say(work.title);
      const files = await writeFiles(work, folder);
      for (const threads of options.threads) {
        const { rows, disagreements } = await compareWork(work, threads, files, settings);
        if (disagreements > 0) process.exitCode = 1;
        yield* rows;
        if (work.kind !== "training" || !settings.devices.includes("native") || !settings.peers.includes("pytorch"))
          continue;
        say("  memory");
        yield await compareMemory(work, threads);
      }
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
    }
  } finally {
    clean();
  }
}

if (options.page !== undefined) writePage(readResults(options.page));
else {
  installPeers(say);
  if (newerNode() === undefined) say("there is no Node 22 or newer here: WebAssembly has no relaxed SIMD");
  const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, ${process.platform} ${process.arch}`;
  const date = new Date().toISOString().slice(0, 10);
  const narrowing = ["rows", "threads", "peers", "devices", "clock"];
  const complete = narrowing.every((name) => command.getOptionValueSource(name) === "default");
  const path = options.out ?? (complete ? freshPath(date) : undefined);
  const rows: Row[] = [];
  for await (const row of measure()) {
    rows.push(row);
    const results: Results = { machine, date, rows };
    if (path !== undefined) writeResults(path, results);
    console.log(options.json ? JSON.stringify(row) : formatRow(row));
  }
  if (path !== undefined) {
    say(`written: ${path}`);
    if (complete) writePage({ machine, date, rows });
  }
}
