/** Tables of algorithms: made of times, and written as the project's or as one's own. */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { type CaseName, shapesIn } from "../../src/backends/cpu/algorithms.js";
import { type Algorithm, algorithms } from "../../src/backends/cpu/kernels/algorithm.js";
import { caseOf, modelOf } from "../../src/backends/cpu/kernels/convolutionCase.js";
import { machineOf, type Variant } from "../../src/backends/cpu/machines.js";
import { parseTables } from "../../src/backends/cpu/ownAlgorithms.js";
import type { AlgorithmTable, AlgorithmTables } from "../../src/core/algorithms.js";
import { root } from "../sides/packages.js";
import type { Times } from "./times.js";

export interface Measured {
  readonly name: CaseName;
  /** In microseconds. */
  readonly times: Times;
}

/** What is faster than the model's choice by less is chance. */
const chance = 1.02;
/** An entry is not worth its place where the model chooses the same and all others take so many times its time. */
const obvious = 1.5;

/** Entries by group and shape. */
export type Entries = Map<string, Map<string, Algorithm>>;

export function entriesOf(table: AlgorithmTable): Entries {
  const entries: Entries = new Map();
  for (const [group, byAlgorithm] of Object.entries(table)) {
    const shapes = new Map<string, Algorithm>();
    for (const algorithm of algorithms)
      for (const shape of shapesIn(byAlgorithm[algorithm] ?? "")) shapes.set(shape, algorithm);
    entries.set(group, shapes);
  }
  return entries;
}

/** Puts what was measured in the place of what was there; what was not measured stays. */
export function enter(entries: Entries, variant: Variant, { name, times }: Measured): void {
  const given = caseOf(name);
  if (given === undefined) return;
  const model = modelOf(given, machineOf(variant, 1));
  const byTime = algorithms.flatMap((algorithm) => {
    const time = times[algorithm];
    return time === undefined ? [] : [{ algorithm, time }];
  });
  byTime.sort((a, b) => a.time - b.time);
  const [best, ...others] = byTime;
  if (best === undefined) return;
  const ofModel = times[model] ?? Number.POSITIVE_INFINITY;
  const chosen = ofModel <= chance * best.time ? model : best.algorithm;
  const shapes = entries.get(name.group) ?? new Map<string, Algorithm>();
  entries.set(name.group, shapes);
  if (chosen === model && others.every(({ time }) => time > obvious * best.time)) shapes.delete(name.shape);
  else shapes.set(name.shape, chosen);
}

const numbersIn = (text: string) => text.split(/\D+/).filter(Boolean).map(Number);

/** By words, and where these are numbers by size. */
function compare(a: string, b: string): number {
  const [wordsA, wordsB] = [a.replace(/\d+/g, "#"), b.replace(/\d+/g, "#")];
  if (wordsA !== wordsB) return wordsA < wordsB ? -1 : 1;
  const numbersB = numbersIn(b);
  return (
    numbersIn(a)
      .map((each, i) => each - numbersB[i])
      .find((difference) => difference !== 0) ?? 0
  );
}

export function tableOf(entries: Entries): AlgorithmTable {
  const groups = [...entries].filter(([, shapes]) => shapes.size > 0).sort(([a], [b]) => compare(a, b));
  return Object.fromEntries(
    groups.map(([group, shapes]) => {
      const byAlgorithm = algorithms.flatMap((algorithm) => {
        const own = [...shapes].flatMap(([shape, chosen]) => (chosen === algorithm ? [shape] : []));
        return own.length === 0 ? [] : [[algorithm, own.sort(compare).join(" ")] as const];
      });
      return [group, Object.fromEntries(byAlgorithm)];
    }),
  );
}

const moduleOf = (variant: Variant) => join(root, "src/backends/cpu/algorithms", `${variant}.ts`);

/** The project's table as a module. */
export function moduleText(variant: Variant, table: AlgorithmTable): string {
  const [{ model }] = cpus();
  const lines = [
    `/** Written by \`npm run bench:algorithms\`: ${variant} on ${model.trim()}. */`,
    "",
    'import type { AlgorithmTable } from "../../../core/algorithms.js";',
    "",
    "export const table: AlgorithmTable = {",
  ];
  for (const [group, byAlgorithm] of Object.entries(table)) {
    lines.push(`  "${group}": {`);
    for (const [algorithm, shapes] of Object.entries(byAlgorithm)) lines.push(...field(algorithm, shapes));
    lines.push("  },");
  }
  return [...lines, "};", ""].join("\n");
}

/** A text of several lines where one would be long. */
function field(algorithm: string, shapes: string): string[] {
  const line = `    "${algorithm}": "${shapes}",`;
  if (line.length <= 120) return [line];
  const lines: string[] = [];
  let current = "     ";
  for (const shape of shapes.split(" ")) {
    if (current.length + shape.length > 117) {
      lines.push(current);
      current = "     ";
    }
    current += ` ${shape}`;
  }
  return [`    "${algorithm}": \``, ...lines, `${current}\`,`];
}

export function writeModule(variant: Variant, table: AlgorithmTable): string {
  const path = moduleOf(variant);
  writeBeside(path, moduleText(variant, table));
  return path;
}

/** A file for `FOVEA_ALGORITHMS`, with the tables that it has for other kernels. */
export function writeTables(path: string, variant: Variant, table: AlgorithmTable): void {
  writeBeside(path, `${JSON.stringify({ ...readTables(path), [variant]: table }, null, 2)}\n`);
}

/** The tables of such a file; none where there is no file yet. */
export function readTables(path: string): AlgorithmTables {
  if (!existsSync(path)) return {};
  return parseTables(path, readFileSync(path, "utf8"));
}

function writeBeside(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}
