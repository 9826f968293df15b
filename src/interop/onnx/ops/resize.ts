/** Resizing: every element of the result is a weighted sum of elements of the input, along one axis after another. */

import type { Tensor } from "../../../graph/tensor.js";
import { tensor } from "../../../ops/create.js";
import { add, mul } from "../../../ops/elementwise/arithmetic.js";
import { cast, where } from "../../../ops/elementwise/select.js";
import { take } from "../../../ops/indexing/take.js";
import { matmul } from "../../../ops/linear/matmul.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { upsample } from "../../../ops/upsampling.js";
import type { Call } from "../call.js";
import {
  define,
  float,
  floats,
  int,
  ints,
  type OpTable,
  type Outputs,
  required,
  type Steps,
  string,
} from "../definition.js";
import { dtypeOf } from "../elementTypes.js";
import { type TensorValue, tensorValue } from "../value.js";
import { type Axis, type Sampling, type Taps, tapsOf } from "./taps.js";

/** As elements are gathered; above, a product with a matrix takes less work. */
const mostGathered = 4;

/** Applies weights along an axis. */
function along(x: Tensor, axis: number, { indices, weights, outside }: Taps, extrapolation: number): Tensor {
  const length = indices.length;
  const count = indices[0]?.length ?? 0;
  const column = (values: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>) => [
    values.length,
    ...x.shape.slice(axis + 1).map(() => 1),
  ];
  let result: Tensor | undefined;
  if (length === 0) return take(x, tensor(new Int32Array(0), { device: x.device }), axis);
  if (count <= mostGathered) {
    for (let k = 0; k < count; k++) {
      const picked = take(
        x,
        tensor(
          Int32Array.from(indices, (row) => row[k]),
          { device: x.device },
        ),
        axis,
      );
      const shares = Float32Array.from(weights, (row) => row[k]);
      const term = count === 1 ? picked : (mul(picked, tensor(shares, column(shares), { device: x.device })) as Tensor);
      result = result === undefined ? term : (add(result, term) as Tensor);
    }
  } else {
    const before = x.shape[axis];
    const matrix = new Float32Array(length * before);
    for (let i = 0; i < length; i++)
      for (let k = 0; k < count; k++) matrix[i * before + indices[i][k]] += weights[i][k];
    const [lead, rest] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
    const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
    const product = matmul(
      tensor(matrix, [length, before], { device: x.device }),
      reshape(x, [size(lead), before, size(rest)]),
    );
    result = reshape(product, [...lead, length, ...rest]);
  }
  if (result === undefined || !outside.includes(true)) return result ?? x;
  const flags = Uint8Array.from(outside, Number);
  return where(tensor(flags, column(flags), { dtype: "bool", device: x.device }), extrapolation, result) as Tensor;
}

interface ResizeSettings extends Sampling {
  readonly extrapolation: number;
}

/** Resizes some axes. */
function resized(call: Call, axes: ReadonlyMap<number, Axis>, settings: ResizeSettings): TensorValue {
  const { tensor: given, type } = call.any(0);
  const x = cast(given, "float32") as Tensor;
  for (const { after } of axes.values()) call.tableLength(after);
  const result = known(x, axes, settings) ?? separately(call, x, axes, settings);
  return tensorValue(type, cast(result, dtypeOf(type)));
}

function separately(call: Call, x: Tensor, axes: ReadonlyMap<number, Axis>, settings: ResizeSettings): Tensor {
  let result = x;
  for (const [axis, geometry] of axes) {
    if (geometry.before === 0)
      throw call.shapeError(`axis ${axis} of length ${geometry.before} cannot become ${geometry.after} long`);
    if (geometry.scale === 1 && geometry.after === geometry.before && settings.transform !== "tf_crop_and_resize")
      continue;
    const taps = tapsOf(geometry, settings);
    if (typeof taps === "string") throw call.error(taps);
    result = along(result, axis, taps, settings.extrapolation);
  }
  return result;
}

/** What Fovea's `upsample` computes in the same way. */
function known(
  x: Tensor,
  axes: ReadonlyMap<number, Axis>,
  { mode, transform, nearest, antialias }: ResizeSettings,
): Tensor | undefined {
  const places = x.shape.slice(2).map((_, i) => axes.get(i + 2));
  const whole = places.every((axis) => axis !== undefined && axis.before > 0 && axis.after > 0);
  const others = [0, 1].every((i) => (axes.get(i)?.scale ?? 1) === 1);
  if (antialias || !whole || !others || places.length < 1 || places.length > 3) return undefined;
  const size = places.map((axis) => axis?.after ?? 0);
  const even = places.every((axis) => axis !== undefined && axis.scale === axis.after / axis.before);
  if (mode === "nearest" && transform === "asymmetric" && nearest === "floor" && even) return upsample(x, { size });
  if (mode !== "linear") return undefined;
  if (transform === "align_corners" && even) return upsample(x, { size, mode: "linear", alignCorners: true });
  if (transform === "half_pixel" && even) return upsample(x, { size, mode: "linear" });
  return undefined;
}

/** Axes that become `scale` times as long, rounded down in float32, as exporters expect. */
function byScales(
  x: Tensor | { readonly shape: readonly number[] },
  axes: readonly number[],
  scales: readonly number[],
): Map<number, Axis> {
  return new Map(
    axes.map((axis, i) => {
      const before = x.shape[axis];
      return [axis, { before, after: Math.floor(Math.fround(before * scales[i])), scale: scales[i] }];
    }),
  );
}

