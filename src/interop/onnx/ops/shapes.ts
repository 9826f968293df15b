/** Renaming, moving, joining and cutting. */

import { type Shape, sizeOf } from "../../../core/shape.js";
import type { AnyTensor, Tensor } from "../../../graph/tensor.js";
import { repeat } from "../../../ops/arrange.js";
import { expand } from "../../../ops/reduce/sum.js";
import { concat } from "../../../ops/shape/concat.js";
import { permute } from "../../../ops/shape/permute.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { type Range, slice } from "../../../ops/shape/slice.js";
import type { Call } from "../call.js";
import { constantFrom } from "../constants.js";
import {
  type Definition,
  define,
  int,
  ints,
  type OpTable,
  type Outputs,
  required,
  type Steps,
  string,
} from "../definition.js";
import { type TensorValue, tensorValue } from "../value.js";

/** The tensor as a matrix: axes before `axis` as rows, the others as columns. */
export function matrixAt(x: Tensor, axis: number): Tensor;
export function matrixAt(x: AnyTensor, axis: number): AnyTensor;
export function matrixAt(x: AnyTensor, axis: number): AnyTensor {
  return reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
}

/** A tensor of the input's type made from the input. */
export function moved(call: Call, tensor: AnyTensor): TensorValue {
  return tensorValue(call.type(0), tensor);
}

/** A vector of int64. */
export function vector(values: readonly number[]): TensorValue {
  return tensorValue("int64", constantFrom("int64", [values.length], Float64Array.from(values)));
}

function reshaped(call: Call, target: readonly number[], allowZero: boolean): TensorValue {
  const x = call.tensor(0);
  const shape = target.map((length, axis) => {
    if (length !== 0 || allowZero) return length;
    if (axis >= x.rank)
      throw call.shapeError(`length 0 at axis ${axis} of [${target.join(", ")}] has no axis to stand for`);
    return x.shape[axis];
  });
  const free = shape.indexOf(-1);
  // Fovea's own reshape takes a free length of an empty tensor to be 0 only if nothing else tells it.
  if (free >= 0 && x.size === 0 && sizeOf(shape.filter((_, axis) => axis !== free)) !== 0) shape[free] = 0;
  if (shape.some((length) => length < -1)) throw call.shapeError(`the shape is [${target.join(", ")}]`);
  return moved(call, reshape(x, shape));
}

function squeezed(call: Call, axes: readonly number[] | undefined): TensorValue {
  const x = call.tensor(0);
  const gone = new Set(
    axes === undefined ? x.shape.flatMap((length, axis) => (length === 1 ? [axis] : [])) : call.axes(axes, x.rank),
  );
  const wrong = [...gone].find((axis) => x.shape[axis] !== 1);
  if (wrong !== undefined)
    throw call.shapeError(`axis ${wrong} of ${x.shape.join("×")} has length ${x.shape[wrong]}, not 1`);
  return moved(
    call,
    reshape(
      x,
      x.shape.filter((_, axis) => !gone.has(axis)),
    ),
  );
}

function unsqueezed(call: Call, axes: readonly number[]): TensorValue {
  const x = call.tensor(0);
  const rank = x.rank + axes.length;
  const added = new Set(call.axes(axes, rank));
  const lengths = x.shape.values();
  const shape = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (lengths.next().value ?? 1)));
  return moved(call, reshape(x, shape));
}

/** Cuts along some axes, as Python does. */
function sliced(
  call: Call,
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[] = starts.map((_, i) => i),
  steps: readonly number[] = starts.map(() => 1),
): TensorValue {
  const x = call.tensor(0);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
    throw call.error(
      `starts, ends, axes and steps have ${[starts, ends, axes, steps].map(({ length }) => length).join(", ")} elements. Expected as many of each`,
    );
  const ranges: Range[] = x.shape.map(() => null);
  for (const [i, axis] of call.axes(axes, x.rank).entries()) {
    const length = x.shape[axis];
    const step = steps[i];
    if (step === 0) throw call.error("a step is 0");
    const place = (at: number, low: number, high: number) => Math.min(Math.max(at < 0 ? at + length : at, low), high);
    if (step > 0) {
      ranges[axis] = [place(starts[i], 0, length), place(ends[i], 0, length), Math.min(step, Math.max(length, 1))];
    } else {
      const begin = place(starts[i], -1, length - 1);
      const end = place(ends[i], -1, length - 1);
      // Before the first element there is no index that `slice` would not count from the end.
      ranges[axis] = begin < 0 ? [0, 0] : [begin, end < 0 ? null : end, Math.max(step, -Math.max(length, 1))];
    }
  }
  return moved(call, slice(x, ...ranges));
}

