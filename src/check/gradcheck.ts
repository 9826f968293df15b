/** Gradients against finite differences, for any function of tensors. */

import type { DType, TypedArray } from "../core/dtype.js";
import { ArgumentError, DTypeError } from "../core/errors.js";
import { RandomStream } from "../core/philox.js";
import { type Shape, sizeOf } from "../core/shape.js";
import { currentTrace, type Trace, withTrace } from "../graph/context.js";
import { evaluateTensors } from "../graph/lazy.js";
import { State } from "../graph/state.js";
import type { AnyTensor, Tensor } from "../graph/tensor.js";
import type { ModuleBase } from "../nn/module.js";
import { Network } from "../nn/network.js";
import { tensorOver } from "../ops/create.js";
import { add, mul } from "../ops/elementwise/arithmetic.js";
import { grad } from "../ops/gradient.js";
import { sum } from "../ops/reduce/sum.js";
import { type AnyTensorLike, asTensor } from "../ops/tensors.js";
import { compareWithDifferences } from "./differences.js";
import { ExactGraph } from "./exact.js";
import { GradcheckResult, type InputReport, summarize } from "./report.js";

export interface GradcheckOptions {
  /**
   * `definitions` (default): both sides in float64 from the ops' definitions, which tests the rules of differentiation.
   * `device`: gradients as the inputs' device computes them in float32, which tests its kernels too.
   */
  readonly gradients?: "definitions" | "device";
  /** Width of the differences, times |x| where that is above 1. Default 1e-5. */
  readonly step?: number;
  /** Largest error of a gradient that is right. Default 1e-6, and 1e-3 for `device`. */
  readonly tolerance?: number;
  /** At most so many elements of each input are checked, picked at random. Default 500. */
  readonly elements?: number;
  /** Largest share of elements at corners of the function, where nothing can be compared. Default 0.01. */
  readonly mostKinks?: number;
  /** Decides what is picked at random. Default 0. */
  readonly seed?: number;
  /** What to call the inputs. Default `input 0`, …. */
  readonly names?: readonly string[];
  /** Called now and then with the elements done and their number. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the check early. */
  readonly signal?: AbortSignal;
}

/** A function of any inputs. */
type Differentiable = (...inputs: never) => Tensor<Shape> | readonly Tensor<Shape>[];

/**
 * Checks the gradients of a function of tensors against central differences of its values. Of results with more than one
 * element a random weighting is differentiated. Nothing is changed: assignments to states inside the function are dropped,
 * and random draws, as dropout makes them, stay the same for all values. What goes through `detach` counts as constant.
 *
 * @param fn gives a float32 tensor, or several
 * @param inputs what it is called with; the gradients for all that are float32 are checked. A parameter stands for the
 *   value that the function reads of it.
 * @example
 * const result = await gradcheck((x, w) => tanh(conv2d(x, w)), [normal([1, 2, 5, 5]), normal([3, 2, 3, 3])]);
 * result.passed; // true
 * console.log(`${result}`); // the worst element, its input and error
 */
export function gradcheck<const Inputs extends readonly AnyTensorLike[]>(
  fn: (...inputs: { [Input in keyof Inputs]: NoInfer<Inputs[Input]> }) => Tensor<Shape> | readonly Tensor<Shape>[],
  inputs: readonly [...Inputs],
  options: GradcheckOptions = {},
): Promise<GradcheckResult> {
  return gradcheckCall(fn, inputs, options);
}

