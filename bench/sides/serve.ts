/** A side of a comparison as a process: requests and answers are lines of JSON. */

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Clock, Job, Session } from "./session.js";

/** What a process is asked. */
export type Request =
  | { readonly call: "open"; readonly job: Job }
  | { readonly call: "outputs"; readonly steps: number }
  | { readonly call: "time"; readonly runs: number; readonly clock: Clock }
  | { readonly call: "memory" };

/** The first thing a process says, once everything that it needs is imported. */
export interface Greeting {
  readonly version: string;
  /** Bytes of memory that it has so far. */
  readonly memory: number;
}

/** Answers requests until standard input ends. */
export async function serve(version: string, open: (job: Job) => Promise<Session>): Promise<void> {
  const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
  const greeting: Greeting = { version, memory: peakMemory() };
  answer({ value: greeting });
  let session: Session | undefined;
  for await (const line of createInterface(process.stdin)) {
    try {
      const request: Request = JSON.parse(line);
      if (request.call === "open") {
        session = await open(request.job);
        answer({ value: session.description });
      } else if (request.call === "memory") answer({ value: peakMemory() });
      else if (session === undefined) throw new Error("nothing has been opened");
      else if (request.call === "outputs") answer({ value: Array.from(await session.outputs(request.steps)) });
      else answer({ value: await session.time(request.runs, request.clock) });
    } catch (error) {
      answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
  // Devices and runtimes have threads of their own, which would keep the process.
  process.exit(0);
}

/** Bytes of memory that this process had at most. Where the system does not tell, what it has now. */
function peakMemory(): number {
  try {
    // Not getrusage's: that begins with what the process that started this one had.
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    if (kilobytes !== undefined) return 1024 * Number(kilobytes);
  } catch {
    // Not Linux.
  }
  return process.memoryUsage().rss;
}

/** The bytes of a file, for sessions. */
export async function readBuffer(path: string): Promise<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = await readFile(path);
  return (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength);
}
