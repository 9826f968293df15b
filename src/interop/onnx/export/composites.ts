/** How operations that consist of several ops become single nodes of ONNX. */

import type { AnyTensor } from "../../../graph/tensor.js";
import type { Composite, CompositeOf } from "../../../ops/composites.js";
import { windowSpan } from "../../../ops/convolution/geometry.js";
import { type Attributes, float, int, ints, text } from "./builder.js";
import type { Emission } from "./emitter.js";
import { averagePool, borders, maxPool } from "./windows.js";

export function emitComposite(emission: Emission, form: Composite): string {
  const { builder, node, tensor } = emission;
  const names = form.inputs.map((input) => (input === undefined ? "" : emission.value(input)));
  const [x] = form.inputs;
  if (x === undefined) throw new Error("a composite has an input");
  const single = (opType: string, attributes: Attributes = {}) => node(opType, names, attributes);
  switch (form.name) {
    case "convolution":
      return single("Conv", {
        strides: ints(form.params.stride),
        dilations: ints(form.params.dilation),
        pads: ints(borders(form.params.padding)),
        group: int(form.params.groups),
      });
    case "transposedConvolution":
      return transposedConvolution(emission, x, form, names);
    case "linear":
      return linear(emission, x, form, names);
    case "maxPool":
      return maxPool(emission, x, form.params);
    case "averagePool":
      return averagePool(emission, x, form.params);
    case "mean":
      if (form.params.axes.length === 0) return names[0];
      return mean(emission, names[0], form.params);
    case "batchNorm": {
      const [, centre, spread] = names;
      const features = tensor.shape[1];
      const scale = names[3] || builder.filled(1, [features]);
      const shift = names[4] || builder.filled(0, [features]);
      return node("BatchNormalization", [names[0], scale, shift, centre, spread], {
        epsilon: float(form.params.epsilon),
      });
    }
    case "layerNorm": {
      const scale = names[1] || builder.filled(1, x.shape.slice(form.params.axis));
      return node("LayerNormalization", [names[0], scale, names[2]], {
        axis: int(form.params.axis),
        epsilon: float(form.params.epsilon),
      });
    }
    case "instanceNorm": {
      const channels = tensor.shape[1];
      const scale = names[1] || builder.filled(1, [channels]);
      const shift = names[2] || builder.filled(0, [channels]);
      return node("InstanceNormalization", [names[0], scale, shift], { epsilon: float(form.params.epsilon) });
    }
    case "localResponseNorm":
      return localResponseNorm(emission, x, form.params);
    case "softmax":
      return single("Softmax", { axis: int(form.params.axis) });
    case "logSoftmax":
      return single("LogSoftmax", { axis: int(form.params.axis) });
    case "leakyRelu":
      return single("LeakyRelu", { alpha: float(form.params.slope) });
    case "prelu":
      return single("PRelu");
    case "elu":
      return single("Elu", { alpha: float(form.params.alpha) });
    case "selu":
      return single("Selu", { alpha: float(1.6732632423543772), gamma: float(1.0507009873554805) });
    case "softplus":
      return single("Softplus");
    case "hardsigmoid":
      return single("HardSigmoid", { alpha: float(1 / 6), beta: float(0.5) });
    case "hardswish":
      return single("HardSwish");
    case "clip":
      return node("Clip", [names[0], builder.number(form.params.low), builder.number(form.params.high)]);
    case "upsample":
      return upsample(emission, x, form);
    case "pixelShuffle":
      return single("DepthToSpace", { blocksize: int(form.params.factor), mode: text("CRD") });
  }
}

function mean(
  { builder, node, tensor, opset }: Emission,
  x: string,
  { axes, keepdim }: CompositeOf<"mean">["params"],
): string {
  const places = axes.length === tensor.rank - 2 && axes.every((axis, i) => axis === i + 2);
  if (keepdim && places) return node("GlobalAveragePool", [x]);
  if (opset < 18) return node("ReduceMean", [x], { axes: ints(axes), keepdims: int(keepdim) });
  return node("ReduceMean", [x, builder.integers(axes)], { keepdims: int(keepdim) });
}

