/** Weights from files: read piece by piece and straight into a device's memory. */

import type { Device, Handle } from "../backends/backend.js";
import { kindOf } from "../core/check.js";
import { sizeBytes } from "../core/dtype.js";
import { AbortedError, ArgumentError, NotFiniteError } from "../core/errors.js";
import { sizeOf } from "../core/shape.js";
import { convertStorage } from "../formats/convert.js";
import { openTensorFile } from "../formats/open.js";
import { type ByteSource, sourceOf } from "../formats/source.js";
import { checkBooleans, storageWidths, viewStorage } from "../formats/storage.js";
import { type StoredTensor, storedBytes, type TensorFile } from "../formats/tensor-file.js";
import type { AnyState } from "../graph/state.js";
import { checkFit, type LoadReport } from "./fit.js";
import { filtering, type NameFilter, type NameMap, renameTensors } from "./renaming.js";
import { CHUNK, Staging } from "./staging.js";
import type { StateDict } from "./state-dict.js";
import { stateDictFile } from "./state-dict-file.js";

/**
 * Where weights come from: a path (in browsers a URL), a URL, a file that a user has chosen, bytes, a state dict; in Node
 * also the name of published weights, `torchvision/resnet18` or `hf:owner/model`.
 */
export type WeightsSource = string | URL | Blob | Uint8Array | ArrayBuffer | StateDict;

