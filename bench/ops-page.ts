/** Results of `bench:ops` as a section of docs/performance.md. */

import { cpus } from "node:os";
import { table } from "../scripts/markdown.js";
import { replaceSection } from "./results.js";
import type { Clock } from "./sides/session.js";

/** An op and its gradient on one device. */
export interface OpRow {
  readonly op: string;
  readonly device: string;
  readonly milliseconds: number;
  /** Our time over PyTorch's; undefined without PyTorch. */
  readonly timesPyTorch: number | undefined;
}

export interface Measurement {
  readonly clock: Clock;
  readonly threads: number;
  readonly rounds: number;
  /** Of PyTorch. */
  readonly version: string;
}

/** How many times PyTorch's time an op may take. */
const floors: Readonly<Record<string, number>> = { native: 2, wasm: 4 };
const mostShown = 25;

/** Writes the ops that are furthest behind into docs/performance.md. */
export function writeOpsPage(rows: readonly OpRow[], { clock, threads, rounds, version }: Measurement): void {
  const devices = [...new Set(rows.map(({ device }) => device))];
  const ops = [...new Set(rows.map(({ op }) => op))];
  const ratio = (op: string, device: string) =>
    rows.find((row) => row.op === op && row.device === device)?.timesPyTorch ?? Number.NaN;
  const distance = (op: string) => Math.max(...devices.map((device) => ratio(op, device) / floors[device]));
  const slowest = ops.sort((a, b) => distance(b) - distance(a)).slice(0, mostShown);
  const counts = devices.map((device) => {
    const slower = ops.filter((op) => ratio(op, device) > floors[device]).length;
    const faster = ops.filter((op) => ratio(op, device) <= 1).length;
    return `on \`${device}\` ${slower === 0 ? "none takes" : `${slower} take`} more than ${floors[device]} times PyTorch's time, and ${faster} at most as long`;
  });
  const time = clock === "cpu" ? "the processor's time" : "time";
  const cells = slowest.map((op) => [`\`${op}\``, ...devices.map((device) => ratio(op, device).toFixed(2))]);
  replaceSection(
    "bench:ops",
    [
      `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0].model.trim()}, ${cpus().length} cores, ` +
        `${threads} thread${threads === 1 ? "" : "s"}, PyTorch ${version}; medians of ${rounds} interleaved rounds of ${time}.`,
      `Of ${ops.length} calls with their gradients, ${counts.join("; ")}. The ${cells.length} that are furthest behind, as multiples of PyTorch's time:`,
      table(["op", ...devices.map((device) => `\`${device}\``)], cells),
    ].join("\n\n"),
  );
}
