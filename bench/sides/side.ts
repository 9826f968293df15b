/** Sides of a comparison as the one who compares sees them: processes, or pages of a browser. */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { peersFolder } from "./packages.js";
import type { Greeting, Request } from "./serve.js";
import type { Clock, Job } from "./session.js";

export interface Side {
  /** Of its library, and of Node or the browser. */
  readonly version: string;
  /** Resolves to what computes, once the work is ready to run. */
  open(job: Job): Promise<string>;
  outputs(steps: number): Promise<readonly number[]>;
  time(runs: number, clock: Clock): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** A process that answers lines of JSON with lines of JSON. */
export class ProcessSide implements Side {
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #complaints: string[] = [];
  #greeting: Greeting = { version: "", memory: 0 };

  private constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ) {
    this.#process = spawn(command, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error("a process without pipes");
    this.#answers = createInterface(stdout)[Symbol.asyncIterator]();
    stderr.setEncoding("utf8").on("data", (text: string) => this.#complaints.push(text));
    this.#process.on("error", (error) => this.#complaints.push(error.message));
  }

  /** Starts a process. @throws Error with what it said where it cannot be started */
  static async start(
    name: string,
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<ProcessSide> {
    const side = new ProcessSide(name, command, args, env);
    side.#greeting = await side.#answer();
    return side;
  }

  get version(): string {
    return this.#greeting.version;
  }

  /** Bytes of memory that it had at most before it was asked for anything. */
  get importedMemory(): number {
    return this.#greeting.memory;
  }

  open(job: Job): Promise<string> {
    return this.#ask({ call: "open", job });
  }

  outputs(steps: number): Promise<readonly number[]> {
    return this.#ask({ call: "outputs", steps });
  }

  time(runs: number, clock: Clock): Promise<readonly number[]> {
    return this.#ask({ call: "time", runs, clock });
  }

  /** Bytes of memory that it had at most. */
  memory(): Promise<number> {
    return this.#ask({ call: "memory" });
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#process.once("close", () => resolve()));
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill("SIGKILL");
    await ended;
  }

  #ask<T>(request: Request): Promise<T> {
    this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.#answer();
  }

  async #answer<T>(): Promise<T> {
    const { value: line, done } = await this.#answers.next();
    if (done) throw new Error(`${this.name} ended: ${this.#complaints.join("").trim().slice(-2000)}`);
    const answer: { value: T; error?: string } = JSON.parse(line);
    if (answer.error !== undefined) throw new Error(`${this.name}: ${answer.error}`);
    return answer.value;
  }
}

const compiled = (name: string) => fileURLToPath(new URL(`${name}.js`, import.meta.url));

/** Variables that would decide for Fovea what the comparison decides. */
function environment(threads: number): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("FOVEA_") && name !== "NODE_OPTIONS");
  return { ...Object.fromEntries(kept), OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
}

export function startFovea(device: "native" | "wasm", node: string, threads: number): Promise<ProcessSide> {
  return ProcessSide.start(`Fovea on ${device}`, node, [compiled("fovea"), device], environment(threads));
}

export function startOnnxRuntime(
  name: "onnxruntime-node" | "onnxruntime-web",
  node: string,
  threads: number,
): Promise<ProcessSide> {
  return ProcessSide.start(name, node, [compiled("onnxruntime"), name], environment(threads));
}

export function startPyTorch(threads: number): Promise<ProcessSide> {
  const script = fileURLToPath(new URL("../../../bench/sides/pytorch.py", import.meta.url));
  return ProcessSide.start("PyTorch", "/usr/bin/python3", [script], environment(threads));
}

/** A side written for the peers' own project. */
export function startPeer(name: "tfjs" | "jax-js", node: string, words: readonly string[]): Promise<ProcessSide> {
  const script = join(peersFolder, name === "tfjs" ? "tfjs.js" : "jax.js");
  return ProcessSide.start(name, node, [script, ...words], environment(1));
}
