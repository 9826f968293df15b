/** Random settings of functions whose windows slide along one to three axes. */

import * as fovea from "../../../src/index.js";
import { windowCount, windowSpan } from "../../../src/ops/convolution/geometry.js";
import { type DrawCall, perAxis, positive, product } from "./call.js";
import { type Draw, floats } from "./draw.js";

const functions = { ...fovea };

/** Windows along some axes, and places that they fit on; films are kept small. */
function windows(draw: Draw, axes: number, { halfPadding = false } = {}) {
  const longest = [9, 5, 2][axes - 1];
  const kernel = perAxis(axes, () => draw.between(1, draw.pick([1, 3, axes === 1 ? 5 : 3])));
  const stride = draw.oneIn(2) ? perAxis(axes, () => 1) : perAxis(axes, () => draw.between(1, draw.pick([2, 3, 5])));
  const dilation = draw.oneIn(2) ? perAxis(axes, () => 1) : perAxis(axes, () => draw.between(1, 3));
  const spans = kernel.map((length, axis) => windowSpan(length, dilation[axis]));
  const padding = draw.oneIn(3)
    ? spans.flatMap(() => [0, 0])
    : spans.flatMap((span) => {
        const most = halfPadding ? Math.floor(span / 2) : 3;
        return [draw.between(0, most), draw.between(0, most)];
      });
  const size = spans.map((span, axis) => {
    const least = Math.max(1, dilation[axis], span - padding[2 * axis] - padding[2 * axis + 1]);
    return least + draw.between(0, draw.pick([0, 2, longest]));
  });
  draw.trait(
    "dilation",
    kernel.some((length, axis) => length > 1 && dilation[axis] > 1),
  );
  draw.trait(
    "stride > kernel",
    kernel.some((length, axis) => stride[axis] > length),
  );
  draw.trait(
    "overlap",
    kernel.some((length, axis) => stride[axis] > 1 && stride[axis] < length),
  );
  draw.trait(
    "padding",
    padding.some((side) => side > 0),
  );
  draw.trait(
    "asymmetric padding",
    padding.some((side, i) => side !== padding[i ^ 1]),
  );
  draw.trait("length 1", size.includes(1));
  return { kernel, stride, dilation, padding, size };
}

function channels(draw: Draw) {
  const groups = draw.pick([1, 1, 2, 3]);
  const [each, out] = [draw.between(1, 3), draw.between(1, 3)];
  draw.trait("groups", groups > 1);
  draw.trait("depthwise", groups > 1 && each === 1);
  return { groups, each, out };
}

function convolution(name: "conv1d" | "conv2d" | "conv3d" | "trueConvolution", axes: number): DrawCall {
  return (draw) => {
    const { kernel, size, ...settings } = windows(draw, axes);
    const { groups, each, out } = channels(draw);
    const modes = ["reflect", "replicate", "circular"] as const;
    const fits = {
      reflect: (side: number, length: number) => side < length,
      circular: (side: number, length: number) => side <= length,
      replicate: () => true,
    };
    const possible = modes.filter((mode) => settings.padding.every((side, i) => fits[mode](side, size[i >> 1])));
    const paddingMode: fovea.PaddingMode | "zeros" = draw.oneIn(2) ? "zeros" : draw.pick(possible);
    draw.trait(paddingMode, paddingMode !== "zeros");
    draw.trait("dilation with groups", groups > 1 && draw.traits.has("dilation"));
    const named = draw.oneIn(6) ? draw.pick(["same", "full"] as const) : undefined;
    draw.trait(named ?? "", named !== undefined);
    const options: fovea.ConvOptions = {
      ...settings,
      groups,
      ...(named === undefined ? { paddingMode } : { padding: named }),
    };
    const weight = [out * groups, each, ...kernel];
    return {
      inputs: [floats([draw.batch(), each * groups, ...size]), floats(weight), floats([out * groups])],
      settings: options,
      call: (x, w, b) => functions[name](x, w, b, options),
    };
  };
}

function transposed(name: "convTranspose1d" | "convTranspose2d" | "convTranspose3d", axes: number): DrawCall {
  return (draw) => {
    const { kernel, stride, dilation } = windows(draw, axes);
    const { groups, each, out } = channels(draw);
    const size = perAxis(axes, () => draw.between(1, [6, 4, 3][axes - 1]));
    const spans = kernel.map((length, axis) => windowSpan(length, dilation[axis]));
    const padding = size.map((length, axis) => {
      return draw.between(0, Math.min(2, Math.floor(((length - 1) * stride[axis] + spans[axis] - 1) / 2)));
    });
    const outputPadding = stride.map((step, axis) => draw.between(0, Math.max(step, dilation[axis]) - 1));
    draw.trait(
      "output padding",
      outputPadding.some((side) => side > 0),
    );
    const options = { stride, dilation, padding, outputPadding, groups };
    return {
      inputs: [
        floats([draw.batch(), each * groups, ...size]),
        floats([each * groups, out, ...kernel]),
        floats([out * groups]),
      ],
      settings: options,
      call: (x, w, b) => functions[name](x, w, b, options),
    };
  };
}

