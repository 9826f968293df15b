/**
 * Declaring ops. An op is declared once, in one file under ops/, with everything the system knows about it; leaving a
 * piece out does not compile.
 */

import type { DType } from "../core/dtype.js";
import { DTypeError, FoveaError, TraceError } from "../core/errors.js";
import { checkShape, type Shape } from "../core/shape.js";
import { captureSite } from "../core/stack.js";
import { currentFrame, currentTrace, pathOf } from "./context.js";
import { checkSameDevice } from "./device.js";
import type { Operation, OpSpec, ReferenceArray } from "./operation.js";
import { type AnyTensor, Tensor } from "./tensor.js";

export * from "./operation.js";

/** An op that can be called with named inputs. */
export interface Op<Name extends string, Inputs extends string, Params extends object> {
  (inputs: Readonly<Record<Inputs, AnyTensor>>, params: Params): AnyTensor;
  readonly spec: OpSpec<Name, Inputs, Params>;
  /** The same op for code that handles all ops alike. */
  readonly operation: Operation;
}

let operations = 0;

/**
 * Declares an op and returns the function that records a call of it.
 *
 * @example
 * const double = defineOp({ name: "double", inputs: ["x"], … });
 * const y = double({ x }, {});
 */
export function defineOp<Name extends string, Inputs extends string, Params extends object>(
  spec: OpSpec<Name, Inputs, Params>,
): Op<Name, Inputs, Params> {
  const operation = forgetTypes(spec);
  const call = (inputs: Readonly<Record<Inputs, AnyTensor>>, params: Params) => recordCall(operation, inputs, params);
  return Object.assign(call, { spec, operation });
}

/** Records a call of an op: checks its inputs and computes its shape, and nothing else yet. */
export function recordCall(op: Operation, inputs: Readonly<Record<string, AnyTensor>>, params: object): AnyTensor {
  const names = op.variadic ? Object.keys(inputs) : op.inputs;
  const shapes: Record<string, Shape> = {};
  const dtypes: Record<string, DType> = {};
  const list: AnyTensor[] = [];
  for (const name of names) {
    const input = inputs[name];
    checkUsable(input, op.name);
    shapes[name] = input.shape;
    dtypes[name] = input.dtype;
    list.push(input);
  }
  const frame = currentFrame();
  try {
    const shape = op.shape(shapes, params);
    checkShape(op.name, shape);
    const dtype = op.dtype(dtypes, params);
    const device = checkSameDevice(op.name, list);
    const site = op.indexLimit ? captureSite() : undefined;
    return new Tensor(shape, dtype, device, { kind: "computed", op, inputs: list, params, frame, site });
  } catch (error) {
    throw error instanceof FoveaError ? error.at(pathOf(frame)) : error;
  }
}

/** The op without the types of its inputs and parameters: the compiler only ever passes an op's own back to it. */
function forgetTypes<Name extends string, Inputs extends string, Params extends object>(
  spec: OpSpec<Name, Inputs, Params>,
): Operation {
  type Of<T> = Readonly<Record<Inputs, T>>;
  const { gradient, indexLimit, indexBelow } = spec;
  return {
    id: operations++,
    name: spec.name,
    inputs: spec.inputs,
    variadic: spec.variadic,
    kind: spec.kind,
    samples: spec.samples,
    shape: (shapes, params) => spec.shape(shapes as Of<Shape>, params as Params),
    dtype: (dtypes, params) => spec.dtype(dtypes as Of<DType>, params as Params),
    reference: (inputs, params, output) => spec.reference(inputs as Of<ReferenceArray>, params as Params, output),
    cost: (shapes, params, output) => spec.cost(shapes as Of<Shape>, params as Params, output),
    indexMend: spec.indexMend,
    indexLimit: indexLimit && ((shapes, params) => indexLimit(shapes as Of<Shape>, params as Params)),
    indexBelow: indexBelow && ((shapes, params) => indexBelow(shapes as Of<Shape>, params as Params)),
    gradient:
      typeof gradient === "function"
        ? (inputs, params, upstream, output) => gradient(inputs as Of<Tensor>, params as Params, upstream, output)
        : gradient,
  };
}

/** Throws unless `tensor` may be used in what is being recorded now. */
export function checkUsable(tensor: AnyTensor, op: string): void {
  if (tensor.origin.kind === "disposed") {
    throw new TraceError(`${op}: a tensor of ${tensor.shape.join("×")} was used after it had been disposed.`);
  }
  if (tensor.trace !== null && tensor.trace !== currentTrace()) {
    throw new TraceError(
      `${op}: a tensor left the compiled function that recorded it; it has a value only inside. Fix: return it from that function and use the result.`,
    );
  }
}

/** The common dtype rule: all inputs are of one of `allowed`, and alike; the result is too. */
export function sameDType(op: string, allowed: readonly DType[]) {
  return (dtypes: Readonly<Record<string, DType>>): DType => {
    const list = Object.values(dtypes);
    const [first] = list;
    if (list.some((dtype) => dtype !== first)) {
      throw new DTypeError(
        `${op}: inputs are ${list.join(" and ")}, and nothing is converted silently. Fix: .to("${allowed[0]}") on one of them.`,
      );
    }
    if (!allowed.includes(first)) {
      throw new DTypeError(`${op}: takes ${allowed.join(" or ")}, not ${first}. Fix: .to("${allowed[0]}").`);
    }
    return first;
  };
}
