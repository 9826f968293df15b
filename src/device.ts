/** Choosing where tensors live and programs run. */

import { platform } from "#platform";
import type { Device } from "./backends/backend.js";
import { createNativeDevice } from "./backends/native/device.js";
import { createReferenceDevice } from "./backends/reference/device.js";
import { createWasmDevice } from "./backends/wasm/device.js";
import { ArgumentError, DeviceError } from "./core/errors.js";
import { setDefaultWarningHandler, warnOnce } from "./core/warnings.js";
import { setDefaultDevice, setDeviceSource } from "./graph/device.js";

export { parseTables, setAlgorithms } from "./backends/cpu/ownAlgorithms.js";
export { defaultDevice } from "./graph/device.js";

/**
 * `native`: kernels for this machine's instruction set, in Node. `wasm`: the same kernels in WebAssembly, everywhere.
 * `reference`: the definitions in float64, slow and exact.
 */
export type DeviceName = "native" | "wasm" | "reference";

export interface DeviceOptions {
  /** Threads that compute. Default: `FOVEA_THREADS`, or as many as the machine runs at once. */
  readonly threads?: number | undefined;
}

const makers: Readonly<Record<DeviceName, (options: DeviceOptions) => Device>> = {
  native: createNativeDevice,
  wasm: createWasmDevice,
  reference: createReferenceDevice,
};

/** Devices that have been made, so that choosing one again finds it with its tensors. */
const made = new Map<string, Device>();

function find(name: DeviceName, options: DeviceOptions): Device {
  const key = `${name} ${options.threads ?? ""}`;
  let device = made.get(key);
  if (device === undefined) {
    device = makers[name](options);
    made.set(key, device);
  }
  return device;
}

/**
 * Chooses the device for tensors and modules made from now on.
 *
 * @param device a name, a device of your own, or `auto`: native where there is one, else WebAssembly
 * @throws DeviceError where the named device cannot be used, with the reason
 * @example setDevice("wasm", { threads: 2 });
 */
export function setDevice(device: DeviceName | "auto" | Device, options: DeviceOptions = {}): Device {
  const chosen =
    typeof device !== "string" ? device : device === "auto" ? automatic(options) : find(checkName(device), options);
  setDefaultDevice(chosen);
  return chosen;
}

/** Which devices can be used here, and why the others cannot. */
export function listDevices(): { readonly name: DeviceName; readonly device?: Device; readonly reason?: string }[] {
  return (Object.keys(makers) as DeviceName[]).map((name) => {
    try {
      return { name, device: find(name, {}) };
    } catch (error) {
      return { name, reason: error instanceof Error ? error.message : String(error) };
    }
  });
}

function checkName(name: string, source = ""): DeviceName {
  const known = Object.keys(makers) as DeviceName[];
  const found = known.find((candidate) => candidate === name);
  if (found === undefined)
    throw new ArgumentError(`${source}there is no device named "${name}". Expected auto, ${known.join(", ")}.`);
  return found;
}

function automatic(options: DeviceOptions): Device {
  const wanted = platform.environment("FOVEA_DEVICE");
  if (wanted !== undefined && wanted !== "" && wanted !== "auto")
    return find(checkName(wanted, "FOVEA_DEVICE: "), options);
  try {
    return find("native", options);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    if (platform.hasNativeDevices) warnOnce(`computing in WebAssembly: ${error.message}`);
    return find("wasm", options);
  }
}

setDefaultWarningHandler(platform.warn);
setDeviceSource(() => automatic({}));
