/**
 * Chooses how images lie in memory. Kernels that convolve work on the channels of a pixel side by side: where all that
 * is done to a value between one of them and the next can be done in that order, it stays in it, and nothing has to be
 * put into another order and back.
 *
 * No value is ever copied for this. Values that one op connects have one layout (what is added, joined, pooled); they
 * have their channels last if every op that computes or uses any of them can do with that. A convolution reads one
 * layout and writes another as it goes, and what has no pixels, weights or sums over them, has one order only.
 */

import type { OpShapes } from "../backends/backend.js";
import { type Shape, sameShape } from "../core/shape.js";
import { inputNames } from "./operation.js";
import type { Use, Value, ValueGraph } from "./values.js";

/** Sets the layout of all values. `takes` says which operands of an op may have their channels last. */
export function chooseLayouts(graph: ValueGraph, takes: (work: OpShapes) => readonly string[]): void {
  const groups = new Groups();
  for (const value of graph.values) {
    if (value.op === undefined) groups.keepFirst(value);
    else if (value.op.kind === "elementwise") connectElementwise(value, groups);
    else connectOp(value, takes, groups);
  }
  for (const value of [...graph.outputs, ...graph.updates]) groups.keepFirst(value);
  for (const value of graph.values) value.layout = groups.mayBeLast(value) ? "channelsLast" : "channelsFirst";
}

const isImage = ({ shape }: Value) => shape.length === 4;

/** Both layouts are the same. */
const isOnePixel = ({ shape }: { readonly shape: Shape }) => shape.length === 4 && shape[2] * shape[3] === 1;

/** Whether a use sees the value as the images that it is. */
const isWhole = ({ value, shape }: Use) => isImage(value) && sameShape(shape, value.shape);

function connectElementwise(value: Value, groups: Groups): void {
  if (!isImage(value)) groups.keepFirst(value);
  for (const use of value.inputs) {
    if (isImage(value) && isWhole(use) && sameShape(use.shape, value.shape)) {
      groups.connect(value, use.value);
    } else {
      groups.keepFirst(use.value);
      // Something of each channel, or of each pixel, is in the same order either way.
      const [, channels, height, width] = [...[1, 1, 1, 1].slice(use.shape.length), ...use.shape];
      if (use.shape.length > 4 || (channels > 1 && height * width > 1)) groups.keepFirst(value);
    }
  }
}

function connectOp(value: Value, takes: (work: OpShapes) => readonly string[], groups: Groups): void {
  const { op, inputs, params, shape } = value;
  if (op === undefined) return;
  const names = inputNames(op, inputs.length);
  const shapes = Object.fromEntries(inputs.map((use, i) => [names[i], use.shape]));
  const last = new Set(takes({ op: op.name, inputs: shapes, params, output: shape }));
  if (!last.has("output") || !isImage(value) || isOnePixel(value)) groups.keepFirst(value);
  for (const [i, use] of inputs.entries()) {
    const mayBeLast = last.has(names[i]) && isWhole(use);
    if (!mayBeLast) groups.keepFirst(use.value);
    if (isFree(op.name) || isOnePixel(value)) continue;
    if (last.has(names[i]) && isOnePixel(use)) groups.keepFirst(use.value);
    else if (mayBeLast) groups.connect(value, use.value);
    else groups.keepFirst(value);
  }
}

/** Ops whose operands and result may differ in their layout. */
const free = new Set(["conv2d", "conv2dInputGradient", "conv2dWeightGradient", "sum", "max", "min"]);
const isFree = (op: string) => free.has(op);

/** Values that have one layout. */
class Groups {
  readonly #parents = new Map<Value, Value>();
  readonly #first = new Set<Value>();

  connect(a: Value, b: Value): void {
    const [one, other] = [this.#root(a), this.#root(b)];
    if (one === other) return;
    this.#parents.set(one, other);
    if (this.#first.has(one)) this.#first.add(other);
  }

  keepFirst(value: Value): void {
    this.#first.add(this.#root(value));
  }

  mayBeLast(value: Value): boolean {
    return !this.#first.has(this.#root(value));
  }

  #root(value: Value): Value {
    let root = value;
    for (let parent = this.#parents.get(root); parent !== undefined; parent = this.#parents.get(root)) root = parent;
    if (root !== value) this.#parents.set(value, root);
    return root;
  }
}
