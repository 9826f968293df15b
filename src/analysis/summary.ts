/** The arithmetic of a model: what its layers give, hold, cost and see. */

import { type Shape, sizeOf } from "../core/shape.js";
import { dependencies } from "../graph/graph.js";
import { Parameter } from "../graph/state.js";
import type { AnyTensor } from "../graph/tensor.js";
import { ModuleBase } from "../nn/module.js";
import { dependenceOf, outputFields } from "./dependence.js";
import type { Layer } from "./layer.js";
import { costOf, type Layers, layersOf, renamed, typeOf } from "./layers.js";
import { keyOf, type Memory, planMemory } from "./memory.js";
import { describeField, describeUse, type PixelUse, type ReceptiveField } from "./receptiveField.js";
import { type Inputs, type Model, parseInputs, type Recording, record, withMode } from "./record.js";
import { summaryTable, type TableOptions } from "./table.js";

/** A layer, or a module with the layers inside it, whose numbers are then those of all of them together. */
export interface LayerSummary {
  /** The module's path, such as `features.0`; of an op that a `forward` applies itself the path of that module and the op. */
  readonly name: string;
  /** The module's class, or the op's name. */
  readonly type: string;
  readonly kind: "module" | "function";
  /** 1, or 2 and so on for further calls of the same module; 0 where it is never called. */
  readonly call: number;
  /** Shape of what it returns (of the first tensor where there are several); undefined where it is never called. */
  readonly output: Shape | undefined;
  /** Weights that no earlier layer has: all of a model's layers together have each weight once. */
  readonly parameters: number;
  /** Weights that it uses too, but that are counted with an earlier layer. */
  readonly shared: number;
  /** Of `parameters` those that are not frozen. */
  readonly trainable: number;
  /** Multiply-adds of convolutions and matrix products, without bias: products of their definition, padding included. */
  readonly macs: number;
  /** Other arithmetic: elements computed, compared or added up, biases included. */
  readonly operations: number;
  /** Values of its outputs; 0 where they are its input's under another name. */
  readonly activations: number;
  /** Undefined where the input has no places (N×C), or nothing is seen of it. */
  readonly receptiveField: ReceptiveField | undefined;
  /** How many places of its output see each pixel of the input. Undefined also where an axis is longer than 4,096. */
  readonly pixelUse: PixelUse | undefined;
  /** Bytes of its outputs that a step of training keeps for going back. Undefined where memory was not planned. */
  readonly kept: number | undefined;
  readonly children: readonly LayerSummary[];
}

export interface SummaryOptions {
  /** Summarise the model as it is while training: batch statistics, dropout, auxiliary heads. Default: as when evaluating. */
  readonly training?: boolean;
  /** Plan the programs of inference and training, for `memory` and `kept`. Default true. */
  readonly memory?: boolean;
}

export class Summary {
  constructor(
    /** The model's class, or the function's name. */
    readonly model: string,
    readonly inputs: readonly Shape[],
    /** The whole model, with everything inside it. */
    readonly root: LayerSummary,
    /** Layers in the order in which they are called; modules that are never called come last. */
    readonly layers: readonly LayerSummary[],
    /** Values that are kept but not trained, such as running statistics. */
    readonly buffers: number,
    /** Layers with weights on the longest path from input to output. */
    readonly depth: number,
    /** Which layers' outputs each layer takes: pairs of positions in `layers`, −1 for the input. */
    readonly edges: readonly (readonly [from: number, to: number])[],
    readonly memory: Memory | undefined,
  ) {}

  /** All weights, each once, whether they are used or not. */
  get parameters(): number {
    return this.root.parameters;
  }

  get trainable(): number {
    return this.root.trainable;
  }

  /** Of `parameters` those of layers that are never called, such as auxiliary heads when evaluating. */
  get unused(): number {
    return this.layers.reduce((sum, { call, parameters }) => sum + (call === 0 ? parameters : 0), 0);
  }

  get macs(): number {
    return this.root.macs;
  }

  get operations(): number {
    return this.root.operations;
  }

  get activations(): number {
    return this.root.activations;
  }

  /**
   * The layers, with those more than `depth` modules deep taken together: of GoogLeNet's 1 gives its inception modules as
   * a line each.
   */
  rows(depth = Number.POSITIVE_INFINITY): readonly LayerSummary[] {
    const below = (layer: LayerSummary, level: number): readonly LayerSummary[] => {
      if (layer.children.length === 0 || level === depth) return [layer];
      return layer.children.flatMap((child) => below(child, level + 1));
    };
    return below(this.root, 0);
  }

  /** A table for people. */
  toString(options?: TableOptions): string {
    return summaryTable(this, options);
  }

  /** What `console.log` shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/**
 * Counts what a model does with inputs of these shapes. It is recorded, not run: nothing is computed, and weights that do
 * not exist yet are not made.
 *
 * @param model a module, or a function of tensors
 * @param inputs the input's shape as the model is called with it, batch included; or a list of shapes, of which receptive
 * fields refer to the first
 * @throws what the model itself throws for such inputs, with the path of the module
 * @example
 * const summary = summarize(models.create("lenet5"), [1, 1, 28, 28]);
 * summary.macs; // 416,520
 * console.log(summary); // a table
 */
export function summarize(model: Model, inputs: Inputs, options: SummaryOptions = {}): Summary {
  const { training = false, memory = true } = options;
  const specs = parseInputs(inputs);
  const recording = withMode(model, training, () => record(model, specs));
  const layers = layersOf(model, recording);
  const planned = memory ? planMemory(model, specs, training ? undefined : recording) : undefined;
  const { summaries, root } = new Describer(recording, layers, planned?.keptBy).describe();
  const edges = edgesOf(recording, layers);
  return new Summary(
    typeOf(model),
    specs.map(({ shape }) => shape),
    root,
    summaries,
    buffersOf(model, recording),
    depthOf(layers, edges),
    edges,
    planned?.memory,
  );
}

class Describer {
  readonly #fields;
  readonly #counted: Set<AnyTensor>;

