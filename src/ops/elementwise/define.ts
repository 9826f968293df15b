/** Declaring elementwise ops: one expression each; broadcasting and its gradient are the same for all. */

import type { DType } from "../../core/dtype.js";
import { broadcastShapes, broadcastStrides, type Shape, sizeOf, stridesOf } from "../../core/shape.js";
import { defineOp, type NonDifferentiable, type Op, type ReferenceArray, type Sample } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { sumTo } from "../reduce/sum.js";

/** Elementwise ops have no parameters. */
export type NoParams = Readonly<Record<string, never>>;
export const noParams: NoParams = Object.freeze({});

interface ElementwiseSpec<Name extends string, Inputs extends string> {
  readonly name: Name;
  readonly inputs: readonly Inputs[];
  /** The op's meaning for one element of each input. */
  readonly value: (...elements: number[]) => number;
  readonly dtype: (dtypes: Readonly<Record<NoInfer<Inputs>, DType>>) => DType;
  /** For each input the gradient before stretched axes are summed; an input left out has gradient zero everywhere. */
  readonly gradient:
    | NonDifferentiable
    | ((
        inputs: Readonly<Record<NoInfer<Inputs>, Tensor>>,
        upstream: Tensor,
        output: Tensor,
      ) => { readonly [Input in NoInfer<Inputs>]?: () => Tensor });
  readonly samples: readonly Sample<NoInfer<Inputs>, NoParams>["inputs"][];
}

export function defineElementwise<Name extends string, Inputs extends string>(
  spec: ElementwiseSpec<Name, Inputs>,
): Op<Name, Inputs, NoParams> {
  const { name, inputs, value, gradient } = spec;
  return defineOp<Name, Inputs, NoParams>({
    name,
    inputs,
    kind: "elementwise",
    shape: (shapes) => broadcastShapes(name, ...inputs.map((input) => shapes[input])),
    dtype: spec.dtype,
    reference: (arrays, _, output) =>
      evaluate(
        inputs.map((input) => arrays[input]),
        value,
        output,
      ),
    gradient:
      typeof gradient !== "function"
        ? gradient
        : (tensors, _, upstream, output) => {
            const thunks = gradient(tensors, upstream, output);
            const summed: { [Input in Inputs]?: () => Tensor } = {};
            for (const input of inputs) {
              const thunk = thunks[input];
              if (thunk !== undefined) summed[input] = () => sumTo(thunk(), tensors[input].shape);
            }
            return summed;
          },
    cost: (_, __, output) => ({ macs: 0, operations: sizeOf(output) }),
    samples: spec.samples.map((sample) => ({ inputs: sample, params: noParams })),
  });
}

function evaluate(
  arrays: readonly ReferenceArray[],
  value: (...elements: number[]) => number,
  output: ReferenceArray,
): void {
  const strides = arrays.map((array) => broadcastStrides(array.shape, output.shape));
  const outputStrides = stridesOf(output.shape);
  const count = sizeOf(output.shape);
  for (let i = 0; i < count; i++) {
    const elements = arrays.map(({ data }, n) => data[stridedIndex(i, outputStrides, strides[n])]);
    output.data[i] = value(...elements);
  }
}

/** Where element `i` of a tensor with strides `from` lies in one that is read with strides `to`. */
function stridedIndex(i: number, from: Shape, to: readonly number[]): number {
  let rest = i;
  let index = 0;
  for (let axis = 0; axis < from.length; axis++) {
    const position = Math.floor(rest / from[axis]);
    rest -= position * from[axis];
    index += position * to[axis];
  }
  return index;
}
