/** How fast a model's program is: each piece of its work by itself, with the arithmetic and the bytes that it takes. */

import type { ChosenAlgorithm, Device, Step } from "../backends/backend.js";
import { ArgumentError } from "../core/errors.js";
import { formatShape, type Shape } from "../core/shape.js";
import { Executable } from "../graph/executable.js";
import { flushStates } from "../graph/lazy.js";
import type { AnyTensor } from "../graph/tensor.js";
import { costOf, layersOf } from "./layers.js";
import { formatShare, formatTime, randomInput } from "./measure.js";
import { recordTraining } from "./memory.js";
import { type Inputs, type Model, parseInputs, record, withMode } from "./record.js";
import { alignColumns } from "./table.js";

export interface BenchmarkOptions {
  /** Time a step of training: forward, backward and gradient descent, which changes the model's weights. Default false. */
  readonly training?: boolean;
  /** Runs of which the fastest counts, after one that warms up. Default 5. */
  readonly rounds?: number;
  /** Called before each round; the first, 0, warms up. */
  readonly onRound?: (round: number) => void;
}

/** A piece of work of a program: an op with what is fused to it, in one step of the device or several. */
export interface WorkTime {
  /** The path of the layer that it is of; empty for what is of none, such as a loss. */
  readonly layer: string;
  readonly ops: readonly string[];
  /** Of its result. */
  readonly shape: Shape;
  /** The kernels that do it, one for each step: they tell how a convolution is computed. */
  readonly kernels: readonly string[];
  /** Of a convolution: the algorithm, such as `winograd-4x4`, and who chose it. */
  readonly chosen?: ChosenAlgorithm;
  readonly milliseconds: number;
  /** Of all work's time. */
  readonly share: number;
  /** Multiply-adds of convolutions and matrix products by their definition, whatever the kernels do instead. */
  readonly macs: number;
  /** Bytes that its steps must read and write at least once: values, weights as the kernels keep them, results. */
  readonly bytes: number;
  /** What the kernels are told, by kernel: sizes, tiles, how the work is cut. */
  readonly settings: readonly Settings[];
}

/** The numbers in a step's description that are neither memory nor its layout. */
export type Settings = Readonly<Record<string, number | readonly number[]>>;

export class Benchmark {
  constructor(
    /** The device and its kernels. */
    readonly device: string,
    readonly threads: number,
    /** Of the whole program in one go. */
    readonly milliseconds: number,
    /** In the order in which it is done. */
    readonly work: readonly WorkTime[],
  ) {}

  get macs(): number {
    return this.work.reduce((sum, { macs }) => sum + macs, 0);
  }

  /** Billions of operations a second of the whole program: two for each multiply-add of its convolutions and products. */
  get gigaflops(): number {
    return rate(2 * this.macs, this.milliseconds);
  }

  /** A table. @param explain adds below each convolution and product its algorithm, and what its kernels are told */
  toString({ width = 80, explain = false }: { readonly width?: number; readonly explain?: boolean } = {}): string {
    const head = ["layer", "kernel", "output", "ms", "time", "GFLOP/s", "MB", "GB/s"];
    const rows = this.work.map(({ layer, ops, kernels, shape, milliseconds, share, macs, bytes }) => [
      layer === "" ? ops.join("+") : layer,
      kernels.join("+"),
      formatShape(shape),
      formatTime(milliseconds),
      formatShare(share),
      macs === 0 ? "" : formatRate(rate(2 * macs, milliseconds)),
      (bytes / 1e6).toFixed(1),
      formatRate(rate(bytes, milliseconds)),
    ]);
    const [title, ...lines] = alignColumns([head, ...rows], 2, width);
    const explained = lines.flatMap((line, i) => (explain ? [line, ...explanation(this.work[i])] : [line]));
    const steps = this.work.reduce((total, { milliseconds }) => total + milliseconds, 0);
    const speed = this.macs === 0 ? "" : `, ${formatRate(this.gigaflops)} GFLOP/s of convolutions and matrix products`;
    return [
      title,
      ...explained,
      "",
      `${formatTime(this.milliseconds)} ms on ${this.device}, ${this.threads} thread${this.threads === 1 ? "" : "s"}${speed}`,
      `${formatTime(steps)} ms in steps one by one, which the shares are of`,
    ].join("\n");
  }

