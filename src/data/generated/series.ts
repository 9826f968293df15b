/** Generated signals in time with events in them: which, and where. */

import { ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import type { BatchSource } from "../batches.js";
import { checkIndex, checkIndices, type Dataset, splitIndices } from "../dataset.js";
import { checkGenerated, checkRange, checkWhole, checkWithin, drawInSlices, type GeneratedOptions } from "./drawing.js";

/** What an event of each kind looks like: its value at a moment from 0 to 1 of its duration, from −1 to 1. */
const waveforms = {
  bump: (t) => Math.sin(Math.PI * t) ** 2,
  step: () => 1,
  ramp: (t) => t,
  burst: (t) => Math.sin(Math.PI * t) * Math.sin(10 * Math.PI * t),
  chirp: (t) => Math.sin(2 * Math.PI * (1 + 4 * t) * t),
} as const satisfies Readonly<Record<string, (t: number) => number>>;

export type EventKind = keyof typeof waveforms;

export interface SeriesOptions extends GeneratedOptions {
  /** Which events there are, as classes 0, 1 …. Default bump, step, ramp and burst. */
  readonly kinds?: readonly EventKind[];
  /** Moments in a signal, 16 … 65,536. Default 128. */
  readonly length?: number;
  /** The least and the most events in a signal, at most 20. Default [1, 1]. */
  readonly count?: readonly [least: number, most: number];
  /** The least and the most moments that an event lasts. Default an eighth and a quarter of the signal. */
  readonly duration?: readonly [least: number, most: number];
  /** Standard deviation of the noise; events are 0.7 to 1.3 high, up or down. Default 0.2. */
  readonly noise?: number;
  /** Standard deviation of the slow drift beneath it all. Default 0.3. */
  readonly drift?: number;
}

/** An event in a signal. */
export interface SeriesEvent {
  /** Number of its kind. */
  readonly kind: number;
  /** Its first moment, and the one after its last. */
  readonly start: number;
  readonly end: number;
}

export interface SeriesSample {
  /** The values, one for each moment. */
  readonly signal: Float32Array<ArrayBuffer>;
  /** The kind of the first event. */
  readonly label: number;
  /** 0 where nothing happens, k + 1 during an event of kind k. */
  readonly mask: Uint8Array<ArrayBuffer>;
  /** In order of time. */
  readonly events: readonly SeriesEvent[];
}

export interface SeriesBatch {
  /** B×1×length. */
  readonly signals: Float32Array<ArrayBuffer>;
  /** B: the kind of the first event. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** B: the middle of the first event, as a share of the length. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** B×length: 0 where nothing happens, k + 1 during an event of kind k. */
  readonly masks: Int32Array<ArrayBuffer>;
  readonly indices: Uint32Array<ArrayBuffer>;
  readonly shape: readonly [size: number, channels: 1, length: number];
  readonly size: number;
}

interface SeriesParts {
  readonly split: string;
  readonly length: number;
  readonly classNames: readonly string[];
  readonly samples: readonly SeriesSample[];
}

/** Signals with events, in memory. */
export class SeriesDataset implements Dataset<SeriesSample>, BatchSource<SeriesBatch> {
  readonly name = "series";
  readonly split: string;
  /** Channels and moments of a signal. */
  readonly shape: readonly [channels: 1, length: number];
  readonly classNames: readonly string[];
  readonly #samples: readonly SeriesSample[];

  /** @internal */
  constructor({ split, length, classNames, samples }: SeriesParts) {
    this.split = split;
    this.shape = [1, length];
    this.classNames = classNames;
    this.#samples = samples;
  }

  get size(): number {
    return this.#samples.length;
  }

  /** One signal, and what happens in it; the arrays are the data set's own. */
  get(index: number): SeriesSample {
    checkIndex(`series (${this.split})`, index, this.size);
    return this.#samples[index];
  }

  batch(indices: Uint32Array<ArrayBuffer>): SeriesBatch {
    const size = indices.length;
    const [, length] = this.shape;
    const signals = new Float32Array(size * length);
    const masks = new Int32Array(size * length);
    const labels = new Int32Array(size);
    const positions = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      const { signal, mask, label, events } = this.get(indices[i]);
      signals.set(signal, i * length);
      masks.set(mask, i * length);
      labels[i] = label;
      positions[i] = (events[0].start + events[0].end) / (2 * length);
    }
    return { signals, labels, positions, masks, indices, shape: [size, 1, length], size };
  }

  /** The samples at `indices`, in that order. Shares memory with this data set. */
  subset(indices: ArrayLike<number>): SeriesDataset {
    checkIndices(`series (${this.split})`, indices, this.size);
    const samples = Array.from(indices, (index) => this.#samples[index]);
    return new SeriesDataset({ split: this.split, length: this.shape[1], classNames: this.classNames, samples });
  }

  /** Deals the samples at random into parts; fractions that add up to 1 leave nothing out. */
  randomSplit(fractions: readonly number[], seed = 0): SeriesDataset[] {
    return splitIndices(this.size, fractions, seed).map((indices) => this.subset(indices));
  }
}

const streams = { train: 0x73657230, test: 0x73657231 } as const;
const defaultSizes = { train: 10_000, test: 2_000 } as const;

/**
 * Draws signals: noise on a slow drift, and somewhere events, which do not overlap. Sample i depends only on the options
 * and on (seed, split, i), whatever the size.
 *
 * @returns 10,000 samples for training and 2,000 for testing unless `size` is told
 * @throws ArgumentError where so many events as long as that do not fit into a signal
 * @example
 * const train = await series({ split: "train", kinds: ["bump", "chirp"] });
 * const { signals, labels, positions, shape } = train.batch(Uint32Array.of(0, 1, 2)); // 3×1×128, 3, 3
 */
export async function series(options: SeriesOptions): Promise<SeriesDataset> {
  const { kinds = ["bump", "step", "ramp", "burst"], noise = 0.2, drift = 0.3 } = options;
  const length = checkWhole("series", "length", options.length ?? 128, 16, 65_536);
  const known = Object.keys(waveforms);
  if (kinds.length === 0 || kinds.some((kind, i) => !known.includes(kind) || kinds.indexOf(kind) !== i)) {
    throw new ArgumentError(
      `series: kinds is [${kinds.join(", ")}]. Expected one or more of ${known.join(", ")}, each once.`,
    );
  }
  const count = checkRange("series", "count", options.count ?? [1, 1], [1, 20], true);
  const lasting = options.duration ?? [length >> 3, length >> 2];
  const duration = checkRange("series", "duration", lasting, [1, length], true);
  if (count[1] * duration[1] > length) {
    throw new ArgumentError(
      `series: ${count[1]} events of ${duration[1]} moments do not fit into a signal of ${length}. Fix: a longer length, fewer events (count), or shorter ones (duration).`,
    );
  }
  const settings = {
    kinds,
    length,
    count,
    duration,
    noise: checkWithin("series", "noise", noise, 0, 100),
    drift: checkWithin("series", "drift", drift, 0, 100),
  };
  const { split, size, seed } = checkGenerated("series", options, 4 * length, defaultSizes);
  const samples: SeriesSample[] = [];
  const draw = (i: number) => samples.push(drawSeries(settings, new RandomStream(seed, streams[split], i)));
  await drawInSlices(size, 1, draw, options);
  return new SeriesDataset({ split, length, classNames: kinds, samples });
}

type Settings = Required<Pick<SeriesOptions, "kinds" | "length" | "count" | "duration" | "noise" | "drift">>;

function drawSeries({ kinds, length, count, duration, noise, drift }: Settings, random: RandomStream): SeriesSample {
  const signal = new Float32Array(length);
  const mask = new Uint8Array(length);
  const waves = [1, 2, 3].map((turns) => ({ turns, height: random.normal(0, drift), phase: random.uniform() }));
  for (let t = 0; t < length; t++) {
    let value = random.normal(0, noise);
    for (const { turns, height, phase } of waves) {
      value += height * Math.sin(Math.PI * turns * (t / length + 2 * phase)) * Math.SQRT1_2;
    }
    signal[t] = value;
  }
  const events: SeriesEvent[] = [];
  for (const { start, end } of placeEvents(length, count, duration, random)) {
    const kind = random.integer(kinds.length);
    const waveform = waveforms[kinds[kind]];
    const height = random.uniform(0.7, 1.3) * (random.bits() & 1 ? 1 : -1);
    for (let t = start; t < end; t++) signal[t] += height * waveform((t - start + 0.5) / (end - start));
    mask.fill(kind + 1, start, end);
    events.push({ kind, start, end });
  }
  return { signal, label: events[0].kind, mask, events };
}

/** Durations of the events, and where they begin: what is left over is dealt to the gaps before, between and after. */
function placeEvents(
  length: number,
  count: readonly [number, number],
  duration: readonly [number, number],
  random: RandomStream,
): { readonly start: number; readonly end: number }[] {
  const within = ([least, most]: readonly [number, number]) => least + random.integer(most - least + 1);
  const durations = Array.from({ length: within(count) }, () => within(duration));
  const free = length - durations.reduce((sum, each) => sum + each, 0);
  const starts = durations.map(() => random.integer(free + 1)).sort((a, b) => a - b);
  let before = 0;
  return durations.map((lasting, i) => {
    const start = starts[i] + before;
    before += lasting;
    return { start, end: start + lasting };
  });
}
