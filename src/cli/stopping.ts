/** What ends a command early: Ctrl-C and other signals, and a reader of standard output that has gone. */

import { errorCode } from "../node/files.js";
import { explain } from "./output.js";

/** Exit statuses as shells expect them: 128 and the signal's number. */
const statuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 } as const;
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Set while there is something that should be finished properly. */
let stopping: AbortController | undefined;
let status: number = statuses.SIGINT;

/** The exit status that belongs to what stopped the command. */
export function stopStatus(): number {
  return status;
}

/** While `work` runs, what ends the command aborts the signal instead; a second time it ends at once. */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = (signal: (typeof signals)[number]) => {
    if (controller.signal.aborted) process.exit(statuses[signal]);
    stop(statuses[signal], `stopping${signal === "SIGINT" ? " (Ctrl-C again to stop at once)" : ""}`);
  };
  stopping = controller;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    stopping = undefined;
  }
}

/** Handles what would otherwise end the process with a stack trace, or without a word. */
export function watchProcess(): void {
  process.stdout.on("error", (error) => {
    if (errorCode(error) === "EPIPE") stop(statuses.SIGPIPE, "nobody reads the output any more: stopping");
    else stop(1, `cannot write to standard output (${error.message}): stopping`);
  });
  // Nobody is left to be told.
  process.stderr.on("error", () => undefined);
  // With a limit on the size of files, a write that exceeds it fails then, instead of ending the process.
  process.on("SIGXFSZ", () => undefined);
}

function stop(newStatus: number, message: string): void {
  if (stopping?.signal.aborted) return;
  status = newStatus;
  if (stopping === undefined) {
    if (newStatus === 1) explain(`fovea: ${message}`);
    process.exit(newStatus);
  }
  explain(message);
  stopping.abort();
}
