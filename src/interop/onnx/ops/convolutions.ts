/** Convolutions. */

import type { Tensor } from "../../../graph/tensor.js";
import { type ConvOptions, conv1d, conv2d, conv3d } from "../../../ops/convolution/convolve.js";
import { windowSpan } from "../../../ops/convolution/geometry.js";
import { convTranspose1d, convTranspose2d, convTranspose3d } from "../../../ops/convolution/transpose.js";
import { add } from "../../../ops/elementwise/arithmetic.js";
import { pad } from "../../../ops/shape/pad.js";
import { reshape } from "../../../ops/shape/reshape.js";
import type { Call } from "../call.js";
import { define, int, ints, type OpTable } from "../definition.js";
import { type TensorValue, tensorValue } from "../value.js";
import { type WindowSettings, windowAttributes, windowsOn } from "./windows.js";

/** Convolution along one to three axes. */
export function convolve(
  call: Call,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  settings: WindowSettings & { readonly group: number },
): Tensor {
  const size = x.shape.slice(2);
  const kernel = weight.shape.slice(2);
  const given = settings.kernel_shape;
  if (given !== undefined && given.join() !== kernel.join())
    throw call.shapeError(`kernel_shape is ${given.join("×")}, but the weight is ${weight.shape.join("×")}`);
  const { stride, dilation, padding } = windowsOn(call, size, kernel, settings);
  const options: ConvOptions = { stride, dilation, padding, groups: settings.group };
  return { 1: conv1d, 2: conv2d, 3: conv3d }[size.length as 1 | 2 | 3](x, weight, bias, options);
}

interface TransposeSettings extends WindowSettings {
  readonly group: number;
  readonly output_padding: readonly number[] | undefined;
  readonly output_shape: readonly number[] | undefined;
}

/** What is cut off the full result at both ends of an axis, and how long the rest is; negative where zeros are added. */
interface Cut {
  readonly before: number;
  readonly length: number;
}

function transposed(call: Call, settings: TransposeSettings): TensorValue {
  const x = call.float(0);
  const weight = call.float(1);
  const size = x.shape.slice(2);
  const kernel = weight.shape.slice(2);
  const { stride, dilation } = windowsOn(call, size, kernel, { ...settings, auto_pad: "VALID" });
  const extra = settings.output_padding ?? size.map(() => 0);
  const full = size.map((length, axis) => (length - 1) * stride[axis] + windowSpan(kernel[axis], dilation[axis]));
  const cuts = size.map((length, axis) =>
    cutOf(call, settings, axis, full[axis] + (extra[axis] ?? 0), length * stride[axis]),
  );
  const transpose = { 1: convTranspose1d, 2: convTranspose2d, 3: convTranspose3d }[size.length as 1 | 2 | 3];
  const options = { stride, dilation, groups: settings.group };
  const bias = call.optionalFloat(2);
  const after = cuts.map(({ before, length }, axis) => full[axis] - before - length);
  const direct = cuts.every(
    ({ before }, axis) => before >= 0 && (after[axis] >= 0 || -after[axis] < Math.max(stride[axis], dilation[axis])),
  );
  if (direct) {
    // What is longer than the windows reach is the output padding, which takes no part in what is cut.
    const outputPadding = after.map((cut) => Math.max(0, -cut));
    const padding = cuts.flatMap(({ before }, axis) => [before, Math.max(0, after[axis])]);
    return tensorValue(call.type(0), transpose(x, weight, bias, { ...options, padding, outputPadding }));
  }
  const whole = transpose(x, weight, null, options);
  const cut = pad(
    whole,
    cuts.map(({ before }, axis) => [-before, -after[axis]] as const),
  );
  const shifted = bias === null ? cut : (add(cut, reshape(bias, [bias.size, ...size.map(() => 1)])) as Tensor);
  return tensorValue(call.type(0), shifted);
}

/** @param full length of the result before anything is cut off; @param same its length for padding of the kind "same" */
function cutOf(call: Call, settings: TransposeSettings, axis: number, full: number, same: number): Cut {
  const { auto_pad: mode, output_shape: given, pads = [] } = settings;
  const axes = call.tensor(0).rank - 2;
  // Some write the whole shape, batch and channels first.
  const length = given?.at(axis - axes) ?? (mode === "SAME_UPPER" || mode === "SAME_LOWER" ? same : undefined);
  if (length === undefined) {
    const [before, after] = mode === "VALID" ? [0, 0] : [pads[axis] ?? 0, pads[axis + axes] ?? 0];
    return { before, length: full - before - after };
  }
  const total = full - length;
  return { before: mode === "SAME_UPPER" ? Math.floor(total / 2) : total - Math.floor(total / 2), length };
}

export const convolutions: OpTable = {
  Conv: [
    define({
      since: 1,
      attributes: { ...windowAttributes, group: int(1) },
      build: (call, settings) =>
        tensorValue(call.type(0), convolve(call, call.float(0), call.float(1), call.optionalFloat(2), settings)),
    }),
  ],
  ConvTranspose: [
    define({
      since: 1,
      attributes: { ...windowAttributes, group: int(1), output_padding: ints(), output_shape: ints() },
      build: transposed,
    }),
  ],
};