export interface LoadWeightsOptions {
  /** False loads what fits and leaves the rest of the model as it is; the report says what. Default true. */
  readonly strict?: boolean;
  /** Names in the file that differ from the model's. */
  readonly map?: NameMap;
  /**
   * What the file's names begin with beyond the model's: `module.`, or `state_dict/` for a dictionary inside a checkpoint.
   * Default: found by comparing names and shapes.
   */
  readonly prefix?: string;
  /** Loads only some of the model's states; nothing else is read. */
  readonly only?: NameFilter;
  /** True refuses weights that are NaN or infinite. Default false. */
  readonly finite?: boolean;
  readonly signal?: AbortSignal;
  /** Told of bytes that have been read, and of how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was loaded, and what was not. Missing, misshaped and loaded names are the model's, the others the file's. */
export interface WeightsReport extends LoadReport {
  readonly loaded: readonly string[];
  /** Not the model's: outside the prefix, left out by `map` or `only`, optimizer slots, counters of batches. */
  readonly ignored: readonly string[];
  /** The file's names by the model's, where `map` changed them. */
  readonly renamed: Readonly<Record<string, string>>;
  /** What was left out at the beginning of the file's names. */
  readonly prefix: string;
  readonly format: TensorFile["format"];
}

/** What weights are loaded into, and how its paths are opened. */
export interface LoadTarget {
  readonly name: string;
  readonly states: ReadonlyMap<string, AnyState>;
  open(path: string | URL, signal?: AbortSignal): Promise<ByteSource>;
}

/** Loads weights into the states of a module; see `Module.load`. */
export async function loadInto(
  target: LoadTarget,
  source: WeightsSource,
  options: LoadWeightsOptions,
): Promise<WeightsReport> {
  const file = await openWeights(target, source, options.signal);
  try {
    return await loadFile(target, file, options);
  } finally {
    await file.close();
  }
}

/** What can be loaded as an open file. */
async function openWeights(target: LoadTarget, source: WeightsSource, signal?: AbortSignal): Promise<TensorFile> {
  if (typeof source === "string" || source instanceof URL) return openTensorFile(await target.open(source, signal));
  if (source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob) {
    return openTensorFile(sourceOf(source));
  }
  if (source === null || typeof source !== "object") {
    throw new ArgumentError(
      `the weights are ${kindOf(source)}. Expected a path, a URL, a File or Blob, bytes, or a state dict.`,
    );
  }
  return stateDictFile(source);
}

async function loadFile(target: LoadTarget, file: TensorFile, options: LoadWeightsOptions): Promise<WeightsReport> {
  const wanted = filtering(options.only);
  const states = new Map([...target.states].filter(([name]) => wanted(name)));
  if (states.size === 0 && options.only !== undefined) {
    throw new ArgumentError("`only` leaves nothing of the model. Fix: use the names of model.stateDict().");
  }
  const { found, ...renaming } = renameTensors(file, options, states);
  // Types of elements are converted, so only shapes have to fit.
  const described = new Map(
    [...found].map(([name, { tensor }]) => {
      return [name, { shape: tensor.shape, dtype: states.get(name)?.dtype ?? tensor.dtype }] as const;
    }),
  );
  const strict = options.strict ?? true;
  const fit = checkFit(target.name, states, described, { strict, source: file.name });
  const loads: Load[] = [];
  for (const [name, { name: inFile, tensor }] of found) {
    const state = states.get(name);
    if (state === undefined || fit.misshaped.includes(name)) continue;
    loads.push({ name, state, tensor, what: `${file.name}: ${inFile}` });
  }
  await fillStates(loads, options);
  return { ...fit, ...renaming, loaded: loads.map(({ name }) => name), format: file.format };
}

/** One tensor on its way to a state. */
interface Load {
  readonly name: string;
  readonly state: AnyState;
  readonly tensor: StoredTensor;
  /** What errors call it. */
  readonly what: string;
}

/** Reads all tensors into new memory; only when everything is there do the states take it over. */
async function fillStates(loads: readonly Load[], options: LoadWeightsOptions): Promise<void> {
  const staging = new Staging();
  const memory: { readonly device: Device; readonly handle: Handle }[] = [];
  const total = loads.reduce((sum, { tensor }) => sum + storedBytes(tensor), 0);
  let done = 0;
  const progress = (bytes: number) => {
    if (options.signal?.aborted) throw new AbortedError();
    done += bytes;
    options.onProgress?.(done, total);
  };
  try {
    for (const load of loads) {
      const { device, dtype, shape } = load.state;
      const handle = device.allocate(sizeBytes(dtype, sizeOf(shape)));
      memory.push({ device, handle });
      await transfer(load, handle, staging, options.finite ?? false, progress);
    }
    await staging.settle();
  } catch (error) {
    for (const { device, handle } of memory) device.free(handle);
    throw error;
  }
  for (const [i, { state }] of loads.entries()) state.adopt(memory[i].handle);
}

/** Reads a tensor piece by piece, converts what the state has in another type, and hands it to the device. */
async function transfer(
  { state, tensor, what }: Load,
  handle: Handle,
  staging: Staging,
  finite: boolean,
  progress: (bytes: number) => void,
): Promise<void> {
  const total = storedBytes(tensor);
  if (total === 0) return;
  const width = storageWidths[tensor.dtype];
  const reader = await tensor.open();
  try {
    for (let at = 0; at < total; at += CHUNK) {
      const buffer = staging.take();
      const length = Math.min(CHUNK, total - at);
      const bytes = new Uint8Array(buffer, 0, length);
      await reader.fill(bytes);
      const read = viewStorage(tensor.dtype, [length / width], bytes);
      checkBooleans(read, what);
      const { data } = convertStorage(read, what, state.dtype);
      if (finite && data instanceof Float32Array) checkFinite(data, what, at / width);
      if (data.buffer !== buffer) staging.give(buffer);
      await staging.write(state.device, handle, (at / width) * data.BYTES_PER_ELEMENT, data);
      progress(length);
    }
  } finally {
    await reader.close();
  }
}

function checkFinite(values: Float32Array, what: string, first: number): void {
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong === -1) return;
  throw new NotFiniteError(
    `${what} holds ${values[wrong]} (element ${first + wrong}), as after a training that diverged. Expected finite weights. ` +
      "Fix: train with a lower learning rate.",
  );
}