type PoolName = `${"max" | "min" | "avg" | "lp" | "stochastic"}Pool${1 | 2 | 3}d`;

function pool(name: PoolName, axes: number): DrawCall {
  return (draw) => {
    const { kernel, size, ...settings } = windows(draw, axes, { halfPadding: true });
    const ceilMode = draw.oneIn(2);
    draw.trait("ceil", ceilMode);
    const options = {
      ...{ ...settings, ceilMode },
      ...(name.startsWith("avg") && { countIncludePad: draw.oneIn(2) }),
      ...(name.startsWith("lp") && { p: draw.pick([1, 2, 3]) }),
      ...(name.startsWith("stochastic") && { training: false }),
    };
    const shape = [draw.batch(), draw.between(1, 4), ...size];
    // Roots are steep next to 0.
    const values = name.startsWith("lp") || name.startsWith("stochastic") ? positive(shape) : floats(shape);
    return { inputs: [values], settings: { kernel, ...options }, call: (x) => functions[name](x, kernel, options) };
  };
}

function poolAndBack(axes: 1 | 2 | 3): DrawCall {
  const pools = { 1: fovea.maxPool1dWithIndices, 2: fovea.maxPool2dWithIndices, 3: fovea.maxPool3dWithIndices };
  const unpools = { 1: fovea.maxUnpool1d, 2: fovea.maxUnpool2d, 3: fovea.maxUnpool3d };
  return (draw) => {
    const { kernel, size, ...settings } = windows(draw, axes, { halfPadding: true });
    const options = { ...settings, ceilMode: draw.oneIn(2) };
    draw.trait("ceil", options.ceilMode);
    const equal = draw.oneIn(4);
    draw.trait("equal values", equal);
    const shape = [draw.batch(), draw.between(1, 3), ...size];
    return {
      inputs: [equal ? { shape, dtype: "float32", range: [0.5, 0.5] } : floats(shape)],
      settings: { kernel, ...options },
      call: (x) => {
        const { values, indices } = pools[axes](x, kernel, options);
        return [values, unpools[axes](values, indices, size), indices];
      },
    };
  };
}

function adaptive(name: `adaptive${"Avg" | "Max"}Pool${1 | 2 | 3}d`, axes: number): DrawCall {
  return (draw) => {
    const size = perAxis(axes, () => draw.between(1, [11, 7, 4][axes - 1]));
    const wanted = size.map((length) => draw.between(1, length + 1));
    draw.trait(
      "larger",
      wanted.some((length, axis) => length > size[axis]),
    );
    draw.trait(
      "even",
      wanted.every((length, axis) => size[axis] % length === 0),
    );
    const shape = [draw.batch(), draw.between(1, 3), ...size];
    return { inputs: [floats(shape)], settings: wanted, call: (x) => functions[name](x, wanted) };
  };
}

function unshared(name: "locallyConnected1d" | "locallyConnected2d" | "locallyConnected3d", axes: number): DrawCall {
  return (draw) => {
    const { kernel, size, ...options } = windows(draw, axes);
    const counts = size.map((length, axis) => {
      const border = options.padding[2 * axis] + options.padding[2 * axis + 1];
      return windowCount(length, kernel[axis], options.stride[axis], border, options.dilation[axis]);
    });
    const [inputs, out] = [draw.between(1, 3), draw.between(1, 3)];
    const weight = [product(counts), out, inputs * product(kernel)];
    return {
      inputs: [floats([draw.batch(), inputs, ...size]), floats(weight), floats(weight.slice(0, 2))],
      settings: { kernel, ...options },
      call: (x, w, b) => functions[name](x, w, b, kernel, options),
    };
  };
}

export const windowedFunctions: Readonly<Record<string, DrawCall>> = {
  ...Object.fromEntries(
    ([1, 2, 3] as const).flatMap((axes): [string, DrawCall][] => [
      [`conv${axes}d`, convolution(`conv${axes}d`, axes)],
      [`trueConvolution, ${axes}-D`, convolution("trueConvolution", axes)],
      [`convTranspose${axes}d`, transposed(`convTranspose${axes}d`, axes)],
      [`locallyConnected${axes}d`, unshared(`locallyConnected${axes}d`, axes)],
      [`maxPool${axes}dWithIndices, maxUnpool${axes}d`, poolAndBack(axes)],
      ...(["max", "min", "avg", "lp", "stochastic"] as const).map((kind): [string, DrawCall] => {
        const name: PoolName = `${kind}Pool${axes}d`;
        return [name, pool(name, axes)];
      }),
      ...(["Avg", "Max"] as const).map((kind): [string, DrawCall] => {
        const name = `adaptive${kind}Pool${axes}d` as const;
        return [name, adaptive(name, axes)];
      }),
    ]),
  ),
  unfold(draw) {
    const { kernel, size, ...options } = windows(draw, 2);
    return {
      inputs: [floats([draw.batch(), draw.between(1, 3), ...size])],
      settings: { kernel, ...options },
      call: (x) => fovea.unfold(x, kernel, options),
    };
  },
};
