/** Pools. */

import { type Shape, sizeOf } from "../../../core/shape.js";
import type { Tensor } from "../../../graph/tensor.js";
import { windowSpan } from "../../../ops/convolution/geometry.js";
import { add, mul, pow, quotient } from "../../../ops/elementwise/arithmetic.js";
import { abs, sqrt } from "../../../ops/elementwise/functions.js";
import { cast } from "../../../ops/elementwise/select.js";
import { arange } from "../../../ops/indexing/oneHot.js";
import { along } from "../../../ops/pooling/along.js";
import { averagePool2dOp } from "../../../ops/pooling/averagePool2d.js";
import { type PoolSettings, withoutOverhang } from "../../../ops/pooling/geometry.js";
import { maxPool2dOp } from "../../../ops/pooling/maxPool2d.js";
import { scatterPlane } from "../../../ops/pooling/planes.js";
import { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d } from "../../../ops/pooling/pool.js";
import { maxPool1dWithIndices, maxPool2dWithIndices, maxPool3dWithIndices } from "../../../ops/pooling/unpool.js";
import { max } from "../../../ops/reduce/extreme.js";
import { mean } from "../../../ops/reduce/mean.js";
import { norm } from "../../../ops/reduce/statistics.js";
import { pad } from "../../../ops/shape/pad.js";
import { reshape } from "../../../ops/shape/reshape.js";
import type { Call } from "../call.js";
import {
  type Definition,
  define,
  float,
  int,
  ints,
  type OpTable,
  type Outputs,
  required,
  type Steps,
} from "../definition.js";
import { dtypeOf } from "../elementTypes.js";
import { type TensorValue, tensorValue } from "../value.js";
import { type Int, remainder } from "./numeric.js";
import { rememberPlanes, withinPlane } from "./planePositions.js";
import { poolAttributes, type WindowSettings, windowsOn } from "./windows.js";

interface Settings extends WindowSettings {
  readonly ceil_mode: number;
}

/** What a pool's node says, complete. */
function settingsOf(call: Call, x: Tensor, settings: Settings): PoolSettings {
  const windows = windowsOn(call, x.shape.slice(2), settings.kernel_shape, settings);
  return { ...windows, ceil: settings.ceil_mode !== 0 };
}

/** Whether Fovea's own functions take these windows: they want each to see something for sure. */
function isUsual(x: Tensor, { kernel, dilation, padding }: PoolSettings): boolean {
  return kernel.every((length, axis) => {
    const border = Math.max(padding[2 * axis], padding[2 * axis + 1]);
    return 2 * border <= windowSpan(length, dilation[axis]) && dilation[axis] <= x.shape[axis + 2];
  });
}

function optionsOf({ stride, padding, dilation, ceil }: PoolSettings) {
  return { stride, padding, dilation, ceilMode: ceil };
}

type Axes = 1 | 2 | 3;

function maxPool(x: Tensor, settings: PoolSettings): Tensor {
  if (!isUsual(x, settings)) return along(x, settings, (input, params) => maxPool2dOp({ input }, params) as Tensor);
  const pool = { 1: maxPool1d, 2: maxPool2d, 3: maxPool3d }[(x.rank - 2) as Axes];
  return pool(x, settings.kernel, optionsOf(settings));
}

function averagePool(x: Tensor, settings: PoolSettings, countIncludePad: boolean): Tensor {
  if (!isUsual(x, settings)) {
    return along(x, settings, (input, params) => {
      return averagePool2dOp({ input }, { ...params, countPadding: countIncludePad }) as Tensor;
    });
  }
  const pool = { 1: avgPool1d, 2: avgPool2d, 3: avgPool3d }[(x.rank - 2) as Axes];
  return pool(x, settings.kernel, { ...optionsOf(settings), countIncludePad });
}

/** Maxima, and where they were in the whole input; integers are pooled as floating point, which holds them exactly. */
function maxPooled(call: Call, settings: Settings & { readonly storage_order: number }): Outputs {
  const { tensor, type } = call.any(0);
  const x = cast(tensor, "float32") as Tensor;
  const windows = settingsOf(call, x, settings);
  if (!call.wants(1)) return tensorValue(type, cast(maxPool(x, windows), dtypeOf(type)));
  if (!isUsual(x, windows)) throw call.error("indices are not there for windows that may see nothing but padding");
  const pool = { 1: maxPool1dWithIndices, 2: maxPool2dWithIndices, 3: maxPool3dWithIndices }[(x.rank - 2) as Axes];
  const { values, indices } = pool(x, windows.kernel, optionsOf(windows));
  const size = x.shape.slice(2);
  const within = settings.storage_order === 0 ? indices : columnsFirst(indices, size);
  const [n, channels] = x.shape;
  const planes = reshape(mul(arange(n * channels), sizeOf(size)), [n, channels, ...size.map(() => 1)]);
  const positions = add(within, planes) as Int;
  rememberPlanes(positions, within, sizeOf(size));
  return [tensorValue(type, cast(values, dtypeOf(type))), tensorValue("int64", positions)];
}

