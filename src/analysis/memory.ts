/**
 * The memory that a model's programs take: those that `compile` would make of it, planned and not run. Inference is one
 * call; training is a call, its loss, the gradients of all parameters and a step of gradient descent, in one program.
 */

import type { Device } from "../backends/backend.js";
import { type DType, sizeBytes } from "../core/dtype.js";
import { ShapeError } from "../core/errors.js";
import { type Shape, sizeOf } from "../core/shape.js";
import { backpropagate, parametersBehind } from "../graph/autodiff.js";
import type { Graph } from "../graph/graph.js";
import { type CompiledProgram, planProgram } from "../graph/program.js";
import { arenaSlot } from "../graph/schedule.js";
import { Parameter } from "../graph/state.js";
import { type AnyTensor, Tensor } from "../graph/tensor.js";
import { crossEntropy } from "../nn/losses/classification.js";
import { ModuleBase } from "../nn/module.js";
import { full } from "../ops/create.js";
import { add, mul, sub } from "../ops/elementwise/arithmetic.js";
import { mean } from "../ops/reduce/mean.js";
import type { Layer } from "./layer.js";
import { layersOf, renamed } from "./layers.js";
import { type InputSpec, type Model, type Recording, record, withMode } from "./record.js";

/** Bytes, as planned for one device. */
export interface Memory {
  /** The device and its kernels, such as `native-avx2`: their working memory differs. */
  readonly device: string;
  /** Length of the input's first axis that inference is planned for. */
  readonly batch: number;
  /** That of training: 2 in place of 1 where statistics of a batch need more than one sample. */
  readonly trainingBatch: number;
  readonly parameters: number;
  /** Running statistics and other values that are kept but not trained. */
  readonly buffers: number;
  readonly input: number;
  /**
   * Weights that inference keeps a second time, in the form that its kernels want (docs/performance.md); with
   * `setMemory("low")` none. Programs that want the same form share it.
   */
  readonly prepared: number;
  /** Working memory of a call: where layers' outputs and kernels' scratch space lie, one after another in the same place. */
  readonly inference: number;
  /**
   * Working memory of a step of training: what is kept for going back, the gradients of activations, and scratch space.
   * Those of parameters are used up one after the other. An optimizer's momentum (once the parameters; Adam: twice) is not in it. Undefined where
   * there is nothing to train.
   */
  readonly training: number | undefined;
  /** Of `training` what the way forward leaves for the way back, exactly: alive after the last layer's kernel has run. */
  readonly kept: number | undefined;
  /** The gradients of the parameters, all together: what they would take if they were kept, as to limit their common length. */
  readonly gradients: number | undefined;
}

export interface PlannedMemory {
  readonly memory: Memory;
  /** Of `kept` what is the output of each layer, by its key. */
  readonly keptBy: ReadonlyMap<string, number>;
}

/** Names a layer in recordings of the same model. */
export function keyOf({ name, call }: Pick<Layer, "name" | "call">): string {
  return `${name} ${call}`;
}

/** Plans both programs. @param evaluation a recording of the model as it evaluates these inputs, if there is one */
export function planMemory(
  model: Model,
  inputs: readonly Required<InputSpec>[],
  evaluation: Recording = withMode(model, false, () => record(model, inputs)),
): PlannedMemory {
  const states = statesBehind(model, evaluation.graph);
  const bytes = (list: readonly Sized[]) => list.reduce((sum, each) => sum + bytesOf(each), 0);
  const { device } = evaluation;
  const { plan, preparations } = planProgram(evaluation.program, device);
  const memory = {
    device: device.variant,
    parameters: bytes(states.filter((state) => state instanceof Parameter)),
    buffers: bytes(states.filter((state) => !(state instanceof Parameter))),
    input: bytes(inputs),
    prepared: preparations.flatMap(({ targets }) => targets).reduce((sum, { bytes }) => sum + bytes, 0),
    inference: plan.bytes,
  };
  const batch = inputs[0]?.shape[0] ?? 1;
  const { keptBy = new Map(), ...training } = planTraining(model, inputs) ?? {};
  const none = { trainingBatch: batch, training: undefined, kept: undefined, gradients: undefined };
  return { memory: { batch, ...memory, ...none, ...training }, keptBy };
}

interface Sized {
  readonly shape: Shape;
  readonly dtype: DType;
}

function bytesOf({ shape, dtype }: Sized): number {
  return sizeBytes(dtype, sizeOf(shape));
}

/** A module's states, each once; of a function those that it uses. */
function statesBehind(model: Model, { nodes }: Graph) {
  if (model instanceof ModuleBase) return [...new Set([...model.namedStates()].map(([, state]) => state))];
  return [...new Set(nodes.flatMap(({ origin }) => (origin.kind === "state" ? [origin.state] : [])))];
}