  /** What `console.log` shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Billions a second. */
function rate(count: number, milliseconds: number): number {
  return milliseconds === 0 ? 0 : count / milliseconds / 1e6;
}

function formatRate(value: number): string {
  return value === 0 ? "" : value.toFixed(value < 9.95 ? 1 : 0);
}

function explanation({ macs, ops, kernels, chosen, settings }: WorkTime): string[] {
  if (macs === 0) return [];
  const algorithm = chosen === undefined ? [] : [`    ${ops.join("+")}: ${chosen.algorithm} (${chosen.by})`];
  const told = kernels.map((kernel, i) => {
    const numbers = Object.entries(settings[i]).map(
      ([name, value]) => `${name} ${typeof value === "number" ? value : value.join("×")}`,
    );
    return `    ${ops.join("+")} by ${kernel}: ${numbers.join(", ")}`;
  });
  return [...algorithm, ...told];
}

/**
 * Times a model's program on random inputs, step by step, in milliseconds: the fastest of several runs.
 *
 * The program is the one that `compile` makes, but steps that it does together, a few pictures at a time, are timed by
 * themselves. A step's fixed cost is taken off; times well below a tenth of a millisecond
 * say little. Rates of a convolution are those of its definition: an algorithm that multiplies less, such as Winograd's,
 * can be faster than the processor's peak.
 *
 * @throws ArgumentError where the device runs no steps by themselves, as `reference`
 * @example
 * const result = await benchmark(models.create("vgg16"), [1, 3, 224, 224]);
 * console.log(result.toString({ explain: true }));
 */
export async function benchmark(
  model: Model,
  inputs: Inputs,
  { training = false, rounds = 5, onRound = () => undefined }: BenchmarkOptions = {},
): Promise<Benchmark> {
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new ArgumentError(`benchmark: rounds is ${rounds}. Expected a whole number of 1 or more.`);
  const specs = parseInputs(inputs);
  const recording = training
    ? recordTraining(model, specs).recording
    : withMode(model, false, () => record(model, specs));
  const { device, program } = recording;
  if (!device.keepsArena)
    throw new ArgumentError(
      `benchmark: the device ${device.name} cannot run steps one by one. Fix: use native or wasm.`,
    );
  flushStates(device);
  const values = argumentsOf(program.nodes, device);
  const nodes = program.nodes.map((node) => values.get(node) ?? node);
  const { compiled: timed, whole, steps } = await Executable.time(device, program, nodes, rounds, onRound);
  // Their memory holds what the last run left.
  for (const { state } of program.updates) state.advance();
  const { leafOf } = layersOf(model, recording);
  const { program: compiled, origins } = timed;
  const total = steps.reduce((sum, time) => sum + time, 0);
  const parts = new Map<number, number[]>();
  for (const [step, { node }] of origins.entries()) parts.set(node, [...(parts.get(node) ?? []), step]);
  const work = [...parts].map(([node, indices]): WorkTime => {
    const own = indices.map((index) => compiled.steps[index]);
    const milliseconds = indices.reduce((sum, index) => sum + steps[index], 0);
    return {
      layer: leafOf.get(program.nodes[node])?.name ?? origins[indices[0]].module,
      ops: origins[indices[0]].ops,
      shape: origins[indices[0]].shape,
      kernels: own.map(({ name }) => name),
      ...(own[0].chosen && { chosen: own[0].chosen }),
      milliseconds,
      share: total === 0 ? 0 : milliseconds / total,
      macs: costOf(program.nodes[node]).macs,
      bytes: bytesOf(own),
      settings: own.map(settingsOf),
    };
  });
  return new Benchmark(device.variant, device.threads, whole, work);
}

/** Values for what the program is to be given. */
function argumentsOf(nodes: readonly AnyTensor[], device: Device): Map<AnyTensor, AnyTensor> {
  const placeholders = nodes.filter(({ origin }) => origin.kind === "argument");
  return new Map(placeholders.map((each, i) => [each, randomInput(each, device, i)]));
}

function bytesOf(steps: readonly Step[]): number {
  const buffers = new Set(steps.flatMap(({ reads, writes }) => [...reads, ...writes]));
  return [...buffers].reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Where things lie in memory is no choice that anybody would want to know of. */
const layout = /At$|^scratch|Distance$|[a-z](Stride|Pitch)$/;

function settingsOf({ fields }: Step): Settings {
  const numbers = (value: unknown): value is number | readonly number[] =>
    typeof value === "number" ||
    (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "number"));
  const entries = Object.entries(fields).filter(([name, value]) => !layout.test(name) && numbers(value));
  return Object.fromEntries(entries);
}
