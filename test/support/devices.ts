/** The devices that tests run on. */

import { join } from "node:path";
import type { Device } from "../../src/backends/backend.js";
import { createNativeDevice } from "../../src/backends/native/device.js";
import { createReferenceDevice } from "../../src/backends/reference/device.js";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import { setDefaultDevice } from "../../src/graph/device.js";
import { withDelays } from "./delays.js";
import { withGuards } from "./guards.js";
import { withRecording } from "./recording.js";

/**
 * With `FOVEA_TEST_MODE=delayed` the suite runs on WebAssembly without shared memory, with a random delay in every queue
 * operation: nothing may depend on how quickly a device answers. With `recorded` it runs on native, and what it asks for is
 * written into the folder `FOVEA_TEST_TRACES`; with `guarded`, with guards around every buffer.
 */
const mode = process.env.FOVEA_TEST_MODE;
export const delayed = mode === "delayed";
/** Whether tests may make devices of their own instead of those of the mode. */
export const ordinary = mode === undefined;

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

function devicesOf(mode: string | undefined): TestDevice[] {
  switch (mode) {
    case "delayed":
      return [attempt("wasm, delayed, without shared memory", () => withDelays(createWasmDevice({ shared: false })))];
    case "recorded": {
      const path = join(process.env.FOVEA_TEST_TRACES ?? "", `${process.pid}.trace`);
      return [attempt("native, recorded", () => withRecording(createNativeDevice(), path))];
    }
    case "guarded":
      return [
        attempt("native, guarded", () => withGuards(createNativeDevice())),
        attempt("wasm, guarded", () => withGuards(createWasmDevice())),
      ];
    default:
      return [attempt("native", () => createNativeDevice()), attempt("wasm", () => createWasmDevice())];
  }
}

/** The backends with kernels: native and WebAssembly, or the one of the mode. */
export const kernelDevices: readonly TestDevice[] = devicesOf(mode);

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
