/** Summaries as text for people. */

import { formatShape, type Shape } from "../core/shape.js";
import { formatBytes } from "../graph/program.js";
import type { PerAxis } from "./receptiveField.js";
import type { LayerSummary, Summary } from "./summary.js";

export interface TableOptions {
  /** Characters in a line; long names lose their beginnings. Default 80. */
  readonly width?: number;
  /** Layers more than so many modules deep are taken together. Default: as deep as `rows` allows. */
  readonly depth?: number | undefined;
  /** Lines that the table may have unless `depth` is given. Default 60. */
  readonly rows?: number;
  /** Further columns at the end, right-aligned. */
  readonly columns?: readonly Column[];
}

export interface Column {
  readonly title: string;
  cell(layer: LayerSummary): string;
}

/** The table and the totals. */
export function summaryTable(
  summary: Summary,
  { width = 80, depth, rows = 60, columns = [] }: TableOptions = {},
): string {
  const layers = summary.rows(depth ?? deepest(summary, rows));
  const hidden = summary.layers.length - layers.length;
  const [batch] = summary.inputs[0] ?? [];
  const numbers: readonly Column[] = [
    { title: "output", cell: ({ output }) => (output === undefined ? "never called" : sizeOfOne(output, batch)) },
    { title: "parameters", cell: parametersOf },
    { title: "MACs", cell: ({ macs }) => (macs === 0 ? "" : formatShort(macs)) },
    {
      title: "field",
      cell: ({ receptiveField }) => (receptiveField === undefined ? "" : formatPerAxis(receptiveField.size)),
    },
    {
      title: "stride",
      cell: ({ receptiveField }) => (receptiveField === undefined ? "" : formatPerAxis(receptiveField.stride)),
    },
    ...columns,
  ];
  const cells = layers.map((layer) => [titleOf(layer), layer.type, ...numbers.map(({ cell }) => cell(layer))]);
  const head = ["layer", "type", ...numbers.map(({ title }) => title)];
  return [
    ...alignColumns([head, ...cells], 2, width),
    ...(hidden > 0 ? [`(${summary.layers.length} layers in ${layers.length} lines)`] : []),
    "",
    ...totals(summary),
  ].join("\n");
}

/** The greatest depth at which the table has at most so many rows; 1 at least. */
function deepest(summary: Summary, most: number): number {
  let depth = 1;
  for (let rows = summary.rows(depth).length; rows < summary.layers.length; depth++) {
    rows = summary.rows(depth + 1).length;
    if (rows > most) return depth;
  }
  return depth;
}

function titleOf({ name, call }: LayerSummary): string {
  return call > 1 ? `${name} #${call}` : name;
}

/** Without the batch, where there is one. */
function sizeOfOne(output: Shape, batch: number | undefined): string {
  return formatShape(output.length > 1 && output[0] === batch ? output.slice(1) : output);
}

function parametersOf({ parameters, shared }: LayerSummary): string {
  if (parameters === 0) return shared === 0 ? "" : `(${formatWhole(shared)})`;
  return formatWhole(parameters);
}

function totals(summary: Summary): string[] {
  const { parameters, trainable, unused, macs, operations, activations, buffers, memory, layers, inputs, depth } =
    summary;
  const frozen = parameters - trainable;
  const shared = layers.some((layer) => layer.shared > 0);
  const lines: (readonly [string, string])[] = [
    ["input", inputs.map(formatShape).join(", ")],
    ["parameters", `${formatWhole(parameters)}${frozen > 0 ? `, of which ${formatWhole(frozen)} are frozen` : ""}`],
    ...(unused > 0 ? [["", `${formatWhole(unused)} of them in layers that are never called`] as const] : []),
    ...(shared ? [["", "in brackets: shared with an earlier layer, counted there"] as const] : []),
    ...(buffers > 0 ? [["buffers", `${formatWhole(buffers)} values that are not trained`] as const] : []),
    ["multiply-adds", `${formatWhole(macs)} of convolutions and matrix products, without bias`],
    ["", `and ${formatWhole(operations)} other operations on elements`],
    ["activations", `${formatWhole(activations)} values in the outputs of all layers`],
    ["depth", `${depth} layers with weights one after another`],
  ];
  if (memory !== undefined) {
    const { device, batch, trainingBatch, inference, training, kept, gradients } = memory;
    lines.push(["memory", `${formatBytes(memory.parameters + memory.buffers)} of weights`]);
    if (memory.prepared > 0) lines.push(["", `and ${formatBytes(memory.prepared)} of them kept as kernels want them`]);
    lines.push(["", `inference ${formatBytes(inference)} as planned for ${device}, batch ${batch}`]);
    if (training !== undefined) {
      lines.push(["", `training ${formatBytes(training)}${trainingBatch === batch ? "" : `, batch ${trainingBatch}`}`]);
      lines.push(["", `  ${formatBytes(kept ?? 0)} kept from the way forward`]);
      lines.push(["", `  gradients of ${formatBytes(gradients ?? 0)} come and go, one after the other`]);
    }
  }
  return lines.map(([title, text]) => `${title.padEnd(14)}${text}`.trimEnd());
}

/**
 * Rows as lines. The first `texts` columns are left-aligned, and shortened where lines would be wider than `width`.
 */
export function alignColumns(rows: readonly (readonly string[])[], texts: number, width: number): string[] {
  const gap = 2;
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  let excess = widths.reduce((sum, each) => sum + each + gap, -gap) - width;
  for (; excess > 0; excess--) {
    const widest = Math.max(...widths.slice(0, texts));
    if (widest <= shortest) break;
    widths[widths.indexOf(widest)]--;
  }
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      return column < texts ? shorten(cell, widths[column], column === 0) : cell.padStart(widths[column]);
    });
    return cells.join(" ".repeat(gap)).trimEnd();
  });
}

const shortest = 12;

/** Paths differ at their ends, names of classes at their beginnings. */
function shorten(text: string, width: number, keepsEnd: boolean): string {
  if (text.length <= width) return text.padEnd(width);
  return keepsEnd ? `…${text.slice(text.length - width + 1)}` : `${text.slice(0, width - 1)}…`;
}

/** `195`, or `3×1` where the axes differ; halves and the like with two decimals. */
export function formatPerAxis(value: PerAxis): string {
  const list = typeof value === "number" ? [value] : value;
  return list.map((each) => String(Math.round(each * 100) / 100)).join("×");
}

/** `61,100,840`. */
export function formatWhole(value: number): string {
  return value.toLocaleString("en");
}

/** `714M`, `9.41K`: three digits. */
export function formatShort(value: number): string {
  const units = ["", "K", "M", "G", "T"];
  let unit = 0;
  let rest = value;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  const decimals = unit === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return `${rest.toFixed(decimals)}${units[unit]}`;
}
