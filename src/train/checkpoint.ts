/**
 * Training state as one safetensors file: the model's weights under their own names, so that anything can read them, and
 * beside them the optimizer's slots, counters, random state and position, from which training goes on bit for bit.
 */

import { FormatError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import { parseNormalization } from "../data/normalization/json.js";
import { convertArray } from "../formats/convert.js";
import { parseSafetensors } from "../formats/safetensors.js";
import { writeSafetensors } from "../formats/safetensors-writer.js";
import type { StorageArray } from "../formats/storage.js";
import { toStorage } from "../nn/state-dict.js";
import { readWeights, trainingPrefix } from "../nn/weights.js";
import { Checksum } from "./checksum.js";
import type { TrainingState } from "./records.js";
import { type Tasks, tasksFromJson } from "./tasks/task.js";

const formatName = "fovea-checkpoint";
const formatVersion = 1;
/** A normalization's matrix, among what training leaves beside the weights; slots of optimizers have a dot in their names. */
const matrixName = `${trainingPrefix}normalization`;
/** JSON has no infinite numbers; the state of a schedule may. */
const infinity = "Infinity";

/** What a checkpoint says about itself beside the training state. */
export interface CheckpointInfo {
  /** Name in the registry. */
  readonly model: string;
  /** Kernel variant that trained it: bits repeat only on the same one. */
  readonly variant: string;
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  /** What the columns of its output are, where it has learnt several things at once; `classNames` then names the columns. */
  readonly tasks?: Tasks | undefined;
  /** Bytes of the metrics file that belong to this state; later lines are discarded when training goes on. */
  readonly metricsBytes: number;
  /** Whatever else the writer wants to find again: the run's settings. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
}

export interface Checkpoint {
  readonly info: CheckpointInfo;
  readonly state: TrainingState;
}

/** The bytes of a checkpoint. */
export function writeCheckpoint({ info, state }: Checkpoint): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, StorageArray>();
  for (const [name, saved] of Object.entries(state.weights)) tensors.set(name, toStorage(saved));
  for (const [name, data] of Object.entries(state.optimizer.slots)) {
    tensors.set(trainingPrefix + name, { dtype: "float32", shape: [data.length], data });
  }
  const { matrix, ...normalization } = info.normalization;
  if (matrix !== undefined) {
    const { rows, values } = matrix;
    const shape = [rows, values.length / rows];
    tensors.set(matrixName, { dtype: "float32", shape, data: Float32Array.from(values) });
  }
  const { position, schedule, sums, random, groupWeights, taskWeights, seconds } = state;
  const texts = {
    info: JSON.stringify({ ...info, normalization: { ...normalization, ...(matrix && { rows: matrix.rows }) } }),
    progress: JSON.stringify(
      {
        position,
        optimizer: state.optimizer.numbers,
        schedule,
        sums,
        random,
        groupWeights,
        taskWeights,
        time: { seconds },
      },
      (_, value) => (value === Number.POSITIVE_INFINITY ? infinity : value),
    ),
  };
  return writeSafetensors(tensors, {
    format: formatName,
    version: String(formatVersion),
    ...texts,
    checksum: checksumOf(tensors, texts),
  });
}

interface Texts {
  readonly info: string;
  readonly progress: string;
}

/** Over all that is read again, so that a bit that flipped on a disk is noticed before training goes on from it. */
function checksumOf(tensors: ReadonlyMap<string, StorageArray>, { info, progress }: Texts): string {
  const checksum = new Checksum().addText(info).addText(progress);
  for (const name of [...tensors.keys()].sort()) {
    const array = tensors.get(name);
    if (array === undefined) continue;
    const { buffer, byteOffset, byteLength } = array.data;
    checksum.addText(`${name} ${array.dtype} ${array.shape.join("×")}`);
    checksum.add(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return checksum.toString();
}

/**
 * Reads what `writeCheckpoint` wrote.
 *
 * @param name of the file, for errors
 */
export function readCheckpoint(bytes: Uint8Array<ArrayBuffer>, name: string): Checkpoint {
  const { tensors, texts } = open(bytes, name);
  if (texts === undefined) {
    throw new FormatError(
      `${name} holds weights, but no training state to go on from. Expected a checkpoint of a run. Fix: start a new run.`,
    );
  }
  const slots: Record<string, Float32Array<ArrayBuffer>> = {};
  for (const [key, array] of tensors) {
    if (!key.startsWith(trainingPrefix) || key === matrixName) continue;
    const { data } = convertArray(array, `${name}: ${key}`, "float32");
    if (data instanceof Float32Array) slots[key.slice(trainingPrefix.length)] = data;
  }
  const saved = fields(name, "progress", parse(name, texts.progress));
  const sums = numbers(name, "sums", saved.sums, ["loss", "hits", "count"]);
  const state: TrainingState = {
    position: counts(name, "position", saved.position, ["epoch", "batch"]),
    weights: readWeights(bytes, name),
    optimizer: { slots, numbers: numbers(name, "optimizer", saved.optimizer, []) },
    schedule: numbers(name, "schedule", saved.schedule, []),
    sums,
    random: counts(name, "random", saved.random, ["seed", "position"]),
    groupWeights: saved.groupWeights === undefined ? undefined : numberList(name, "groupWeights", saved.groupWeights),
    taskWeights: saved.taskWeights === undefined ? undefined : numbers(name, "taskWeights", saved.taskWeights, []),
    seconds: numbers(name, "time", saved.time, ["seconds"]).seconds,
  };
  return { info: readInfo(name, texts.info, tensors), state };
}

/** What a file of weights says about itself, if it is a checkpoint. */
export function readCheckpointInfo(bytes: Uint8Array<ArrayBuffer>, name: string): CheckpointInfo | undefined {
  const { tensors, texts } = open(bytes, name);
  return texts && readInfo(name, texts.info, tensors);
}

/** Whether a file with these metadata is a checkpoint. */
export function isCheckpoint({ format }: Readonly<Record<string, string>>): boolean {
  return format === formatName;
}

/** The tensors of a safetensors file and, if it is a checkpoint, its texts; throws when that is damaged. */
function open(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): { readonly tensors: ReadonlyMap<string, StorageArray>; readonly texts: Texts | undefined } {
  const { tensors, metadata } = parseSafetensors(bytes, { name });
  const { version, info, progress, checksum } = metadata;
  if (!isCheckpoint(metadata)) return { tensors, texts: undefined };
  if (version !== String(formatVersion)) {
    throw new FormatError(
      `${name} is a checkpoint of version ${version}; this Fovea reads version ${formatVersion}. Fix: use the Fovea that wrote it.`,
    );
  }
  if (info === undefined || progress === undefined) throw damaged(name, "it does not describe itself");
  const texts = { info, progress };
  if (checksum !== checksumOf(tensors, texts)) throw damaged(name, "its checksum is wrong");
  return { tensors, texts };
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(name, "its description is not JSON", cause);
  }
}

function damaged(name: string, what: string, cause?: unknown): FormatError {
  return new FormatError(`${name} is damaged: ${what}. Fix: use another copy, or start a new run.`, { cause });
}

function fields(name: string, what: string, value: unknown): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw damaged(name, `${what} is not an object`);
  return { ...value };
}

/** An object of numbers that has at least `required`. */
function numbers<K extends string>(
  name: string,
  what: string,
  value: unknown,
  required: readonly K[],
): Record<string, number> & Record<K, number> {
  const found = fields(name, what, value);
  for (const [key, item] of Object.entries(found)) if (item === infinity) found[key] = Number.POSITIVE_INFINITY;
  for (const key of [...required, ...Object.keys(found)]) {
    if (typeof found[key] !== "number")
      throw damaged(name, `${what}.${key} is ${JSON.stringify(found[key])}, not a number`);
  }
  return found as Record<string, number> & Record<K, number>;
}

/** The same, of integers of 0 or more. */
function counts<K extends string>(
  name: string,
  what: string,
  value: unknown,
  required: readonly K[],
): Record<K, number> {
  const found = numbers(name, what, value, required);
  for (const key of required) {
    if (!Number.isSafeInteger(found[key]) || found[key] < 0) throw damaged(name, `${what}.${key} is ${found[key]}`);
  }
  return found;
}

function numberList(name: string, what: string, value: unknown): number[] {
  if (!Array.isArray(value) || value.some((item) => typeof item !== "number"))
    throw damaged(name, `${what} is not a list of numbers`);
  return value;
}

function readNormalization(name: string, json: unknown, matrix: StorageArray | undefined): Normalization {
  const values = matrix && convertArray(matrix, `${name}: ${matrixName}`, "float32").data;
  try {
    return parseNormalization(json, values);
  } catch (cause) {
    throw damaged(name, cause instanceof Error ? cause.message.replace(/ Fix: .*/, "") : "its normalization", cause);
  }
}

function readTasks(name: string, json: unknown): Tasks {
  try {
    return tasksFromJson(json);
  } catch (cause) {
    throw damaged(name, cause instanceof Error ? cause.message.replace(/ Fix: .*/, "") : "its tasks", cause);
  }
}

function readInfo(name: string, text: string, tensors: ReadonlyMap<string, StorageArray>): CheckpointInfo {
  const info = fields(name, "info", parse(name, text));
  const { model, variant, classNames, metricsBytes, tasks } = info;
  if (typeof model !== "string" || typeof variant !== "string")
    throw damaged(name, "it does not say which model it is of");
  if (!Array.isArray(classNames) || classNames.some((item) => typeof item !== "string"))
    throw damaged(name, "info.classNames is not a list of names");
  if (typeof metricsBytes !== "number" || !Number.isSafeInteger(metricsBytes) || metricsBytes < 0)
    throw damaged(name, `info.metricsBytes is ${JSON.stringify(metricsBytes)}`);
  return {
    model,
    variant,
    classNames,
    ...(tasks !== undefined && { tasks: readTasks(name, tasks) }),
    normalization: readNormalization(name, info.normalization, tensors.get(matrixName)),
    metricsBytes,
    settings: Object.fromEntries(
      Object.entries(fields(name, "info.settings", info.settings)).filter(
        (entry): entry is [string, string | number | boolean | null] => {
          return entry[1] === null || ["string", "number", "boolean"].includes(typeof entry[1]);
        },
      ),
    ),
  };
}
