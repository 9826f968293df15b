/** What the browser tests run in a page or a worker (browser.test.ts). */

import { createWasmDevice, type WasmDeviceOptions } from "../../src/backends/wasm/device.js";
import { longProgram, noScalars, ramp, readFloats } from "../support/programs.js";

export interface PageResult {
  readonly isolated: boolean;
  readonly variant: string;
  readonly threads: number;
  readonly values: readonly number[];
  /** Of a program that was cancelled. */
  readonly cancelled: string;
  readonly frames: number;
}

/** Runs a program, then cancels another one; counts the turns that the page got meanwhile. */
export async function runDevice(options: WasmDeviceOptions, count: number): Promise<PageResult> {
  const device = createWasmDevice(options);
  let frames = 0;
  const timer = setInterval(() => frames++, 1);
  const program = device.load(longProgram(device, count, 20));
  const [input, output] = [device.upload(ramp(count)), device.allocate(4 * count)];
  for (let i = 0; i < 20; i++) await device.submit(program, [input, output], noScalars);
  const values = [...(await readFloats(device, output, count))];
  const long = device.load(longProgram(device, 100_000, 300));
  const more = [device.upload(ramp(100_000)), device.allocate(400_000)];
  void device.submit(long, more, noScalars).catch(() => {});
  const second = device.submit(long, more, noScalars).then(
    () => "ran",
    (error) => error.code,
  );
  device.abort();
  const cancelled = await second;
  clearInterval(timer);
  await device.close();
  const { variant, threads } = device;
  return { isolated: globalThis.crossOriginIsolated, variant, threads, values, cancelled, frames };
}

/** The message of the error that a device cannot be made with. */
export async function failure(options: WasmDeviceOptions): Promise<string> {
  try {
    const device = createWasmDevice(options);
    await device.ready;
    return "";
  } catch (error) {
    return String(error);
  }
}
