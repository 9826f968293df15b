/** Windows of convolutions and pools: the attributes that describe them. */

import { windowSpan } from "../../../ops/convolution/geometry.js";
import type { Call } from "../call.js";
import { int, ints, string } from "../definition.js";

/** Of windows that slide. */
export const windowAttributes = {
  auto_pad: string("NOTSET"),
  dilations: ints(),
  kernel_shape: ints(),
  pads: ints(),
  strides: ints(),
};

export const poolAttributes = { ...windowAttributes, ceil_mode: int(0) };

export interface WindowSettings {
  readonly auto_pad: string;
  readonly dilations?: readonly number[] | undefined;
  readonly kernel_shape?: readonly number[] | undefined;
  readonly pads?: readonly number[] | undefined;
  readonly strides?: readonly number[] | undefined;
}

export interface Windows {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** [before, after] of each axis. */
  readonly padding: readonly number[];
}

/** The node's windows on places of lengths `size`. */
export function windowsOn(
  call: Call,
  size: readonly number[],
  kernel: readonly number[] | undefined,
  settings: WindowSettings,
): Windows {
  const axes = size.length;
  if (axes < 1 || axes > 3) throw call.shapeError(`the input has ${axes + 2} axes. Expected N×C and one to three more`);
  const window = counts(call, "kernel_shape", kernel ?? [], axes, 1);
  const stride = counts(call, "strides", settings.strides ?? size.map(() => 1), axes, 1);
  const dilation = counts(call, "dilations", settings.dilations ?? size.map(() => 1), axes, 1);
  return {
    kernel: window,
    stride,
    dilation,
    padding: paddingOf(call, size, { kernel: window, stride, dilation }, settings),
  };
}

function counts(call: Call, name: string, values: readonly number[], axes: number, least: number): readonly number[] {
  if (values.length === axes && values.every((value) => Number.isInteger(value) && value >= least)) return values;
  throw call.error(`${name} is [${values.join(", ")}]. Expected ${axes} integers of ${least} or more`);
}

function paddingOf(
  call: Call,
  size: readonly number[],
  { kernel, stride, dilation }: Omit<Windows, "padding">,
  { auto_pad: mode, pads }: WindowSettings,
): number[] {
  const axes = size.length;
  switch (mode) {
    case "NOTSET":
    case "": {
      const sides = counts(call, "pads", pads ?? [...size, ...size].map(() => 0), 2 * axes, 0);
      return size.flatMap((_, axis) => [sides[axis], sides[axis + axes]]);
    }
    case "VALID":
      return size.flatMap(() => [0, 0]);
    case "SAME_UPPER":
    case "SAME_LOWER":
      return size.flatMap((length, axis) => {
        const positions = Math.ceil(length / stride[axis]);
        const total = Math.max(0, (positions - 1) * stride[axis] + windowSpan(kernel[axis], dilation[axis]) - length);
        const sides = [Math.floor(total / 2), Math.ceil(total / 2)];
        return mode === "SAME_UPPER" ? sides : sides.reverse();
      });
    default:
      throw call.error(`auto_pad is ${JSON.stringify(mode)}. Expected "NOTSET", "VALID", "SAME_UPPER" or "SAME_LOWER"`);
  }
}
