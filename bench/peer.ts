/** A program in Python that times what it is asked to, line by line. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export class Peer {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  version = "";

  /** @param script in bench/ */
  constructor(script: string) {
    this.#process = spawn("/usr/bin/python3", [fileURLToPath(new URL(`../../bench/${script}`, import.meta.url))]);
    this.#answers = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  /** Whether there is a PyTorch to compare with. */
  async start(): Promise<boolean> {
    this.#process.on("error", () => undefined);
    const { value, done } = await this.#answers.next();
    this.version = value;
    return done !== true;
  }

  async ask(question: string): Promise<number> {
    this.#process.stdin.write(`${question}\n`);
    return Number((await this.#answers.next()).value);
  }

  stop(): void {
    this.#process.kill();
  }
}