function linear(
  { builder, node }: Emission,
  x: AnyTensor,
  form: CompositeOf<"linear">,
  [input, weight, bias]: readonly string[],
): string {
  if (x.rank === 2) return node("Gemm", [input, weight, ...(bias === undefined ? [] : [bias])], { transB: int(1) });
  const matrix = form.inputs[1];
  if (matrix === undefined) throw new Error("a linear layer has a weight");
  const turned = node("Transpose", [weight], { perm: ints([1, 0]) });
  const product = node("MatMul", [input, turned]);
  return bias === undefined ? product : builder.node("", "Add", [product, bias]);
}

function transposedConvolution(
  { node, fail }: Emission,
  x: AnyTensor,
  form: CompositeOf<"transposedConvolution">,
  names: readonly string[],
): string {
  const { stride, padding, dilation, groups, size } = form.params;
  const kernel = form.inputs[1]?.shape.slice(2) ?? [];
  const extra = size.map((length, axis) => {
    const reached = (x.shape[axis + 2] - 1) * stride[axis] + windowSpan(kernel[axis], dilation[axis]);
    return length - (reached - padding[2 * axis] - padding[2 * axis + 1]);
  });
  if (extra.some((each, axis) => each >= Math.max(stride[axis], dilation[axis])))
    return fail("its output padding is larger than a step.");
  return node("ConvTranspose", names, {
    strides: ints(stride),
    dilations: ints(dilation),
    pads: ints(borders(padding)),
    group: int(groups),
    ...(extra.some((each) => each !== 0) && { output_padding: ints(extra) }),
  });
}

/**
 * ONNX's even neighbourhoods lean to the other side, and its alpha is divided by the size as ours is; an even one is a
 * neighbourhood of one channel more whose first counts nothing, which ONNX cannot say: it is computed from means.
 */
function localResponseNorm(
  { builder, node, value, tensor, fail }: Emission,
  x: AnyTensor,
  { size, alpha, beta, k }: CompositeOf<"localResponseNorm">["params"],
): string {
  if (size % 2 === 1)
    return node("LRN", [value(x)], { size: int(size), alpha: float(alpha), beta: float(beta), bias: float(k) });
  if (tensor.rank !== 4) return fail("an even size is only exported for N×C×H×W.");
  // The mean over `size` channels as a convolution of channels with a band of ones.
  const channels = x.shape[1];
  const band = new Float32Array(channels * channels);
  for (let to = 0; to < channels; to++)
    for (let from = to - size / 2; from < to + size / 2; from++)
      if (from >= 0 && from < channels) band[to * channels + from] = alpha / size;
  const weight = builder.constant([channels, channels, 1, 1], "float32", band);
  const sums = node("Conv", [node("Mul", [value(x), value(x)]), weight]);
  const scale = node("Pow", [node("Add", [sums, builder.number(k)]), builder.number(beta)]);
  return node("Div", [value(x), scale]);
}

function upsample(
  { builder, node, value, tensor, opset }: Emission,
  x: AnyTensor,
  form: CompositeOf<"upsample">,
): string {
  const { mode, alignCorners, scales } = form.params;
  const places = tensor.shape.slice(2).map((_, axis) => axis + 2);
  const attributes: Attributes =
    mode === "nearest"
      ? { mode: text("nearest"), coordinate_transformation_mode: text("asymmetric"), nearest_mode: text("floor") }
      : {
          mode: text("linear"),
          coordinate_transformation_mode: text(alignCorners ? "align_corners" : "half_pixel"),
        };
  if (scales === undefined && opset >= 18) {
    const sizes = builder.integers(tensor.shape.slice(2));
    return node("Resize", [value(x), "", "", sizes], { ...attributes, axes: ints(places) });
  }
  const factors = scales ?? places.map((axis) => tensor.shape[axis] / x.shape[axis]);
  const scale = builder.constant([x.rank], "float32", Float32Array.from([1, 1, ...factors]));
  return node("Resize", [value(x), "", scale], attributes);
}
