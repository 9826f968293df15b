/** A compiled program on a device: binds memory, submits, and hands out the results. */

import { type Device, type Handle, KernelFault } from "../backends/backend.js";
import { sizeBytes } from "../core/dtype.js";
import { DataError, FoveaError } from "../core/errors.js";
import { currentMemory } from "../core/memory.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { describeSite } from "../core/stack.js";
import { pathOf } from "./context.js";
import { explainProgram } from "./explain.js";
import type { Graph } from "./graph.js";
import { pipelineOf } from "./pipeline.js";
import { type CompiledProgram, compileGraph, type Preparation } from "./program.js";
import type { Binding } from "./schedule.js";
import type { AnyState } from "./state.js";
import { Storage } from "./storage.js";
import type { AnyTensor } from "./tensor.js";

/** Data that several programs have read is kept on the device from then on. */
const usesBeforeKept = 2;

/** How long a program runs before it is timed. */
const warmMilliseconds = 300;

const checkLabels = "check the labels, or the number of classes of the layer that they are compared with";

/** What takes the place of a node: a tensor, or the state that it stands for, which is found sooner. */
export type Source = AnyTensor | AnyState;

interface LoadedPreparation extends Preparation {
  readonly handle: Handle;
  /** Without a key, what it has made belongs to the program alone: where it is, and the contents that it was made from. */
  readonly own: { readonly handles: Handle[]; readonly contents: unknown[] };
}

export class Executable {
  readonly compiled: CompiledProgram;
  readonly #handle: Handle;
  readonly #preparations: readonly LoadedPreparation[];
  readonly #scalars: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #floats: Float32Array<ArrayBuffer>;

