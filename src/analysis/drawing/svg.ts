/** Networks as pictures: SVG text, for a file or a page. */

import { escapeMarkup } from "../../core/markup.js";
import { formatShape, type Shape } from "../../core/shape.js";
import type { LayerSummary, Summary } from "../summary.js";
import { formatShort } from "../table.js";
import { type Box, boxesOf, type Drawing } from "./boxes.js";
import { layOut } from "./layout.js";

export interface DrawOptions {
  /** Modules more than so many deep are one box. Default: as deep as `boxes` allows. */
  readonly depth?: number | undefined;
  /** Boxes that there may be unless `depth` is given. Default 120. */
  readonly boxes?: number;
  /** What stands above it. Default: the model's class. */
  readonly title?: string;
}

/**
 * Draws a summarised network from its input down: a box for each layer, with what finishes it in smaller letters, its
 * output's size, parameters and multiply-adds.
 *
 * @returns the text of an SVG file, with colours for light and dark pages
 * @example await writeFile("resnet18.svg", drawNetwork(summarize(models.create("resnet18"), [1, 3, 224, 224])));
 */
export function drawNetwork(summary: Summary, { depth, boxes = 120, title = summary.model }: DrawOptions = {}): string {
  const drawing = depth === undefined ? deepest(summary, boxes) : boxesOf(summary, depth);
  const [batch] = summary.inputs[0] ?? [];
  const texts = [
    [title, summary.inputs.map((shape) => sizeOfOne(shape, batch)).join(", ")],
    ...drawing.boxes.map((box) => textOf(box, batch)),
  ];
  const sizes = texts.map((lines) => ({
    width: Math.max(72, ...lines.map((line, i) => line.length * (i === 0 ? 7.2 : 6.2))) + 20,
    height: 14 + 15 * lines.length,
  }));
  // The input is box 0.
  const edges = drawing.edges.map(([from, to]) => [from + 1, to + 1] as const);
  const { places, lines, width, height } = layOut(sizes, edges);
  const margin = 16;
  const shapes = [
    ...lines.map((points) => `<path class="line" d="${curve(points)}"/>`),
    ...places.map(({ x, y }, i) =>
      boxShape(x, y, sizes[i], texts[i], i === 0 ? "input" : kindOf(drawing.boxes[i - 1])),
    ),
  ];
  const [w, h] = [width + 2 * margin, height + 2 * margin].map(Math.ceil);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-margin} ${-margin} ${w} ${h}" width="${w}" height="${h}" role="img" aria-label="${escapeMarkup(title)}">`,
    `<style>${style}</style>`,
    ...shapes,
    "</svg>",
    "",
  ].join("\n");
}

function deepest(summary: Summary, most: number): Drawing {
  let drawing = boxesOf(summary, 1);
  for (let depth = 2; summary.rows(depth - 1).length < summary.layers.length; depth++) {
    const deeper = boxesOf(summary, depth);
    if (deeper.boxes.length > most) break;
    drawing = deeper;
  }
  return drawing;
}

function sizeOfOne(shape: Shape, batch: number | undefined): string {
  return formatShape(shape.length > 1 && shape[0] === batch ? shape.slice(1) : shape);
}

function textOf({ layers }: Box, batch: number | undefined): string[] {
  const [first, ...finishing] = layers;
  const { name, type, output, macs } = first;
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  const own = name.split(".").at(-1);
  const title = own === type ? type : `${name} · ${type}`;
  const costs = [
    ...(output === undefined ? [] : [sizeOfOne(output, batch)]),
    ...(parameters > 0 ? [`${formatShort(parameters)} parameters`] : []),
    ...(macs > 0 ? [`${formatShort(macs)} MACs`] : []),
  ];
  const types = finishing.map((layer) => layer.type);
  return [title, ...(types.length > 0 ? [types.join(", ")] : []), costs.join(" · ")];
}

/** What colours are chosen by. */
function kindOf({ layers: [layer] }: Box): string {
  if (layer.children.length > 0) return "module";
  if (/pool/i.test(layer.type)) return "pool";
  if (isJoin(layer)) return "join";
  if (/conv/i.test(layer.type)) return "conv";
  return layer.macs > 0 ? "linear" : "other";
}

function isJoin({ kind, type }: LayerSummary): boolean {
  return kind === "function" && ["add", "concat", "multiply", "subtract"].includes(type);
}

function boxShape(
  x: number,
  y: number,
  { width, height }: { readonly width: number; readonly height: number },
  lines: readonly string[],
  kind: string,
): string {
  const top = y - height / 2;
  const text = lines.map((line, i) => {
    return `<text x="${round(x)}" y="${round(top + 19 + 15 * i)}"${i === 0 ? "" : ' class="small"'}>${escapeMarkup(line)}</text>`;
  });
  const box = `<rect x="${round(x - width / 2)}" y="${round(top)}" width="${round(width)}" height="${height}" rx="6"/>`;
  return `<g class="${kind}">${box}${text.join("")}</g>`;
}

/** Down through the points, straight inside rows and bent between them. */
function curve(points: readonly (readonly [number, number])[]): string {
  const [[x, y], ...rest] = points;
  const parts = [`M${round(x)} ${round(y)}`];
  let [fromX, fromY] = [x, y];
  for (const [toX, toY] of rest) {
    const half = (fromY + toY) / 2;
    if (fromX === toX) parts.push(`L${round(toX)} ${round(toY)}`);
    else parts.push(`C${round(fromX)} ${round(half)} ${round(toX)} ${round(half)} ${round(toX)} ${round(toY)}`);
    [fromX, fromY] = [toX, toY];
  }
  return parts.join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const colours: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  input: ["#f6f8fa", "#21262d"],
  conv: ["#ddf0ff", "#0c2d4d"],
  linear: ["#ebe3ff", "#2b1f4d"],
  pool: ["#dcf7e3", "#0f3320"],
  join: ["#fff1d6", "#402d00"],
  module: ["#e6eef7", "#1c2b3a"],
  other: ["#f0f0f0", "#2d333b"],
};

const fills = (theme: 0 | 1) =>
  Object.entries(colours)
    .map(([kind, pair]) => `.${kind} rect{fill:${pair[theme]}}`)
    .join("");

const style = [
  "text{font:12px system-ui,sans-serif;text-anchor:middle;fill:#1f2328}",
  ".small{font-size:10.5px;fill:#59636e}",
  "rect{stroke:#8c959f}.line{fill:none;stroke:#8c959f;stroke-width:1.3}",
  fills(0),
  `@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}${fills(1)}}`,
].join("");
