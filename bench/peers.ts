/**
 * Fovea against other frameworks: the same weights and pictures, outputs compared before anything is timed, all in turn.
 * Run with `npm run bench:peers`; bench/README.md says how to read it.
 */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { manualSeed } from "fovea";
import * as onnx from "fovea/onnx";
import { choices, wholeNumber } from "./options.js";
import { formatRow, freshPath, type Results, type Row, readResults, writePage, writeResults } from "./results.js";
import { installPeers, newerNode } from "./sides/packages.js";
import { compareMemory, compareWork, type Settings } from "./sides/rows.js";
import { type Job, randomPictures } from "./sides/session.js";
import { createNetwork, peerNames, type Work, works } from "./sides/works.js";

const help = `
npm run bench:peers -- [options]

  --rows <keys>      of ${works.map(({ key }) => key).join(", ")} (default: all)
  --threads <list>   default 1,2
  --rounds <n>       turns of each side, of which the median counts (default 7)
  --peers <names>    of ${peerNames.join(", ")} (default: all)
  --devices <names>  of native, wasm (default: both)
  --clock <name>     wall, or cpu: the processes' time on the processors, for machines that are in use; one thread only
  --out <file>       where results go (default: bench/results/peers-<date>.json for all rows, else nowhere)
  --page <file>      measures nothing: writes the tables in docs/performance.md from a file of results
  --json             a line of JSON for each row on standard output

Example:
  npm run bench:peers -- --rows vgg16,train-lenet5 --devices native --rounds 3
`;

const text = (value: string) => ({ type: "string", default: value }) as const;
const everything = works.map(({ key }) => key).join();
const { values: options } = parseArgs({
  options: {
    ...{ rows: text(everything), threads: text("1,2"), rounds: text("7"), clock: text("wall") },
    ...{ peers: text(peerNames.join()), devices: text("native,wasm") },
    ...{ out: { type: "string" }, page: { type: "string" } },
    ...{ json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
  },
});

const wanted = choices(
  "rows",
  options.rows,
  works.map(({ key }) => key),
).flatMap((key) => works.filter((work) => work.key === key));
const threadCounts = options.threads.split(",").map((word) => wholeNumber("threads", word));
const [clock] = choices("clock", options.clock, ["wall", "cpu"] as const);

const say = (line: string) => void process.stderr.write(`${line}\n`);

const settings: Settings = {
  peers: choices("peers", options.peers, peerNames),
  devices: choices("devices", options.devices, ["native", "wasm"] as const),
  rounds: wholeNumber("rounds", options.rounds),
  ...{ clock, say },
};

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
      for (const threads of threadCounts) {
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

if (options.help) say(help.trim());
else if (options.page !== undefined) writePage(readResults(options.page));
else {
  installPeers(say);
  if (newerNode() === undefined) say("there is no Node 22 or newer here: WebAssembly has no relaxed SIMD");
  const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, ${process.platform} ${process.arch}`;
  const date = new Date().toISOString().slice(0, 10);
  const complete = process.argv.slice(2).every((word) => !/^--(rows|threads|peers|devices|clock)/.test(word));
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