/** Axes that become so long; a policy may keep the picture's proportions. */
function bySizes(call: Call, axes: readonly number[], sizes: readonly number[], policy: string): Map<number, Axis> {
  const before = axes.map((axis) => call.shape(0)[axis]);
  const ratios = sizes.map((size, i) => size / before[i]);
  if (policy === "stretch") {
    return new Map(axes.map((axis, i) => [axis, { before: before[i], after: sizes[i], scale: ratios[i] }]));
  }
  if (policy !== "not_larger" && policy !== "not_smaller")
    throw call.error(`keep_aspect_ratio_policy is ${JSON.stringify(policy)}`);
  const scale = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  return new Map(
    axes.map((axis, i) => [axis, { before: before[i], after: Math.floor(scale * before[i] + 0.5), scale }]),
  );
}

interface ResizeAttributes {
  readonly antialias?: number;
  readonly axes?: readonly number[] | undefined;
  readonly coordinate_transformation_mode: string;
  readonly cubic_coeff_a: number;
  readonly exclude_outside: number;
  readonly extrapolation_value: number;
  readonly keep_aspect_ratio_policy?: string;
  readonly mode: string;
  readonly nearest_mode: string;
}

function* resize(call: Call, attributes: ResizeAttributes): Steps<Outputs> {
  const x = call.any(0).tensor;
  const axes = call.axes(attributes.axes ?? x.shape.map((_, axis) => axis), x.rank);
  const roi = call.has(1) ? yield* call.numbers(1) : new Float64Array(0);
  const scales = call.has(2) ? yield* call.numbers(2) : new Float64Array(0);
  const sizes = (yield* call.optionalIntegers(3)) ?? [];
  if (scales.length > 0 === sizes.length > 0) throw call.error("expected either scales or sizes");
  const wanted = scales.length > 0 ? scales.length : sizes.length;
  if (wanted !== axes.length) throw call.error(`there are ${wanted} scales or sizes for ${axes.length} axes`);
  const lengths =
    scales.length > 0
      ? byScales(x, axes, [...scales])
      : bySizes(call, axes, sizes, attributes.keep_aspect_ratio_policy ?? "stretch");
  if (attributes.coordinate_transformation_mode === "tf_crop_and_resize") {
    if (roi.length !== 2 * axes.length)
      throw call.error(`the region has ${roi.length} numbers. Expected ${2 * axes.length}`);
    for (const [i, axis] of axes.entries()) {
      const length = lengths.get(axis);
      if (length !== undefined) lengths.set(axis, { ...length, region: [roi[i], roi[i + axes.length]] });
    }
  }
  return resized(call, lengths, {
    mode: attributes.mode,
    transform: attributes.coordinate_transformation_mode,
    nearest: attributes.nearest_mode,
    coefficient: attributes.cubic_coeff_a,
    excludeOutside: attributes.exclude_outside !== 0,
    antialias: (attributes.antialias ?? 0) !== 0,
    extrapolation: attributes.extrapolation_value,
  });
}

/** Before opset 11: from element 0 on, rounded down. */
function enlarged(call: Call, scales: readonly number[], mode: string): TensorValue {
  const x = call.any(0).tensor;
  if (scales.length !== x.rank) throw call.error(`there are ${scales.length} scales for ${x.rank} axes`);
  const axes = byScales(
    x,
    x.shape.map((_, axis) => axis),
    scales,
  );
  return resized(call, axes, {
    mode: mode === "bilinear" ? "linear" : mode,
    transform: "asymmetric",
    nearest: "floor",
    coefficient: -0.75,
    excludeOutside: false,
    antialias: false,
    extrapolation: 0,
  });
}

function* enlargedByInput(call: Call, { mode }: { readonly mode: string }): Steps<Outputs> {
  return enlarged(call, [...(yield* call.numbers(1))], mode);
}

const mode = string("nearest");

const resizeAttributes = {
  coordinate_transformation_mode: string("half_pixel"),
  cubic_coeff_a: float(-0.75),
  exclude_outside: int(0),
  extrapolation_value: float(0),
  mode,
  nearest_mode: string("round_prefer_floor"),
};

export const resizing: OpTable = {
  Resize: [
    define({ since: 10, attributes: { mode }, known: [1], build: enlargedByInput }),
    define({ since: 11, attributes: resizeAttributes, known: [1, 2, 3], build: resize }),
    define({
      since: 18,
      attributes: {
        ...resizeAttributes,
        antialias: int(0),
        axes: ints(),
        keep_aspect_ratio_policy: string("stretch"),
      },
      known: [1, 2, 3],
      build: resize,
    }),
  ],
  Upsample: [
    define({
      since: 1,
      attributes: { mode, height_scale: required(float()), width_scale: required(float()) },
      build: (call, settings) => enlarged(call, [1, 1, settings.height_scale, settings.width_scale], settings.mode),
    }),
    define({
      since: 7,
      attributes: { mode, scales: required(floats()) },
      build: (call, settings) => enlarged(call, settings.scales, settings.mode),
    }),
    define({ since: 9, attributes: { mode }, known: [1], build: enlargedByInput }),
  ],
};
