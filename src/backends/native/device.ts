/** The native device: kernels compiled for this machine's instruction set, in a Node-API addon with its own threads. */

import { platform } from "#platform";
import { DeviceError } from "../../core/errors.js";
import type { Device } from "../backend.js";
import { CpuDevice } from "../cpu/device.js";
import { machineOf, variants } from "../cpu/machines.js";
import { useEnvironment } from "../cpu/ownAlgorithms.js";
import { schemaHash } from "../cpu/schema.js";
import { chooseThreads } from "../cpu/threads.js";
import type { NativeAddon } from "./addon.js";
import { NativeEngine } from "./engine.js";

export interface NativeDeviceOptions {
  /** Threads that compute; as many as the machine runs at once unless given. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Bytes that the device may hold; the machine's memory unless given. */
  readonly memoryLimit?: number | undefined;
}

/**
 * A device that runs on this machine's own instruction set; `FOVEA_ISA` chooses a lesser one, `FOVEA_THREADS` the
 * number of threads. Throws `DeviceError` where there is no addon.
 */
export function createNativeDevice(options: NativeDeviceOptions = {}): Device {
  const addon = loadAddon();
  const isa = chooseIsa(addon.isas(), platform.environment("FOVEA_ISA"));
  const threads = chooseThreads(options.threads, 256);
  const memoryLimit = options.memoryLimit ?? platform.memoryBytes();
  const variant = variants.find((each) => each === `native-${isa}`);
  if (variant === undefined) throw new DeviceError(`the native addon has an instruction set ${isa}, which is unknown`);
  useEnvironment();
  try {
    const engine = new NativeEngine(addon, isa, threads, memoryLimit, variant);
    return new CpuDevice({ name: "native", machine: machineOf(variant, threads), memoryLimit, engine });
  } catch (cause) {
    throw unusable(cause);
  }
}

function unusable(cause: unknown): DeviceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DeviceError(`the native addon cannot be used: ${reason}`, { cause });
}

function loadAddon(): NativeAddon {
  let addon: NativeAddon;
  try {
    addon = platform.loadNativeAddon();
  } catch (cause) {
    throw unusable(cause);
  }
  if (addon.schemaHash !== schemaHash) {
    throw new DeviceError("the native addon was built from another version of the sources. Fix: npm run setup");
  }
  return addon;
}

function chooseIsa(usable: readonly string[], wanted: string | undefined): string {
  if (wanted === undefined || wanted === "") return usable[0];
  if (usable.includes(wanted)) return wanted;
  throw new DeviceError(`FOVEA_ISA is ${wanted}, but the native addon can use ${usable.join(", ")} on this machine`);
}
