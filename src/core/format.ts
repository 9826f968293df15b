/** Values as text, in NumPy's way, and as nested arrays. */

import type { DType } from "./dtype.js";
import { type Shape, sizeOf } from "./shape.js";

/** Numbers nested as deep as a tensor has axes. */
export type NestedArray = number | NestedArray[];

export function toNested(values: ArrayLike<number>, shape: Shape): NestedArray {
  let position = 0;
  const build = (axis: number): NestedArray => {
    if (axis === shape.length) return values[position++];
    return Array.from({ length: shape[axis] }, () => build(axis + 1));
  };
  return build(0);
}

/** Longer tensors show only the ends of each axis. */
const summarizeAbove = 1000;
const edgeItems = 3;

/** Rows that would be longer go on in the next line, as in NumPy. */
const longestLine = 100;

/**
 * The values in nested brackets, columns aligned; `…` stands for what is left out of a tensor of more than 1,000
 * elements.
 */
export function formatTensor(values: ArrayLike<number>, shape: Shape, dtype: DType): string {
  const summarize = sizeOf(shape) > summarizeAbove;
  const shown = (length: number): number[] =>
    summarize && length > 2 * edgeItems
      ? [0, 1, 2, -1, length - 3, length - 2, length - 1]
      : Array.from({ length }, (_, i) => i);

  const cells: number[] = [];
  const gather = (axis: number, offset: number) => {
    if (axis === shape.length) {
      cells.push(values[offset]);
      return;
    }
    for (const i of shown(shape[axis])) if (i >= 0) gather(axis + 1, offset * shape[axis] + i);
  };
  gather(0, 0);
  const format = numberFormat(cells, dtype);
  const width = Math.max(0, ...cells.map((cell) => format(cell).length));

  const write = (axis: number, offset: number): string => {
    if (axis === shape.length) return format(values[offset]).padStart(shape.length === 0 ? 0 : width);
    const parts = shown(shape[axis]).map((i) => (i < 0 ? "…" : write(axis + 1, offset * shape[axis] + i)));
    if (axis === shape.length - 1) return `[${wrap(parts, axis + 1)}]`;
    const gap = `,\n${"\n".repeat(shape.length - axis - 2)}${" ".repeat(axis + 1)}`;
    return `[${parts.join(gap)}]`;
  };
  return write(0, 0);
}

/** Cells side by side, in as many lines as they take; all but the first begin with `indent` blanks. */
function wrap(cells: readonly string[], indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const cell of cells) {
    const longer = line === "" ? cell : `${line}, ${cell}`;
    if (line !== "" && indent + longer.length + 1 > longestLine) {
      lines.push(line);
      line = cell;
    } else {
      line = longer;
    }
  }
  return [...lines, line].join(`,\n${" ".repeat(indent)}`);
}

/** One notation for all cells: integers, four decimals, or scientific where the range is too wide. */
function numberFormat(cells: readonly number[], dtype: DType): (value: number) => string {
  if (dtype === "bool") return (value) => (value === 0 ? "false" : "true");
  if (dtype !== "float32") return String;
  const finite = cells.filter(Number.isFinite).map(Math.abs);
  const largest = Math.max(0, ...finite);
  const smallest = Math.min(Number.POSITIVE_INFINITY, ...finite.filter((value) => value > 0));
  const special = (value: number) => (Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
  if (finite.every(Number.isInteger) && largest < 1e8) {
    return (value) => (Number.isFinite(value) ? `${value}.` : special(value));
  }
  if (largest >= 1e8 || (largest > 0 && smallest < 1e-4 && smallest * 1000 < largest) || largest < 1e-4) {
    return (value) => (Number.isFinite(value) ? value.toExponential(4) : special(value));
  }
  return (value) => (Number.isFinite(value) ? value.toFixed(4) : special(value));
}
