/** What each tensor of a recording depends on in the first input: a fold over the graph. */

import { type Shape, sizeOf } from "../core/shape.js";
import type { Frame } from "../graph/context.js";
import { dependencies } from "../graph/graph.js";
import { inputNames } from "../graph/operation.js";
import type { AnyTensor } from "../graph/tensor.js";
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from "../nn/layers/batchNorm.js";
import type { Pool2dParams } from "../ops/pooling/geometry.js";
import {
  countOf,
  evenField,
  Field,
  identityField,
  mergedField,
  plainField,
  type Reads,
  type Runs,
  readField,
  unionOfFields,
  unionOfRuns,
} from "./fields.js";
import { renamed } from "./layers.js";
import { type AxisRule, broadcast, type Rule, readingRules, unpooling } from "./reads.js";
import type { Recording } from "./record.js";

/** For each axis of places of the input (height and width of N×C×H×W) what a tensor depends on along it. */
export type Fields = readonly Field[];

/** For every tensor that depends on the first input; inputs without axes of places have no fields. */
export function dependenceOf({ inputs: [input], graph }: Recording): ReadonlyMap<AnyTensor, Fields> {
  const places = input.shape.slice(2);
  const known = new Map<AnyTensor, Fields>();
  if (places.length === 0) return known;
  known.set(
    input,
    places.map((length, axis) => identityField(axis + 2, length)),
  );
  for (const tensor of graph.nodes) {
    const fields = tensor === input ? undefined : fieldsOf(tensor, known);
    if (fields !== undefined) known.set(tensor, fields);
  }
  return known;
}

/**
 * The fields of a layer's output, of which position p of an axis is run p. Of maps whose places have been put into one row,
 * they are those of the maps.
 */
export function outputFields(
  { inputs: [input] }: Recording,
  known: ReadonlyMap<AnyTensor, Fields>,
  output: AnyTensor,
): Fields | undefined {
  const fields = known.get(output);
  if (output.rank !== input.rank) return fields;
  return fields?.map((field, place) => plainField(asPart(field, place + 2, output.shape), output.shape));
}

function fieldsOf(tensor: AnyTensor, known: ReadonlyMap<AnyTensor, Fields>): Fields | undefined {
  const { origin, shape } = tensor;
  const inputs = dependencies(tensor);
  // A state that was assigned holds what was assigned.
  if (origin.kind !== "computed") return inputs.length === 1 ? known.get(inputs[0]) : undefined;
  const { op, params, frame } = origin;
  if (!inputs.some((input) => known.has(input)) || isStatistic(op.name, frame)) return undefined;
  if (op.name === "reshape") return known.get(inputs[0])?.map((field) => reshapeField(field, inputs[0].shape, shape));
  if (op.name === "scatterPlane") {
    const fields = unpooledFields(inputs, shape, known);
    if (fields !== undefined) return fields;
  }
  const names = inputNames(op, inputs.length);
  const rules = rulesOf(op, Object.fromEntries(inputs.map((input, i) => [names[i], input])), params, shape);
  const along = op.name === "concat" ? (params as { readonly axis: number }).axis : undefined;
  const read = inputs.flatMap((input, i) => {
    const axes = rules === undefined ? input.shape.map((): AxisRule => "all") : rules[names[i]];
    const fields = known.get(input);
    return axes === undefined || fields === undefined ? [] : [{ fields, axes, shape: input.shape }];
  });
  return read[0]?.fields.map((_, place) => {
    const parts = read.map(({ fields }) => fields[place]);
    const isRow = along !== undefined && parts.every(({ axis }) => axis === undefined || axis === along);
    const joined = read.map(({ axes, shape: before }, i) => {
      if (isRow) return applyRule(asPart(parts[i], along, before), axes, before, shape);
      const isEven = parts[i].axis === undefined && leavesOut(axes[place + 2], before[place + 2], shape);
      return applyRule(isEven ? asPart(parts[i], place + 2, before) : parts[i], axes, before, shape);
    });
    return joined.reduce((a, b) => unionOfFields(a, b, shape));
  });
}

/** Of values put where max pooling says that they came from; undefined where the indices are another op's. */
function unpooledFields(
  [values, indices]: readonly AnyTensor[],
  output: Shape,
  known: ReadonlyMap<AnyTensor, Fields>,
): Fields | undefined {
  const { origin, shape: pooled } = renamed(indices);
  if (origin.kind !== "computed" || origin.op.name !== "maxPool2dIndices") return undefined;
  const [{ shape: plane }] = origin.inputs;
  const rules = unpooling(origin.params as Pool2dParams);
  // Planes may have been laid out as one row; the windows are those of the planes.
  const unpool = (field: Field) => {
    return reshapeField(applyRule(reshapeField(field, values.shape, pooled), rules, pooled, plane), plane, output);
  };
  if (sizeOf(plane) !== sizeOf(output)) return undefined;
  const [ofValues, ofIndices] = [values, indices].map((tensor) => known.get(tensor)?.map(unpool));
  if (ofValues === undefined || ofIndices === undefined) return ofValues ?? ofIndices;
  return ofValues.map((field, place) => unionOfFields(field, ofIndices[place], output));
}

/** The same all along an axis, where it is the same everywhere. */
function asPart(field: Field, axis: number, shape: Shape): Field {
  return field.axis === undefined ? evenField(field, axis, shape[axis]) : field;
}

