/**
 * The layers of a recording: each call of a module that calls no other, and each op that a network's own `forward` or a
 * plain function applies between them. Calls that contain others are branches of the tree.
 */

import type { Frame, ModuleCall } from "../graph/context.js";
import { dependencies } from "../graph/graph.js";
import { inputNames } from "../graph/operation.js";
import type { AnyTensor } from "../graph/tensor.js";
import { ModuleBase } from "../nn/module.js";
import { joinPath, type Layer, makeLayer } from "./layer.js";
import { claimParameters, claimUnused } from "./parameters.js";
import { type Model, type Recording, tensorsOf } from "./record.js";

export interface Layers {
  /** The model itself. */
  readonly root: Layer;
  /** Those without children, in the order in which they are called, and modules that are not. */
  readonly leaves: readonly Layer[];
  /** The leaf that computes a tensor. Renaming between leaves belongs to none. */
  readonly leafOf: ReadonlyMap<AnyTensor, Layer>;
}

interface Place {
  readonly layer: Layer;
  /** Its place among its parent's children: the tensors that had been made before it. */
  readonly begin: number;
  /** What the names of its children begin with. */
  readonly path: string;
}

/** The tree of `recording`, whose parameters are all in some layer. */
export function layersOf(model: Model, recording: Recording): Layers {
  const module = model instanceof ModuleBase ? model : undefined;
  const root: Layer = { ...makeLayer(typeOf(model), typeOf(model), module), kind: module ? "module" : "function" };
  const builder = new Builder(root, recording);
  builder.addCalls(recording.calls);
  builder.addNodes();
  const leaves = builder.finish();
  claimParameters(leaves);
  const unused = module === undefined ? [] : claimUnused(module, root, leaves);
  if (root.children.length > 0) root.children.push(...unused);
  return { root, leaves: [...leaves, ...unused], leafOf: builder.leafOf };
}

/** A module's class; a function's name. */
export function typeOf(model: Model): string {
  if (model instanceof ModuleBase) return model.constructor.name;
  return model.name === "" ? "function" : model.name;
}

/** Bias, scale and mean: arithmetic with constants finishes what an op before it has begun. */
const finishing: ReadonlySet<string> = new Set(["add", "subtract", "multiply", "divide"]);

class Builder {
  readonly leafOf = new Map<AnyTensor, Layer>();
  readonly #root: Place;
  readonly #places = new Map<Frame | null, Place>();
  /** Children of each layer, with where they begin. */
  readonly #children = new Map<Layer, Place[]>();
  readonly #fromInput: ReadonlySet<AnyTensor>;
  /** Layers of each name so far. */
  readonly #named = new Map<string, number>();

  constructor(
    root: Layer,
    readonly recording: Recording,
  ) {
    this.#root = { layer: root, begin: 0, path: "" };
    this.#places.set(null, this.#root);
    root.outputs = recording.outputs;
    this.#fromInput = dependentOn(recording);
  }

  addCalls(calls: readonly ModuleCall[]): void {
    for (const { frame, begin, output } of calls) {
      const { module } = frame;
      if (!(module instanceof ModuleBase)) continue;
      if (frame.parent === null && module === this.#root.layer.module) {
        this.#places.set(frame, this.#root);
        continue;
      }
      const parent = this.#placeOf(frame.parent);
      const type = module.constructor.name;
      // What a plain function calls has no name but its class.
      const path = joinPath(parent.path, frame.name() === "" ? type : frame.name());
      const layer = makeLayer(path, type, module, this.#count(path));
      layer.outputs = tensorsOf(output);
      const place = { layer, begin, path };
      this.#places.set(frame, place);
      this.#childrenOf(parent).push(place);
    }
  }

  addNodes(): void {
    const computed = this.recording.graph.nodes.filter(({ origin }) => origin.kind === "computed");
    const splitRoot = this.#children.size > 0 || this.#root.layer.module === undefined || products(computed) > 1;
    for (const node of computed) {
      const { origin } = node;
      if (origin.kind !== "computed") continue;
      const place = this.#placeOf(origin.frame);
      const isLeaf = place === this.#root ? !splitRoot : !this.#children.has(place.layer);
      if (isLeaf) this.#assign(node, place.layer);
      else if (origin.op.kind === "alias") this.#layOut(node);
      else if (this.#fromInput.has(node)) {
        this.#assign(node, this.#finishedBy(node, place) ?? this.#addFunction(origin.op.name, node, place));
      }
    }
    // What is made of parameters alone belongs to the first layer that needs it.
    for (const node of computed) if (this.leafOf.has(node)) this.#assignPreparation(node);
    for (const node of computed) {
      if (this.leafOf.has(node) || this.#fromInput.has(node) || node.origin.kind !== "computed") continue;
      const { op, frame } = node.origin;
      if (op.kind !== "alias") this.#assign(node, this.#addFunction(op.name, node, this.#placeOf(frame)));
    }
  }

  /** Puts children into their order, and gives the leaves. */
  finish(): Layer[] {
    const leaves: Layer[] = [];
    const visit = (layer: Layer) => {
      const children = this.#children.get(layer) ?? [];
      layer.children.push(...children.sort((a, b) => a.begin - b.begin).map((place) => place.layer));
      if (layer.children.length === 0) leaves.push(layer);
      else for (const child of layer.children) visit(child);
    };
    visit(this.#root.layer);
    return leaves;
  }

  #placeOf(frame: Frame | null): Place {
    return this.#places.get(frame) ?? this.#root;
  }

  #childrenOf({ layer }: Place): Place[] {
    let children = this.#children.get(layer);
    if (children === undefined) {
      children = [];
      this.#children.set(layer, children);
    }
    return children;
  }

  #assign(node: AnyTensor, layer: Layer): void {
    this.leafOf.set(node, layer);
    layer.nodes.push(node);
    if (layer.kind === "function") layer.outputs = [node];
  }

