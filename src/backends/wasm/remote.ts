/** The engine as the device sees it: commands go to the worker, replies come back. */

import { platform } from "#platform";
import { DeviceError } from "../../core/errors.js";
import type { WorkerThread } from "../../platform/platform.js";
import type { MemoryUse } from "../backend.js";
import type { EncodedProgram, Engine } from "../cpu/device.js";
import { Replies } from "../cpu/replies.js";
import { Ballast } from "./ballast.js";
import type { Command, FromWorker, Reply, Start, ToWorker } from "./protocol.js";
import { packedKernels, type WasmVariant } from "./variants.js";
import { workerSource } from "./worker-source.js";

export interface RemoteOptions {
  readonly variant: WasmVariant;
  readonly threads: number;
  readonly memoryLimit: number;
  /** Shared by all threads; undefined where that cannot be, and then there is one thread. */
  readonly memory: WebAssembly.Memory | undefined;
}

type Ready = Extract<FromWorker, { kind: "ready" }>;

const success = { code: 0, detail: [] };

function deviceError(device: string, cause: unknown): DeviceError {
  return new DeviceError(`${device} failed: ${cause instanceof Error ? cause.message : cause}`, { cause });
}

export class RemoteEngine implements Engine {
  readonly ready: Promise<void>;
  readonly #options: RemoteOptions;
  readonly #name: string;
  readonly #replies: Replies;
  readonly #ballast = new Ballast();
  #workers: WorkerThread[] = [];
  #started = false;
  #failure: DeviceError | undefined;
  /** Commands of this turn, sent together; before the start, all commands so far. */
  #batch: Command[] = [];
  #transfer: ArrayBuffer[] = [];
  #flushing = false;
  #submitted = 0;
  #abortedBefore = 0;
  /** Where the shared memory says which submissions are cancelled. */
  #cancelBefore: BigInt64Array<ArrayBufferLike> | undefined;

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.#name = `wasm-${options.variant}`;
    this.#replies = new Replies(this.#name);
    this.ready = this.#start().catch((cause) => {
      this.#fail(cause instanceof DeviceError ? cause : deviceError(this.#name, cause));
      throw this.#failure;
    });
    // Those who wait for a reply hear of it too, so nobody has to wait for this.
    this.ready.catch(() => {});
  }

  allocate(index: number, bytes: number): void {
    this.#send({ kind: "allocate", index, bytes });
  }

  upload(index: number, data: Uint8Array<ArrayBuffer>): void {
    const copy = data.slice().buffer;
    this.#transfer.push(copy);
    this.#send({ kind: "upload", index, data: copy });
  }

  write(index: number, offset: number, data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
    this.#transfer.push(data.buffer);
    return this.#ask({ kind: "write", index, offset, data }, (payload) => payload ?? new ArrayBuffer(0));
  }

  load(index: number, program: EncodedProgram): void {
    this.#send({ kind: "load", index, ...program });
  }

  free(index: number): void {
    this.#send({ kind: "free", index });
  }

  submit(index: number, bindings: Uint32Array<ArrayBuffer>, scalars: Uint8Array<ArrayBuffer>): Promise<void> {
    const sequence = this.#submitted++;
    const command: Command = { kind: "submit", index, bindings: bindings.slice(), scalars: scalars.slice(), sequence };
    return this.#ask(command, () => undefined);
  }

  read(index: number, bytes: number): Promise<ArrayBuffer> {
    return this.#ask({ kind: "read", index, bytes }, (payload) => payload ?? new ArrayBuffer(0));
  }

  memory(): Promise<MemoryUse> {
    return this.#ask({ kind: "memory" }, (payload) => {
      const [live, arena, reserved, systemAllocations, submissions] = new Float64Array(payload ?? new ArrayBuffer(40));
      return { live, arena, reserved, systemAllocations, submissions };
    });
  }

  abort(): void {
    this.#abortedBefore = this.#submitted;
    if (this.#started) this.#sendAbort();
  }

  tellCollector(bytes: number): void {
    this.#ballast.set(bytes);
  }

  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    await this.#ask({ kind: "close" }, () => undefined).catch(() => undefined);
    this.#terminate();
  }

  async #start(): Promise<void> {
    const { variant, threads, memory, memoryLimit } = this.#options;
    const begun = Array.from({ length: threads }, () => this.#spawn(workerSource));
    for (const { worker } of begun) worker.keepAlive(true);
    const start = ({ worker, ready }: (typeof begun)[number], kernels: Start["kernels"], thread: number) => {
      worker.post({ kind: "start", kernels, memory, thread, threads, memoryLimit } satisfies ToWorker);
      return ready;
    };
    const packed = packedKernels(variant, memory !== undefined);
    // The engine compiles the kernels, and prepares the memory in which the others will wait.
    const [engine, ...helpers] = begun;
    const { cancelBefore, module } = await start(engine, typeof packed === "string" ? packed : await packed, 0);
    await Promise.all(helpers.map((helper, i) => start(helper, module, i + 1)));
    if (memory !== undefined) this.#cancelBefore = new BigInt64Array(memory.buffer, cancelBefore, 1);
    for (const { worker } of helpers) worker.keepAlive(false);
    if (this.#replies.count === 0) engine.worker.keepAlive(false);
    this.#started = true;
    if (this.#abortedBefore > 0) this.#sendAbort();
    this.#flush();
  }

  /** A worker, and a promise for what it says when it is ready. */
  #spawn(source: string): { worker: WorkerThread; ready: Promise<Ready> } {
    let resolve: (ready: Ready) => void = () => {};
    let reject: (error: Error) => void = () => {};
    const ready = new Promise<Ready>((...settle) => {
      [resolve, reject] = settle;
    });
    const fail = (cause: unknown) => {
      this.#fail(deviceError(this.#name, cause));
      reject(deviceError(this.#name, cause));
    };
    const worker = platform.spawnWorker(source, {
      message: (data) => {
        const message = data as FromWorker;
        if (message.kind === "ready") resolve(message);
        else if (message.kind === "replies") this.#receive(message.replies);
        else fail(message.message);
      },
      failure: fail,
    });
    this.#workers.push(worker);
    return { worker, ready };
  }

  #receive(replies: readonly Reply[]): void {
    for (const reply of replies) {
      if (reply === null) this.#replies.next(success);
      else if (reply instanceof ArrayBuffer) this.#replies.next(success, reply);
      else this.#replies.next(reply);
    }
    if (this.#replies.count === 0) this.#workers[0]?.keepAlive(false);
  }

  #ask<T>(command: Command, value: (payload: ArrayBuffer | undefined) => T): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#started && this.#replies.count === 0) this.#workers[0]?.keepAlive(true);
    this.#send(command);
    return this.#replies.expect(value);
  }

  #send(command: Command): void {
    if (this.#failure !== undefined) return;
    this.#batch.push(command);
    if (this.#flushing || !this.#started) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#batch.length === 0) return;
    const message: ToWorker = { kind: "commands", commands: this.#batch };
    this.#workers[0]?.post(message, this.#transfer);
    this.#batch = [];
    this.#transfer = [];
  }

  #sendAbort(): void {
    if (this.#cancelBefore !== undefined) Atomics.store(this.#cancelBefore, 0, BigInt(this.#abortedBefore));
    else this.#workers[0]?.post({ kind: "abort", before: this.#abortedBefore } satisfies ToWorker);
  }

  #fail(error: DeviceError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#batch = [];
    this.#transfer = [];
    this.#replies.fail(error);
    this.#terminate();
  }

  #terminate(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
    this.#ballast.set(0);
  }
}
