/** From the names in a file of weights to those of a model. */

import { ArgumentError, StateDictError } from "../core/errors.js";
import { sameShape } from "../core/shape.js";
import type { Described } from "./fit.js";
import { isCounter } from "./state-dict.js";

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

/** Gives the tensors of a file the names of a model's states; where no prefix is given, one is looked for. */
export function renameTensors<T extends Described>(
  states: ReadonlyMap<string, Described>,
  tensors: ReadonlyMap<string, T>,
  { map, prefix, only }: RenamingOptions,
  source: string,
): Renaming<T> {
  const rename = mapping(map);
  const chosen = prefix ?? findPrefix(states, tensors, rename);
  if (prefix !== undefined && ![...tensors.keys()].some((name) => name.startsWith(prefix))) {
    const names = [...tensors.keys()].slice(0, 3).join(", ");
    throw new ArgumentError(`${source}: no name begins with ${JSON.stringify(prefix)}. The first ones are ${names}.`);
  }
  const wanted = filtering(only);
  const found = new Map<string, { readonly name: string; readonly tensor: T }>();
  const ignored: string[] = [];
  const renamed: [string, string][] = [];
  for (const [name, tensor] of tensors) {
    const own = name.startsWith(chosen) ? name.slice(chosen.length) : undefined;
    const target = own === undefined ? undefined : rename(own);
    // What lies deeper in the file's containers belongs to something else, such as an optimizer.
    const isDeeper = target?.includes("/") === true && !states.has(target);
    if (own === undefined || target === undefined || isDeeper || isCounter(target) || !wanted(target)) {
      ignored.push(name);
      continue;
    }
    const other = found.get(target);
    if (other !== undefined) {
      throw new StateDictError(
        `${source}: ${other.name} and ${name} would both become ${target}. Fix: a map that tells them apart, or a prefix.`,
      );
    }
    found.set(target, { name, tensor });
    if (target !== own) renamed.push([target, name]);
  }
  return { prefix: chosen, found, ignored, renamed: Object.fromEntries(renamed) };
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
  tensors: ReadonlyMap<string, Described>,
  rename: (name: string) => string | undefined,
): string {
  const hits = new Map<string, number>();
  for (const [name, { shape }] of tensors) {
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
  return best !== "" || hits.has("") ? best : onlyContainer(tensors);
}

/** Where nothing fits, errors should still speak of the state dict in a checkpoint. */
function onlyContainer(tensors: ReadonlyMap<string, Described>): string {
  const containers = new Map<string, number>();
  for (const name of tensors.keys()) {
    const container = name.slice(0, name.lastIndexOf("/") + 1);
    containers.set(container, (containers.get(container) ?? 0) + 1);
  }
  return mainContainer(containers);
}

/** Names under which checkpoints keep a model's weights. */
const usual = ["", "state_dict/", "model_state_dict/", "model/", "net/", "params/", "weights/"];

/** The container that holds the model's weights: one with a usual name, else the one with most tensors. */
export function mainContainer(counts: ReadonlyMap<string, number>): string {
  const known = usual.find((container) => counts.has(container));
  if (known !== undefined) return known;
  return [...counts].reduce<readonly [string, number]>((a, b) => (b[1] > a[1] ? b : a), ["", 0])[0];
}
