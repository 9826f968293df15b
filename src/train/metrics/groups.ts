/** Samples by their attributes: which groups there are, and who belongs to which. */

import { ArgumentError } from "../../core/errors.js";
import { closestName } from "../../core/suggest.js";

/** For each attribute a value for each sample. Empty texts, null, undefined and NaN stand for "unknown". */
export type Attributes = Readonly<Record<string, ArrayLike<string | number | boolean | null | undefined>>>;

export interface Grouping {
  /** A group for each sample. */
  readonly groups: Int32Array<ArrayBuffer>;
  /** The value of each attribute, for each group; sorted by them. */
  readonly values: readonly Readonly<Record<string, string>>[];
  /** Such as `gender=f, smile=1`, for each group. */
  readonly names: readonly string[];
  readonly counts: readonly number[];
}

/** More would not be groups but a measurement. */
const mostGroups = 1000;

/**
 * Numbers the groups that samples form by the values of one or several attributes. Only combinations that occur are groups.
 *
 * @param by names of attributes
 * @throws ArgumentError for an attribute that does not exist, is of another length, or has more values than groups can be
 * looked at (1,000)
 * @example groupBy({ gender: ["f", "m", "f"], smile: [0, 1, 1] }, ["gender", "smile"]).names
 */
export function groupBy(attributes: Attributes, by: readonly string[]): Grouping {
  const columns = by.map((name) => columnOf(attributes, name));
  const [first] = columns;
  if (first === undefined) throw noAttribute("groupBy", attributes);
  for (const [i, column] of columns.entries()) {
    if (column.length !== first.length) {
      throw new ArgumentError(
        `groupBy: ${by[0]} has ${first.length} values, but ${by[i]} has ${column.length}. Expected a value for each sample.`,
      );
    }
  }
  const found = new Map<string, readonly string[]>();
  const keys = Array.from({ length: first.length }, (_, sample) => {
    const values = columns.map((column) => textOf(column[sample]));
    const key = JSON.stringify(values);
    if (!found.has(key)) {
      found.set(key, values);
      if (found.size > mostGroups) {
        throw new ArgumentError(
          `groupBy: ${by.join(", ")} would give more than ${mostGroups} groups. Expected attributes of few values. Fix: put measured values into ranges first.`,
        );
      }
    }
    return key;
  });
  const sorted = [...found].sort(([, a], [, b]) => compareValues(a, b));
  const numbers = new Map(sorted.map(([key], group) => [key, group]));
  const groups = Int32Array.from(keys, (key) => numbers.get(key) ?? 0);
  const counts = new Array<number>(sorted.length).fill(0);
  for (const group of groups) counts[group]++;
  return {
    groups,
    values: sorted.map(([, values]) => Object.fromEntries(by.map((name, i) => [name, values[i]]))),
    names: sorted.map(([, values]) => by.map((name, i) => `${name}=${values[i]}`).join(", ")),
    counts,
  };
}

function columnOf(attributes: Attributes, name: string): Attributes[string] {
  if (Object.hasOwn(attributes, name)) return attributes[name];
  const names = Object.keys(attributes);
  const meant = closestName(name, names);
  throw new ArgumentError(
    `groupBy: there is no attribute "${name}".${meant === undefined ? "" : ` Did you mean ${meant}?`} Expected some of: ${namesOf(attributes)}.`,
  );
}

/** When no attribute is named to group by. */
export function noAttribute(what: string, attributes: Attributes): ArgumentError {
  return new ArgumentError(`${what}: no attribute is named. Expected some of: ${namesOf(attributes)}.`);
}

function namesOf(attributes: Attributes): string {
  const names = Object.keys(attributes);
  return names.length === 0 ? "none, for the samples have no attributes" : names.join(", ");
}

function textOf(value: Attributes[string][number]): string {
  if (value === null || value === undefined || value === "" || Number.isNaN(value)) return "unknown";
  return String(value);
}

/** Numbers by size, texts by their letters, whatever the machine's language. */
function compareValues(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    const difference = Number(a[i]) - Number(b[i]);
    if (Number.isFinite(difference) && difference !== 0) return difference;
    return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}
