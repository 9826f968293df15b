/** Which algorithms kernels are to use, where somebody has measured that on their own machine. */

import { currentMemory } from "./memory.js";
import { currentPrecision } from "./precision.js";

/**
 * Algorithms of one instruction set: for each group of convolutions, and each algorithm, the shapes that it computes,
 * with blanks between them.
 */
export type AlgorithmTable = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Tables by the device's kernels, such as `native-avx2`. */
export type AlgorithmTables = Readonly<Record<string, AlgorithmTable>>;

let own: AlgorithmTables = {};
let changes = 0;

/** Takes tables that have been checked in place of all earlier ones. */
export function replaceTables(tables: AlgorithmTables): void {
  own = tables;
  changes++;
}

export function ownTable(variant: string): AlgorithmTable | undefined {
  return own[variant];
}

/** A number that is another one where graphs would be compiled to other programs. */
export function choicesInUse(): number {
  return 4 * changes + (currentPrecision() === "exact" ? 2 : 0) + (currentMemory() === "low" ? 1 : 0);
}