/** Positions counted along the last axis first as positions counted along the first axis first. */
function columnsFirst(positions: Int, size: Shape): Int {
  let rest = positions;
  let result: Int | undefined;
  for (let axis = size.length - 1; axis >= 0; axis--) {
    const weight = sizeOf(size.slice(0, axis));
    const index = mul(remainder(rest, add(mul(rest, 0), size[axis]) as Int), weight) as Int;
    result = result === undefined ? index : (add(result, index) as Int);
    rest = quotient(rest, size[axis]) as Int;
  }
  return result ?? positions;
}

/** Puts values back where they came from: positions are counted in the size that pooling would have started from. */
function* maxUnpooled(call: Call, settings: WindowSettings): Steps<Outputs> {
  const [x, indices] = [call.float(0), call.int(1)];
  const wanted = yield* call.optionalIntegers(2);
  const { kernel, stride, padding } = windowsOn(call, x.shape.slice(2), settings.kernel_shape, settings);
  const size = x.shape
    .slice(2)
    .map((length, axis) => (length - 1) * stride[axis] + kernel[axis] - padding[2 * axis] - padding[2 * axis + 1]);
  const shape = [...x.shape.slice(0, 2), ...size];
  const within = withinPlane(indices, sizeOf(size));
  // Positions of unknown origin may lead from one plane to another.
  const [planes, places] = within === undefined ? [[1, 1], indices] : [x.shape.slice(0, 2), within];
  const row = [...planes, 1, x.size / sizeOf(planes)];
  const whole = scatterPlane(reshape(x, row), reshape(places, row), [1, sizeOf(shape) / sizeOf(planes)]);
  const result = reshape(whole, shape);
  if (wanted === undefined) return tensorValue(call.type(0), result);
  return tensorValue(
    call.type(0),
    pad(
      result,
      wanted.map((length, axis) => [0, length - shape[axis]] as const),
    ),
  );
}

/** (Σ |x|ᵖ)^(1/p) over each window: a mean, times the window's size. */
function lpPooled(call: Call, settings: Settings & { readonly p: number }): TensorValue {
  const x = call.float(0);
  const size = x.shape.slice(2);
  const windows = withoutOverhang("LpPool", size, settingsOf(call, x, settings));
  const sizes = abs(x);
  const powers = settings.p === 1 ? sizes : settings.p === 2 ? mul(x, x) : pow(sizes, settings.p);
  const sums = mul(averagePool(powers as Tensor, windows, true), sizeOf(windows.kernel)) as Tensor;
  return tensorValue(
    call.type(0),
    settings.p === 1 ? sums : settings.p === 2 ? sqrt(sums) : (pow(sums, 1 / settings.p) as Tensor),
  );
}

/** A pool whose only window is the whole plane. */
function globalPool(compute: (x: Tensor, axes: readonly number[]) => Tensor): Definition {
  return define({
    since: 1,
    build: (call) => tensorValue(call.type(0), compute(call.float(0), placesOf(call.float(0)))),
  });
}

/** The axes behind batch and channels. */
function placesOf(x: Tensor): number[] {
  return x.shape.map((_, axis) => axis).slice(2);
}

const globalNorm = (since: number, p: ReturnType<typeof float>): Definition =>
  define({
    since,
    attributes: { p },
    build: (call, settings) => {
      const x = call.float(0);
      return tensorValue(call.type(0), norm(x, placesOf(x), { p: settings.p ?? 2, keepdim: true }));
    },
  });

export const pools: OpTable = {
  MaxPool: [
    define({
      since: 1,
      attributes: { ...poolAttributes, storage_order: int(0) },
      note: "indices only where no window sees nothing but padding",
      build: maxPooled,
    }),
  ],
  AveragePool: [
    define({
      since: 1,
      attributes: { ...poolAttributes, count_include_pad: int(0) },
      build: (call, settings) => {
        const x = call.float(0);
        return tensorValue(
          call.type(0),
          averagePool(x, settingsOf(call, x, settings), settings.count_include_pad !== 0),
        );
      },
    }),
  ],
  LpPool: [
    define({ since: 1, attributes: { ...poolAttributes, p: float(2) }, build: lpPooled }),
    define({ since: 2, attributes: { ...poolAttributes, p: int(2) }, build: lpPooled }),
  ],
  MaxUnpool: [
    define({
      since: 9,
      attributes: { kernel_shape: required(ints()), pads: ints(), strides: ints() },
      known: [2],
      build: (call, settings) => maxUnpooled(call, { ...settings, auto_pad: "NOTSET" }),
    }),
  ],
  GlobalAveragePool: [globalPool((x, axes) => mean(x, axes, { keepdim: true }))],
  GlobalMaxPool: [globalPool((x, axes) => max(x, axes, { keepdim: true }))],
  GlobalLpPool: [globalNorm(1, float(2)), globalNorm(2, int(2))],
};
