/** Random settings of ops whose windows slide over pictures. */

import type { Resampling } from "../../../src/core/resampling.js";
import type { Shape } from "../../../src/core/shape.js";
import { windowCount, windowSpan } from "../../../src/ops/convolution/geometry.js";
import { type AveragePool2dParams, type Pool2dParams, pooledShape } from "../../../src/ops/pooling/geometry.js";
import { type Configuration, type Draw, floats } from "./draw.js";

type Sides = readonly [number, number, number, number];

/** The four sides of a border; `most` for each axis. */
function sides(draw: Draw, most: readonly [number, number]): Sides {
  const drawn: Sides = draw.oneIn(4)
    ? [0, 0, 0, 0]
    : [draw.between(0, most[0]), draw.between(0, most[0]), draw.between(0, most[1]), draw.between(0, most[1])];
  draw.trait(
    "padding",
    drawn.some((side) => side > 0),
  );
  draw.trait("asymmetric padding", drawn[0] !== drawn[1] || drawn[2] !== drawn[3]);
  return drawn;
}

function windows(draw: Draw) {
  const kernel = draw.pair(1, draw.pick([1, 3, 3, 5]));
  const stride = draw.oneIn(2) ? ([1, 1] as const) : draw.pair(1, draw.pick([2, 3, 6]));
  const dilation = draw.oneIn(2) ? ([1, 1] as const) : draw.pair(1, 3);
  const dilated = [0, 1].some((axis) => dilation[axis] > 1 && kernel[axis] > 1);
  draw.trait("kernel 1×1", kernel[0] === 1 && kernel[1] === 1);
  draw.trait(
    "even kernel",
    kernel.some((length) => length % 2 === 0),
  );
  draw.trait(
    "stride > kernel",
    kernel.some((length, axis) => stride[axis] > length),
  );
  draw.trait(
    "overlap",
    kernel.some((length, axis) => stride[axis] > 1 && stride[axis] < length),
  );
  draw.trait("dilation", dilated);
  return { kernel, stride, dilation, dilated };
}

function convolution(draw: Draw) {
  const { kernel, stride, dilation, dilated } = windows(draw);
  const padding = sides(draw, [draw.between(0, 4), draw.between(0, 4)]);
  const groups = draw.pick([1, 1, 1, 2, 3, 5]);
  const [perGroup, outPerGroup] = [draw.length(draw.pick([1, 4, 17])), draw.length(draw.pick([1, 4, 17]))];
  draw.trait("groups", groups > 1);
  draw.trait("depthwise", groups > 1 && perGroup === 1);
  draw.trait("dilation with groups", dilated && groups > 1);
  const size = [0, 1].map((axis) => {
    const border = padding[2 * axis] + padding[2 * axis + 1];
    const least = Math.max(1, windowSpan(kernel[axis], dilation[axis]) - border);
    draw.trait("kernel larger than input", least + border > least && windowSpan(kernel[axis], dilation[axis]) > least);
    return least + draw.between(0, draw.pick([0, 3, 9]));
  });
  const counts = size.map((length, axis) =>
    windowCount(length, kernel[axis], stride[axis], padding[2 * axis] + padding[2 * axis + 1], dilation[axis]),
  );
  draw.trait(
    "one place",
    counts.every((count) => count === 1),
  );
  const batch = draw.batch();
  return {
    input: [batch, groups * perGroup, ...size],
    weight: [groups * outPerGroup, perGroup, ...kernel],
    output: [batch, groups * outPerGroup, ...counts],
    params: { stride, padding, dilation, groups },
  };
}

function pooling(draw: Draw) {
  const { kernel, stride, dilation } = windows(draw);
  const most = [0, 1].map((axis) => Math.floor(windowSpan(kernel[axis], dilation[axis]) / 2));
  const padding = sides(draw, [most[0], most[1]]);
  const ceil = draw.oneIn(2);
  const size = [0, 1].map((axis) => {
    const border = padding[2 * axis] + padding[2 * axis + 1];
    // Long enough for every window to see an element.
    const least = Math.max(1, dilation[axis], windowSpan(kernel[axis], dilation[axis]) - border);
    return least + draw.between(0, draw.pick([0, 3, 17]));
  });
  draw.trait(
    "ceil",
    ceil &&
      size.some((length, axis) => {
        const border = padding[2 * axis] + padding[2 * axis + 1];
        return (length + border - windowSpan(kernel[axis], dilation[axis])) % stride[axis] !== 0;
      }),
  );
  const input = [draw.batch(), draw.length(17), ...size];
  const params: Pool2dParams = { kernel, stride, padding, dilation, ceil };
  return { input, params };
}

