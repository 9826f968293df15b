/** Moving elements without computing: copies with strides, and placing a tensor inside a larger one. */

import { bytesPerElement, type DType } from "../../../core/dtype.js";
import { UnsupportedOpError } from "../../../core/errors.js";
import { inMemory } from "../../../core/layout.js";
import { broadcastStrides, formatShape, type Shape, sameShape, sizeOf, stridesOf } from "../../../core/shape.js";
import type { Operand } from "../../backend.js";
import { i32, input, maxRank, output, row, type ValuesOf } from "../fields.js";
import type { Lower, Lowering } from "../lowering.js";
import { mergeAxes } from "./axes.js";

export const movementSteps = {
  /** output[outputOffset + Σ i·outputStrides] = input[inputOffset + Σ i·inputStrides] for all i below `dims`. */
  stridedCopy: {
    input,
    output,
    elementBytes: i32,
    inputOffset: i32,
    outputOffset: i32,
    rank: i32,
    dims: row(maxRank),
    inputStrides: row(maxRank),
    outputStrides: row(maxRank),
  },
  /**
   * An output of lengths `dims`, filled with the bits `value`, holding the input, of lengths `placed`, from `begin` on,
   * `step` apart.
   */
  embed: {
    input,
    output,
    elementBytes: i32,
    value: i32,
    rank: i32,
    dims: row(maxRank),
    placed: row(maxRank),
    begin: row(maxRank),
    step: row(maxRank),
  },
} as const;

export interface PermuteParams {
  readonly axes: readonly number[];
}

export interface ExpandParams {
  readonly shape: Shape;
}

export interface SliceParams {
  readonly begin: readonly number[];
  readonly step: readonly number[];
}

export interface EmbedParams extends SliceParams {
  readonly shape: Shape;
  readonly value: number;
}

export interface ConcatParams {
  readonly axis: number;
}

export type CopyParams = Readonly<Record<string, never>>;

interface Copy {
  readonly what: string;
  readonly from: Operand;
  readonly into: Operand;
  /** The elements that are moved, in the order of the output. */
  readonly shape: Shape;
  readonly inputStrides: readonly number[];
  readonly outputStrides?: readonly number[];
  readonly inputOffset?: number;
  readonly outputOffset?: number;
}

function stridedCopy(
  to: Lowering,
  { what, from, into, shape, inputStrides, outputStrides = stridesOf(shape), inputOffset = 0, outputOffset = 0 }: Copy,
): void {
  if (sizeOf(shape) === 0) return;
  const elementBytes = bytesPerElement(from.dtype);
  const places = { inputOffset, outputOffset, dims: shape, inputStrides, outputStrides };
  to.step("stridedCopy", copyFields(what, { input: from.buffer, output: into.buffer, elementBytes, ...places }));
}

export type CopyFields = ValuesOf<typeof movementSteps.stridedCopy>;

/** The same copy as the kernel does it best: along few axes, columns of the input forwards. */
export function copyFields(what: string, fields: Omit<CopyFields, "rank">): CopyFields {
  const walk = mergeAxes(what, fields.dims, [fields.inputStrides, fields.outputStrides]);
  // A single element is one row of one.
  const [dims, fromStrides, intoStrides] =
    walk.dims.length === 0 ? [[1], [1], [1]] : [walk.dims, [...walk.strides[0]], [...walk.strides[1]]];
  let { inputOffset, outputOffset } = fields;
  const backwards = fromStrides.slice(0, -1).indexOf(-1);
  if (backwards >= 0) {
    const way = dims[backwards] - 1;
    inputOffset -= way;
    outputOffset += way * intoStrides[backwards];
    fromStrides[backwards] = 1;
    intoStrides[backwards] *= -1;
  }
  const rank = dims.length;
  return { ...fields, inputOffset, outputOffset, rank, dims, inputStrides: fromStrides, outputStrides: intoStrides };
}

const permute: Lower<"input", PermuteParams> = ({ inputs: { input: from }, params: { axes }, output: into }, to) => {
  const strides = stridesOf(from.shape);
  stridedCopy(to, {
    what: "permute",
    from,
    into,
    shape: into.shape,
    inputStrides: axes.map((axis) => strides[axis]),
  });
};