  #addFunction(op: string, node: AnyTensor, place: Place): Layer {
    const path = joinPath(place.path, op);
    const layer = makeLayer(path, op, undefined, this.#count(path));
    this.#childrenOf(place).push({ layer, begin: node.order, path });
    return layer;
  }

  #count(name: string): number {
    const count = (this.#named.get(name) ?? 0) + 1;
    this.#named.set(name, count);
    return count;
  }

  /** The op's layer that `node` finishes by arithmetic with constants, if it does. */
  #finishedBy({ origin }: AnyTensor, place: Place): Layer | undefined {
    if (origin.kind !== "computed" || !finishing.has(origin.op.name)) return undefined;
    const [source, ...others] = [...new Set(origin.inputs.filter((input) => this.#fromInput.has(input)).map(renamed))];
    if (source === undefined || others.length > 0) return undefined;
    const children = this.#children.get(place.layer) ?? [];
    const last = children[children.length - 1]?.layer;
    return last?.kind === "function" && renamed(last.outputs[0]) === source ? last : undefined;
  }

  /** Functions lay maps out as their op wants them, in one row perhaps, and back: their output is what it is then. */
  #layOut(node: AnyTensor): void {
    const layer = this.leafOf.get(renamed(node));
    if (layer?.kind === "function" && layer.outputs[0]?.rank === node.rank) layer.outputs = [node];
  }

  #assignPreparation(node: AnyTensor): void {
    const layer = this.leafOf.get(node);
    for (const input of dependencies(node)) {
      if (layer === undefined || this.leafOf.has(input) || this.#fromInput.has(input)) continue;
      if (input.origin.kind !== "computed") continue;
      this.leafOf.set(input, layer);
      layer.nodes.push(input);
      this.#assignPreparation(input);
    }
  }
}

/** What is computed from the inputs. */
function dependentOn({ inputs, graph }: Recording): Set<AnyTensor> {
  const dependent = new Set<AnyTensor>(inputs);
  for (const node of graph.nodes) if (dependencies(node).some((input) => dependent.has(input))) dependent.add(node);
  return dependent;
}

/** The tensor that `tensor` is another name of. */
export function renamed(tensor: AnyTensor): AnyTensor {
  const { origin } = tensor;
  return origin.kind === "computed" && origin.op.kind === "alias" ? renamed(origin.inputs[0]) : tensor;
}

/** How many of `nodes` are convolutions or matrix products. */
function products(nodes: readonly AnyTensor[]): number {
  return nodes.filter((node) => costOf(node).macs > 0).length;
}

/** What it takes to compute one tensor from its inputs. */
export function costOf({ origin, shape }: AnyTensor): { readonly macs: number; readonly operations: number } {
  if (origin.kind !== "computed") return { macs: 0, operations: 0 };
  const { op, inputs, params } = origin;
  const names = inputNames(op, inputs.length);
  const shapes = Object.fromEntries(inputs.map((input, i) => [names[i], input.shape]));
  return { operations: 0, ...op.cost(shapes, params, shape) };
}
