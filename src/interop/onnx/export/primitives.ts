/** How each op becomes nodes of ONNX. Ops that only training needs have no rule. */

import { type Shape, sizeOf } from "../../../core/shape.js";
import type { Op } from "../../../graph/op.js";
import type { AnyTensor } from "../../../graph/tensor.js";
import { conv2dInputGradientOp, conv2dOp } from "../../../ops/convolution/conv2d.js";
import { windowSpan } from "../../../ops/convolution/geometry.js";
import * as elementwise from "../../../ops/elementwise/operations.js";
import { scatterAlongAxisOp, takeAlongAxisOp } from "../../../ops/indexing/alongAxis.js";
import { iotaOp, oneHotOp } from "../../../ops/indexing/oneHot.js";
import { argSortOp } from "../../../ops/indexing/sort.js";
import { scatterTakeOp, takeOp } from "../../../ops/indexing/take.js";
import { matmulOp } from "../../../ops/linear/matmul.js";
import { adaptiveMaxPool2dOp } from "../../../ops/pooling/adaptiveMaxPool2d.js";
import { averagePool2dOp } from "../../../ops/pooling/averagePool2d.js";
import { maxPool2dIndicesOp, maxPool2dOp } from "../../../ops/pooling/maxPool2d.js";
import { gatherPlaneOp, scatterPlaneOp } from "../../../ops/pooling/planes.js";
import { normalOp, uniformOp } from "../../../ops/random/random.js";
import { argMaxOp, argMinOp, maxOp, minOp } from "../../../ops/reduce/extreme.js";
import { expandOp, sumOp } from "../../../ops/reduce/sum.js";
import { resampleOp } from "../../../ops/resampling.js";
import { concatOp } from "../../../ops/shape/concat.js";
import { permuteOp } from "../../../ops/shape/permute.js";
import { detachOp, reshapeOp } from "../../../ops/shape/reshape.js";
import { embedOp, sliceOp } from "../../../ops/shape/slice.js";
import { withGradientOp } from "../../../ops/withGradient.js";
import { type Attributes, elementTypes, int, ints, type Length, text, toEnd } from "./builder.js";
import type { Emission } from "./emitter.js";
import { emitParts, emitResample, type Reduction, reduce } from "./planes.js";
import { averagePool, borders, maxPool } from "./windows.js";

type Rule = (emission: Emission, inputs: readonly AnyTensor[], params: object) => string;

/** The rule of an op, with the types of its inputs and parameters. */
function rule<Name extends string, Inputs extends string, Params extends object>(
  op: Op<Name, Inputs, Params>,
  emit: (emission: Emission, inputs: Readonly<Record<Inputs, AnyTensor>>, params: Params) => string,
): readonly [string, Rule] {
  const { name, inputs: names } = op.spec;
  return [
    name,
    (emission, inputs, params) => {
      const named = Object.fromEntries(names.map((each, i) => [each, inputs[i]])) as Record<Inputs, AnyTensor>;
      return emit(emission, named, params as Params);
    },
  ];
}

/** An op that is one node with the same inputs. */
function node(op: { readonly spec: { readonly name: string } }, opType: string): readonly [string, Rule] {
  return [op.spec.name, (emission, inputs) => emission.node(opType, inputs.map(emission.value))];
}

/** An elementwise op that ONNX has no word for. */
function unary(
  op: { readonly spec: { readonly name: string } },
  emit: (emission: Emission, x: string) => string,
): readonly [string, Rule] {
  return [op.spec.name, (emission, [x]) => emit(emission, emission.value(x))];
}

const windowAttributes = ({ stride, padding, dilation }: Parameters<typeof conv2dOp>[1]): Attributes => ({
  strides: ints(stride),
  dilations: ints(dilation),
  pads: ints(borders(padding)),
});

const reduction = (opType: Reduction) =>
  function emit(
    emission: Emission,
    { input }: { readonly input: AnyTensor },
    { axes, keepdim }: { readonly axes: readonly number[]; readonly keepdim: boolean },
  ): string {
    // Without axes ONNX would reduce all of them.
    if (axes.length === 0) return emission.value(input);
    return reduce(emission, opType, emission.value(input), axes, keepdim);
  };

const argExtreme = (opType: "ArgMax" | "ArgMin") =>
  function emit(
    { node, value }: Emission,
    { input }: { readonly input: AnyTensor },
    { axis, keepdim }: { readonly axis: number; readonly keepdim: boolean },
  ): string {
    const found = node(opType, [value(input)], { axis: int(axis), keepdims: int(keepdim) });
    return node("Cast", [found], { to: int(elementTypes.int32) });
  };

