/** `--tasks smile,age:regression`: several things to learn at once, and where the right answers come from. */

import { createHash } from "node:crypto";
import { InvalidArgumentError } from "commander";
import { ArgumentError, DataError } from "../core/errors.js";
import { closestName } from "../core/suggest.js";
import type { Annotations } from "../data/annotated.js";
import { warnOfAlike } from "../node/picture-sets/layout.js";
import type { Attributes } from "../train/metrics/index.js";
import { classification, meanAndStd, regression, type Task, type Tasks } from "../train/tasks/task.js";

/** More different numbers in a column are rather measured than classes. */
const mostNumberClasses = 20;

interface Asked {
  readonly name: string;
  readonly kind: Task["kind"] | undefined;
}

/** `smile,age:regression` as names and kinds. */
export function parseTasks(text: string): readonly Asked[] {
  const asked = text.split(",").map((part): Asked => {
    const [, name = "", kind] = /^\s*(.*?)\s*(?::\s*(\w+)\s*)?$/.exec(part) ?? [];
    if (name === "") throw new InvalidArgumentError("Expected names with commas between them, such as smile,age.");
    if (kind !== undefined && kind !== "classification" && kind !== "regression")
      throw new InvalidArgumentError(`${name} is to be ${kind}. Expected classification or regression.`);
    return { name, kind };
  });
  const names = asked.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InvalidArgumentError(`${twice} is named twice.`);
  return asked;
}

/** The text as it is, if it can be parsed: runs keep it so. */
export function taskList(text: string): string {
  parseTasks(text);
  return text;
}

/** `learned`, or `smile=1,age=0.5` as numbers by name. */
function parseWeights(text: string): "learned" | ReadonlyMap<string, number> {
  if (text === "learned") return text;
  return new Map(
    text.split(",").map((part) => {
      const [name, value] = part.split("=");
      const weight = Number(value);
      if (value === undefined || value.trim() === "" || !(weight >= 0 && Number.isFinite(weight)))
        throw new InvalidArgumentError("Expected learned, or weights by name such as smile=1,age=0.5.");
      return [name.trim(), weight] as const;
    }),
  );
}

/** The same for weights. */
export function taskWeightList(text: string): string {
  parseWeights(text);
  return text;
}

export interface AskedTasks {
  readonly tasks: Tasks;
  /** Whether how much each counts is learnt. */
  readonly learned: boolean;
}

/**
 * The tasks that are asked for, as the values of the training pictures allow: texts and few whole numbers are classes, others have to
 * be declared.
 *
 * @param data name of the data set, for errors
 */
export function makeTasks(list: string, weightList: string | undefined, data: string, known: Attributes): AskedTasks {
  const asked = parseTasks(list);
  const weights = weightList === undefined ? new Map<string, number>() : parseWeights(weightList);
  if (weights !== "learned") {
    const unknown = [...weights.keys()].find((name) => !asked.some((task) => task.name === name));
    if (unknown !== undefined)
      throw new ArgumentError(`--task-weights: there is no task ${unknown}. Expected some of: ${list}.`);
  }
  const made = asked.map(({ name, kind }) => {
    const weight = weights === "learned" ? 1 : (weights.get(name) ?? 1);
    return [name, makeTask(name, kind, weight, valuesOf(name, data, known))] as const;
  });
  return { tasks: Object.fromEntries(made), learned: weights === "learned" };
}

function makeTask(name: string, kind: Task["kind"] | undefined, weight: number, values: readonly Value[]): Task {
  const present = values.filter((value) => !isUnknown(value));
  if (present.length === 0)
    throw new DataError(`--tasks: ${name} is not known of any picture to learn from. Expected some that are labelled.`);
  const numbers = present.map(Number);
  const numeric = numbers.every(Number.isFinite);
  if (kind === "regression") {
    if (numeric) return regression({ ...meanAndStd(numbers), weight });
    const text = present[numbers.findIndex((number) => !Number.isFinite(number))];
    throw new DataError(
      `--tasks: ${name} of a picture is ${JSON.stringify(text)}. Expected numbers, for a regression. Fix: mend it, or ${name}:classification.`,
    );
  }
  const classes = [...new Set(present.map(String))];
  const measured = numeric && (classes.length > mostNumberClasses || !numbers.every(Number.isInteger));
  if (measured && kind === undefined) {
    throw new ArgumentError(
      `--tasks: ${name} has ${classes.length} different numbers. Expected it to be said what they are. Fix: ${name}:regression, or ${name}:classification.`,
    );
  }
  if (classes.length < 2)
    throw new DataError(`--tasks: ${name} is ${classes.join()} for every picture. Expected at least two classes.`);
  warnOfAlike(`--tasks: ${name}`, classes);
  classes.sort(numeric ? (a, b) => Number(a) - Number(b) : undefined);
  return classification(classes, { weight });
}

type Value = Attributes[string][number];

function valuesOf(name: string, data: string, known: Attributes): readonly Value[] {
  if (Object.hasOwn(known, name)) return Array.from(known[name]);
  const names = Object.keys(known);
  const meant = closestName(name, names);
  throw new ArgumentError(
    `--tasks: ${data} has no labels named ${JSON.stringify(name)}.${meant === undefined ? "" : ` Did you mean ${meant}?`} ` +
      (names.length === 0
        ? "Expected a data set with several labels, such as faces, or a .csv."
        : `Expected some of: ${names.join(", ")}.`),
  );
}

function isUnknown(value: Value): boolean {
  return value === null || value === undefined || value === "" || Number.isNaN(value);
}

/** The right answers for pictures of which `known` is known, for batches. Those of tasks that nothing is known of are left out. */
export function targetsFor(tasks: Tasks, data: string, known: Attributes): Annotations {
  const found = Object.entries(tasks).filter(([name]) => Object.hasOwn(known, name));
  return Object.fromEntries(
    found.map(([name, task]) => {
      const values = Array.from(known[name]);
      if (task.kind === "regression")
        return [name, Float32Array.from(values, (value) => (isUnknown(value) ? Number.NaN : Number(value)))];
      const numbers = new Map(task.classNames.map((each, i) => [each, i]));
      const labels = values.map((value) => {
        const label = isUnknown(value) ? -1 : numbers.get(String(value));
        if (label !== undefined) return label;
        throw new DataError(
          `${data}: ${name} of a picture is ${JSON.stringify(value)}, which is none of the classes that were learnt: ${task.classNames.join(", ")}.`,
        );
      });
      return [name, Int32Array.from(labels)];
    }),
  );
}

/** What each number that the network gives is: `smile=yes`, `age`. */
export function columnNames(tasks: Tasks): string[] {
  return Object.entries(tasks).flatMap(([name, task]) =>
    task.kind === "regression" ? [name] : task.classNames.map((each) => `${name}=${each}`),
  );
}

/** Tells whether right answers are the same as they were. */
export function targetsFingerprint(...sets: readonly Annotations[]): string {
  const hash = createHash("sha256");
  for (const set of sets) for (const [name, values] of Object.entries(set)) hash.update(`${name}\n`).update(values);
  return hash.digest("hex").slice(0, 16);
}
