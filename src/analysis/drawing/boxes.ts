/** What is drawn of a network: boxes, and the lines between them. */

import type { LayerSummary, Summary } from "../summary.js";

/** A layer, with those that only finish what it computes: normalization, activation, dropout. */
export interface Box {
  readonly layers: readonly LayerSummary[];
}

export interface Drawing {
  readonly boxes: readonly Box[];
  /** Pairs of positions in `boxes`, from earlier to later; −1 is the input. */
  readonly edges: readonly (readonly [from: number, to: number])[];
}

/** The boxes of a summary whose modules more than `depth` deep are a box each. */
export function boxesOf(summary: Summary, depth: number): Drawing {
  const rows = summary.rows(depth).filter(({ call }) => call > 0);
  const rowOf = new Map<LayerSummary, number>();
  const claim = (layer: LayerSummary, row: number) => {
    rowOf.set(layer, row);
    for (const child of layer.children) claim(child, row);
  };
  for (const [index, row] of rows.entries()) claim(row, index);
  const between = uniqueEdges(
    summary.edges.map(([from, to]) => [
      from < 0 ? -1 : (rowOf.get(summary.layers[from]) ?? -1),
      rowOf.get(summary.layers[to]) ?? -1,
    ]),
  );
  return mergeFinishing(rows, between);
}

function uniqueEdges(edges: readonly (readonly [number, number])[]): [number, number][] {
  const seen = new Map(edges.filter(([from, to]) => from !== to).map(([from, to]) => [`${from} ${to}`, [from, to]]));
  return [...seen.values()].map(([from, to]): [number, number] => [from, to]);
}

/** Puts layers that keep the shape and multiply nothing into the box before them, if they alone follow on it. */
function mergeFinishing(rows: readonly LayerSummary[], edges: readonly (readonly [number, number])[]): Drawing {
  const before = (row: number) => edges.filter(([, to]) => to === row).map(([from]) => from);
  const after = (row: number) => edges.filter(([from]) => from === row).map(([, to]) => to);
  const boxes: LayerSummary[][] = [];
  const boxOf = new Map<number, number>([[-1, -1]]);
  for (const [index, row] of rows.entries()) {
    const sources = before(index);
    // What computes nothing, dropout when evaluating for one, has no lines.
    if (sources.length === 0 && after(index).length === 0) continue;
    const [source] = sources;
    const previous = rows[source];
    const finishes =
      sources.length === 1 &&
      previous !== undefined &&
      after(source).length === 1 &&
      row.children.length === 0 &&
      row.macs === 0 &&
      row.output?.join() === previous.output?.join() &&
      !/pool/i.test(row.type);
    const box = finishes ? boxOf.get(source) : undefined;
    if (box === undefined) boxOf.set(index, boxes.push([row]) - 1);
    else {
      boxes[box].push(row);
      boxOf.set(index, box);
    }
  }
  const between = edges.map(([from, to]): [number, number] => [boxOf.get(from) ?? -1, boxOf.get(to) ?? -1]);
  return { boxes: boxes.map((layers) => ({ layers })), edges: uniqueEdges(between) };
}
