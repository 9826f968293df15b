/** One execution of a node: its inputs, in the form in which its op wants them. */

import type { DType } from "../../core/dtype.js";
import { ArgumentError, DTypeError, type FoveaError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import type { AnyTensor, Tensor } from "../../graph/tensor.js";
import { cast } from "../../ops/elementwise/select.js";
import { constantValues } from "./constants.js";
import type { Steps } from "./definition.js";
import { type ElementType, isFloat } from "./elementTypes.js";
import { describeNode, type GraphPlan, type NodePlan } from "./graph.js";
import type { TensorValue, Value } from "./value.js";

type Numbers = Float64Array<ArrayBuffer>;

/** Elements of tables of indices and weights that are made while recording. */
const longestTable = 2 ** 24;

/** What a node's call can ask of the execution that it is part of. */
export interface Surroundings {
  /** Whether the model is set to training. */
  readonly training: boolean;
  /** Runs a graph inside the node. */
  readonly run: (body: GraphPlan, inputs: readonly (Value | undefined)[]) => Steps<Value[]>;
}

export class Call {
  readonly node: NodePlan;
  readonly inputs: readonly (Value | undefined)[];
  readonly #surroundings: Surroundings;

  constructor(node: NodePlan, inputs: readonly (Value | undefined)[], surroundings: Surroundings) {
    this.node = node;
    this.inputs = inputs;
    this.#surroundings = surroundings;
  }

  get opset(): number {
    return this.node.opset;
  }

  get training(): boolean {
    return this.#surroundings.training;
  }

  /** Runs a graph inside the node, whose inputs are taken in order. */
  run(body: GraphPlan, inputs: readonly (Value | undefined)[]): Steps<Value[]> {
    return this.#surroundings.run(body, inputs);
  }

  has(index: number): boolean {
    return this.inputs[index] !== undefined;
  }

  /** Whether anybody uses an output. */
  wants(output: number): boolean {
    return (this.node.outputs[output] ?? "") !== "";
  }

  value(index: number): Value {
    const value = this.inputs[index];
    if (value === undefined) throw this.error(`input ${index} is missing`);
    return value;
  }

  /** An input that is a tensor, of whatever type. */
  any(index: number): TensorValue {
    const value = this.value(index);
    if (value.kind === "tensor") return value;
    throw this.error(`input ${index} is ${value.kind === "sequence" ? "a sequence" : "nothing"}. Expected a tensor`);
  }

  tensor(index: number): AnyTensor {
    return this.any(index).tensor;
  }

  type(index: number): ElementType {
    return this.any(index).type;
  }

  shape(index: number): Shape {
    return this.tensor(index).shape;
  }

  /** An input of floating point. */
  float(index: number): Tensor {
    const { tensor, type } = this.any(index);
    if (isDType(tensor, "float32")) return tensor;
    throw this.typeError(index, type, "floating point");
  }

  /** An input of floating point, or null where it is left out. */
  optionalFloat(index: number): Tensor | null {
    return this.has(index) ? this.float(index) : null;
  }

  /** An input of integers as int32. */
  int(index: number): Tensor<Shape, "int32"> {
    const { tensor, type } = this.any(index);
    if (type === "bool" || isFloat(type)) throw this.typeError(index, type, "integers");
    return cast(tensor, "int32");
  }

  flags(index: number): Tensor<Shape, "bool"> {
    const { tensor, type } = this.any(index);
    if (isDType(tensor, "bool")) return tensor;
    throw this.typeError(index, type, "bool");
  }

  /** The numbers in an input, now or once they have been computed. */
  *numbers(index: number): Steps<Numbers> {
    const value = this.any(index);
    return constantValues(value.tensor) ?? (yield { value, node: this.node });
  }

  /** The integers in an input. */
  *integers(index: number): Steps<number[]> {
    const numbers = yield* this.numbers(index);
    for (const number of numbers) {
      if (!Number.isInteger(number)) throw this.error(`input ${index} holds ${number}. Expected integers`);
    }
    return Array.from(numbers);
  }

  /** The integers in an input, or undefined where it is left out. */
  *optionalIntegers(index: number): Steps<number[] | undefined> {
    return this.has(index) ? yield* this.integers(index) : undefined;
  }

  /** The only number in an input. */
  *number(index: number): Steps<number> {
    const numbers = yield* this.numbers(index);
    if (numbers.length !== 1)
      throw this.error(`input ${index} is ${formatShape(this.shape(index))}. Expected a single number`);
    return numbers[0];
  }

  /** A length that a table is made for, within reason. */
  tableLength(length: number): number {
    if (Number.isInteger(length) && length >= 0 && length <= longestTable) return length;
    throw this.shapeError(`a length of ${length}. Expected an integer from 0 to ${longestTable}`);
  }

  /** An axis, counted from the front, of a tensor with so many. */
  axis(axis: number, rank: number): number {
    const result = axis < 0 ? axis + rank : axis;
    if (Number.isInteger(axis) && result >= 0 && result < rank) return result;
    throw this.shapeError(`axis ${axis} does not exist in a tensor with ${rank} axes`);
  }

  /** Different axes, counted from the front. */
  axes(axes: readonly number[], rank: number): number[] {
    const result = axes.map((axis) => this.axis(axis, rank));
    if (new Set(result).size !== result.length) throw this.error(`an axis is named twice in [${axes.join(", ")}]`);
    return result;
  }

  /** An error that names the node. */
  error(fault: string): FoveaError {
    return new ArgumentError(`${describeNode(this.node)}: ${fault}.`);
  }

  shapeError(fault: string): FoveaError {
    return new ShapeError(`${describeNode(this.node)}: ${fault}.`);
  }

  typeError(index: number, found: ElementType, expected: string): FoveaError {
    return new DTypeError(`${describeNode(this.node)}: input ${index} is ${found}. Expected ${expected}.`);
  }
}

function isDType<D extends DType>(tensor: AnyTensor, dtype: D): tensor is Tensor<Shape, D> {
  return tensor.dtype === dtype;
}
