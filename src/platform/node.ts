/** Node: worker threads, environment variables, the native addon. */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { NativeAddon } from "../backends/native/addon.js";
import { openUrl } from "../formats/source.js";
import { openFileSource } from "../node/file-source.js";
import { readBeside, readFile, writeFile } from "../node/files.js";
import { isPretrainedName, pretrainedWeights } from "../node/pretrained.js";
import type { Platform, WorkerThread } from "./platform.js";

/** Gives a script in a worker thread the names that it has in a browser's worker, and `unpack`. */
const workerPrelude = `
const { parentPort } = require("node:worker_threads");
globalThis.postMessage = (data, transfer) => parentPort.postMessage(data, transfer);
parentPort.on("message", (data) => globalThis.onmessage({ data }));
// Streams and responses would do it as well; loading them takes Node ten times as long as all of this.
globalThis.unpack = (text) => new Uint8Array(require("node:zlib").gunzipSync(Buffer.from(text, "base64")));
`;

/** Only a checkout has the kernels' sources, and so can build the addon. */
const kernelsPath = fileURLToPath(new URL("../../../kernels", import.meta.url));
const addonPath = fileURLToPath(new URL("../../native/fovea.node", import.meta.url));

function connect<Message>(
  worker: Worker,
  message: (data: Message) => void,
  failure: (error: Error) => void,
): WorkerThread {
  worker.unref();
  worker.on("message", message);
  worker.on("error", failure);
  worker.on("exit", (code) => failure(new Error(`the worker thread ended with code ${code}`)));
  return {
    post: (data, transfer) => worker.postMessage(data, transfer),
    keepAlive: (on) => (on ? worker.ref() : worker.unref()),
    terminate() {
      worker.removeAllListeners("exit");
      void worker.terminate();
    },
  };
}

export const platform: Platform = {
  spawnWorker(source, { message, failure }) {
    // Without flags of this process, which may not suit a plain script.
    return connect(new Worker(workerPrelude + source, { eval: true, execArgv: [], name: "fovea" }), message, failure);
  },

  spawnAugmenter: ({ message, failure }) =>
    // `imports` in package.json names the script, so that the package is known to need it.
    connect(
      new Worker(new URL(import.meta.resolve("#augmenter")), { execArgv: [], name: "fovea augmentation" }),
      message,
      failure,
    ),

  /** The only string in the module, which a bundler may have put elsewhere. Importing it would wait for what is being recorded. */
  packedKernels(name) {
    const file = new URL(`../backends/wasm/variants/${name}.js`, import.meta.url);
    if (!existsSync(file)) return undefined;
    const text = readFileSync(file, "latin1");
    return text.slice(text.indexOf('"') + 1, text.lastIndexOf('"'));
  },

  environment: (name) => process.env[name],

  readText: (path) => readFileSync(path, "utf8"),

  hardwareThreads: () => availableParallelism(),

  memoryBytes() {
    const limit = process.constrainedMemory();
    // 0 and values beyond the machine's own memory mean that there is no limit.
    return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  },

  canShareMemory: () => true,

  warn: (message) => process.emitWarning(message, "FoveaWarning"),

  files: {
    async open(path, signal) {
      const address = String(path);
      if (isPretrainedName(address) && !existsSync(address)) {
        return openFileSource((await pretrainedWeights(address, { ...(signal && { signal }) })).path);
      }
      if (/^https?:/i.test(address)) return openUrl(address, signal);
      return openFileSource(/^file:/i.test(address) ? fileURLToPath(address) : address);
    },
    read: readFile,
    readBeside,
    write: writeFile,
  },

  hasNativeDevices: true,

  loadNativeAddon() {
    if (!existsSync(addonPath)) {
      throw new Error(
        existsSync(kernelsPath)
          ? "it has not been built (npm run setup builds it where there is a C compiler)"
          : "the npm package does not contain it (a checkout of the repository builds it)",
      );
    }
    const addon: NativeAddon = createRequire(import.meta.url)(addonPath);
    return addon;
  },
};
