/** Pooling as ONNX has it. */

import type { AnyTensor } from "../../../graph/tensor.js";
import { windowSpan } from "../../../ops/convolution/geometry.js";
import { type Attributes, int, ints } from "./builder.js";
import type { Emission } from "./emitter.js";

interface Pool {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  /** [before, after] of each axis. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** [before, after, before, after] as ONNX has it: all befores, then all afters. */
export function borders(padding: readonly number[]): number[] {
  return [...padding.filter((_, i) => i % 2 === 0), ...padding.filter((_, i) => i % 2 === 1)];
}

/**
 * With a border that reaches as far as the last window. Sizes that are rounded up mean different things to different
 * programs; a border means the same to all.
 */
function reaching({ tensor }: Emission, input: AnyTensor, { kernel, stride, padding, dilation }: Pool): number[] {
  return kernel.flatMap((length, axis) => {
    const end = (tensor.shape[axis + 2] - 1) * stride[axis] + windowSpan(length, dilation[axis]);
    const before = padding[2 * axis];
    return [before, Math.max(padding[2 * axis + 1], end - before - input.shape[axis + 2])];
  });
}

function attributes({ kernel, stride, dilation }: Pool, padding: readonly number[]): Attributes {
  return {
    kernel_shape: ints(kernel),
    strides: ints(stride),
    ...(dilation.some((each) => each !== 1) && { dilations: ints(dilation) }),
    pads: ints(borders(padding)),
  };
}

export function maxPool(emission: Emission, input: AnyTensor, pool: Pool): string {
  return emission.node("MaxPool", [emission.value(input)], attributes(pool, reaching(emission, input, pool)));
}

export function averagePool(
  emission: Emission,
  input: AnyTensor,
  pool: Pool & { readonly countPadding: boolean },
): string {
  const { builder, node, value, opset } = emission;
  const { kernel, padding, dilation, countPadding } = pool;
  if (dilation.some((each) => each !== 1) && opset < 19)
    return emission.fail("average pooling has no dilation before opset 19. Fix: { opset: 19 }.");
  const whole = kernel.every((length, axis) => length === input.shape[axis + 2]);
  if (whole && padding.every((each) => each === 0)) return node("GlobalAveragePool", [value(input)]);
  const reach = reaching(emission, input, pool);
  const overhangs = reach.some((each, i) => each !== padding[i]);
  const padded = padding.some((each) => each > 0);
  if (countPadding && padded && overhangs) {
    // The padding counts but what overhangs does not: the padding becomes part of the input.
    const widths = [0, 0, ...padding.filter((_, i) => i % 2 === 0), 0, 0, ...padding.filter((_, i) => i % 2 === 1)];
    const larger = node("Pad", [value(input), builder.integers(widths), builder.number(0)]);
    const rest = reach.map((each, i) => each - padding[i]);
    return node("AveragePool", [larger], attributes(pool, rest));
  }
  return node("AveragePool", [value(input)], {
    ...attributes(pool, reach),
    count_include_pad: int(countPadding && !overhangs),
  });
}