function averagePooling(draw: Draw) {
  const { input, params } = pooling(draw);
  const countPadding = draw.oneIn(2);
  draw.trait("padding not counted", !countPadding && params.padding.some((side) => side > 0));
  const complete: AveragePool2dParams = { ...params, countPadding };
  return { input, params: complete };
}

/** Values all different, or few and equal: the first of equal ones must win. */
function competing(draw: Draw, { input, params }: { input: Shape; params: object }): Configuration {
  const equal = draw.oneIn(4);
  draw.trait("equal values", equal);
  return { inputs: { input: equal ? { ...floats(input), range: [0.5, 0.5] } : floats(input) }, params };
}

function plane(draw: Draw) {
  const [batch, channels, size] = [draw.batch(), draw.length(5), draw.pair(1, 7)];
  draw.trait("plane of 1", size[0] * size[1] === 1);
  const small = [batch, channels, draw.length(5), draw.length(5)];
  draw.trait("more values than places", small[2] * small[3] > size[0] * size[1]);
  return { size, large: [batch, channels, ...size], small, indices: draw.indices(small, size[0] * size[1]) };
}

function parts(draw: Draw) {
  const input = [draw.batch(), draw.length(5), draw.between(1, 19), draw.between(1, 19)];
  const size = draw.pair(1, 9);
  draw.trait("more parts than places", size[0] > input[2] || size[1] > input[3]);
  return { input, params: { size } };
}

function resampling(draw: Draw): Configuration {
  const along = (): readonly [Resampling | null, number, number] => {
    const [before, after] = draw.pair(1, draw.pick([3, 9, 19]));
    draw.trait("shorter", after < before);
    draw.trait("length 1", before === 1 || after === 1);
    const kind = draw.pick(["nearest", "linear", "mean", undefined] as const);
    draw.trait(kind ?? "left as it is", true);
    if (kind === undefined) return [null, before, before];
    if (kind === "mean") return [{ kind, before, after }, before, after];
    // Steps need not fit the lengths: of a scale the length is rounded down.
    const step = (before / after) * draw.pick([1, 1, 0.93]);
    if (kind === "nearest") return [{ kind, before, after, step }, before, after];
    return [{ kind, before, after, step: draw.oneIn(3) ? null : step }, before, after];
  };
  const [[rows, top, bottom], [columns, left, right]] = [along(), along()];
  const transposed = draw.oneIn(2);
  draw.trait("transposed", transposed);
  const lead = [draw.batch(), draw.pick([1, 2, 5, 40])];
  const input = [...lead, ...(transposed ? [bottom, right] : [top, left])];
  return { inputs: { input: floats(input) }, params: { rows, columns, transposed } };
}

export const windowConfigurations = {
  conv2d(draw: Draw): Configuration {
    const { input, weight, params } = convolution(draw);
    return { inputs: { input: floats(input), weight: floats(weight) }, params };
  },
  conv2dInputGradient(draw: Draw): Configuration {
    const { input, weight, output, params } = convolution(draw);
    return { inputs: { upstream: floats(output), weight: floats(weight) }, params: { ...params, input } };
  },
  conv2dWeightGradient(draw: Draw): Configuration {
    const { input, weight, output, params } = convolution(draw);
    return { inputs: { upstream: floats(output), input: floats(input) }, params: { ...params, weight } };
  },
  maxPool2d: (draw: Draw): Configuration => competing(draw, pooling(draw)),
  maxPool2dIndices: (draw: Draw): Configuration => competing(draw, pooling(draw)),
  averagePool2d(draw: Draw): Configuration {
    const { input, params } = averagePooling(draw);
    return { inputs: { input: floats(input) }, params };
  },
  averagePool2dGradient(draw: Draw): Configuration {
    const { input, params } = averagePooling(draw);
    const upstream = pooledShape("avgPool2d", input, params);
    return { inputs: { upstream: floats(upstream) }, params: { ...params, input } };
  },
  adaptiveMaxPool2d: (draw: Draw): Configuration => competing(draw, parts(draw)),
  adaptiveMaxPool2dIndices: (draw: Draw): Configuration => competing(draw, parts(draw)),
  resample: resampling,
  scatterPlane(draw: Draw): Configuration {
    const { size, small, indices } = plane(draw);
    return { inputs: { values: floats(small), indices }, params: { size } };
  },
  gatherPlane(draw: Draw): Configuration {
    const { large, indices } = plane(draw);
    return { inputs: { input: floats(large), indices }, params: {} };
  },
} as const;
