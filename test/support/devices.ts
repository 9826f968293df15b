/** The devices that tests run on. */

import type { Device } from "../../src/backends/backend.js";
import { createNativeDevice } from "../../src/backends/native/device.js";
import { createReferenceDevice } from "../../src/backends/reference/device.js";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import { setDefaultDevice } from "../../src/graph/device.js";
import { withDelays } from "./delays.js";

/**
 * With `FOVEA_TEST_MODE=delayed` the suite runs on WebAssembly without shared memory, with a random delay in every queue
 * operation: nothing may depend on how quickly a device answers.
 */
export const delayed = process.env.FOVEA_TEST_MODE === "delayed";

export interface TestDevice {
  readonly name: string;
  /** Undefined where the device cannot be had here. */
  readonly device: Device | undefined;
  /** Why it cannot be had; printed with the skipped tests. */
  readonly reason: string | undefined;
}

function attempt(name: string, make: () => Device): TestDevice {
  try {
    return { name, device: make(), reason: undefined };
  } catch (error) {
    return { name, device: undefined, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The backends with kernels: native and WebAssembly, or in delayed mode WebAssembly alone. */
export const kernelDevices: readonly TestDevice[] = delayed
  ? [attempt("wasm, delayed, without shared memory", () => withDelays(createWasmDevice({ shared: false })))]
  : [attempt("native", () => createNativeDevice()), attempt("wasm", () => createWasmDevice())];

export const referenceDevice = createReferenceDevice();

/** The device for tests that need just one: the first with kernels that can be had. */
export function anyDevice(): Device {
  const device = kernelDevices.find((candidate) => candidate.device !== undefined)?.device;
  if (device === undefined) throw new Error("no device with kernels can be had");
  return device;
}

/** Makes tensors live on `device` from here on. */
export function useDevice(device: Device): void {
  setDefaultDevice(device);
}