/** Pieces of given lengths along an axis. */
function pieces(call: Call, axis: number, lengths: readonly number[]): TensorValue[] {
  const x = call.tensor(0);
  const along = call.axis(axis, x.rank);
  if (lengths.some((length) => length < 0) || lengths.reduce((a, b) => a + b, 0) !== x.shape[along])
    throw call.shapeError(`pieces of ${lengths.join(", ")} do not add up to the ${x.shape[along]} of axis ${along}`);
  let start = 0;
  return lengths.map((length) => {
    const range: Range = [start, start + length];
    start += length;
    return moved(call, slice(x, ...x.shape.map((_, i): Range => (i === along ? range : null))));
  });
}

/** As many pieces as there are outputs, as equal as they can be: the last may be shorter. */
function equalPieces(call: Call, axis: number, count: number): TensorValue[] {
  const length = call.shape(0)[call.axis(axis, call.tensor(0).rank)];
  const each = Math.ceil(length / count);
  return pieces(
    call,
    axis,
    Array.from({ length: count }, (_, i) => Math.max(0, Math.min(each, length - i * each))),
  );
}

function* splitByInput(
  call: Call,
  { axis, num_outputs: count }: { axis: number; num_outputs?: number | undefined },
): Steps<Outputs> {
  const lengths = yield* call.optionalIntegers(1);
  return lengths === undefined
    ? equalPieces(call, axis, count ?? call.node.outputs.length)
    : pieces(call, axis, lengths);
}

function* tiled(call: Call): Steps<Outputs> {
  return moved(call, repeat(call.tensor(0), yield* call.integers(1)));
}

/** Blocks of channels become places; `DCR` and `CRD` say in which order channels count them. */
function depthToSpace(call: Call, block: number, mode: string): TensorValue {
  const x = call.tensor(0);
  const [n, channels, height, width] = x.shape;
  if (x.rank !== 4 || block < 1 || channels % (block * block) !== 0)
    throw call.shapeError(`the input is ${x.shape.join("×")}. Expected N×C×H×W with channels that ${block}² divides`);
  if (mode !== "DCR" && mode !== "CRD")
    throw call.error(`the mode is ${JSON.stringify(mode)}. Expected "DCR" or "CRD"`);
  const depth = channels / (block * block);
  const apart = mode === "DCR" ? [n, block, block, depth, height, width] : [n, depth, block, block, height, width];
  const order = mode === "DCR" ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  return moved(call, reshape(permute(reshape(x, apart), order), [n, depth, height * block, width * block]));
}

function spaceToDepth(call: Call, block: number, mode: string): TensorValue {
  const x = call.tensor(0);
  const [n, channels, height, width] = x.shape;
  if (x.rank !== 4 || block < 1 || height % block !== 0 || width % block !== 0)
    throw call.shapeError(
      `the input is ${x.shape.join("×")}. Expected N×C×H×W with a height and width that ${block} divides`,
    );
  if (mode !== "DCR" && mode !== "CRD")
    throw call.error(`the mode is ${JSON.stringify(mode)}. Expected "DCR" or "CRD"`);
  const [rows, columns] = [height / block, width / block];
  const order = mode === "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4];
  const apart = permute(reshape(x, [n, channels, rows, block, columns, block]), order);
  return moved(call, reshape(apart, [n, channels * block * block, rows, columns]));
}

const identity: Definition = define({ since: 1, build: (call) => call.value(0) });

