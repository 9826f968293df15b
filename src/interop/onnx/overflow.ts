/**
 * Integers that are too large for int32, in which those of 32 unsigned and of 64 bits are computed: they are noticed instead
 * of wrapping around. A node that can make large ones is computed a second time in floating point; where both results lie far
 * apart, something does not fit.
 */

import { DataError } from "../../core/errors.js";
import type { Tensor } from "../../graph/tensor.js";
import { minimum, sub } from "../../ops/elementwise/arithmetic.js";
import { less } from "../../ops/elementwise/comparison.js";
import { abs, neg } from "../../ops/elementwise/functions.js";
import { cast, where } from "../../ops/elementwise/select.js";
import { min } from "../../ops/reduce/extreme.js";
import { constantValues } from "./constants.js";
import type { Steps } from "./definition.js";
import { type ElementType, isFloat } from "./elementTypes.js";
import { describeNode, type NodePlan } from "./graph.js";
import type { Flags, Int } from "./ops/numeric.js";
import { type TensorValue, tensorValue, type Value } from "./value.js";

/** Types whose values int32 may be too small for. */
const wide: ReadonlySet<ElementType> = new Set(["int64", "uint64", "uint32"]);

/** Ops whose results may be larger than their inputs, and which compute the same of floating point. */
const growing: ReadonlySet<string> = new Set([
  ...["Add", "Sub", "Mul", "Pow", "Sum", "Neg", "Abs", "PRelu", "MatMul", "Gemm", "Einsum", "CumSum", "CumProd"],
  ...["ReduceSum", "ReduceProd", "ReduceMean", "ReduceSumSquare", "ReduceL1", "ReduceL2"],
]);

const conversions: ReadonlySet<string> = new Set(["Cast", "CastLike"]);

/** Float64, in which constants are computed, counts so far without gaps. */
const exactly = 2 ** 53;
/** Results that fit differ by rounding only; those that were wrapped around, by 2^32 or more. */
const apart = 2 ** 30;

const mend = "Fix: smaller numbers, or floating point where the model was made.";

/**
 * Whether a node's result may be too large, and is computed on a device: constants are exact, as far as float64 counts.
 *
 * @throws DataError where it does not count as far
 */
export function mayOverflow(node: NodePlan, inputs: readonly (Value | undefined)[], result: TensorValue): boolean {
  if (!wide.has(result.type) || !(growing.has(node.op) || isConverted(node, inputs))) return false;
  const values = constantValues(result.tensor);
  const wrong = values?.find((value) => !(Math.abs(value) <= exactly));
  if (wrong === undefined) return values === undefined;
  throw new DataError(
    `${describeNode(node)}: its result ${wrong} is not known exactly. Expected at most 2^53. ${mend}`,
  );
}

function isConverted(node: NodePlan, [first]: readonly (Value | undefined)[]): boolean {
  return conversions.has(node.op) && first?.kind === "tensor" && isFloat(first.type);
}

/** A node's inputs, with those that it computes with in floating point. */
function inFloats(inputs: readonly (Value | undefined)[]): (Value | undefined)[] {
  const [first] = inputs;
  return inputs.map((input) =>
    first?.kind === "tensor" && input?.kind === "tensor" && input.type === first.type
      ? tensorValue("float32", cast(input.tensor, "float32"))
      : input,
  );
}

/** What the nodes of a run have to say; one number tells whether all results fit. */
export class OverflowChecks {
  /** The nodes that were checked, by the number that stands for them. */
  readonly #nodes: NodePlan[] = [];
  #first: Tensor<[]> | undefined;

  /** Begins with a new recording: what the numbers stand for stays. */
  begin(): this {
    this.#first = undefined;
    return this;
  }

  /** The least number of a node whose result does not fit, infinite where all fit; undefined where none needs to be checked. */
  get first(): Tensor<[]> | undefined {
    return this.#first;
  }

  /** Has a node's result looked at; `build` computes the node of other inputs. */
  *watch(
    node: NodePlan,
    inputs: readonly (Value | undefined)[],
    result: TensorValue,
    build: (inputs: readonly (Value | undefined)[]) => Steps<readonly (Value | undefined)[]>,
  ): Steps<void> {
    const [floats] = isConverted(node, inputs) ? inputs : yield* build(inFloats(inputs));
    if (floats?.kind !== "tensor" || result.tensor.size === 0) return;
    const known = this.#nodes.indexOf(node);
    const number = known >= 0 ? known : this.#nodes.push(node) - 1;
    const isFitting = fits(node, inputs, result, cast(floats.tensor, "float32"));
    const least = min(where(isFitting, Number.POSITIVE_INFINITY, number) as Tensor) as Tensor<[]>;
    this.#first = this.#first === undefined ? least : (minimum(this.#first, least) as Tensor<[]>);
  }

  /** @throws DataError that names the node whose result did not fit */
  check(first: number): void {
    const node = this.#nodes[first];
    if (node !== undefined)
      throw new DataError(`${describeNode(node)}: a result is beyond int32, in which Fovea computes integers. ${mend}`);
  }
}

/** Where a result is what it is in floating point, too. */
function fits(
  node: NodePlan,
  inputs: readonly (Value | undefined)[],
  { type, tensor }: TensorValue,
  floats: Tensor,
): Flags {
  const [first] = inputs;
  // Sums that wrapped around are nearer once they are divided.
  const elements = first?.kind === "tensor" ? first.tensor.size : tensor.size;
  const share = node.op === "ReduceMean" ? elements / tensor.size : 1;
  const difference = sub(cast(tensor, "float32"), floats) as Tensor;
  // A conversion gives the nearest integer that there is. NaN is not below anything.
  const isNear = isConverted(node, inputs)
    ? (less(abs(floats), 2 ** 31) as Flags)
    : (less(abs(difference), apart / share) as Flags);
  return type === "int64" ? isNear : (less(where(isNear, neg(tensor as Int), 1) as Int, 1) as Flags);
}
