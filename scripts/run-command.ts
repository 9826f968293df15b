/** Commands whose output is watched line by line, and which end with this process. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface CommandOptions {
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** The command is ended after so many minutes. */
  readonly minutes: number;
  /** Called for each line of standard output; the command is ended when it returns true. */
  readonly stopAt?: (line: string) => boolean;
}

export interface CommandOutcome {
  /** Exit status, or the signal that ended it. */
  readonly status: number | string;
  readonly output: string;
  readonly timedOut: boolean;
}

const running = new Set<ChildProcess>();
let stopping = false;

/** Whether `stopCommands` was called. */
export const interrupted = (): boolean => stopping;

/** Ends what runs and keeps anything further from starting. */
export function stopCommands(): void {
  stopping = true;
  for (const child of running) end(child);
}

/** A group of its own, so that whatever the command has started ends with it. */
const hasGroups = process.platform !== "win32";

function end(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(hasGroups ? -child.pid : child.pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

export function run(command: string, args: readonly string[], options: CommandOptions): Promise<CommandOutcome> {
  if (stopping) return Promise.resolve({ status: "stopped", output: "", timedOut: false });
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.folder,
      env: { ...process.env, ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: hasGroups,
    });
    running.add(child);
    let output = "";
    let timedOut = false;
    const watch = setTimeout(() => {
      timedOut = true;
      end(child);
    }, options.minutes * 60_000);
    createInterface({ input: child.stdout }).on("line", (line) => {
      output += `${line}\n`;
      if (options.stopAt?.(line)) end(child);
    });
    child.stderr.on("data", (data) => {
      output += data;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(watch);
      running.delete(child);
      resolve({ status: code ?? signal ?? "no status", output, timedOut });
    });
  });
}
