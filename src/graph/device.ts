/** The device that new tensors live on. Which devices exist is not known here: `setDeviceSource` is given the answer. */

import type { Device } from "../backends/backend.js";
import { DeviceError } from "../core/errors.js";
import { guard } from "./context.js";
import type { AnyTensor } from "./tensor.js";

let chosen: Device | undefined;
let choose: (() => Device) | undefined;

/** Says how a device is found when one is first needed. @internal */
export function setDeviceSource(source: () => Device): void {
  choose = source;
}

/** The device that new tensors and modules live on; chosen when it is first needed. */
export function defaultDevice(): Device {
  if (chosen === undefined) {
    if (choose === undefined) {
      throw new DeviceError(
        'no device is set up. Fix: import { setDevice } from "fovea" and call it, or import "fovea" itself.',
      );
    }
    chosen = choose();
  }
  const device = chosen;
  guard(() => chosen === device);
  return device;
}

export function setDefaultDevice(device: Device | undefined): void {
  chosen = device;
}

/** The device of all `tensors`; numbers and draws belong to whatever they are combined with. */
export function checkSameDevice(op: string, tensors: readonly AnyTensor[]): Device {
  if (tensors.length === 0) return defaultDevice();
  let device: Device | undefined;
  for (const tensor of tensors) {
    if (tensor.origin.kind === "number" || tensor.origin.kind === "draw") continue;
    if (device !== undefined && device !== tensor.device) {
      throw new DeviceError(
        `${op}: one tensor is on ${device.variant}, another on ${tensor.device.variant}. Fix: move one with \`await t.to(device)\`.`,
      );
    }
    device = tensor.device;
  }
  return device ?? tensors[0].device;
}
