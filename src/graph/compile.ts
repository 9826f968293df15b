/** `compile`: record a function once, run its program ever after. */

import type { Device } from "../backends/backend.js";
import { choicesInUse } from "../core/algorithms.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError, TraceError } from "../core/errors.js";
import type { Shape } from "../core/shape.js";
import { ExecutableCache } from "./cache.js";
import { currentTrace, type Trace, withTrace } from "./context.js";
import { defaultDevice } from "./device.js";
import { Executable, type Source } from "./executable.js";
import { collectGraph, type Graph, updatesOf } from "./graph.js";
import { evaluateTensors, flushStates } from "./lazy.js";
import { pipelineOf } from "./pipeline.js";
import { isPromise, PendingResult } from "./reading.js";
import { type AnyTensor, type Origin, Tensor } from "./tensor.js";

/** What a compiled function takes and returns: tensors, alone or in arrays and plain objects. */
export type Structure =
  | AnyTensor
  | string
  | boolean
  | null
  | undefined
  | readonly Structure[]
  | { readonly [key: string]: Structure };

/** Where a function takes a tensor, its caller may pass a number: sent along with each run, never baked in. */
export type Argument<T> = T extends AnyTensor ? T | number : T;

export interface CompiledFunction<Arguments extends readonly Structure[], Result> {
  (...args: { [Index in keyof Arguments]: Argument<Arguments[Index]> }): Promise<Result>;
  /** The program that the last call ran: its steps, where they read and write, and the memory plan. */
  explain(): string;
  /** How often the function has been recorded: once per combination of shapes and module settings. */
  readonly recordings: number;
}

/** This many runs may be submitted and unfinished before a call waits: one runs, one is ready to start. */
const runsAhead = 1;

interface Recording {
  readonly executable: Executable;
  readonly graph: Graph;
  /** For each node, what stands there when the program is run. */
  readonly sources: readonly Source[];
  /** For each tensor given, the node that stands for it; undefined where nothing depends on it. */
  readonly places: readonly (number | undefined)[];
  readonly guards: readonly (() => boolean)[];
  /** The function's result, with the recorded tensors in it. */
  readonly result: Structure;
}

/**
 * Returns a function that does the same as `record`, as one program: recorded at its first call for each combination of
 * argument shapes and types, and again when a module that it uses was changed (train/eval, freezing, a replaced layer).
 *
 * `record` must be synchronous, and everything that varies between calls must be an argument or a State. It resolves
 * when the run has been accepted; reading its result waits for the run.
 *
 * @example
 * const step = compile((x: Tensor, y: Tensor<Shape, "int32">) => {
 *   const loss = crossEntropy(model(x), y);
 *   loss.backward();
 *   optimizer.step();
 *   return loss;
 * });
 * const loss = await step(x, y);
 */
export function compile<Arguments extends readonly Structure[], Result extends Structure>(
  record: (...args: Arguments) => Result,
): CompiledFunction<Arguments, Result> {
  const recordings = new Map<string, Recording[]>();
  const cache = new ExecutableCache((executable) => {
    for (const [key, list] of recordings) {
      recordings.set(
        key,
        list.filter((recording) => recording.executable !== executable),
      );
    }
  });
  let count = 0;
  let last: Executable | undefined;

  const find = (device: Device, args: readonly unknown[], tensors: readonly AnyTensor[]): Recording => {
    const key = `${device.variant} ${choicesInUse()} ${describe(args)}`;
    const known = recordings.get(key)?.find((recording) => recording.guards.every((holds) => holds()));
    if (known !== undefined && known.executable.device === device) {
      cache.touch(known.executable);
      return known;
    }
    const made = recordFunction(device, record, args, tensors);
    count++;
    recordings.set(key, [made, ...(recordings.get(key) ?? [])]);
    cache.add(made.executable);
    return made;
  };

  const call = async (args: readonly unknown[]): Promise<Result> => {
    if (currentTrace() !== null) {
      throw new TraceError(
        "a compiled function was called while another is being recorded. Fix: call the plain function inside, and compile only the outer one.",
      );
    }
    const tensors = tensorsIn(args);
    const device = tensors.find((tensor) => tensor.origin.kind !== "number")?.device ?? defaultDevice();
    evaluateTensors(tensors.filter((tensor) => tensor.origin.kind === "computed"));
    flushStates(device);
    const recording = find(device, args, tensors);
    flushStates(device);
    const { executable, graph, places } = recording;
    last = executable;
    const sources = recording.sources.slice();
    for (const [position, node] of places.entries()) if (node !== undefined) sources[node] = tensors[position];
    const run = executable.run(graph, sources);
    for (const { state } of graph.updates) state.advance();
    const results = run.outputs.map((storage, i) => {
      const { shape, dtype } = graph.outputs[i];
      return new Tensor<Shape, DType>(shape, dtype, device, { kind: "stored" }, storage);
    });
    await pipelineOf(device).room(runsAhead);
    let next = 0;
    return replaceTensors(recording.result, () => results[next++]) as Result;
  };

  const compiled = (...args: readonly unknown[]): Promise<Result> =>
    new PendingResult<Result>((resolve, reject) => {
      call(args).then(resolve, reject);
    });
  return Object.defineProperties(compiled, {
    explain: { value: () => last?.explain() ?? "not called yet: there is no program to explain" },
    recordings: { get: () => count },
  }) as CompiledFunction<Arguments, Result>;
}

