/** Pictures decoded and brought to a network's size, in threads of their own where there are many and they are not small. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { FormatError } from "../../core/errors.js";
import { toPlanar } from "../../data/pixels.js";
import { fitPixels, type PictureInput } from "../../data/resize.js";
import { decodePixels } from "../image.js";

export interface DecodingRequest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What errors call the file. */
  readonly name: string;
  readonly input: PictureInput;
}

/** What a thread answers: the picture's bytes in C×H×W order, or why there is none. */
export type DecodingAnswer = { readonly planar: Uint8Array<ArrayBuffer> } | { readonly message: string };

/**
 * The bytes of a picture in C×H×W order, as a network expects it; `countPixels` has looked at it already.
 *
 * @throws FormatError for what is no picture
 */
export async function decodePicture({ bytes, name, input }: DecodingRequest): Promise<Uint8Array<ArrayBuffer>> {
  const channels = input.inputShape[0] === 1 ? 1 : 3;
  return toPlanar(fitPixels(await decodePixels(bytes, name, { channels, counted: true }), input));
}

/** Threads that decode: sizes are brought down on the processor, which the thread that trains must not wait for. */
export const decodingThreads = Math.min(8, availableParallelism());

interface Task {
  readonly request: DecodingRequest;
  readonly resolve: (planar: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (error: unknown) => void;
}

/** Threads that wait for pictures, and do not keep the process alive meanwhile. */
const idle: Worker[] = [];
const waiting: Task[] = [];
let started = 0;

/** As `decodePicture`, in another thread; the request's bytes move there. */
export function decodeInThread(request: DecodingRequest): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const task = { request, resolve, reject };
    const worker = idle.pop() ?? (started < decodingThreads ? startThread() : undefined);
    if (worker === undefined) waiting.push(task);
    else runTask(worker, task);
  });
}

function startThread(): Worker {
  started++;
  return new Worker(new URL("./decoding-thread.js", import.meta.url), { execArgv: [], name: "fovea pictures" });
}

function runTask(worker: Worker, { request, resolve, reject }: Task): void {
  const finish = (settle: () => void) => {
    worker.off("message", onMessage).off("error", onError);
    settle();
  };
  const onMessage = (answer: DecodingAnswer) => {
    finish(() => ("planar" in answer ? resolve(answer.planar) : reject(new FormatError(answer.message))));
    const next = waiting.shift();
    if (next !== undefined) runTask(worker, next);
    else {
      worker.unref();
      idle.push(worker);
    }
  };
  const onError = (error: Error) => {
    started--;
    finish(() => reject(error));
    const next = waiting.shift();
    if (next !== undefined) runTask(startThread(), next);
  };
  worker.on("message", onMessage).on("error", onError);
  worker.ref();
  worker.postMessage(request, [request.bytes.buffer]);
}
