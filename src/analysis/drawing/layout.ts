/**
 * Where boxes and lines lie: in rows from top to bottom, after Sugiyama, Tagawa & Toda, "Methods for visual understanding
 * of hierarchical system structures" (1981). A line that passes rows has a place in each of them.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  /** Middle of each box. */
  readonly places: readonly { readonly x: number; readonly y: number }[];
  /** The points that each line goes through, the middles of its boxes' edges included. */
  readonly lines: readonly (readonly (readonly [x: number, y: number])[])[];
  readonly width: number;
  readonly height: number;
}

interface Node {
  readonly row: number;
  readonly width: number;
  readonly height: number;
  x: number;
}

const gaps = { across: 28, down: 26, besideLine: 14 } as const;
const lineWidth = 2;
const sweeps = 12;

/**
 * @param sizes of the boxes
 * @param edges pairs of boxes, each from one that has no line from the other
 */
export function layOut(sizes: readonly Size[], edges: readonly (readonly [from: number, to: number])[]): Layout {
  const rows = rowsOf(sizes.length, edges);
  const nodes: Node[] = sizes.map(({ width, height }, i) => ({ row: rows[i], width, height, x: 0 }));
  const chains = edges.map(([from, to]) => {
    const chain = [from];
    for (let row = rows[from] + 1; row < rows[to]; row++) {
      chain.push(nodes.push({ row, width: lineWidth, height: 0, x: 0 }) - 1);
    }
    return [...chain, to];
  });
  const links = chains.flatMap((chain) => chain.slice(1).map((to, i) => [chain[i], to] as const));
  const ordered = orderRows(nodes, links);
  placeAcross(nodes, ordered, links);
  const heights = ordered.map((row) => Math.max(0, ...row.map((node) => nodes[node].height)));
  const tops = heights.map((_, row) => heights.slice(0, row).reduce((sum, height) => sum + height + gaps.down, 0));
  const left = Math.min(...nodes.map(({ x, width }) => x - width / 2));
  const right = Math.max(...nodes.map(({ x, width }) => x + width / 2));
  const middle = (node: number) => tops[nodes[node].row] + heights[nodes[node].row] / 2;
  const lines = chains.map((chain) => {
    const points: [number, number][] = [];
    for (const [i, node] of chain.entries()) {
      const x = nodes[node].x - left;
      const half = (i === 0 || i === chain.length - 1 ? nodes[node].height : heights[nodes[node].row]) / 2;
      if (i > 0) points.push([x, middle(node) - half]);
      if (i < chain.length - 1) points.push([x, middle(node) + half]);
    }
    return points;
  });
  return {
    places: sizes.map((_, node) => ({ x: nodes[node].x - left, y: middle(node) })),
    lines,
    width: right - left,
    height: (tops.at(-1) ?? 0) + (heights.at(-1) ?? 0),
  };
}

/** Each box one row below the lowest of those before it. */
function rowsOf(count: number, edges: readonly (readonly [number, number])[]): number[] {
  const rows = new Array<number>(count).fill(0);
  for (const [from, to] of [...edges].sort((a, b) => a[1] - b[1])) rows[to] = Math.max(rows[to], rows[from] + 1);
  return rows;
}

type Links = readonly (readonly [number, number])[];

/** The nodes of each row from left to right: near those that they are linked to, so that few lines cross. */
function orderRows(nodes: readonly Node[], links: Links): number[][] {
  const rows: number[][] = Array.from({ length: Math.max(0, ...nodes.map(({ row }) => row)) + 1 }, () => []);
  for (const [node, { row }] of nodes.entries()) rows[row].push(node);
  const { above, below } = neighbours(nodes, links);
  const position = new Map<number, number>();
  const remember = (row: readonly number[]) => {
    for (const [place, node] of row.entries()) position.set(node, place - (row.length - 1) / 2);
  };
  rows.forEach(remember);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) {
      const sources = down ? above : below;
      const centre = (node: number) =>
        mean(sources[node].map((each) => position.get(each) ?? 0)) ?? position.get(node) ?? 0;
      const centres = new Map(row.map((node) => [node, centre(node)]));
      row.sort((a, b) => (centres.get(a) ?? 0) - (centres.get(b) ?? 0));
      remember(row);
    }
  }
  return rows;
}

/** Moves nodes towards the middle of those that they are linked to, keeping their order and distance. */
function placeAcross(nodes: readonly Node[], rows: readonly (readonly number[])[], links: Links): void {
  const { above, below } = neighbours(nodes, links);
  for (const row of rows)
    spread(
      nodes,
      row,
      row.map(() => 0),
    );
  for (let sweep = 0; sweep < 2 * sweeps; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) {
      const wanted = row.map((node) => {
        const sources = (down ? above : below)[node];
        return mean(sources.map((each) => nodes[each].x)) ?? nodes[node].x;
      });
      spread(nodes, row, wanted);
    }
  }
}

/** The places nearest to those wanted that leave the gaps: overlapping neighbours share what they want. */
function spread(nodes: readonly Node[], row: readonly number[], wanted: readonly number[]): void {
  // Blocks of nodes that touch, each with the place of its first that suits all of them best.
  const blocks: { nodes: number[]; offsets: number[]; sum: number; place: number; end: number }[] = [];
  for (const [i, node] of row.entries()) {
    let block = { nodes: [node], offsets: [0], sum: wanted[i], place: wanted[i], end: 0 };
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      const gap = distance(nodes[last.nodes[last.nodes.length - 1]], nodes[block.nodes[0]]);
      if (last.place + last.end + gap <= block.place) break;
      blocks.pop();
      const shift = last.end + gap;
      const offsets = [...last.offsets, ...block.offsets.map((offset) => offset + shift)];
      const sum = last.sum + block.sum - shift * block.nodes.length;
      const members = [...last.nodes, ...block.nodes];
      block = { nodes: members, offsets, sum, place: sum / members.length, end: shift + block.end };
    }
    blocks.push(block);
  }
  for (const block of blocks) {
    for (const [i, node] of block.nodes.entries()) nodes[node].x = block.place + block.offsets[i];
  }
}

function distance(a: Node, b: Node): number {
  const gap = a.width === lineWidth || b.width === lineWidth ? gaps.besideLine : gaps.across;
  return (a.width + b.width) / 2 + gap;
}

function neighbours(nodes: readonly Node[], links: Links): { readonly above: number[][]; readonly below: number[][] } {
  const above: number[][] = nodes.map(() => []);
  const below: number[][] = nodes.map(() => []);
  for (const [from, to] of links) {
    above[to].push(from);
    below[from].push(to);
  }
  return { above, below };
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, each) => sum + each, 0) / values.length;
}