/** `gradcheck` of a function whose inputs are known only when it runs. @internal */
export async function gradcheckCall(
  fn: Differentiable,
  inputs: readonly AnyTensorLike[],
  options: GradcheckOptions = {},
): Promise<GradcheckResult> {
  const settings = checkOptions(options, inputs.length);
  const { names, gradients, tolerance, seed, signal } = settings;
  const given = inputs.map((input) => asTensor<AnyTensorLike>("gradcheck", input) as AnyTensor);
  evaluateTensors(given.filter(({ origin }) => origin.kind === "computed"));
  const values = await Promise.all(given.map((tensor) => tensor.data()));

  const trace: Trace = { states: new Map(), guards: [], gradients: new Set() };
  const recorded = withTrace(trace, () => {
    const leaves = startAt(inputs, given, values);
    const differentiated = leaves.filter(isFloat);
    const loss = weightedSum(callWith(fn, inputs, leaves), seed);
    return { leaves, differentiated, loss, slopes: grad(loss, differentiated, { allowUnused: true }) };
  });
  const { leaves, differentiated, loss, slopes } = recorded;
  if (differentiated.length === 0)
    throw new DTypeError("gradcheck: no input is float32, so there is no gradient to check. Expected at least one.");

  const exact = new Map(
    leaves.flatMap((leaf, i) => (isFloat(leaf) ? [[leaf, Float64Array.from(values[i])] as const] : [])),
  );
  const graph = await ExactGraph.compute([loss, ...slopes], exact);
  const found =
    gradients === "device"
      ? await gradientsOnDevice(fn, inputs, startAt(inputs, given, values), graph, seed)
      : slopes.map((slope) => graph.valueOf(slope).slice());

  const picked = differentiated.map((leaf, i) => pick(sizeOf(leaf.shape), settings.elements, seed, i));
  const pause = pacer(
    settings,
    picked.reduce((total, positions) => total + positions.length, 0),
  );
  const total = graph.valueOf(loss);
  const reports: InputReport[] = [];
  for (const [i, leaf] of differentiated.entries()) {
    const data = exact.get(leaf) ?? new Float64Array(0);
    const update = graph.updater(leaf);
    const f = () => {
      update();
      return total[0];
    };
    const compared = await compareWithDifferences(data, found[i], picked[i], f, settings, pause);
    reports.push(summarize(names[leaves.indexOf(leaf)], leaf.shape, data.length, compared, tolerance));
  }
  signal?.throwIfAborted();
  const precision = gradients === "device" ? "float32" : "float64";
  return new GradcheckResult(precision, settings.step, tolerance, settings.mostKinks, reports);
}

type Outputs = Tensor<Shape> | readonly Tensor<Shape>[];

/**
 * Checks a network's gradients for its inputs and all of its parameters, in the mode (training or evaluation) that it is
 * in; in training those of auxiliary classifiers too.
 *
 * @param inputs what the model is called with: a tensor, or several
 * @example
 * const result = await gradcheckModel(models.create("lenet5"), normal([1, 1, 28, 28]), { elements: 20 });
 */
export function gradcheckModel(
  model: ModuleBase & ((...inputs: never[]) => Outputs),
  inputs: AnyTensorLike | readonly AnyTensorLike[],
  options: GradcheckOptions = {},
): Promise<GradcheckResult> {
  const list = "length" in inputs ? inputs : [inputs];
  const parameters = [...model.namedParameters()];
  const names = [
    ...(options.names ?? list.map((_, i) => (list.length === 1 ? "input" : `input ${i}`))),
    ...parameters.map(([name]) => name),
  ];
  const call = (...values: never[]) => outputsOf(model, values.slice(0, list.length));
  return gradcheckCall(call, [...list, ...parameters.map(([, parameter]) => parameter)], { ...options, names });
}

/** What a model gives; of a network in training its auxiliary scores too, which only some parameters work for. */
function outputsOf(model: (...inputs: never[]) => Outputs, inputs: never[]): Outputs {
  if (!(model instanceof Network)) return model(...inputs);
  const { logits, auxiliary } = model.outputs(inputs[0]);
  return [logits, ...auxiliary.map((each) => each.logits)];
}

type Settings = Required<Omit<GradcheckOptions, "onProgress" | "signal">> &
  Pick<GradcheckOptions, "onProgress" | "signal">;

