/** Comparing sides that are ready to run: first what they compute, then, in turn, how long it takes. */

import { median } from "../statistics.js";
import { untilIdle } from "./idle.js";
import type { Clock } from "./session.js";
import type { Side } from "./side.js";
import { stolenSince } from "./stolen.js";

/** Of the largest output; of the first loss. Later losses also carry what rounding has done to the weights. */
const tolerance = { output: 1e-4, loss: 1e-4, laterLoss: 1e-3 };

/** Milliseconds that a turn lasts at least: what comes next is to have the caches, and the clock, for itself. */
const turnMilliseconds = 200;
const mostRuns = 60;
/** Of the time that the processors were wanted in a round, what a host may have given to others. */
const mostStolen = 0.02;
/** What a side runs before anything counts, if it is not long anyway. */
const warmMilliseconds = 1000;
const mostWarmRuns = 1000;

/** How far outputs are apart: the largest difference over the largest value. */
export function difference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const apart = a.reduce((most, value, i) => {
    const distance = Math.abs(value - b[i]);
    return Number.isFinite(distance) ? Math.max(most, distance) : Number.POSITIVE_INFINITY;
  }, 0);
  return apart === 0 ? 0 : apart / scale;
}

/** Why these are not outputs, or losses, of the same network; undefined where they are. */
export function disagreement(
  kind: "inference" | "training",
  ours: readonly number[],
  theirs: readonly number[],
): string | undefined {
  if (kind === "inference") {
    const apart = difference(ours, theirs);
    return apart < tolerance.output ? undefined : `outputs differ by ${apart.toExponential(1)} of the largest`;
  }
  const wrong = theirs.findIndex((loss, step) => {
    return !(Math.abs(ours[step] - loss) < (step === 0 ? tolerance.loss : tolerance.laterLoss) * Math.abs(theirs[0]));
  });
  if (wrong === -1 && ours.length === theirs.length) return undefined;
  return `losses differ: ${ours.map((loss) => loss.toFixed(5)).join(", ")} and ${theirs.map((loss) => loss.toFixed(5)).join(", ")}`;
}

export interface Turns {
  /** Of each side, milliseconds in each round that counts. */
  readonly times: ReadonlyMap<string, readonly number[]>;
  /** The largest share of the processors' time that a host gave to others in such a round: 0 … 1. */
  readonly stolen: number;
}

/**
 * Lets all sides take turns, round after round, so that they share the machine's moods. A round that a virtual machine's
 * host disturbed is made again, up to twice as many in all as are wanted, of which the least disturbed count: whole
 * rounds, so that no side's luck decides. Each turn begins on an idle machine, unless the clock is for machines in use.
 * Runs of a turn are as many as fill it, and of several the first, which finds the caches full of others' data, does not
 * count.
 */
export async function takeTurns(
  sides: ReadonlyMap<string, Side>,
  rounds: number,
  clock: Clock,
  onRound: (round: number) => void,
  countStolen = stolenSince,
  rest = untilIdle,
): Promise<Turns> {
  const runs = new Map<string, number>();
  for (const [key, side] of sides) {
    const warm = await side.time(2, clock);
    // WebAssembly is compiled for good only once it has run for a while.
    await side.time(Math.min(mostWarmRuns, Math.ceil(warmMilliseconds / Math.max(0.01, warm[1]))), clock);
    runs.set(key, Math.min(mostRuns, Math.max(1, Math.ceil(turnMilliseconds / Math.max(0.01, warm[1])))));
  }
  const taken: { readonly stolen: number; readonly times: ReadonlyMap<string, number> }[] = [];
  for (let quiet = 0; quiet < rounds && taken.length < 2 * rounds; ) {
    onRound(taken.length);
    const stolenShare = countStolen();
    const times = new Map<string, number>();
    for (const [key, side] of sides) {
      const count = runs.get(key) ?? 1;
      if (clock === "wall") await rest();
      const each = await side.time(count === 1 ? 1 : count + 1, clock);
      times.set(key, median(count === 1 ? each : each.slice(1)));
    }
    const stolen = stolenShare();
    taken.push({ stolen, times });
    if (stolen <= mostStolen) quiet++;
  }
  const counted = taken.sort((a, b) => a.stolen - b.stolen).slice(0, rounds);
  return {
    times: new Map([...sides.keys()].map((key) => [key, counted.map(({ times }) => times.get(key) ?? Number.NaN)])),
    stolen: Math.max(0, ...counted.map(({ stolen }) => stolen)),
  };
}
