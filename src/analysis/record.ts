/** Recording what a model does with inputs of given shapes. Nothing is computed, and no memory is taken on a device. */

import type { Device } from "../backends/backend.js";
import { kindOf } from "../core/check.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { checkShape, type Shape } from "../core/shape.js";
import { type ModuleCall, type Trace, withTrace } from "../graph/context.js";
import { defaultDevice } from "../graph/device.js";
import { collectGraph, type Graph, updatesOf } from "../graph/graph.js";
import { type AnyTensor, Tensor } from "../graph/tensor.js";
import { ModuleBase } from "../nn/module.js";
import { Network } from "../nn/network.js";

/** A module, or a function of tensors. */
export type Model = ((...inputs: never[]) => unknown) | ModuleBase;

/** An input: its shape, as the model is called with it, and its element type (default float32). */
export interface InputSpec {
  readonly shape: Shape;
  readonly dtype?: DType;
}

/** The shape of a model's one input, batch included (`[1, 3, 224, 224]`), or a list of its inputs. */
export type Inputs = Shape | readonly (Shape | InputSpec)[];

/** What a model did when it was called. */
export interface Recording {
  readonly inputs: readonly AnyTensor[];
  /** The tensors in what it returned, in order. */
  readonly outputs: readonly AnyTensor[];
  /** What the outputs are computed from; its updates are new running statistics and the like. */
  readonly graph: Graph;
  /** The same with what was recorded on top of it. */
  readonly program: Graph;
  /** Calls of modules, in the order in which they began. */
  readonly calls: readonly ModuleCall[];
  readonly device: Device;
}

/** The inputs that a model is to be recorded with. @throws ShapeError, ArgumentError for what is none */
export function parseInputs(inputs: Inputs): readonly Required<InputSpec>[] {
  if (!Array.isArray(inputs)) throw new ArgumentError(`the input is ${kindOf(inputs)}. ${expectedInputs}`);
  const list: readonly unknown[] = inputs;
  const specs = list.every((each) => typeof each === "number") ? [{ shape: list }] : list.map(toSpec);
  for (const { shape } of specs) checkShape("the input", shape);
  return specs.map(({ shape, dtype = "float32" }: InputSpec) => ({ shape, dtype }));
}

const expectedInputs = "Expected a shape, such as [1, 3, 224, 224], or a list of shapes.";

function toSpec(input: unknown): InputSpec {
  if (Array.isArray(input)) return { shape: input };
  if (input !== null && typeof input === "object" && "shape" in input) return input as InputSpec;
  throw new ArgumentError(`one of the inputs is ${kindOf(input)}. ${expectedInputs}`);
}

/** Where a model's parameters live; a function's will be where new tensors do. */
export function deviceOf(model: Model): Device {
  if (model instanceof ModuleBase) for (const [, state] of model.namedStates()) return state.device;
  return defaultDevice();
}

/**
 * Records a call of `model`; a network in training gives its auxiliary scores too.
 *
 * @param then records more on top of the outputs, such as a loss and a step of training, and gives what the program is to
 * give instead of them
 */
export function record(
  model: Model,
  inputs: readonly Required<InputSpec>[],
  then?: (outputs: readonly AnyTensor[], device: Device) => readonly AnyTensor[],
): Recording {
  if (typeof model !== "function")
    throw new ArgumentError(`a model is expected, not ${kindOf(model)}. Fix: give a module, or a function of tensors.`);
  const device = deviceOf(model);
  const calls: ModuleCall[] = [];
  const trace: Trace = { states: new Map(), guards: [], gradients: new Set(), calls };
  return withTrace(trace, () => {
    const placeholders = inputs.map(({ shape, dtype }) => {
      return new Tensor<Shape, DType>(shape, dtype, device, { kind: "argument" });
    });
    const result =
      model instanceof Network && model.training
        ? model.outputs(placeholders[0] as Tensor)
        : (model as (...inputs: readonly AnyTensor[]) => unknown)(...placeholders);
    const outputs = tensorsOf(result);
    if (outputs.length === 0) {
      throw new ArgumentError(
        `the model returned ${kindOf(result)}. Expected a tensor, or an array or plain object of tensors. Fix: return them from forward().`,
      );
    }
    const graph = collectGraph(outputs, updatesOf(trace));
    const program = then === undefined ? graph : collectGraph(then(outputs, device), updatesOf(trace));
    return { inputs: placeholders, outputs, graph, program, calls, device };
  });
}

/** The tensors in what a module or function returned, alone or in arrays and objects, in order. */
export function tensorsOf(result: unknown): AnyTensor[] {
  if (result instanceof Tensor) return [result];
  if (result === null || typeof result !== "object") return [];
  return Object.values(result).flatMap(tensorsOf);
}

/** Runs `body` with the modes of all modules inside `model` as they are to be, and gives them back as they were. */
export function withMode<T>(model: Model, training: boolean | undefined, body: () => T): T {
  if (!(model instanceof ModuleBase) || training === undefined) return body();
  const modes = [...model.namedModules()].map(([, module]) => [module, module.training] as const);
  model.train(training);
  try {
    return body();
  } finally {
    for (const [module, mode] of modes) module.training = mode;
  }
}