function recordFunction<Arguments extends readonly Structure[]>(
  device: Device,
  record: (...args: Arguments) => Structure,
  args: readonly unknown[],
  tensors: readonly AnyTensor[],
): Recording {
  const trace: Trace = { states: new Map(), guards: [], gradients: new Set() };
  return withTrace(trace, () => {
    const inputs = tensors.map(({ shape, dtype, origin }) => {
      // A number stays one: it travels with each run instead of being uploaded.
      const placeholder: Origin = origin.kind === "number" ? origin : { kind: "argument" };
      return new Tensor<Shape, DType>(shape, dtype, device, placeholder);
    });
    let next = 0;
    const result = record(...(replaceTensors(args, () => inputs[next++]) as Arguments));
    if (isPromise(result)) {
      throw new TraceError(
        "compile() was given an asynchronous function. Fix: make it synchronous; return tensors and await their values outside.",
      );
    }
    checkNoGradientsLeft(trace);
    const graph = collectGraph(tensorsIn([result]), updatesOf(trace));
    const places = inputs.map((input) => graph.indexOf.get(input));
    // A tensor made outside may yet be given memory of its own, as the value that the state had then.
    const sources = graph.nodes.map((node) =>
      node.trace === trace && node.origin.kind === "state" ? node.origin.state : node,
    );
    return { executable: new Executable(device, graph), graph, sources, places, guards: trace.guards, result };
  });
}

function checkNoGradientsLeft({ gradients }: Trace): void {
  if (gradients.size === 0) return;
  const count = gradients.size;
  for (const parameter of gradients) parameter.grad = null;
  throw new TraceError(
    `the compiled function called backward(), and ${count} gradients were left unused when it returned. ` +
      "Fix: call optimizer.step() inside it, or return the gradients: grad(loss, parameters).",
  );
}

/** All tensors in a structure, in order; numbers count as tensors without axes. */
function tensorsIn(structure: readonly unknown[]): AnyTensor[] {
  const found: AnyTensor[] = [];
  replaceTensors(structure, (tensor) => {
    found.push(tensor);
    return tensor;
  });
  return found;
}

/** The structure with every tensor, and every number, replaced. */
function replaceTensors(structure: unknown, replace: (tensor: AnyTensor) => AnyTensor): unknown {
  if (structure instanceof Tensor) return replace(structure);
  if (typeof structure === "number") {
    const value = structure;
    return replace(new Tensor([], "float32", defaultDevice(), { kind: "number", read: () => value, constant: false }));
  }
  if (isPromise(structure)) {
    throw new ArgumentError("a compiled function was given a promise where a tensor belongs. Fix: await it first.");
  }
  if (Array.isArray(structure)) return structure.map((item) => replaceTensors(item, replace));
  if (structure !== null && typeof structure === "object") {
    if (Object.getPrototypeOf(structure) !== Object.prototype) {
      throw new ArgumentError(
        `a compiled function takes and returns tensors, numbers, and arrays and plain objects of them, not a ${structure.constructor.name}.`,
      );
    }
    return Object.fromEntries(Object.entries(structure).map(([key, item]) => [key, replaceTensors(item, replace)]));
  }
  return structure;
}

/** Equal for arguments that one recording serves. */
function describe(structure: unknown): string {
  if (structure instanceof Tensor) {
    const kind = structure.origin.kind === "number" ? "number" : "";
    return `${kind}${structure.dtype}[${structure.shape.join(",")}]`;
  }
  if (typeof structure === "number") return "numberfloat32[]";
  if (Array.isArray(structure)) return `(${structure.map(describe).join(" ")})`;
  if (structure !== null && typeof structure === "object") {
    return `{${Object.entries(structure)
      .map(([key, item]) => `${key}:${describe(item)}`)
      .join(" ")}}`;
  }
  return JSON.stringify(structure) ?? "undefined";
}