/** Lengths with at most one that varies, which ONNX finds out itself. */
function reshapeTo({ builder, node }: Emission, x: string, lengths: readonly Length[]): string {
  const varying = lengths.filter((length) => typeof length !== "number").length;
  if (varying !== 1 || lengths.includes(0))
    return node("Reshape", [x, builder.lengths(lengths)], { allowzero: int(1) });
  return node("Reshape", [x, builder.integers(lengths.map((length) => (typeof length === "number" ? length : -1)))]);
}

/** How many elements tensors with such lengths have. */
function productOf(emission: Emission, lengths: readonly Length[]): Length {
  const varying = lengths.filter((length) => typeof length !== "number").length;
  if (varying > 1) return emission.fail("two of its lengths vary with the batch. Fix: { dynamicBatch: false }.");
  const product = lengths.reduce<number>((a, b) => a * (typeof b === "number" ? b : b.perSample), 1);
  return varying === 0 ? product : { perSample: product };
}

function emitSlice(
  emission: Emission,
  input: AnyTensor,
  { begin, step, size }: { readonly begin: readonly number[]; readonly step: readonly number[]; readonly size: Shape },
): string {
  const { builder, node, value } = emission;
  const [from, to] = [emission.lengths(input), emission.lengths(emission.tensor)];
  const cut = size
    .map((_, axis) => axis)
    .filter((axis) => begin[axis] !== 0 || step[axis] !== 1 || size[axis] !== input.shape[axis]);
  if (cut.length === 0) return value(input);
  const ends = cut.map((axis) => {
    const batch = typeof from[axis] !== "number" || typeof to[axis] !== "number";
    if (batch && begin[axis] === 0 && step[axis] > 0) return toEnd;
    if (batch && begin[axis] === input.shape[axis] - 1 && step[axis] < 0) return -toEnd;
    if (batch) return emission.fail("a part of the batch is cut out. Fix: { dynamicBatch: false }.");
    const end = begin[axis] + (size[axis] - 1) * step[axis] + Math.sign(step[axis]);
    return end < 0 ? -toEnd : end;
  });
  const pick = (values: readonly number[]) => builder.integers(cut.map((axis) => values[axis]));
  const starts = begin.map((each, axis) => (typeof from[axis] !== "number" && each > 0 ? toEnd : each));
  return node("Slice", [value(input), pick(starts), builder.integers(ends), builder.integers(cut), pick(step)]);
}

/** `input` on a larger tensor of one value; where it has gaps it is filled up along one axis after another. */
function emitEmbed(
  emission: Emission,
  input: AnyTensor,
  params: {
    readonly shape: Shape;
    readonly begin: readonly number[];
    readonly step: readonly number[];
    readonly value: number;
  },
): string {
  const { builder, node, value, lengths } = emission;
  const { shape, begin, step, value: fill } = params;
  const { dtype } = input;
  let name = value(input);
  let piece = [...lengths(input)];
  for (const [axis, each] of step.entries()) {
    if (each === 1) continue;
    const length = piece[axis];
    if (each < 1 || typeof length !== "number") return emission.fail("it places elements backwards.");
    // A new axis after this one, padded to the step and merged, puts each element in front of a gap.
    const split = reshapeTo(emission, name, [...piece.slice(0, axis + 1), 1, ...piece.slice(axis + 1)]);
    const rank = piece.length + 1;
    const gaps = Array.from({ length: 2 * rank }, (_, i) => (i === rank + axis + 1 ? each - 1 : 0));
    const padded = node("Pad", [split, builder.integers(gaps), builder.number(fill, dtype)]);
    piece = piece.map((old, i) => (i === axis ? length * each : old));
    name = reshapeTo(emission, padded, piece);
  }
  const target = lengths(emission.tensor);
  const after = shape.map((_, axis) => {
    const [have, want] = [piece[axis], target[axis]];
    if (typeof have === "number" && typeof want === "number") return want - begin[axis] - have;
    return 0;
  });
  if ([...begin, ...after].every((each) => each === 0)) return name;
  return node("Pad", [name, builder.integers([...begin, ...after]), builder.number(fill, dtype)]);
}

const refuseRandom: Rule = ({ fail }) => fail("a file gives the same result each time, without random numbers.");

/** Planes as rows, for the gathering and scattering of ONNX. */
function rows(emission: Emission, tensor: AnyTensor): string {
  const [n, channels, height, width] = emission.lengths(tensor);
  return reshapeTo(emission, emission.value(tensor), [n, channels, Number(height) * Number(width)]);
}

/** Ops that only gradients consist of, and that ONNX has no operators for. */
export const trainingOnly = ["conv2dWeightGradient", "averagePool2dGradient", "adaptiveMaxPool2dIndices"] as const;

