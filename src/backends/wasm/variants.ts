/** The builds of the WebAssembly kernels: which one suits this engine, and how it is loaded. */

import { platform } from "#platform";
import { DeviceError } from "../../core/errors.js";

/** `relaxed` multiplies and adds with one rounding, in less time. */
export type WasmVariant = "simd" | "relaxed";

/** `() => i8x16.splat(0)` */
const simdProbe = [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];

/** `(a, b, c) => f32x4.relaxed_madd(splat(a), splat(b), splat(c))[0]`, exported as `f` */
const relaxedProbe = [
  ...[1, 8, 1, 96, 3, 125, 125, 125, 1, 125, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0],
  ...[10, 22, 1, 20, 0, 32, 0, 253, 19, 32, 1, 253, 19, 32, 2, 253, 19, 253, 133, 2, 253, 31, 0, 11],
];

const moduleOf = (sections: readonly number[]) => new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...sections]);

/** Relaxed instructions are let to differ between processors; only a true fused multiply-add is used here. */
function fuses(): boolean {
  const bytes = moduleOf(relaxedProbe);
  if (!WebAssembly.validate(bytes)) return false;
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  return typeof f === "function" && f(1 + 2 ** -12, 1 + 2 ** -12, -1 - 2 ** -11) !== 0;
}

/** The given variant, or the best that works here. */
export function chooseVariant(given: WasmVariant | undefined): WasmVariant {
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(moduleOf(simdProbe))) {
    throw new DeviceError("this JavaScript engine has no WebAssembly SIMD. Fix: a newer browser or Node.");
  }
  if (given === "simd") return given;
  if (fuses()) return "relaxed";
  if (given === "relaxed") throw new DeviceError("this JavaScript engine has no fused multiply-add in relaxed SIMD");
  return "simd";
}

/** Whether several workers can use one memory here. */
export function canShare(): boolean {
  if (typeof SharedArrayBuffer === "undefined" || !platform.canShareMemory()) return false;
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}

/** Each is a chunk of its own, so that only one is ever downloaded. */
const loaders = {
  simd: () => import("./variants/simd.js"),
  "simd-threads": () => import("./variants/simd-threads.js"),
  relaxed: () => import("./variants/relaxed.js"),
  "relaxed-threads": () => import("./variants/relaxed-threads.js"),
};

/** The kernels of a variant in base64, compressed with gzip. */
export function packedKernels(variant: WasmVariant, shared: boolean): string | Promise<string> {
  const name = shared ? (`${variant}-threads` as const) : variant;
  return platform.packedKernels(name) ?? loaders[name]().then(({ kernels }) => kernels);
}