  constructor(
    readonly device: Device,
    graph: Graph,
    /** Whether the device may do several of its steps as one. */
    combines = true,
  ) {
    this.compiled = compileGraph(graph, device, combines);
    this.#handle = device.load(this.compiled.program);
    this.#preparations = this.compiled.preparations.map((each) => ({
      ...each,
      handle: device.load(each.program),
      own: { handles: [], contents: [] },
    }));
    this.#scalars = new Uint8Array(this.compiled.program.scalarBytes);
    this.#words = new Int32Array(this.#scalars.buffer);
    this.#floats = new Float32Array(this.#scalars.buffer);
  }

  /** Bytes that it takes on the device beside the shared arena, roughly: what caches are bounded by. */
  get bytes(): number {
    return 512 * this.compiled.program.steps.length + this.compiled.program.scalarBytes;
  }

  /**
   * Submits one run. `graph` has the structure that this was compiled from; `sources` are its nodes, with the tensors to
   * use in the place of those that stand for arguments.
   */
  run(graph: Graph, sources: readonly Source[] = graph.nodes): Run {
    const { handles, outputs, temporary } = this.#bindAll(graph, sources);
    const done = this.device.submit(this.#handle, handles, this.#scalars).catch((error) => {
      throw this.#explain(error, graph);
    });
    pipelineOf(this.device).add(done);
    for (const handle of temporary) this.device.free(handle);
    return { done, outputs: outputs.map((handle) => new Storage(this.device, handle, done)) };
  }

  /**
   * Times a program, and its steps one by one, each run as a program of its own and none combined with others: in
   * milliseconds, the least of `rounds`. What running nothing takes has been subtracted from the steps. `onRound` is
   * called before each round.
   */
  static async time(
    device: Device,
    graph: Graph,
    sources: readonly Source[],
    rounds: number,
    onRound?: (round: number) => void,
  ): Promise<Timing> {
    const [together, apart] = [new Executable(device, graph), new Executable(device, graph, false)];
    const [all, each] = [together, apart].map((executable) => executable.#bindAll(graph, sources));
    const { program } = apart.compiled;
    const parts = program.steps.map((step) => device.load({ ...program, steps: [step], commitStart: 1 }));
    const nothing = device.load({ ...program, steps: [], commitStart: 0 });
    const steps = new Float64Array(parts.length).fill(Number.POSITIVE_INFINITY);
    let [whole, empty] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    const clock = async (program: Handle, handles: readonly Handle[], scalars: Uint8Array<ArrayBuffer>) => {
      const begin = performance.now();
      await device.submit(program, handles, scalars);
      return performance.now() - begin;
    };
    const clockAll = () => clock(together.#handle, all.handles, together.#scalars);
    const clockPart = (part: Handle) => clock(part, each.handles, apart.#scalars);
    try {
      // WebAssembly is compiled for good only once it has run for a while.
      for (const begin = performance.now(); performance.now() - begin < warmMilliseconds; ) await clockAll();
      // The first round wakes threads and touches memory.
      for (let round = 0; round <= rounds; round++) {
        onRound?.(round);
        const least = (known: number, now: number) => (round === 0 ? known : Math.min(known, now));
        whole = least(whole, await clockAll());
        // Steps find what those before them leave.
        await clockPart(apart.#handle);
        empty = least(empty, await clockPart(nothing));
        for (const [step, part] of parts.entries()) steps[step] = least(steps[step], await clockPart(part));
      }
    } finally {
      for (const { outputs, temporary } of [all, each])
        for (const handle of [...outputs, ...temporary]) device.free(handle);
      for (const handle of [...parts, nothing]) device.free(handle);
      together.free();
      apart.free();
    }
    return { compiled: apart.compiled, whole, steps: steps.map((time) => Math.max(0, time - empty)) };
  }

  /** A table of the program's steps and its memory plan. */
  explain(): string {
    return explainProgram(this.compiled, this.device);
  }

  free(): void {
    this.device.free(this.#handle);
    for (const { handle, own } of this.#preparations)
      for (const each of [handle, ...own.handles]) this.device.free(each);
  }

  /** The memory for one run: scalars are written, and what is not a state's or tensor's own is made. */
  #bindAll(graph: Graph, sources: readonly Source[]) {
    const { bindings, scalars } = this.compiled.schedule;
    const temporary: Handle[] = [];
    for (const { node, offset } of scalars) this.#writeScalar(sources[node], offset / 4);
    const outputs: Handle[] = [];
    const handles = bindings.map((binding): Handle => {
      // Filled in below.
      if (binding.kind === "prepared") return 0;
      if (binding.kind !== "output") return this.#bind(binding, graph, sources, temporary);
      const handle = this.device.allocate(binding.bytes);
      outputs.push(handle);
      return handle;
    });
    this.#prepare(handles, sources, temporary);
    return { handles, outputs, temporary };
  }

  /** Binds what preparations have made, and runs those whose sources have changed since. */
  #prepare(handles: Handle[], sources: readonly Source[], temporary: Handle[]): void {
    const due: { readonly program: Handle; readonly forget: () => void }[] = [];
    for (const { handle: program, key, sources: nodes, targets, own } of this.#preparations) {
      if (key === undefined) {
        for (let i = 0; i < targets.length; i++) {
          own.handles[i] ??= this.device.allocate(targets[i].bytes);
          handles[targets[i].binding] = own.handles[i];
        }
        if (!this.#notice(nodes, sources, own.contents)) continue;
        due.push({ program, forget: () => own.contents.fill(undefined) });
        continue;
      }
      const [{ binding, bytes }] = targets;
      const from = sources[nodes[0]];
      const state = stateOf(from);
      const owner = (state ?? from).storage;
      const version = state?.committed ?? 0;
      const known = owner?.prepared.get(key);
      handles[binding] = known?.handle ?? this.device.allocate(bytes);
      if (known?.version === version) continue;
      if (owner === undefined) temporary.push(handles[binding]);
      else owner.prepared.set(key, { handle: handles[binding], version });
      const forget = () => {
        const failed = owner?.prepared.get(key);
        if (failed !== undefined) failed.version = Number.NaN;
      };
      due.push({ program, forget });
    }
    for (const { program, forget } of due) {
      const done = this.device.submit(program, handles, this.#scalars).catch((error) => {
        forget();
        throw error;
      });
      pipelineOf(this.device).add(done);
    }
  }

  /** Writes down what these nodes stand for now, and says whether that has changed. A plain loop, since every run does it. */
  #notice(nodes: readonly number[], sources: readonly Source[], contents: unknown[]): boolean {
    let changed = false;
    for (let i = 0; i < nodes.length; i++) {
      const source = sources[nodes[i]];
      const state = stateOf(source);
      const number = isState(source) || source.origin.kind !== "number" ? undefined : source.origin;
      const value = number === undefined ? (state ?? source).storage : number.read();
      const version = state?.committed ?? 0;
      // What has no memory of its own equals nothing.
      if (value !== undefined && Object.is(contents[2 * i], value) && contents[2 * i + 1] === version) continue;
      contents[2 * i] = value;
      contents[2 * i + 1] = version;
      changed = true;
    }
    return changed;
  }

  #bind(
    binding: Exclude<Binding, { kind: "output" | "prepared" }>,
    graph: Graph,
    sources: readonly Source[],
    temporary: Handle[],
  ): Handle {
    const from = binding.kind === "leaf" ? sources[binding.node] : graph.updates[binding.update].state;
    const owner = stateOf(from) ?? from;
    if (isState(owner) && owner.storage === undefined) {
      owner.store(new Storage(this.device, this.device.allocate(graphBytes(owner))));
    }
    if (owner.storage !== undefined) return handleOf(owner.storage);
    if (isState(owner) || owner.origin.kind !== "data") {
      const kind = isState(owner) ? "state" : owner.origin.kind;
      throw new FoveaError("FOVEA_INTERNAL", `a program starts from a value of kind ${kind}`);
    }
    const handle = this.device.upload(owner.origin.data);
    owner.uses++;
    if (owner.uses < usesBeforeKept) temporary.push(handle);
    else owner.store(new Storage(this.device, handle));
    return handle;
  }

  #writeScalar(source: Source, word: number): void {
    if (isState(source)) return;
    const { origin, dtype } = source;
    if (origin.kind === "draw") this.#words.set(origin.read(), word);
    else if (origin.kind === "number") {
      if (dtype === "float32") this.#floats[word] = origin.read();
      else if (dtype === "int32") this.#words[word] = origin.read();
      else this.#scalars[word * 4] = origin.read();
    }
  }

  /** Says which call of the user's a kernel complained about. */
  #explain(error: unknown, graph: Graph): unknown {
    if (!(error instanceof KernelFault)) return error;
    const tensor = graph.nodes[this.compiled.origins[error.step].node];
    const { origin } = tensor;
    if (origin.kind !== "computed") return error;
    const indices = origin.inputs.find((input) => input.dtype === "int32");
    const site = describeSite(origin.site);
    return new DataError(
      `${origin.op.name}: element ${error.element} of the indices${indices === undefined ? "" : ` (${formatShape(indices.shape)})`} is ${error.value}, ` +
        `expected 0 … ${error.limit - 1}. Fix: ${origin.op.indexMend ?? checkLabels}.` +
        (site === undefined ? "" : ` Called at ${site}.`),
      { cause: error },
    ).at(pathOf(origin.frame));
  }
}

/** Milliseconds. */
export interface Timing {
  /** The program whose steps were timed. */
  readonly compiled: CompiledProgram;
  /** Of the program in one go. */
  readonly whole: number;
  /** Of each of its steps. */
  readonly steps: Float64Array;
}

/** What a submission will leave behind. */
export interface Run {
  /** Settles when it has run. */
  readonly done: Promise<void>;
  readonly outputs: readonly Storage[];
}

const isState = (source: Source): source is AnyState => !("origin" in source);

/** The state whose memory is meant, if any: not of a tensor with memory of its own. */
function stateOf(source: Source): AnyState | undefined {
  if (isState(source)) return source;
  return source.storage === undefined && source.origin.kind === "state" ? source.origin.state : undefined;
}

function handleOf(storage: Storage): Handle {
  if (currentMemory() === "low") storage.forgetPrepared();
  return storage.handle;
}

function graphBytes(tensor: { readonly shape: readonly number[]; readonly dtype: AnyTensor["dtype"] }): number {
  return sizeBytes(tensor.dtype, sizeOf(tensor.shape));
}
