/** What is going on, on standard error: a line that is redrawn in place on terminals, elsewhere a new line now and then. */

import { SingleBar } from "cli-progress";
import type { DownloadProgress } from "../node/download.js";
import { terminalWidth } from "./terminal.js";

const barWidth = 20;

/** Where there is no terminal, a line follows another after so many seconds: first often, then seldom. */
const lineSeconds = { first: 4, later: 60, firstMinutes: 1 };

let bar: SingleBar | undefined;
let lastLine = 0;

/** Shows `done` of `total`, followed by those of `details` that there is room for. */
export function showProgress(label: string, done: number, total: number, details: readonly string[] = []): void {
  if (!process.stderr.isTTY) {
    showLine(label, done, total, details);
    return;
  }
  if (bar === undefined) {
    bar = new SingleBar({
      format: (_, { progress }, { label, details }) => formatLine(label, progress, details),
      stream: process.stderr,
      // Neither the cursor nor the wrapping of lines is changed: a command that is killed could not change it back.
      hideCursor: false,
      linewrap: true,
      clearOnComplete: true,
      fps: 8,
    });
    bar.start(total, done, { label, details });
  }
  bar.setTotal(total);
  bar.update(done, { label, details });
}

/** Shows how far a download has come. */
export function showDownload({ file, received, total }: DownloadProgress): void {
  const megabytes = `${(received / 1e6).toFixed(1)} MB`;
  showProgress(`downloading ${file}`, total === undefined ? 0 : received, total ?? 1, [megabytes]);
}

/** Removes the line, so that something else can be written; the next `showProgress` starts a new one. */
export function clearProgress(): void {
  bar?.stop();
  bar = undefined;
}

/** The line, without what would not fit into the terminal. */
function formatLine(label: string, progress: number, details: readonly string[]): string {
  const full = Math.round(progress * barWidth);
  const width = terminalWidth() - 1;
  let line = `${label}  ${"█".repeat(full)}${"░".repeat(barWidth - full)} ${percentage(progress)}`;
  for (const detail of details) {
    if (line.length + 2 + detail.length <= width) line += `  ${detail}`;
  }
  return line.slice(0, width);
}

function showLine(label: string, done: number, total: number, details: readonly string[]): void {
  const seconds = process.uptime();
  const pause = seconds < 60 * lineSeconds.firstMinutes ? lineSeconds.first : lineSeconds.later;
  if (seconds - lastLine < pause) return;
  lastLine = seconds;
  process.stderr.write(`${[label, percentage(done / total).trimStart(), ...details].join("  ")}\n`);
}

function percentage(progress: number): string {
  return `${Math.floor(100 * progress)} %`.padStart(5);
}