/** By the ops' names. */
export const primitiveRules: Readonly<Record<string, Rule | undefined>> = Object.fromEntries([
  node(elementwise.addOp, "Add"),
  node(elementwise.subtractOp, "Sub"),
  node(elementwise.multiplyOp, "Mul"),
  node(elementwise.divideOp, "Div"),
  // Both round towards zero.
  node(elementwise.quotientOp, "Div"),
  node(elementwise.maximumOp, "Max"),
  node(elementwise.minimumOp, "Min"),
  node(elementwise.powerOp, "Pow"),
  node(elementwise.negateOp, "Neg"),
  node(elementwise.absoluteOp, "Abs"),
  node(elementwise.signOp, "Sign"),
  node(elementwise.floorOp, "Floor"),
  node(elementwise.expOp, "Exp"),
  node(elementwise.logOp, "Log"),
  unary(elementwise.expm1Op, ({ builder, node }, x) => node("Sub", [node("Exp", [x]), builder.number(1)])),
  unary(elementwise.log1pOp, ({ builder, node }, x) => node("Log", [node("Add", [x, builder.number(1)])])),
  node(elementwise.erfOp, "Erf"),
  node(elementwise.sqrtOp, "Sqrt"),
  node(elementwise.sinOp, "Sin"),
  node(elementwise.cosOp, "Cos"),
  node(elementwise.tanhOp, "Tanh"),
  node(elementwise.sigmoidOp, "Sigmoid"),
  node(elementwise.reluOp, "Relu"),
  node(elementwise.equalOp, "Equal"),
  rule(elementwise.notEqualOp, ({ node, value }, { a, b }) => node("Not", [node("Equal", [value(a), value(b)])])),
  node(elementwise.lessOp, "Less"),
  node(elementwise.lessEqualOp, "LessOrEqual"),
  node(elementwise.andOp, "And"),
  node(elementwise.orOp, "Or"),
  node(elementwise.notOp, "Not"),
  node(elementwise.whereOp, "Where"),
  rule(elementwise.castOp, ({ node, value }, { x }, { to }) => node("Cast", [value(x)], { to: int(elementTypes[to]) })),

  rule(reshapeOp, (emission, { input }) =>
    reshapeTo(emission, emission.value(input), emission.lengths(emission.tensor)),
  ),
  unary(detachOp, (_, x) => x),
  [withGradientOp.spec.name, (emission, [value]) => emission.value(value)],
  rule(permuteOp, ({ node, value }, { input }, { axes }) => node("Transpose", [value(input)], { perm: ints(axes) })),
  rule(expandOp, ({ builder, node, value, lengths, tensor }, { input }) =>
    node("Expand", [value(input), builder.lengths(lengths(tensor))]),
  ),
  rule(sliceOp, (emission, { input }, params) => emitSlice(emission, input, params)),
  rule(embedOp, (emission, { input }, params) => emitEmbed(emission, input, params)),
  [
    concatOp.spec.name,
    ({ node, value }, inputs, params) =>
      node("Concat", inputs.map(value), { axis: int((params as Parameters<typeof concatOp>[1]).axis) }),
  ],

  rule(sumOp, reduction("ReduceSum")),
  rule(maxOp, reduction("ReduceMax")),
  rule(minOp, reduction("ReduceMin")),
  rule(argMaxOp, argExtreme("ArgMax")),
  rule(argMinOp, argExtreme("ArgMin")),

  rule(adaptiveMaxPool2dOp, (emission, { input }, { size }) => emitParts(emission, input, size)),
  rule(resampleOp, (emission, { input }, params) => emitResample(emission, input, params)),

  rule(matmulOp, ({ node, value }, { a, b }, { transposeA, transposeB }) => {
    const turned = (x: AnyTensor, transpose: boolean) => {
      if (!transpose) return value(x);
      return node("Transpose", [value(x)], { perm: ints(x.rank === 2 ? [1, 0] : [0, 2, 1]) });
    };
    return node("MatMul", [turned(a, transposeA), turned(b, transposeB)]);
  }),
  rule(conv2dOp, ({ node, value }, { input, weight }, params) =>
    node("Conv", [value(input), value(weight)], { ...windowAttributes(params), group: int(params.groups) }),
  ),
  rule(conv2dInputGradientOp, (emission, { upstream, weight }, params) => {
    const { stride, padding, dilation, groups, input } = params;
    const extra = [0, 1].map((axis) => {
      const reached =
        (upstream.shape[2 + axis] - 1) * stride[axis] + windowSpan(weight.shape[2 + axis], dilation[axis]);
      return input[2 + axis] - (reached - padding[2 * axis] - padding[2 * axis + 1]);
    });
    return emission.node("ConvTranspose", [emission.value(upstream), emission.value(weight)], {
      ...windowAttributes(params),
      group: int(groups),
      output_padding: ints(extra),
    });
  }),
  rule(maxPool2dOp, (emission, { input }, params) => maxPool(emission, input, params)),
  rule(averagePool2dOp, (emission, { input }, params) => averagePool(emission, input, params)),
  rule(maxPool2dIndicesOp, (emission, { input }, params) => {
    // ONNX counts through the whole tensor, Fovea within each plane.
    const { builder, node, path, value } = emission;
    const attributes = {
      kernel_shape: ints(params.kernel),
      ...windowAttributes({ ...params, groups: 1 }),
      ceil_mode: int(params.ceil),
    };
    const [, places] = builder.nodeWith(path, "MaxPool", [value(input)], attributes, 2);
    const plane = builder.integers([input.shape[2] * input.shape[3]], []);
    return node("Cast", [node("Mod", [places, plane])], { to: int(elementTypes.int32) });
  }),
  rule(scatterPlaneOp, (emission, { values, indices }, { size }) => {
    const { builder, node, lengths, tensor } = emission;
    const [n, channels] = lengths(tensor);
    const zeros = node("Expand", [builder.number(0), builder.lengths([n, channels, size[0] * size[1]])]);
    const inputs = [zeros, rows(emission, indices), rows(emission, values)];
    const scattered = node("ScatterElements", inputs, { axis: int(2), reduction: text("add") });
    return reshapeTo(emission, scattered, lengths(tensor));
  }),
  rule(gatherPlaneOp, (emission, { input, indices }) => {
    const picked = emission.node("GatherElements", [rows(emission, input), rows(emission, indices)], { axis: int(2) });
    return reshapeTo(emission, picked, emission.lengths(emission.tensor));
  }),

  [uniformOp.spec.name, refuseRandom],
  [normalOp.spec.name, refuseRandom],
  rule(takeOp, ({ node, value }, { input, indices }, { axis }) =>
    node("Gather", [value(input), value(indices)], { axis: int(axis) }),
  ),
  rule(takeAlongAxisOp, ({ node, value }, { input, indices }, { axis }) =>
    node("GatherElements", [value(input), value(indices)], { axis: int(axis) }),
  ),
  rule(scatterAlongAxisOp, (emission, { upstream, indices }, { axis }) => {
    const { builder, node, value, lengths, tensor } = emission;
    const zeros = node("Expand", [builder.number(0, upstream.dtype), builder.lengths(lengths(tensor))]);
    return node("ScatterElements", [zeros, value(indices), value(upstream)], {
      axis: int(axis),
      reduction: text("add"),
    });
  }),
  rule(scatterTakeOp, (emission, { upstream, indices }, { axis }) => {
    // Each index serves all that lies before and behind its axis, for which ONNX wants it repeated.
    const { builder, node, value, lengths, tensor } = emission;
    const own = lengths(upstream);
    const [before, after] = [own.slice(0, axis), own.slice(axis + indices.rank)];
    const count = productOf(emission, lengths(indices));
    const flat = [...before, count, ...after];
    const places = reshapeTo(emission, value(indices), [...before.map(() => 1), count, ...after.map(() => 1)]);
    const repeated = node("Expand", [places, builder.lengths(flat)]);
    const zeros = node("Expand", [builder.number(0, upstream.dtype), builder.lengths(lengths(tensor))]);
    const values = reshapeTo(emission, value(upstream), flat);
    return node("ScatterElements", [zeros, repeated, values], { axis: int(axis), reduction: text("add") });
  }),
  rule(argSortOp, ({ builder, node, path, value, lengths, tensor }, { input }, { axis, descending }) => {
    const attributes = { axis: int(axis), largest: int(descending), sorted: int(1) };
    const count = builder.lengths([lengths(tensor)[axis]]);
    const [, order] = builder.nodeWith(path, "TopK", [value(input), count], attributes, 2);
    return node("Cast", [order], { to: int(elementTypes.int32) });
  }),
  rule(oneHotOp, ({ builder, node, value }, { indices }, { classes }) => {
    const values = builder.constant([2], "float32", new Float32Array([0, 1]));
    return node("OneHot", [value(indices), builder.number(classes, "int32"), values], { axis: int(-1) });
  }),
  rule(iotaOp, (emission, _, { shape }) => {
    const { builder, lengths, tensor, node } = emission;
    const own = lengths(tensor);
    if (own.every((length) => typeof length === "number"))
      return builder.constant(
        shape,
        "int32",
        Int32Array.from({ length: sizeOf(shape) }, (_, i) => i),
      );
    const count = node("Squeeze", [builder.lengths([productOf(emission, own)])]);
    const counted = node("Range", [builder.integers([0], []), count, builder.integers([1], [])]);
    return reshapeTo(emission, node("Cast", [counted], { to: int(elementTypes.int32) }), own);
  }),
]);
