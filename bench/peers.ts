/**
 * Fovea against other frameworks: the same weights and pictures, outputs compared before anything is timed, all in turn.
 * Run with `npm run bench:peers`; bench/README.md says how to read it.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { manualSeed } from "fovea";
import * as onnx from "fovea/onnx";
import { choices, wholeNumber } from "./options.js";
import { formatRow, freshPath, type Results, type Row, readResults, writePage, writeResults } from "./results.js";
import { difference, disagreement, takeTurns } from "./sides/compare.js";
import { installPeers, newerNode, root } from "./sides/packages.js";
import { lineOf, type Pair } from "./sides/participants.js";
import { type Job, randomPictures } from "./sides/session.js";
import { type ProcessSide, type Side, startFovea, startPyTorch } from "./sides/side.js";
import { createNetwork, memoryGoal, peerNames, trainingSettings, type Work, works } from "./sides/works.js";
import { median, quantile } from "./statistics.js";

/** Steps of training whose losses are compared, and that memory is measured over. */
const comparedSteps = 4;

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
const rounds = wholeNumber("rounds", options.rounds);
const peers = choices("peers", options.peers, peerNames);
const devices = choices("devices", options.devices, ["native", "wasm"] as const);
const [clock] = choices("clock", options.clock, ["wall", "cpu"] as const);

const say = (line: string) => process.stderr.write(`${line}\n`);

const reference: {
  readonly milliseconds: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
} = JSON.parse(readFileSync(join(root, "bench/reference.json"), "utf8"));

/** A peer this many times slower than on a quiet machine says nothing. */
const mostSlowed = 1.25;