const expand: Lower<"input", ExpandParams> = ({ inputs: { input: from }, params: { shape }, output: into }, to) =>
  stridedCopy(to, { what: "expand", from, into, shape, inputStrides: broadcastStrides(from.shape, shape) });

const slice: Lower<"input", SliceParams> = ({ inputs: { input: from }, params, output: into }, to) => {
  // Axes in the order of memory.
  const [step, begin] = [inMemory(params.step, from.layout), inMemory(params.begin, from.layout)];
  const strides = stridesOf(inMemory(from.shape, from.layout));
  stridedCopy(to, {
    what: "slice",
    from,
    into,
    shape: inMemory(into.shape, from.layout),
    inputStrides: strides.map((stride, axis) => stride * step[axis]),
    inputOffset: strides.reduce((offset, stride, axis) => offset + stride * begin[axis], 0),
  });
};

const copy: Lower<"input", CopyParams> = ({ inputs: { input: from }, output: into }, to) =>
  stridedCopy(to, { what: "copy", from, into, shape: from.shape, inputStrides: stridesOf(from.shape) });

/** The parts are named 0, 1, … */
const concat: Lower<string, ConcatParams> = ({ inputs, params, output: into }, to) => {
  // Axes in the order of memory.
  const { layout } = into;
  const axis = layout === "channelsLast" ? 3 : params.axis;
  const outputStrides = stridesOf(inMemory(into.shape, layout));
  let begin = 0;
  for (let part = 0; inputs[part] !== undefined; part++) {
    const from = inputs[part];
    const shape = inMemory(from.shape, layout);
    stridedCopy(to, {
      what: "concat",
      from,
      into,
      shape,
      inputStrides: stridesOf(shape),
      outputStrides,
      outputOffset: begin * outputStrides[axis],
    });
    begin += shape[axis];
  }
};

/** The bits of a number as an element. */
function bitsOf(value: number, dtype: DType): number {
  if (dtype === "float32") return new Int32Array(Float32Array.of(value).buffer)[0];
  if (dtype === "bool") return value === 0 ? 0 : 1;
  return value | 0;
}

interface Placement {
  readonly length: number;
  readonly placed: number;
  readonly begin: number;
  readonly step: number;
}

const embed: Lower<"input", EmbedParams> = ({ inputs: { input: from }, params, output: into }, to) => {
  const isReversal = params.step.every((step, axis) => Math.abs(step) === 1 || into.shape[axis] === 1);
  if (isReversal && sameShape(from.shape, into.shape)) {
    // Reversing is its own inverse.
    slice({ inputs: { input: from }, params, output: into }, to);
    return;
  }
  if (sizeOf(into.shape) === 0) return;
  const axes: Placement[] = [];
  for (const [axis, length] of params.shape.entries()) {
    const placed = from.shape[axis];
    const placement = { length, placed, begin: params.begin[axis], step: placed > 1 ? params.step[axis] : 1 };
    const outer = axes.at(-1);
    // An axis that the input fills merges with the one outside it, where that one has no gaps.
    if (outer?.step === 1 && placed === length && placement.begin === 0 && placement.step === 1) {
      axes[axes.length - 1] = {
        length: outer.length * length,
        placed: outer.placed * length,
        begin: outer.begin * length,
        step: 1,
      };
    } else if (length > 1 || placed !== 1) {
      axes.push(placement);
    }
  }
  if (axes.length === 0) axes.push({ length: 1, placed: sizeOf(from.shape), begin: 0, step: 1 });
  if (axes.length > maxRank) {
    throw new UnsupportedOpError(
      `embed: ${formatShape(into.shape)} has ${axes.length} axes that the input does not fill, and the CPU kernels take ` +
        `at most ${maxRank}. Fix: pad in two steps.`,
    );
  }
  to.step("embed", {
    input: from.buffer,
    output: into.buffer,
    elementBytes: bytesPerElement(from.dtype),
    value: bitsOf(params.value, from.dtype),
    rank: axes.length,
    dims: axes.map((axis) => axis.length),
    placed: axes.map((axis) => axis.placed),
    begin: axes.map((axis) => axis.begin),
    step: axes.map((axis) => axis.step),
  });
};

export const movementLowerings = { permute, expand, slice, embed, concat, copy } as const;