  constructor(
    readonly recording: Recording,
    readonly layers: Layers,
    readonly keptBy: ReadonlyMap<string, number> | undefined,
  ) {
    this.#fields = dependenceOf(recording);
    this.#counted = new Set(recording.inputs);
  }

  describe(): { readonly root: LayerSummary; readonly summaries: readonly LayerSummary[] } {
    const made = new Map<Layer, LayerSummary>();
    for (const layer of this.layers.leaves) made.set(layer, this.#leaf(layer));
    const summaries = [...made.values()];
    const visit = (layer: Layer): LayerSummary => {
      return made.get(layer) ?? this.#branch(layer, layer.children.map(visit));
    };
    const { root } = this.layers;
    const whole = made.get(root) ?? this.#branch(root, root.children.map(visit));
    // A model that is one layer may have others that it never calls.
    return { root: summaries.length > 1 && made.has(root) ? this.#branch(root, summaries) : whole, summaries };
  }

  #leaf(layer: Layer): LayerSummary {
    const costs = layer.nodes.map(costOf);
    const sizes = (parameters: Iterable<Parameter>) => sumOf([...parameters], ({ shape }) => sizeOf(shape));
    return {
      ...this.#common(layer),
      parameters: sizes(layer.own),
      shared: sizes(layer.shared),
      trainable: sizes([...layer.own].filter(({ requiresGrad }) => requiresGrad)),
      macs: sumOf(costs, ({ macs }) => macs),
      operations: sumOf(costs, ({ operations }) => operations),
      activations: this.#newValues(layer),
      kept: this.keptBy && (this.keptBy.get(keyOf(layer)) ?? 0),
      children: [],
    };
  }

  #branch(layer: Layer, children: readonly LayerSummary[]): LayerSummary {
    const sum = (of: (child: LayerSummary) => number) => sumOf(children, of);
    return {
      ...this.#common(layer),
      parameters: sum((child) => child.parameters),
      shared: sum((child) => child.shared),
      trainable: sum((child) => child.trainable),
      macs: sum((child) => child.macs),
      operations: sum((child) => child.operations),
      activations: sum((child) => child.activations),
      kept: this.keptBy && sum((child) => child.kept ?? 0),
      children,
    };
  }

  #common({ name, type, kind, call, outputs }: Layer) {
    const [output] = outputs;
    const fields = output && outputFields(this.recording, this.#fields, output);
    return {
      ...{ name, type, kind, call, output: output?.shape },
      receptiveField: fields && describeField(fields),
      pixelUse: fields && describeUse(fields),
    };
  }

  /** Elements of the layer's outputs that are not another tensor's under a new name. */
  #newValues({ outputs }: Layer): number {
    let count = 0;
    for (const output of outputs.map(renamed)) {
      if (this.#counted.has(output) || !this.recording.graph.indexOf.has(output)) continue;
      this.#counted.add(output);
      count += output.size;
    }
    return count;
  }
}

function sumOf<T>(list: readonly T[], of: (each: T) => number): number {
  return list.reduce((sum, each) => sum + of(each), 0);
}

/** Elements of a module's states that are no parameters; of a function's those that it reads. */
function buffersOf(model: Model, { graph }: Recording): number {
  const states =
    model instanceof ModuleBase
      ? [...model.namedStates()].map(([, state]) => state)
      : graph.nodes.flatMap(({ origin }) => (origin.kind === "state" ? [origin.state] : []));
  return sumOf([...new Set(states)], (state) => (state instanceof Parameter ? 0 : sizeOf(state.shape)));
}

/** From each layer to those that use what it computes; renaming lies on the way. */
function edgesOf({ inputs }: Recording, { leaves, leafOf }: Layers): [number, number][] {
  const position = new Map(leaves.map((layer, index) => [layer, index]));
  const edges: [number, number][] = [];
  for (const [to, layer] of leaves.entries()) {
    const from = new Set<number>();
    const stack = layer.nodes.flatMap(dependencies);
    const seen = new Set<AnyTensor>();
    for (let tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
      if (seen.has(tensor)) continue;
      seen.add(tensor);
      const source = leafOf.get(tensor);
      if (source !== undefined) from.add(position.get(source) ?? to);
      else if (inputs.includes(tensor)) from.add(-1);
      else stack.push(...dependencies(tensor));
    }
    from.delete(to);
    edges.push(...[...from].sort((a, b) => a - b).map((each): [number, number] => [each, to]));
  }
  return edges;
}

/** Layers with weights and multiply-adds on the longest path. */
function depthOf({ leaves }: Layers, edges: readonly (readonly [number, number])[]): number {
  const depth = new Map<number, number>([[-1, 0]]);
  for (const [index, layer] of leaves.entries()) {
    const before = edges.flatMap(([from, to]) => (to === index ? [depth.get(from) ?? 0] : []));
    const isWeighted = layer.own.size + layer.shared.size > 0 && layer.nodes.some((node) => costOf(node).macs > 0);
    depth.set(index, Math.max(0, ...before) + (isWeighted ? 1 : 0));
  }
  return Math.max(...depth.values());
}
