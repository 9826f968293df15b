/** A program as text: its steps, what they read and write and where, and how good the memory plan is. */

import type { Buffer, Device } from "../backends/backend.js";
import { formatShape } from "../core/shape.js";
import { type CompiledProgram, formatBytes } from "./program.js";
import { arenaSlot, firstBindingSlot, scalarSlot } from "./schedule.js";

export function explainProgram(compiled: CompiledProgram, device: Device): string {
  const { program, plan, schedule, origins, preparations } = compiled;
  const prepared = preparations.flatMap(({ targets }) => targets);
  const preparedBytes = prepared.reduce((sum, { bytes }) => sum + bytes, 0);
  const kinds = new Set(preparations.flatMap((each) => each.program.steps.map((step) => step.name)));
  const names = schedule.bindings.map((binding, index) => `${binding.kind}${index}`);
  const place = (buffer: Buffer): string => {
    if (buffer.slot === arenaSlot) return `${buffer.offset}+${buffer.bytes}`;
    if (buffer.slot === scalarSlot) return `number${buffer.offset / 64}`;
    return names[buffer.slot - firstBindingSlot];
  };
  const places = (buffers: readonly Buffer[]) => [...new Set(buffers.map(place))].join(" ");
  const rows = program.steps.map((step, index) => [
    `${index}${index === program.commitStart ? " commit" : ""}`,
    step.name,
    origins[index].ops.join("+"),
    origins[index].module,
    `${formatShape(origins[index].shape)}${origins[index].layout === "channelsLast" ? " channels last" : ""}`,
    places(step.reads),
    places(step.writes),
  ]);
  const ratio = plan.bound === 0 ? 1 : plan.bytes / plan.bound;
  return [
    `${program.steps.length} steps on ${device.variant}, state written from step ${program.commitStart}`,
    `working memory ${formatBytes(plan.bytes)}, ${ratio.toFixed(2)} times the ${formatBytes(plan.bound)} alive at the fullest step`,
    ...(prepared.length === 0
      ? []
      : [`${prepared.length} values prepared once and kept, ${formatBytes(preparedBytes)}: ${[...kinds].join(", ")}`]),
    table([["step", "kernel", "ops", "module", "shape", "reads", "writes"], ...rows]),
  ].join("\n");
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