export const shapes: OpTable = {
  Identity: [identity],
  Shape: [
    define({
      since: 1,
      attributes: { start: int(0), end: int() },
      build: (call, { start, end }) => vector(call.shape(0).slice(start, end)),
    }),
  ],
  Size: [
    define({
      since: 1,
      build: (call) => tensorValue("int64", constantFrom("int64", [], Float64Array.of(sizeOf(call.shape(0))))),
    }),
  ],
  Reshape: [
    define({ since: 1, attributes: { shape: ints([]) }, build: (call, { shape }) => reshaped(call, shape, false) }),
    define({
      since: 5,
      attributes: { allowzero: int(0) },
      known: [1],
      *build(call, { allowzero }) {
        return reshaped(call, yield* call.integers(1), allowzero !== 0);
      },
    }),
  ],
  Flatten: [
    define({
      since: 1,
      attributes: { axis: int(1) },
      build: (call, { axis }) => {
        const x = call.tensor(0);
        return moved(call, matrixAt(x, axis === x.rank ? axis : call.axis(axis, x.rank)));
      },
    }),
  ],
  Squeeze: [
    define({ since: 1, attributes: { axes: ints() }, build: (call, { axes }) => squeezed(call, axes) }),
    define({
      since: 13,
      known: [1],
      *build(call) {
        return squeezed(call, yield* call.optionalIntegers(1));
      },
    }),
  ],
  Unsqueeze: [
    define({ since: 1, attributes: { axes: required(ints()) }, build: (call, { axes }) => unsqueezed(call, axes) }),
    define({
      since: 13,
      known: [1],
      *build(call) {
        return unsqueezed(call, yield* call.integers(1));
      },
    }),
  ],
  Transpose: [
    define({
      since: 1,
      attributes: { perm: ints() },
      build: (call, { perm }) => {
        const x = call.tensor(0);
        return moved(call, permute(x, perm ?? x.shape.map((_, i) => x.rank - 1 - i)));
      },
    }),
  ],
  Expand: [
    define({
      since: 8,
      known: [1],
      *build(call) {
        const x = call.tensor(0);
        return moved(call, expandBoth(x, yield* call.integers(1)));
      },
    }),
  ],
  Tile: [
    define({
      since: 1,
      known: [1, 2],
      *build(call) {
        const [tiles, axis] = [yield* call.number(1), yield* call.number(2)];
        const x = call.tensor(0);
        const along = call.axis(axis, x.rank);
        return moved(
          call,
          repeat(
            x,
            x.shape.map((_, i) => (i === along ? tiles : 1)),
          ),
        );
      },
    }),
    define({ since: 6, known: [1], build: tiled }),
  ],
  Concat: [
    define({
      since: 1,
      attributes: { axis: int(1) },
      build: (call, { axis }) => joined(call, axis),
    }),
    define({ since: 4, attributes: { axis: required(int()) }, build: (call, { axis }) => joined(call, axis) }),
  ],
  Split: [
    define({
      since: 1,
      attributes: { axis: int(0), split: ints() },
      *build(call, { axis, split }) {
        const lengths = split ?? (yield* call.optionalIntegers(1));
        return lengths === undefined ? equalPieces(call, axis, call.node.outputs.length) : pieces(call, axis, lengths);
      },
    }),
    define({ since: 13, attributes: { axis: int(0) }, known: [1], build: splitByInput }),
    define({ since: 18, attributes: { axis: int(0), num_outputs: int() }, known: [1], build: splitByInput }),
  ],
  Slice: [
    define({
      since: 1,
      attributes: { starts: required(ints()), ends: required(ints()), axes: ints() },
      build: (call, { starts, ends, axes }) => sliced(call, starts, ends, axes),
    }),
    define({
      since: 10,
      known: [1, 2, 3, 4],
      *build(call) {
        const [starts, ends] = [yield* call.integers(1), yield* call.integers(2)];
        return sliced(call, starts, ends, yield* call.optionalIntegers(3), yield* call.optionalIntegers(4));
      },
    }),
  ],
  DepthToSpace: [
    define({
      since: 1,
      attributes: { blocksize: required(int()), mode: string("DCR") },
      build: (call, { blocksize, mode }) => depthToSpace(call, blocksize, mode),
    }),
  ],
  SpaceToDepth: [
    define({
      since: 1,
      attributes: { blocksize: required(int()), mode: string("DCR") },
      build: (call, { blocksize, mode }) => spaceToDepth(call, blocksize, mode),
    }),
  ],
};

function joined(call: Call, axis: number): TensorValue {
  const tensors = call.inputs.map((_, i) => call.tensor(i));
  return moved(call, concat(tensors, call.axis(axis, tensors[0].rank)));
}

/** Broadcasts a tensor and a shape to each other. */
function expandBoth(x: AnyTensor, shape: Shape): AnyTensor {
  const rank = Math.max(x.rank, shape.length);
  const at = (lengths: Shape, axis: number) => lengths[axis - rank + lengths.length] ?? 1;
  return expand(
    x,
    Array.from({ length: rank }, (_, axis) => (at(shape, axis) === 1 ? at(x.shape, axis) : at(shape, axis))),
  );
}
