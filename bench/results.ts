/** Results of `bench:peers`: as lines, as a file, and as a section of docs/performance.md. */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { table } from "../scripts/markdown.js";
import { root } from "./sides/packages.js";
import type { Clock } from "./sides/session.js";

/** Ours and a peer's, of one work. */
export interface Row {
  readonly work: string;
  /** Of `fovea`, `peer` and `spread`. */
  readonly unit: "ms" | "MiB";
  readonly clock?: Clock;
  readonly device: "native" | "wasm";
  readonly threads: number;
  /** Medians. */
  readonly fovea: number;
  readonly peer: number;
  readonly peerName: string;
  /** The peer's over ours. */
  readonly ratio: number;
  /** The ratio to reach; null where it is only reported. */
  readonly goal: number | null;
  readonly met: boolean | null;
  /** Whether the peer was as fast as on a quiet machine; null where that is not known. */
  readonly counts: boolean | null;
  /** Milliseconds that reading the weights takes at least; where they take most of the time, 90 % of it reach the goal too. */
  readonly floor?: number;
  /** The kernels. */
  readonly variant?: string;
  /** Node or the browser. */
  readonly runtime: string;
  readonly peerVersion: string;
  /** Of the outputs or losses, over the largest. */
  readonly difference?: number;
  /** Quartiles. */
  readonly spread: { readonly fovea: Range; readonly peer: Range };
  readonly rounds: number;
  /** The largest share of the processors' time that a virtual machine's host gave to others in a round: 0 … 1. */
  readonly stolen?: number;
}

type Range = readonly [from: number, to: number];

export interface Results {
  readonly machine: string;
  readonly date: string;
  readonly rows: readonly Row[];
}

const threadsText = (threads: number) => `${threads} thread${threads === 1 ? "" : "s"}`;

function formatNumber(value: number): string {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

/** `goal 2: reached`, `goal 2: not reached`, with what makes it not count. */
function verdict({ goal, met, counts, clock }: Row): string {
  const why = clock === "cpu" ? "time on the processor only" : "the peer was slower than on a quiet machine";
  const remark = counts === false ? ` (does not count: ${why})` : "";
  return goal === null ? "" : `goal ${goal}: ${met ? "reached" : "not reached"}${remark}`;
}

/** A row for people. */
export function formatRow(row: Row): string {
  const { work, device, runtime, threads, unit, fovea, peer, peerName, ratio } = row;
  const measured = `${formatNumber(fovea)} ${unit}, ${peerName} ${formatNumber(peer)} ${unit}: ${ratio.toFixed(2)}`;
  return `${work}, ${device} on ${runtime}, ${threadsText(threads)}: ${measured}  ${verdict(row)}`.trimEnd();
}

/** Where results of today go that nobody named a file for. */
export function freshPath(date: string): string {
  for (let number = 1; ; number++) {
    const path = join(root, "bench", "results", `peers-${date}${number === 1 ? "" : `-${number}`}.json`);
    if (!existsSync(path)) return path;
  }
}

export function writeResults(path: string, results: Results): void {
  mkdirSync(dirname(path), { recursive: true });
  const rows = results.rows.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
  const { machine, date } = results;
  const text = `{\n  "machine": ${JSON.stringify(machine)},\n  "date": "${date}",\n  "rows": [\n${rows}\n  ]\n}\n`;
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

export function readResults(path: string): Results {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Writes the tables into docs/performance.md. */
export function writePage(results: Results): void {
  replaceSection("bench:peers", section(results));
}

/** Writes what stands between `<!-- name -->` and `<!-- /name -->` in docs/performance.md. */
export function replaceSection(name: string, section: string): void {
  const path = join(root, "docs", "performance.md");
  const text = readFileSync(path, "utf8");
  const [begin, end] = [text.indexOf(`<!-- ${name} -->`), text.indexOf(`<!-- /${name} -->`)];
  if (begin === -1 || end < begin)
    throw new Error(`${path} has no place for results between <!-- ${name} --> and its end`);
  writeFileSync(path, `${text.slice(0, begin)}<!-- ${name} -->\n\n${section}\n\n${text.slice(end)}`);
}

/** The tables, one for each device and what it ran in. */
export function section({ machine, date, rows }: Results): string {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const title = row.device === "native" ? "Native" : `WebAssembly in ${row.runtime}`;
    groups.set(title, [...(groups.get(title) ?? []), row]);
  }
  const parts = [`Measured on ${date}: ${machine}.`];
  for (const [title, list] of groups) {
    const variants = [...new Set(list.flatMap(({ variant }) => variant ?? []))].join(", ");
    parts.push(`### ${title}`, `Kernels: \`${variants}\`. ${goalsReached(list)}`, groupTable(list));
  }
  return parts.join("\n\n");
}

function groupTable(rows: readonly Row[]): string {
  const threadCounts = [...new Set(rows.map(({ threads }) => threads))].sort((a, b) => a - b);
  const lines = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.work}|${row.peerName}`;
    lines.set(key, [...(lines.get(key) ?? []), row]);
  }
  const cells = [...lines.values()].map((list) => {
    const [{ work, peerName, goal }] = list;
    const measured = threadCounts.map((threads) => {
      const row = list.find((each) => each.threads === threads);
      if (row === undefined) return "";
      const { fovea, peer, unit, ratio, met, counts } = row;
      const mark = `${met === false ? " ✗" : ""}${counts === false ? " (busy)" : ""}`;
      return `${formatNumber(fovea)} / ${formatNumber(peer)} ${unit}: ${ratio.toFixed(2)}${mark}`;
    });
    return [work, peerName, goal === null ? "" : String(goal), ...measured];
  });
  return table(["work", "peer", "goal", ...threadCounts.map((n) => `${threadsText(n)}: Fovea / peer: ratio`)], cells);
}

/** How many goals are reached for every number of threads; the memory of all works is one. */
function goalsReached(rows: readonly Row[]): string {
  const goals = new Map<string, boolean>();
  for (const { work, peerName, unit, goal, met } of rows) {
    if (goal === null) continue;
    const key = unit === "MiB" ? "memory" : `${work}|${peerName}`;
    goals.set(key, (goals.get(key) ?? true) && met === true);
  }
  if (goals.size === 0) return "Only reported.";
  return `${[...goals.values()].filter((reached) => reached).length} of ${goals.size} goals are reached.`;
}