function planTraining(model: Model, inputs: readonly Required<InputSpec>[]): Training | undefined {
  try {
    return planStep(model, inputs);
  } catch (error) {
    if (!(error instanceof ShapeError) || inputs[0]?.shape[0] !== 1) throw error;
    return planStep(
      model,
      inputs.map(({ shape, dtype }) => ({ shape: [2, ...shape.slice(1)], dtype })),
    );
  }
}

interface Training {
  readonly trainingBatch: number;
  readonly training: number;
  readonly kept: number;
  readonly gradients: number;
  readonly keptBy: ReadonlyMap<string, number>;
}

/** Undefined where there is nothing to train. */
function planStep(model: Model, inputs: readonly Required<InputSpec>[]): Training | undefined {
  const { recording, trained } = recordTraining(model, inputs);
  if (trained.length === 0) return undefined;
  const compiled = planProgram(recording.program, recording.device);
  const { leafOf } = layersOf(model, recording);
  const keptBy = new Map<string, number>();
  let kept = 0;
  for (const { bytes, node } of keptBuffers(compiled, recording.program, recording.outputs)) {
    kept += bytes;
    const layer = node && leafOf.get(node);
    if (layer !== undefined) keptBy.set(keyOf(layer), (keptBy.get(keyOf(layer)) ?? 0) + bytes);
  }
  const gradients = trained.reduce((sum, parameter) => sum + bytesOf(parameter), 0);
  return { trainingBatch: inputs[0]?.shape[0] ?? 1, training: compiled.plan.bytes, kept, gradients, keptBy };
}

/** A call of `model` in training, its loss and a step of gradient descent; `trained` are the parameters that it changes. */
export function recordTraining(
  model: Model,
  inputs: readonly Required<InputSpec>[],
): { readonly recording: Recording; readonly trained: readonly Parameter[] } {
  let trained: readonly Parameter[] = [];
  const recording = withMode(model, true, () =>
    record(model, inputs, (outputs, device) => {
      const loss = lossOf(outputs, device);
      if (loss === undefined) return outputs;
      trained = recordStep(loss);
      return [loss];
    }),
  );
  return { recording, trained };
}

/** Cross-entropy of every output that has a row of scores for each sample, mean squares of others. */
function lossOf(outputs: readonly AnyTensor[], device: Device): Tensor | undefined {
  let sum: Tensor | undefined;
  for (const output of outputs) {
    if (output.dtype !== "float32") continue;
    const scores = output as Tensor;
    const [samples, , ...places] = output.shape;
    const labels = new Tensor([samples, ...places], "int32", device, { kind: "argument" });
    const loss = output.rank >= 2 ? crossEntropy(scores, labels) : mean(mul(scores, scores));
    sum = sum === undefined ? loss : add(sum, loss);
  }
  return sum;
}

/** Records a step of gradient descent; returns the parameters that it changes. */
function recordStep(loss: Tensor): readonly Parameter[] {
  const parameters = parametersBehind(loss);
  const seed = full(loss.shape, 1, { device: loss.device });
  const gradients = backpropagate(loss, seed, new Set(parameters.keys()), (a, b) => add(a, b));
  for (const [value, parameter] of parameters) {
    const gradient = gradients.get(value);
    if (gradient !== undefined) parameter.assign(sub(value as Tensor, mul(gradient, 0.01)));
  }
  return [...parameters.values()];
}

interface KeptBuffer {
  readonly bytes: number;
  /** The newest value of the way forward that lies in it; undefined for scratch space. */
  readonly node: AnyTensor | undefined;
}

/** Buffers that are alive between the last kernel of the way forward and what comes next. */
function keptBuffers(compiled: CompiledProgram, graph: Graph, outputs: readonly AnyTensor[]): KeptBuffer[] {
  const { origins, plan, schedule } = compiled;
  const lastNode = Math.max(...outputs.map((output) => graph.indexOf.get(renamed(output)) ?? -1));
  const isForward = (node: number) => {
    const { origin } = graph.nodes[node];
    return node <= lastNode && origin.kind === "computed" && origin.op.kind !== "elementwise";
  };
  const lastKernel = origins.reduce((last, { node }) => (isForward(node) ? Math.max(last, node) : last), -1);
  let boundary = origins.findIndex(({ node }) => node === lastKernel);
  // Its own other steps, but not those of the way back that compute it once more.
  while (boundary >= 0 && origins[boundary + 1]?.node === lastKernel) boundary++;
  const nodeOf = new Map<number, number>();
  for (const [{ node }, { id, slot }] of schedule.bufferOf) {
    if (slot === arenaSlot && node <= lastNode) nodeOf.set(id, Math.max(node, nodeOf.get(id) ?? -1));
  }
  return schedule.arena.flatMap(({ id, bytes }) => {
    const [first, last] = plan.lifetimes[id] ?? [0, -1];
    if (first > boundary || last <= boundary) return [];
    const node = nodeOf.get(id);
    return [{ bytes, node: node === undefined ? undefined : graph.nodes[node] }];
  });
}
