/** Where the time goes: a model's program, run step by step. */

import { allocate } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { RandomStream } from "../core/philox.js";
import { sizeOf } from "../core/shape.js";
import { Executable } from "../graph/executable.js";
import { flushStates } from "../graph/lazy.js";
import type { AnyTensor } from "../graph/tensor.js";
import { tensorOver } from "../ops/create.js";
import type { Layer } from "./layer.js";
import { layersOf } from "./layers.js";
import { keyOf } from "./memory.js";
import { type Inputs, type Model, parseInputs, record, withMode } from "./record.js";
import { type LayerSummary, type Summary, summarize } from "./summary.js";
import { type Column, summaryTable, type TableOptions } from "./table.js";

export interface MeasureOptions {
  /** Runs of which the fastest counts, after one that warms up. Default 5. */
  readonly rounds?: number;
}

export interface LayerTime {
  readonly layer: LayerSummary;
  readonly milliseconds: number;
  /** Of all layers' time. */
  readonly share: number;
}

export class Measurement {
  constructor(
    readonly summary: Summary,
    /** The device and its kernels. */
    readonly device: string,
    readonly threads: number,
    /** Of the whole program in one go. */
    readonly milliseconds: number,
    /** For each of `summary.layers`. */
    readonly layers: readonly LayerTime[],
  ) {}

  /** The summary's table with the layers' times. */
  toString(options?: TableOptions): string {
    const times = new Map(this.layers.map((each) => [each.layer, each]));
    const sum = (layer: LayerSummary, of: (time: LayerTime) => number): number => {
      const own = times.get(layer);
      return own === undefined ? layer.children.reduce((total, child) => total + sum(child, of), 0) : of(own);
    };
    const columns: readonly Column[] = [
      { title: "ms", cell: (layer) => formatTime(sum(layer, ({ milliseconds }) => milliseconds)) },
      { title: "time", cell: (layer) => formatShare(sum(layer, ({ share }) => share)) },
    ];
    const steps = this.layers.reduce((total, { milliseconds }) => total + milliseconds, 0);
    return [
      summaryTable(this.summary, { ...options, columns }),
      `time          ${formatTime(this.milliseconds)} ms on ${this.device}, ${this.threads} thread${this.threads === 1 ? "" : "s"}`,
      `              ${formatTime(steps)} ms in steps one by one, which the shares are of`,
    ].join("\n");
  }

  /** What `console.log` shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

export function formatTime(milliseconds: number): string {
  return milliseconds === 0 ? "" : milliseconds.toFixed(milliseconds < 9.995 ? 2 : milliseconds < 99.95 ? 1 : 0);
}

export function formatShare(share: number): string {
  return share === 0 ? "" : `${(100 * share).toFixed(1)} %`;
}

/**
 * Runs a model on random inputs as it evaluates, and says how much of the time each layer takes.
 *
 * The program is the one that `compile` makes; each of its steps is run by itself and timed. What is finished within the
 * step of another layer, such as a ReLU within its convolution's, has no time of its own; a step's fixed cost is taken
 * off, but times well below a tenth of a millisecond say little. Larger batches make them longer.
 *
 * @throws ArgumentError where the device runs no steps by themselves, as `reference`
 * @example
 * console.log(await measure(models.create("resnet18"), [8, 3, 224, 224])); // a table
 */
export async function measure(model: Model, inputs: Inputs, { rounds = 5 }: MeasureOptions = {}): Promise<Measurement> {
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new ArgumentError(`measure: rounds is ${rounds}. Expected a whole number of 1 or more.`);
  const specs = parseInputs(inputs);
  const summary = summarize(model, inputs);
  const recording = withMode(model, false, () => record(model, specs));
  const { device, program } = recording;
  if (!device.keepsArena)
    throw new ArgumentError(`measure: the device ${device.name} cannot run steps one by one. Fix: use native or wasm.`);
  const { leafOf } = layersOf(model, recording);
  flushStates(device);
  const values = new Map<AnyTensor, AnyTensor>(
    recording.inputs.map((placeholder, i) => [placeholder, randomInput(specs[i], device, i)]),
  );
  const nodes = program.nodes.map((node) => values.get(node) ?? node);
  const { compiled, whole, steps } = await Executable.time(device, program, nodes, rounds);
  const times = new Map<string, number>();
  for (const [step, { node }] of compiled.origins.entries()) {
    const layer: Layer | undefined = leafOf.get(program.nodes[node]);
    if (layer !== undefined) times.set(keyOf(layer), (times.get(keyOf(layer)) ?? 0) + steps[step]);
  }
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  const layers = summary.layers.map((layer): LayerTime => {
    const milliseconds = times.get(keyOf(layer)) ?? 0;
    return { layer, milliseconds, share: total === 0 ? 0 : milliseconds / total };
  });
  return new Measurement(summary, device.variant, device.threads, whole, layers);
}

/** Numbers between −1 and 1; of integers zeros, which any index may be. */
export function randomInput(
  { shape, dtype }: { readonly shape: readonly number[]; readonly dtype: AnyTensor["dtype"] },
  device: AnyTensor["device"],
  stream: number,
): AnyTensor {
  const data = allocate(dtype, sizeOf(shape));
  const random = new RandomStream(0, stream);
  if (dtype === "float32") for (let i = 0; i < data.length; i++) data[i] = random.uniform(-1, 1);
  return tensorOver(data, shape, dtype, device);
}
