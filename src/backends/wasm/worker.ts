/**
 * The script of every worker of a WebAssembly device: the engine, or one of its helpers. The build embeds it as text
 * (worker-source.js), so no bundler has to know of it.
 */

import { help, WasmEngine } from "./engine.js";
import type { Command, FromWorker, Reply, Start, ToWorker } from "./protocol.js";

/** What a worker's global scope offers, in Node as well. */
declare function postMessage(message: FromWorker, transfer: Transferable[]): void;
/** The bytes of a text in base64 that were compressed with gzip: what `spawnWorker` gives to every worker. */
declare function unpack(text: string): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;

const post = (message: FromWorker, transfer: Transferable[] = []) => postMessage(message, transfer);

const queue: Command[] = [];
let next = 0;
let engine: WasmEngine | undefined;
let shared = false;

let replies: Reply[] = [];
let firstReplyAt = 0;

/** How long commands run on, in milliseconds, before replies are sent and messages such as an abort are looked for. */
const patience = 2;
const wake = new MessageChannel();
wake.port1.onmessage = () => guarded(run);
let waiting = false;

function sendReplies(): void {
  if (replies.length === 0) return;
  post(
    { kind: "replies", replies },
    replies.filter((reply) => reply instanceof ArrayBuffer),
  );
  replies = [];
}

function run(): void {
  waiting = false;
  const begun = performance.now();
  while (engine !== undefined && next < queue.length) {
    const command = queue[next++];
    const reply = engine.run(command);
    if (reply === undefined) continue;
    const now = performance.now();
    if (replies.length === 0) firstReplyAt = now;
    replies.push(reply);
    if (now - firstReplyAt > patience) sendReplies();
    // With shared memory an abort does not come as a message.
    if (!shared && now - begun > patience && next < queue.length) {
      waiting = true;
      wake.port2.postMessage(undefined);
      break;
    }
  }
  queue.splice(0, next);
  next = 0;
  sendReplies();
}

async function start(message: Start): Promise<void> {
  const { kernels, memory, thread } = message;
  shared = memory !== undefined;
  const module = typeof kernels === "string" ? new WebAssembly.Module(await unpack(kernels)) : kernels;
  if (thread > 0) help(module, message, () => post({ kind: "ready", cancelBefore: 0, module }));
  else {
    engine = new WasmEngine(module, message);
    post({ kind: "ready", cancelBefore: engine.cancelBefore, module });
  }
}

function receive(message: ToWorker): void {
  switch (message.kind) {
    case "start":
      start(message).catch(fail);
      return;
    case "commands":
      for (const command of message.commands) queue.push(command);
      if (!waiting) run();
      return;
    case "abort":
      engine?.abort(message.before);
      return;
  }
}

/**
 * A trap of the kernels, or memory that cannot be had at the start, is the end of the device. What was done before is
 * answered, however long ago: it must not depend on the clock which commands fail.
 */
function fail(error: unknown): void {
  engine = undefined;
  sendReplies();
  post({ kind: "failed", message: String(error) });
}

function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    fail(error);
  }
}

globalThis.onmessage = ({ data }: MessageEvent<ToWorker>) => guarded(() => receive(data));