function checkOptions(options: GradcheckOptions, inputs: number): Settings {
  if (currentTrace() !== null) throw new ArgumentError("gradcheck cannot be called inside compile().");
  const { gradients = "definitions", step = 1e-5, elements = 500, mostKinks = 0.01, seed = 0 } = options;
  const names = options.names ?? Array.from({ length: inputs }, (_, i) => `input ${i}`);
  const tolerance = options.tolerance ?? (gradients === "device" ? 1e-3 : 1e-6);
  if (gradients !== "definitions" && gradients !== "device")
    throw new ArgumentError(
      `gradcheck: gradients is ${JSON.stringify(gradients)}. Expected "definitions" or "device".`,
    );
  for (const [name, value] of Object.entries({ step, tolerance })) {
    if (!(value > 0)) throw new ArgumentError(`gradcheck: ${name} is ${value}. Expected a number above 0.`);
  }
  if (!(elements >= 1)) throw new ArgumentError(`gradcheck: elements is ${elements}. Expected a number of 1 or more.`);
  if (names.length !== inputs)
    throw new ArgumentError(`gradcheck: there are ${names.length} names for ${inputs} inputs. Expected one for each.`);
  return { ...options, gradients, step, tolerance, elements, mostKinks, seed, names };
}

function isFloat(tensor: AnyTensor): tensor is Tensor {
  return tensor.dtype === "float32";
}

/** What is differentiated by: states, and copies of tensors that depend on nothing. */
function startAt(
  inputs: readonly AnyTensorLike[],
  given: readonly AnyTensor[],
  values: readonly TypedArray[],
): AnyTensor[] {
  return inputs.map((input, i) => {
    const { shape, dtype, device } = given[i];
    return input instanceof State ? input.value : tensorOver<Shape, DType>(values[i], shape, dtype, device);
  });
}

/** Calls the function with parameters as they were given, and with `leaves` for all other inputs. */
function callWith(
  fn: Differentiable,
  inputs: readonly AnyTensorLike[],
  leaves: readonly AnyTensor[],
): readonly Tensor[] {
  const args = inputs.map((input, i) => (input instanceof State ? input : leaves[i]));
  const result = fn(...(args as never));
  const results = Array.isArray(result) ? result : [result];
  return results.map((each: Tensor) => {
    const tensor = asTensor<AnyTensorLike>("gradcheck: the function's result", each) as AnyTensor;
    if (!isFloat(tensor))
      throw new DTypeError(`gradcheck: the function gives ${tensor.dtype}. Expected float32, which has gradients.`);
    return tensor;
  });
}

/** One number that depends on every element of `results`, each in its own way. */
function weightedSum(results: readonly Tensor[], seed: number): Tensor {
  const sums = results.map((result, i): Tensor => {
    if (result.size === 1) return sum(result);
    const random = new RandomStream(seed, i, 1);
    // None is near 0, where an error would hide.
    const weights = Float32Array.from({ length: result.size }, () => {
      const size = random.uniform(0.5, 1.5);
      return random.integer(2) === 0 ? size : -size;
    });
    return sum(mul(result, tensorOver(weights, result.shape, "float32", result.device)) as Tensor);
  });
  return sums.reduce((a, b) => add(a, b) as Tensor);
}

/** The gradients as the device computes them, of a second recording: the first has no device to run on. */
async function gradientsOnDevice(
  fn: Differentiable,
  inputs: readonly AnyTensorLike[],
  leaves: readonly AnyTensor[],
  graph: ExactGraph,
  seed: number,
): Promise<ArrayLike<number>[]> {
  if (graph.draws) {
    throw new ArgumentError(
      "gradcheck: the function draws random numbers, which the device would draw anew. Fix: gradients of the definitions (the default), or model.eval().",
    );
  }
  const loss = weightedSum(callWith(fn, inputs, leaves), seed);
  const slopes = grad(loss, leaves.filter(isFloat), { allowUnused: true });
  evaluateTensors(slopes);
  return Promise.all(slopes.map((slope) => slope.data()));
}

/** All positions of `size`, or `most` of them at random. */
function pick(size: number, most: number, seed: number, input: number): number[] {
  if (size <= most) return Array.from({ length: size }, (_, i) => i);
  const order = new RandomStream(seed, input, 2).permutation(size);
  return [...order.subarray(0, most)].sort((a, b) => a - b);
}

/** Reports progress, and lets others have their turn now and then. */
function pacer({ onProgress, signal }: Settings, total: number): () => Promise<void> {
  let done = 0;
  let last = performance.now();
  return async () => {
    done++;
    if (performance.now() - last < 50) return;
    onProgress?.(done, total);
    await new Promise((resume) => setTimeout(resume, 0));
    signal?.throwIfAborted();
    last = performance.now();
  };
}
