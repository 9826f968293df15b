/** Rows of results: one work on a number of threads, compared among all who take part. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nativePeak } from "../machine.js";
import type { Row } from "../results.js";
import { median, quantile } from "../statistics.js";
import { difference, disagreement, takeTurns } from "./compare.js";
import { root } from "./packages.js";
import { lineOf, type Pair, type Participant } from "./participants.js";
import type { Clock, Job } from "./session.js";
import { type ProcessSide, type Side, startFovea, startPyTorch } from "./side.js";
import { createNetwork, memoryGoal, type Peer, trainingSettings, type Work } from "./works.js";

export interface Settings {
  readonly peers: readonly Peer[];
  readonly devices: readonly ("native" | "wasm")[];
  readonly clock: Clock;
  readonly rounds: number;
  say(line: string): void;
}

/** Steps of training whose losses are compared, and that memory is measured over. */
const comparedSteps = 4;

/** A peer this many times slower than on a quiet machine says nothing. */
const mostSlowed = 1.25;

/** What the floor of AlexNet, whose weights have to be read once, may be missed by. */
const shareOfFloor = 0.9;

const reference: {
  readonly milliseconds: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
} = JSON.parse(readFileSync(join(root, "bench/reference.json"), "utf8"));

/** A side that is ready to be timed. */
interface Ready {
  readonly side: Side;
  readonly description: string;
  readonly outputs: readonly number[];
}

/** Times one work. @returns a row for each pair whose outputs agree; `disagreements` counts the others */
export async function compareWork(
  work: Work,
  threads: number,
  files: NonNullable<Job["files"]>,
  settings: Settings,
): Promise<{ readonly rows: readonly Row[]; readonly disagreements: number }> {
  const { clock, rounds, say } = settings;
  const line = lineOf(work, settings.peers, settings.devices, clock);
  const pairs = line.pairs.filter((pair) => pair.threads === undefined || pair.threads === threads);
  const ready = new Map<string, Ready>();
  let disagreements = 0;
  try {
    for (const participant of line.participants) {
      const { key } = participant;
      if (!pairs.some((pair) => pair.fovea === key || pair.peer === key)) continue;
      say(`  ${key}: preparing`);
      try {
        ready.set(key, await prepare(participant, { work, threads, training: trainingSettings, files }));
      } catch (error) {
        say(`  ${key} is left out: ${error instanceof Error ? error.message : error}`);
      }
    }
    const usable = pairs.filter(({ fovea, peer }) => {
      const [ours, theirs] = [ready.get(fovea), ready.get(peer)];
      if (ours === undefined || theirs === undefined) return false;
      const wrong = disagreement(work.kind, ours.outputs, theirs.outputs);
      if (wrong === undefined) return true;
      disagreements++;
      say(`  ${fovea} and ${peer} are not compared: ${wrong}`);
      return false;
    });
    if (usable.length === 0) return { rows: [], disagreements };
    const wanted = [...ready].filter(([key]) => usable.some(({ fovea, peer }) => fovea === key || peer === key));
    const sides = new Map(wanted.map(([key, { side }]) => [key, side]));
    const { times, stolen } = await takeTurns(sides, rounds, clock, (round) => {
      say(round < rounds ? `  round ${round + 1} of ${rounds}` : "  one more round, for one that others disturbed");
    });
    const verdicts = usable.map((pair) => wasQuiet(work, threads, pair, median(times.get(pair.peer) ?? [])));
    // Those whose times on a quiet machine are not known count if the others' turns were undisturbed.
    const known = verdicts.filter((quiet) => quiet !== null);
    const all = known.length === 0 ? null : known.every(Boolean);
    const floor = floorOf(work, threads);
    const rows = usable.map((pair, i): Row => {
      const { variant, ...versions } = described(ready.get(pair.fovea), ready.get(pair.peer));
      const measured = compareValues(times.get(pair.fovea) ?? [], times.get(pair.peer) ?? []);
      const nearFloor = floor !== undefined && clock === "wall" && measured.fovea <= floor / shareOfFloor;
      return {
        ...{ work: work.title, unit: "ms", clock, device: pair.device, threads, ...measured, peerName: pair.peerName },
        goal: pair.goal ?? null,
        met: pair.goal === undefined ? null : measured.ratio >= pair.goal || nearFloor,
        counts: clock === "cpu" ? false : (verdicts[i] ?? all),
        ...(floor !== undefined && { floor }),
        ...{ variant, ...versions, rounds, stolen },
      };
    });
    return { rows, disagreements };
  } finally {
    for (const { side } of ready.values()) await side.close();
  }
}

async function prepare({ start }: Participant, job: Job): Promise<Ready> {
  const side = await start(job.threads);
  try {
    return { side, description: await side.open(job), outputs: await side.outputs(comparedSteps) };
  } catch (error) {
    await side.close();
    throw error;
  }
}

/** Whether a peer was as fast as on a quiet machine; null where that is not known. */
function wasQuiet(work: Work, threads: number, { reference: known, peerName }: Pair, time: number): boolean | null {
  const quiet = known ? reference.milliseconds[work.key]?.[peerName]?.[threads - 1] : undefined;
  return quiet === undefined ? null : time <= mostSlowed * quiet;
}

/** Milliseconds that AlexNet's weights take to be read at memory's speed: most of its time at best. */
function floorOf({ key, network }: Work, threads: number): number | undefined {
  const peak = key === "alexnet" ? nativePeak(threads) : undefined;
  return peak && (4 * createNetwork(network).parameterCount()) / peak.gigabytes / 1e6;
}

function described(ours: Ready | undefined, theirs: Ready | undefined) {
  return {
    variant: ours?.description ?? "",
    runtime: ours?.side.version ?? "",
    peerVersion: theirs?.side.version ?? "",
    difference: difference(ours?.outputs ?? [], theirs?.outputs ?? []),
  };
}

function compareValues(fovea: readonly number[], peer: readonly number[]) {
  const quartiles = (values: readonly number[]) => [quantile(values, 0.25), quantile(values, 0.75)] as const;
  const medians = { fovea: median(fovea), peer: median(peer), ratio: median(peer) / median(fovea) };
  return { ...medians, spread: { fovea: quartiles(fovea), peer: quartiles(peer) } };
}

/** What a process needs at most for some steps of training, in MiB, above what it needs to have its library imported. */
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

/** The peak memory of steps of training, natively and in PyTorch. */
export async function compareMemory(work: Work, threads: number): Promise<Row> {
  const [fovea, peer]: [number[], number[]] = [[], []];
  let [runtime, peerVersion] = ["", ""];
  for (let round = 0; round < 2; round++) {
    const ours = await memoryOf(() => startFovea("native", process.execPath, threads), work, threads);
    const theirs = await memoryOf(() => startPyTorch(threads), work, threads);
    fovea.push(ours.mebibytes);
    peer.push(theirs.mebibytes);
    [runtime, peerVersion] = [ours.version, theirs.version];
  }
  const measured = compareValues(fovea, peer);
  return {
    ...{ work: `${work.title}: peak memory`, unit: "MiB", device: "native", threads, ...measured },
    // What else runs on the machine changes no memory.
    ...{ peerName: "pytorch", goal: memoryGoal, met: measured.ratio >= memoryGoal, counts: true },
    ...{ runtime, peerVersion, rounds: fovea.length },
  };
}
