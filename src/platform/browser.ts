/** Browsers: Web Workers, in a page or inside another worker. */

import { FileError } from "../core/errors.js";
import type { Platform } from "./platform.js";

async function read(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok)
    throw new FileError(`cannot read ${url}: the server answered ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Gives a script in a worker `unpack`. */
const workerPrelude = `
async function unpack(text) {
  const characters = atob(text);
  const packed = new Uint8Array(characters.length);
  for (let i = 0; i < packed.length; i++) packed[i] = characters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
`;

export const platform: Platform = {
  spawnWorker(source, { message, failure }) {
    const url = URL.createObjectURL(new Blob([workerPrelude, source], { type: "text/javascript" }));
    const worker = new Worker(url, { name: "fovea" });
    worker.onmessage = ({ data }) => {
      URL.revokeObjectURL(url);
      message(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      failure(
        new Error(event.message ?? "the script was blocked; a content security policy must allow worker-src blob:"),
      );
    };
    worker.onmessageerror = () => failure(new Error("a message could not be read"));
    return {
      post: (data, transfer = []) => worker.postMessage(data, [...transfer]),
      keepAlive() {},
      terminate: () => worker.terminate(),
    };
  },

  // Bundlers would have to be told of its script.
  spawnAugmenter: undefined,

  // A page has to wait for each of its files.
  packedKernels: () => undefined,

  environment: () => undefined,

  readText(path) {
    throw new FileError(`cannot read ${path}: pages have no files`);
  },

  hardwareThreads: () => navigator.hardwareConcurrency,

  // Pages are not told; a WebAssembly memory cannot be larger.
  memoryBytes: () => 2 ** 32,

  canShareMemory: () => globalThis.crossOriginIsolated === true,

  warn: (message) => console.warn(message),

  files: {
    async open(url, signal) {
      const { openUrl } = await import("../formats/source.js");
      return openUrl(String(url), signal);
    },
    read,
    readBeside: (url, name) =>
      read(new URL(name.split("/").map(encodeURIComponent).join("/"), new URL(url, location.href)).href),
    async write(path) {
      throw new FileError(
        `cannot write ${path}: pages have no files. Fix: offer the bytes of model.serialize() as a download.`,
      );
    },
  },

  hasNativeDevices: false,

  loadNativeAddon() {
    throw new Error("it exists only in Node");
  },
};
