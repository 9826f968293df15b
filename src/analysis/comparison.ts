/** Models side by side. */

import { ArgumentError } from "../core/errors.js";
import { formatBytes } from "../graph/program.js";
import type { ReceptiveField } from "./receptiveField.js";
import type { Summary } from "./summary.js";
import { formatPerAxis, formatWhole } from "./table.js";

/** What is compared of a model. */
export interface ComparedModel {
  readonly name: string;
  readonly summary: Summary;
  /** Of the last map before everything is pooled or connected. */
  readonly receptiveField: ReceptiveField | undefined;
  /** Numbers as shares of the first model's: 0.21 is about a fifth. */
  readonly ratio: { readonly parameters: number; readonly macs: number; readonly activations: number };
}

export class Comparison {
  constructor(readonly models: readonly ComparedModel[]) {}

  /** A column for each model; as many beside one another as fit into `width` characters. */
  toString({ width = 80 }: { readonly width?: number } = {}): string {
    const lines = this.models.length === 0 ? [] : rowsOf(this.models);
    const heads = Math.max(...lines.map(({ title }) => title.length));
    const widths = this.models.map((_, model) => Math.max(...lines.map(({ cells }) => cells[model].length), barLength));
    const blocks: string[] = [];
    for (let first = 0; first < this.models.length; ) {
      let end = first + 1;
      let total = heads + gap + widths[first];
      while (end < this.models.length && total + gap + widths[end] <= width) total += gap + widths[end++];
      const block = lines.map(({ title, cells }) => {
        const shown = cells.slice(first, end).map((cell, i) => cell.padEnd(widths[first + i]));
        return [title.padEnd(heads), ...shown].join(" ".repeat(gap)).trimEnd();
      });
      blocks.push(block.join("\n"));
      first = end;
    }
    return blocks.join("\n\n");
  }

  /** What `console.log` shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/**
 * Compares models by their summaries; ratios are to the first.
 *
 * @example
 * const summaries = ["alexnet", "vgg16"].map((name) => [name, summarize(models.find(name).create(), [1, 3, 224, 224])] as const);
 * console.log(compareModels(summaries));
 */
export function compareModels(models: readonly (readonly [name: string, summary: Summary])[]): Comparison {
  if (models.length === 0)
    throw new ArgumentError("compareModels: there is nothing to compare. Expected one model at least.");
  const [[, first]] = models;
  return new Comparison(
    models.map(([name, summary]) => ({
      name,
      summary,
      receptiveField: lastMap(summary),
      ratio: {
        parameters: summary.parameters / first.parameters,
        macs: summary.macs / first.macs,
        activations: summary.activations / first.activations,
      },
    })),
  );
}

/** Of the last layer whose places each see a part of their own. */
function lastMap({ layers }: Summary): ReceptiveField | undefined {
  const isMap = ({ receptiveField }: Summary["layers"][number]) => {
    const { stride = 0 } = receptiveField ?? {};
    return typeof stride === "number" ? stride !== 0 : stride.every((each) => each !== 0);
  };
  return layers.filter(isMap).at(-1)?.receptiveField;
}

const gap = 2;
const barLength = 12;

interface Row {
  readonly title: string;
  readonly cells: readonly string[];
}

function rowsOf(models: readonly ComparedModel[]): Row[] {
  const row = (title: string, cell: (model: ComparedModel) => string): Row => ({ title, cells: models.map(cell) });
  const measured = (title: string, value: (model: ComparedModel) => number, format = formatWhole): Row[] => {
    const most = Math.max(...models.map(value));
    return [
      row(title, (model) => format(value(model))),
      row("", (model) => `${bar(value(model) / most)} ${ratio(value(model) / value(models[0]))}`),
    ];
  };
  const memory = ({ summary }: ComparedModel) => summary.memory;
  const planned = models.every((model) => memory(model) !== undefined);
  return [
    row("", ({ name }) => name),
    row("input", ({ summary }) => summary.inputs.map((shape) => shape.slice(1).join("×")).join(", ")),
    row("depth", ({ summary }) => String(summary.depth)),
    row("receptive field", ({ receptiveField }) =>
      receptiveField === undefined ? "" : formatPerAxis(receptiveField.size),
    ),
    ...measured("parameters", ({ summary }) => summary.parameters),
    ...(models.some(({ summary }) => summary.unused > 0)
      ? [row("  of which never called", ({ summary }) => (summary.unused === 0 ? "" : formatWhole(summary.unused)))]
      : []),
    ...measured("multiply-adds", ({ summary }) => summary.macs),
    ...measured("activations", ({ summary }) => summary.activations),
    ...(planned
      ? [
          ...measured("memory: weights", (model) => memory(model)?.parameters ?? 0, formatBytes),
          row("  inference", (model) => formatBytes(memory(model)?.inference ?? 0)),
          row("  training", (model) => formatBytes(memory(model)?.training ?? 0)),
        ]
      : []),
  ];
}

function bar(share: number): string {
  return "▇".repeat(Math.max(1, Math.round(share * 6)));
}

/** `×2.3`, or `÷4.7` where it is less. */
function ratio(value: number): string {
  if (value === 1) return "";
  const factor = value < 1 ? 1 / value : value;
  return `${value < 1 ? "÷" : "×"}${factor < 9.95 ? factor.toFixed(1) : factor.toFixed(0)}`;
}
