/** Tables of algorithms as lowerings look things up in them. */

import { measuredTables } from "#algorithms";
import { type AlgorithmTable, ownTable } from "../../core/algorithms.js";
import { type Algorithm, algorithms } from "./kernels/algorithm.js";

/** Where a table has a convolution: those of one `group` differ in channels and size only. */
export interface CaseName {
  /** `conv2d batch 1 last 3x3 padding 1`; strides and dilations of 1, no padding and one group are left out. */
  readonly group: string;
  /** `64x56>128`: channels and height of the input, and width where it differs, and channels of the output. */
  readonly shape: string;
}

export interface Found {
  readonly algorithm: Algorithm;
  /** Whether the table is one's own. */
  readonly by: "table" | "own table";
}

const parsed = new WeakMap<AlgorithmTable, ReadonlyMap<string, Algorithm>>();

const keyOf = ({ group, shape }: CaseName) => `${group} ${shape}`;

/** The shapes that a table has in one place. */
export function shapesIn(text: string): string[] {
  return text.split(/\s+/).filter((shape) => shape !== "");
}

function parse(table: AlgorithmTable): ReadonlyMap<string, Algorithm> {
  const entries = new Map<string, Algorithm>();
  for (const [group, byAlgorithm] of Object.entries(table)) {
    for (const algorithm of algorithms) {
      for (const shape of shapesIn(byAlgorithm[algorithm] ?? "")) entries.set(keyOf({ group, shape }), algorithm);
    }
  }
  return entries;
}

/** What the tables for these kernels say of a convolution. One's own stands for the project's. */
export function findAlgorithm(variant: string, name: CaseName): Found | undefined {
  const own = ownTable(variant);
  const table = own ?? measuredTables[variant];
  if (table === undefined) return undefined;
  let entries = parsed.get(table);
  if (entries === undefined) {
    entries = parse(table);
    parsed.set(table, entries);
  }
  const algorithm = entries.get(keyOf(name));
  return algorithm && { algorithm, by: own === undefined ? "table" : "own table" };
}
