/** Where output goes: results for programs to standard output, everything for people to standard error. */

import { FoveaError } from "../core/errors.js";
import { clearProgress } from "./progress.js";
import { fold, terminalWidth } from "./terminal.js";

/** Writes one JSON object as a line of standard output. */
export function printJson(value: object): void {
  clearProgress();
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Writes a line for people. */
export function say(line = ""): void {
  clearProgress();
  process.stderr.write(`${line}\n`);
}

/** Writes text for people; a terminal's lines are broken between words. */
export function explain(text: string): void {
  say(process.stderr.isTTY === true ? fold(text, terminalWidth()) : text);
}

/** Exit status for a wrong command line. */
export const usageError = 2;

/** What went wrong, for people: Fovea's own errors say it all, others keep their stack for a report. */
export function describeError(error: unknown): string {
  if (error instanceof FoveaError && error.code !== "FOVEA_INTERNAL") return error.message;
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}

/** `1.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 59.5) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `98.93 %`. */
export function formatShare(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** `60,000`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en");
}

/** `3.5 MB`, `12.0 kB`. */
export function formatBytes(bytes: number): string {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** How this command is called here: `npx fovea train …`, with quotes where a shell needs them. */
export function commandLine(...words: readonly string[]): string {
  const name = process.env.npm_command === undefined ? "fovea" : "npx fovea";
  const quoted = words.map((word) => (/^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return [name, ...quoted].join(" ");
}
