/** Feeds damaged files to a reader, and watches. */

import { FoveaError } from "../../src/core/errors.js";
import { RandomStream } from "../../src/core/philox.js";
import { mutate } from "./mutate.js";
import type { FuzzReader } from "./readers.js";

/** What an input may take: time in milliseconds, and memory in bytes beside twice its size. */
export const limits = { milliseconds: 2000, bytes: 64 * 2 ** 20 };

export interface FuzzOptions {
  readonly seed: number;
  /** Number of the first input. */
  readonly first: number;
  readonly count: number;
}

export interface Failure {
  readonly input: number;
  readonly what: string;
}

export interface FuzzReport {
  readonly reader: string;
  readonly inputs: number;
  /** Inputs that were read in spite of their damage, and those that were refused with an error of Fovea's. */
  readonly accepted: number;
  readonly refused: number;
  /** Milliseconds of the slowest input. */
  readonly slowest: number;
  /** Bytes by which the memory of the process grew, at most. */
  readonly growth: number;
  readonly failures: readonly Failure[];
}

/** One input: the same for the same reader, seed and number. */
export async function makeInput(
  reader: FuzzReader,
  seeds: readonly Uint8Array<ArrayBuffer>[],
  seed: number,
  input: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const random = new RandomStream(
    seed,
    input,
    [...reader.name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7),
  );
  const bytes = seeds[random.integer(seeds.length)];
  const damage = (given: Uint8Array<ArrayBuffer>) => mutate(given, random, seeds[random.integer(seeds.length)]);
  if (reader.inside !== undefined && random.integer(2) === 0) return reader.inside(bytes, random, damage);
  return damage(bytes);
}

/** Milliseconds that reading takes however busy the machine is: by the clock it may only have had to wait. */
async function processorTime(reader: FuzzReader, bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const begun = process.cpuUsage();
  await reader.read(bytes).catch(() => undefined);
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

/**
 * @param tell called with the number of each input before it is read
 * @throws nothing: what goes wrong is in the report
 */
export async function fuzz(
  reader: FuzzReader,
  { seed, first, count }: FuzzOptions,
  tell: (input: number) => void = () => {},
): Promise<FuzzReport> {
  const seeds = await reader.seeds();
  let [accepted, refused, slowest, growth] = [0, 0, 0, 0];
  const failures: Failure[] = [];
  let peak = 0;
  for (let input = first; input < first + count && failures.length < 10; input++) {
    tell(input);
    const bytes = await makeInput(reader, seeds, seed, input);
    // What was left by earlier ones must not be counted.
    if (process.memoryUsage().arrayBuffers > 2 ** 24) globalThis.gc?.();
    const held = process.memoryUsage.rss();
    peak = Math.max(peak, process.resourceUsage().maxRSS * 1024);
    const begun = performance.now();
    try {
      await reader.read(bytes);
      accepted++;
    } catch (error) {
      if (error instanceof FoveaError && error.code !== "FOVEA_INTERNAL") refused++;
      else failures.push({ input, what: error instanceof Error ? `${error.stack}` : String(error) });
    }
    let milliseconds = performance.now() - begun;
    if (milliseconds > limits.milliseconds) milliseconds = Math.min(milliseconds, await processorTime(reader, bytes));
    slowest = Math.max(slowest, milliseconds);
    if (milliseconds > limits.milliseconds) failures.push({ input, what: `it took ${milliseconds.toFixed(0)} ms` });
    // Only a new peak is this input's.
    const now = process.resourceUsage().maxRSS * 1024;
    if (now <= peak) continue;
    growth = Math.max(growth, now - held);
    if (now - held > limits.bytes + 2 * bytes.length) {
      failures.push({
        input,
        what: `memory grew by ${((now - held) / 2 ** 20).toFixed(0)} MiB, for ${bytes.length} bytes`,
      });
    }
  }
  return { reader: reader.name, inputs: count, accepted, refused, slowest, growth, failures };
}
