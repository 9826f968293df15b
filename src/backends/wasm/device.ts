/**
 * The WebAssembly device: the same kernels as the native one, in a worker that owns their memory, with further workers
 * as threads where memory can be shared. Works in browsers and in Node.
 */

import { platform } from "#platform";
import { ArgumentError, DeviceError } from "../../core/errors.js";
import type { Device } from "../backend.js";
import { CpuDevice } from "../cpu/device.js";
import { machineOf } from "../cpu/machines.js";
import { useEnvironment } from "../cpu/ownAlgorithms.js";
import { chooseThreads } from "../cpu/threads.js";
import { initialPages } from "./engine.js";
import { RemoteEngine } from "./remote.js";
import { canShare, chooseVariant, type WasmVariant } from "./variants.js";

export type { WasmVariant } from "./variants.js";

export interface WasmDeviceOptions {
  /** `relaxed` where the JavaScript engine has fused multiply-adds, unless given. */
  readonly variant?: WasmVariant | undefined;
  /** As many as the machine runs at once unless given; one where memory cannot be shared. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Whether threads share memory; unless given, where they can. In browsers that takes cross-origin isolation. */
  readonly shared?: boolean | undefined;
  /** Bytes that the device may hold; up to 4 GiB unless given. */
  readonly memoryLimit?: number | undefined;
}

const pageBytes = 65536;
const mostPages = 65536;
const mostThreads = 64;

export function createWasmDevice(options: WasmDeviceOptions = {}): Device {
  const variant = chooseVariant(options.variant);
  const shared = options.shared ?? canShare();
  if (options.shared === true && !canShare()) {
    throw new DeviceError(
      "memory cannot be shared among workers here. Fix: serve the page with Cross-Origin-Opener-Policy: same-origin " +
        "and Cross-Origin-Embedder-Policy: require-corp, or leave `shared` out.",
    );
  }
  if (options.shared === false && (options.threads ?? 1) > 1) {
    throw new ArgumentError(`threads: ${options.threads} threads need shared memory, and \`shared\` is false.`);
  }
  const threads = shared ? chooseThreads(options.threads, mostThreads) : 1;
  useEnvironment();
  const bytes = Math.min(options.memoryLimit ?? Number.POSITIVE_INFINITY, platform.memoryBytes());
  const pages = Math.max(initialPages(threads), Math.min(mostPages, Math.floor(bytes / pageBytes)));
  const memory = shared ? reserveShared(threads, pages) : undefined;
  const memoryLimit = (memory?.pages ?? pages) * pageBytes;
  return new CpuDevice({
    name: "wasm",
    machine: machineOf(`wasm-${variant}`, threads),
    memoryLimit,
    engine: new RemoteEngine({ variant, threads, memoryLimit, memory: memory?.memory }),
  });
}

/** Shared memory has to say how large it may become; where so much is refused, less is asked for. */
function reserveShared(threads: number, maximum: number): { memory: WebAssembly.Memory; pages: number } {
  const initial = initialPages(threads);
  for (let pages = maximum; ; pages = Math.max(initial, Math.floor(pages / 2))) {
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum: pages, shared: true }), pages };
    } catch (cause) {
      if (pages === initial) throw new DeviceError("there is no memory for the WebAssembly device", { cause });
    }
  }
}
