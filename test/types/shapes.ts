/**
 * What TypeScript knows of shapes and element types, and what it refuses. Nothing here runs: `npm test` compiles it first.
 * An unused `@ts-expect-error` is an error, so each of these lines shows that the wrong use below it does not compile.
 */

import {
  add,
  compile,
  concat,
  crossEntropy,
  flatten,
  maxPool2d,
  mul,
  nn,
  normal,
  Parameter,
  relu,
  type Shape,
  State,
  softmax,
  stack,
  Tensor,
  tensor,
  where,
  zeros,
} from "../../src/index.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Fails to compile unless the shape is known as exactly `S`, whether it may be written to or not. */
function shape<S extends Shape>(): <T extends Shape>(
  x: Tensor<T> & (Same<Readonly<T>, Readonly<S>> extends true ? unknown : never),
) => void {
  return () => {};
}

export function shapesFlow(n: number, anyShape: Tensor): void {
  shape<[2, 3]>()(zeros([2, 3]));
  shape<[2, 3]>()(zeros([2, 3]).mul(2).add(1));
  shape<[2, 3]>()(relu(add(normal([2, 3]), zeros([2, 3]))));
  shape<[2, 3]>()(add(normal([2, 3]), 1));
  shape<[2, 3]>()(softmax(mul(normal([2, 3]), new Parameter(normal([2, 3])))));
  shape<[]>()(tensor(1));
  shape<[2, 2]>()(tensor(new Float32Array(4), [2, 2]));
  shape<[number, 3]>()(zeros([n, 3]));
  shape<[number, 3]>()(zeros([n, 3]).reshape([-1, 3]));
  shape<[2, number]>()(zeros([2, 3, 4]).view([2, -1]));
  shape<[2, 6, number, number]>()(new nn.Conv2d(1, 6, 5)(zeros([2, 1, 28, 28])));
  shape<[2, 6, number, number]>()(new nn.MaxPool2d(2)(new nn.Conv2d(1, 6, 5)(zeros([2, 1, 28, 28]))));
  shape<[2, 10]>()(new nn.Linear(84, 10)(zeros([2, 84])));
  shape<[]>()(crossEntropy(anyShape, tensor(new Int32Array(2))));
  // Where broadcasting decides, only that it is a shape.
  shape<Shape>()(zeros([2, 1]).add(zeros([3])));
  // @ts-expect-error: this function itself can fail
  shape<[2, 4]>()(zeros([2, 3]));
}

export function knownShapesFitUnknownOnes(): void {
  let x: Tensor = zeros([2, 3]);
  x = zeros([4]).add(x);
  x = relu(x.view([x.shape[0], -1]));
  x = where(x.greater(0), maxPool2d(x, 2), flatten(stack([x, concat([x, x], 1)])));
  const rows: Tensor<[number, 3]> = zeros([2, 3]);
  // A length of -1 is not known, and any layer takes it.
  new nn.Linear(784, 10)(normal([4, 1, 28, 28]).view([4, -1]));
  // @ts-expect-error: 3 columns, not 4
  const wrong: Tensor<[number, 4]> = rows;
  void wrong;
}

export function elementTypes(x: Tensor, labels: Tensor<Shape, "int32">): void {
  const integers: Tensor<[number], "int32"> = tensor(new Int32Array(3));
  const bytes: Tensor<[3], "uint8"> = zeros([3], { dtype: "uint8" });
  const converted: Tensor<[3]> = bytes.to("float32");
  const flags: Tensor<Shape, "bool"> = tensor([[true], [false]]);
  crossEntropy(x, tensor([1, 2], { dtype: "int32" }));
  crossEntropy(x, tensor([[0.5, 0.5]]));
  // @ts-expect-error: numbers are float32 unless told
  const labelled: Tensor<Shape, "int32"> = tensor([1, 2]);
  // @ts-expect-error: zeros are float32 unless told
  const zeroed: Tensor<Shape, "int32"> = zeros([1, 2]);
  // @ts-expect-error: there is no exponential of integers
  labels.exp();
  // @ts-expect-error: nothing is converted silently
  x.add(labels);
  // @ts-expect-error: nothing is converted silently
  add(x, labels);
  // @ts-expect-error: labels are int32
  crossEntropy(x, bytes);
  // @ts-expect-error: no text
  tensor([["a"]]);
  void [integers, converted, flags, labelled, zeroed];
}

export function layersThatDoNotFit(): void {
  // @ts-expect-error: channels: got 1, but this layer expects 3
  new nn.Conv2d(3, 6, 5)(zeros([2, 1, 28, 28]));
  // @ts-expect-error: features: got 3, but this layer expects 4
  new nn.Linear(4, 5)(zeros([2, 3]));
  // @ts-expect-error: layers compute with float32
  new nn.Linear(4, 5)(zeros([2, 4], { dtype: "int32" }));
}

export function states(): void {
  const count: State<[]> = new State(tensor(0));
  count.assign(count.value.add(1));
  // @ts-expect-error: a state keeps its element type
  count.assign(tensor(1, { dtype: "int32" }));
  // @ts-expect-error: tensors are made by functions
  new Tensor();
}

export async function compiledFunctions(x: Tensor): Promise<void> {
  const scaled = compile((images: Tensor, rate: Tensor, mode: "a" | "b") => ({ y: images.mul(rate), mode }));
  // Numbers go where tensors are wanted, and what comes back has the structure that was returned.
  const { y, mode } = await scaled(x, 0.1, "a");
  const values: Float32Array = await y.data();
  void [mode, values];
  // @ts-expect-error: neither a nor b
  scaled(x, 0.1, "c");
  // @ts-expect-error: it returns a promise
  scaled(x, 0.1, "a").y;
  // @ts-expect-error: what is recorded cannot wait
  compile(async (input: Tensor) => input);
}