/** Undefined for an op that is not known here, of which anything may depend on everything. */
function rulesOf(
  op: { readonly name: string; readonly kind?: string | undefined },
  inputs: Readonly<Record<string, AnyTensor>>,
  params: object,
  output: Shape,
): Readonly<Record<string, readonly AxisRule[] | undefined>> | undefined {
  if (op.kind === "elementwise" || op.kind === "alias") {
    return Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, broadcast(shape, output)]));
  }
  // An op's own parameters are all that it is ever called with.
  const rules: Readonly<Record<string, Rule<string, never> | undefined>> = readingRules;
  return rules[op.name]?.({ inputs, params: params as never, output });
}

/**
 * Statistics of a batch, which training normalizes with, come from all of its pictures; they are left out, so that fields
 * are those of the network that training makes.
 */
function isStatistic(op: string, frame: Frame | null): boolean {
  const { module } = frame ?? {};
  return op === "sum" && [BatchNorm1d, BatchNorm2d, BatchNorm3d].some((layer) => module instanceof layer);
}

function applyRule(field: Field, rules: readonly AxisRule[], input: Shape, output: Shape): Field {
  if (field.axis === undefined) return field;
  const rule = rules[field.axis];
  if (rule === "all") return mergedField(field);
  const { axis, reads } = rule;
  const [before, after] = [input[field.axis], output[axis]];
  if (reads === undefined) return field.moved(axis);
  if (before === after && readsSame(reads, after)) return field.moved(axis);
  return readField(plainField(field, input), reads, after, axis);
}

/** Whether positions of the output see nothing of an axis, only a border: they differ even where all of it is the same. */
function leavesOut(rule: AxisRule | undefined, before: number, output: Shape): boolean {
  if (rule === undefined || rule === "all" || rule.reads === undefined) return false;
  const { at } = rule.reads;
  for (let q = 0; q < output[rule.axis]; q++) {
    if (at(q).every((p) => p < 0 || p >= before)) return true;
  }
  return false;
}

/** Whether each position reads just itself. */
function readsSame(reads: Reads, length: number): boolean {
  for (let q = 0; q < length; q++) {
    const [first, ...others] = reads.at(q);
    if (first !== q || others.length > 0) return false;
  }
  return true;
}

/** Splitting more positions than this one by one would take long; they are taken together. */
const mostSplit = 65_536;

/** Axes merged and split again: elements stay in order, so that positions are found by counting. */
export function reshapeField(field: Field, input: Shape, output: Shape): Field {
  if (field.axis === undefined) return field;
  const { axis, count } = field;
  const group = groupOf(axis, input, output);
  if (group === undefined) return mergedField(field);
  const after = (shape: Shape, axes: readonly number[], from: number) =>
    sizeOf(axes.filter((each) => each > from).map((each) => shape[each]));
  const inner = field.inner * after(input, group.from, axis);
  const targets = group.to.map((each) => ({ axis: each, length: output[each], step: after(output, group.to, each) }));
  // An axis that alone decides which position it was:
  for (const target of targets) {
    const { length, step } = target;
    if (inner % step === 0 && (step * length) % (inner * count) === 0) return field.moved(target.axis, inner / step);
  }
  const size = sizeOf(targets.map(({ length }) => length));
  if (size > mostSplit) return mergedField(field);
  const { runs } = field;
  // Otherwise the outermost that tells positions apart: it keeps neighbours together, as places do, and what lies within
  // becomes channels. Which one sees less says nothing: behind dilation, every second position may see less than a place.
  const follows = field.pattern !== undefined && inner === 1 && count === size;
  const all = countOf(unionOfRuns(runs));
  for (const { axis, length, step } of targets) {
    // A rule tells them apart beyond the borders too, where the whole input lies within each field.
    if (follows && length > 1) {
      const at = (q: number) => Array.from({ length: step }, (_, k) => q * step + k);
      return readField(field, { rule: { period: 1, advance: step }, at }, length, axis);
    }
    const seen = Array.from({ length }, () => new Set<Runs>());
    for (let p = 0; p < size; p++) seen[Math.floor(p / step) % length].add(runs[Math.floor(p / inner) % count]);
    const merged = seen.map((each) => unionOfRuns([...each]));
    if (merged.some((each) => countOf(each) < all)) {
      return new Field(axis, field.extent, 1, length, undefined, () => merged);
    }
  }
  return mergedField(field);
}

/** Neighbouring axes of both shapes with the same number of elements, `axis` among the input's. */
function groupOf(axis: number, input: Shape, output: Shape): { from: number[]; to: number[] } | undefined {
  let [i, j] = [0, 0];
  while (i < input.length && j < output.length) {
    const from = [i];
    const to = [j];
    let [a, b] = [input[i++], output[j++]];
    while (a !== b) {
      if (a < b && i < input.length) {
        a *= input[i];
        from.push(i++);
      } else if (b < a && j < output.length) {
        b *= output[j];
        to.push(j++);
      } else return undefined;
    }
    // Axes of length 1 at the end belong to the last that has elements.
    while (j === output.length && input[i] === 1) from.push(i++);
    while (i === input.length && output[j] === 1) to.push(j++);
    if (from.includes(axis)) return { from, to };
  }
  return undefined;
}
