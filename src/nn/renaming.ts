/** From the names in a file of weights to those of a model. */

import { ArgumentError, StateDictError } from "../core/errors.js";
import { sameShape } from "../core/shape.js";
import type { TensorFormat } from "../formats/tensor-file.js";
import type { Described } from "./fit.js";
import { isCounter } from "./state-dict.js";
import { trainingPrefix } from "./weights.js";

/**
 * What becomes of a name in a file, without its prefix: a function (null leaves the tensor out), a table of those that
 * change, or replacements that are made one after another.
 */
export type NameMap =
  | ((name: string) => string | null | undefined)
  | Readonly<Record<string, string>>
  | readonly (readonly [from: RegExp | string, to: string])[];

/** Which states of a model are loaded: names, also of modules with all that is in them, or a test of names. */
export type NameFilter = readonly string[] | RegExp | ((name: string) => boolean);

export interface Renaming<T extends Described> {
  /** What the file's names begin with beyond the model's. */
  readonly prefix: string;
  /** The file's tensors by the model's names. */
  readonly found: ReadonlyMap<string, { readonly name: string; readonly tensor: T }>;
  /** Names in the file that are none of the model's business: without the prefix, left out, or counters. */
  readonly ignored: readonly string[];
  /** Where `map` gives another name: the file's by the model's. */
  readonly renamed: Readonly<Record<string, string>>;
}

export interface RenamingOptions {
  readonly map?: NameMap | undefined;
  readonly prefix?: string | undefined;
  readonly only?: NameFilter | undefined;
}

/** What renaming needs to know of a file. */
export interface NamedTensors<T extends Described> {
  /** What errors call it. */
  readonly name: string;
  readonly format: TensorFormat;
  readonly tensors: ReadonlyMap<string, T>;
}

/**
 * Gives the tensors of a file other names: those of a model's states, if some are given; then a prefix is looked for where
 * none is given. Counters of batches are nothing that these models have.
 */
export function renameTensors<T extends Described>(
  file: NamedTensors<T>,
  { map, prefix, only }: RenamingOptions,
  states?: ReadonlyMap<string, Described>,
): Renaming<T> {
  const { tensors } = file;
  const rename = mapping(map);
  const chosen = prefix ?? (states === undefined ? containerOf(file) : findPrefix(states, file, rename));
  if (prefix !== undefined && ![...tensors.keys()].some((name) => name.startsWith(prefix))) {
    const names = [...tensors.keys()].slice(0, 3).join(", ");
    throw new ArgumentError(
      `${file.name}: no name begins with ${JSON.stringify(prefix)}. The first ones are ${names}.`,
    );
  }
  const isWanted = filtering(only);
  const found = new Map<string, { readonly name: string; readonly tensor: T }>();
  const ignored: string[] = [];
  const renamed: [string, string][] = [];
  for (const [name, tensor] of tensors) {
    const own = name.startsWith(chosen) ? name.slice(chosen.length) : undefined;
    const target = own === undefined || isAside(own, file.format) ? undefined : rename(own);
    if (target === undefined || !isWanted(target) || (states !== undefined && isCounter(target))) {
      ignored.push(name);
      continue;
    }
    const other = found.get(target);
    if (other !== undefined) {
      throw new StateDictError(
        `${file.name}: ${other.name} and ${name} would both become ${target}. Fix: a map that tells them apart, or a prefix.`,
      );
    }
    found.set(target, { name, tensor });
    if (target !== own) renamed.push([target, name]);
  }
  return { prefix: chosen, found, ignored, renamed: Object.fromEntries(renamed) };
}

/** Whether a tensor lies beside the model's: deeper in the containers of a checkpoint, or a slot of an optimizer. */
function isAside(name: string, format: TensorFormat): boolean {
  return format === "pytorch" ? name.includes("/") : name.startsWith(trainingPrefix);
}

/** The states that are to be loaded. */
export function filtering(only: NameFilter | undefined): (name: string) => boolean {
  if (only === undefined) return () => true;
  if (typeof only === "function") return only;
  if (only instanceof RegExp) return (name) => name.search(only) !== -1;
  return (name) => only.some((each) => name === each || name.startsWith(`${each}.`));
}

function mapping(map: NameMap | undefined): (name: string) => string | undefined {
  if (map === undefined) return (name) => name;
  if (typeof map === "function") return (name) => map(name) ?? undefined;
  if (isList(map)) return (name) => map.reduce((changed, [from, to]) => changed.replace(from, to), name);
  const table = new Map(Object.entries(map));
  return (name) => table.get(name) ?? name;
}

function isList(
  map: Exclude<NameMap, (name: string) => unknown>,
): map is readonly (readonly [RegExp | string, string])[] {
  return Array.isArray(map);
}

/**
 * What to leave out at the beginning of the file's names so that most tensors fit a state: containers of a checkpoint
 * (`state_dict/`), wrappers (`module.`), or the way to a part of a larger model. Nothing where that serves as well, or
 * where less than half of the model would be found.
 */
function findPrefix(
  states: ReadonlyMap<string, Described>,
  file: NamedTensors<Described>,
  rename: (name: string) => string | undefined,
): string {
  const hits = new Map<string, number>();
  for (const [name, { shape }] of file.tensors) {
    for (const { index } of [{ index: -1 }, ...name.matchAll(/[./]/g)]) {
      const target = rename(name.slice(index + 1));
      const state = target === undefined ? undefined : states.get(target);
      if (state === undefined || !sameShape(state.shape, shape)) continue;
      const prefix = name.slice(0, index + 1);
      hits.set(prefix, (hits.get(prefix) ?? 0) + 1);
    }
  }
  let [best, most] = ["", Math.max(hits.get("") ?? 0, Math.ceil(states.size / 2) - 1)];
  for (const [prefix, count] of hits) if (count > most) [best, most] = [prefix, count];
  // Where nothing fits, errors should still speak of the state dict in a checkpoint.
  return best !== "" || hits.has("") ? best : containerOf(file);
}

/** Names under which checkpoints keep a model's weights. */
const usualContainers = ["", "state_dict/", "model_state_dict/", "model/", "net/", "params/", "weights/"];
/** What training on several devices, and compilation, put before all names. */
const wrappers = ["module.", "_orig_mod."];

/**
 * What to leave out where there are no names to compare with: the way to the container of a checkpoint that holds the
 * model's weights (one with a usual name, else the one with most tensors), and wrappers.
 */
function containerOf({ format, tensors }: NamedTensors<Described>): string {
  if (format !== "pytorch") return "";
  const inside = new Map<string, string[]>();
  for (const name of tensors.keys()) {
    const split = name.lastIndexOf("/") + 1;
    const names = inside.get(name.slice(0, split)) ?? [];
    names.push(name.slice(split));
    inside.set(name.slice(0, split), names);
  }
  const largest = [...inside].sort(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? "";
  const container = usualContainers.find((each) => inside.has(each)) ?? largest;
  const wrapper = wrappers.find((each) => inside.get(container)?.every((name) => name.startsWith(each)));
  return container + (wrapper ?? "");
}