/** The weights, pictures and model of a work, for all sides. */
async function writeFiles(work: Work, folder: string): Promise<Job["files"]> {
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

interface Opened {
  readonly side: Side;
  readonly description: string;
  readonly outputs: readonly number[];
}

async function compareWork(work: Work, threads: number, files: Job["files"]): Promise<Row[]> {
  const line = lineOf(work, peers, devices, clock);
  const pairs = line.pairs.filter((pair) => pair.threads === undefined || pair.threads === threads);
  if (pairs.length === 0) return [];
  const opened = new Map<string, Opened>();
  const failures = new Map<string, string>();
  try {
    for (const { key, start } of line.participants) {
      if (!pairs.some((pair) => pair.fovea === key || pair.peer === key)) continue;
      say(`  ${key}: preparing`);
      try {
        const side = await start(threads);
        const description = await side.open({ work, threads, training: trainingSettings, ...(files && { files }) });
        opened.set(key, { side, description, outputs: await side.outputs(comparedSteps) });
      } catch (error) {
        failures.set(key, error instanceof Error ? error.message : String(error));
        say(`  ${key} is left out: ${failures.get(key)}`);
      }
    }
    const usable = pairs.filter(({ fovea, peer }) => {
      const [ours, theirs] = [opened.get(fovea), opened.get(peer)];
      if (ours === undefined || theirs === undefined) return false;
      const wrong = disagreement(work.kind, ours.outputs, theirs.outputs);
      if (wrong === undefined) return true;
      process.exitCode = 1;
      say(`  ${fovea} and ${peer} are not compared: ${wrong}`);
      return false;
    });
    const sides = new Map(
      [...opened].flatMap(([key, { side }]) =>
        usable.some(({ fovea, peer }) => fovea === key || peer === key) ? [[key, side] as const] : [],
      ),
    );
    const times = await takeTurns(sides, rounds, clock, (round) => say(`  round ${round + 1} of ${rounds}`));
    const verdicts = usable.map((pair) => wasQuiet(work, threads, pair, median(times.get(pair.peer) ?? [])));
    // Those whose times on a quiet machine are not known count if the others' turns were undisturbed.
    const others = verdicts.filter((quiet) => quiet !== null);
    const all = others.length === 0 ? null : others.every(Boolean);
    return usable.map((pair, i) => timeRow(work, threads, pair, verdicts[i] ?? all, opened, times));
  } finally {
    for (const { side } of opened.values()) await side.close();
  }
}

/** Whether a peer was as fast as on a quiet machine; null where that is not known. */
function wasQuiet(work: Work, threads: number, { reference: known, peerName }: Pair, time: number): boolean | null {
  const quiet = known ? reference.milliseconds[work.key]?.[peerName]?.[threads - 1] : undefined;
  return quiet === undefined ? null : time <= mostSlowed * quiet;
}

function timeRow(
  work: Work,
  threads: number,
  pair: Pair,
  quiet: boolean | null,
  opened: ReadonlyMap<string, Opened>,
  times: ReadonlyMap<string, readonly number[]>,
): Row {
  const [ours, theirs] = [opened.get(pair.fovea), opened.get(pair.peer)];
  const [fovea, peer] = [times.get(pair.fovea) ?? [], times.get(pair.peer) ?? []];
  const ratio = median(peer) / median(fovea);
  return {
    work: work.title,
    unit: "ms",
    clock,
    device: pair.device,
    threads,
    fovea: median(fovea),
    peer: median(peer),
    peerName: pair.peerName,
    ratio,
    goal: pair.goal ?? null,
    met: pair.goal === undefined ? null : ratio >= pair.goal,
    counts: clock === "cpu" ? false : quiet,
    variant: ours?.description ?? "",
    runtime: ours?.side.version ?? "",
    peerVersion: theirs?.side.version ?? "",
    difference: difference(ours?.outputs ?? [], theirs?.outputs ?? []),
    spread: {
      fovea: [quantile(fovea, 0.25), quantile(fovea, 0.75)],
      peer: [quantile(peer, 0.25), quantile(peer, 0.75)],
    },
    rounds,
  };
}

/** What a process needs at most for some steps of training, above what it needs to have its library imported. */
async function memoryOf(start: () => Promise<ProcessSide>, work: Work, threads: number) {
  const side = await start();
  try {
    await side.open({ work, threads, training: trainingSettings });
    await side.time(comparedSteps, "wall");
    return { version: side.version, mebibytes: ((await side.memory()) - side.importedMemory) / 2 ** 20 };
  } finally {
    await side.close();
  }
}

async function compareMemory(work: Work, threads: number): Promise<Row> {
  say("  memory");
  const [fovea, peer]: [number[], number[]] = [[], []];
  let [runtime, peerVersion] = ["", ""];
  for (let round = 0; round < 2; round++) {
    const ours = await memoryOf(() => startFovea("native", process.execPath, threads), work, threads);
    const theirs = await memoryOf(() => startPyTorch(threads), work, threads);
    fovea.push(ours.mebibytes);
    peer.push(theirs.mebibytes);
    [runtime, peerVersion] = [ours.version, theirs.version];
  }
  const ratio = median(peer) / median(fovea);
  return {
    ...{ work: `${work.title}: peak memory`, unit: "MiB", device: "native", threads },
    ...{ fovea: median(fovea), peer: median(peer), peerName: "pytorch", ratio },
    // What else runs on the machine changes no memory.
    ...{ goal: memoryGoal, met: ratio >= memoryGoal, counts: true, runtime, peerVersion },
    spread: { fovea: [Math.min(...fovea), Math.max(...fovea)], peer: [Math.min(...peer), Math.max(...peer)] },
    rounds: fovea.length,
  };
}

/** Measures what is wanted, row by row. */
async function* measure(): AsyncGenerator<Row> {
  const folder = mkdtempSync(join(tmpdir(), "fovea-peers-"));
  try {
    for (const work of wanted) {
      say(work.title);
      const files = await writeFiles(work, folder);
      for (const threads of threadCounts) {
        yield* await compareWork(work, threads, files);
        if (work.kind === "training" && devices.includes("native") && peers.includes("pytorch"))
          yield await compareMemory(work, threads);
      }
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (options.help) say(help.trim());
else if (options.page !== undefined) writePage(readResults(options.page));
else {
  installPeers(say);
  if (newerNode() === undefined) say("there is no Node 22 or newer here: WebAssembly has no relaxed SIMD");
  const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, ${process.platform} ${process.arch}`;
  const date = new Date().toISOString().slice(0, 10);
  const complete = wanted.length === works.length && clock === "wall";
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
