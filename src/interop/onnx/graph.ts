/** A graph made ready: every node with its op's form and its attributes' values, every name known to mean something. */

import { FormatError, UnsupportedOpError } from "../../core/errors.js";
import { readAttributes } from "./attributes.js";
import type { Definition } from "./definition.js";
import { describeDataType, type ElementType, elementTypeFrom } from "./elementTypes.js";
import { find, newestOpset } from "./ops/index.js";
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  NodeProto,
  OperatorSetIdProto,
  TensorProto,
  ValueInfoProto,
} from "./proto.js";
import type { HostArray } from "./tensorProto.js";

/** An input or output of a graph. */
export interface ValueInfo {
  readonly name: string;
  /** Lengths; a name for those that are only known when running, "?" for those without one. Undefined: not even how many. */
  readonly shape: readonly (number | string)[] | undefined;
  /** Undefined in subgraphs that leave it out. */
  readonly type: ElementType | undefined;
}

export interface GraphPlan {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, HostArray>;
  readonly nodes: readonly NodePlan[];
}

export interface NodePlan {
  /** Its name, or that of its first output. */
  readonly label: string;
  readonly op: string;
  readonly opset: number;
  /** Empty for inputs that are left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly definition: Definition;
  /** Graphs inside it, of control flow and of the model's own functions. */
  readonly bodies: readonly GraphPlan[];
}

/** Names the node, its op and the opset, as errors do. */
export function describeNode({ label, op, opset }: Pick<NodePlan, "label" | "op" | "opset">): string {
  return `node ${JSON.stringify(label)} (${op}, opset ${opset})`;
}

/** What planning needs to know of the model. */
export interface PlanContext {
  /** What errors call the file. */
  readonly file: string;
  readonly functions: readonly FunctionProto[];
  /** The values of an initializer or constant. */
  readonly readTensor: (tensor: TensorProto, what: string) => HostArray;
}

/** Nodes that a model may have, those in functions counted as often as they are called. */
const maxNodes = 200_000;
/** Functions and subgraphs within one another. */
const maxNesting = 32;

type Opsets = ReadonlyMap<string, number>;

/** Names that mean something at a place: those of a graph, and of what is around it. */
class Names {
  readonly #own = new Set<string>();
  readonly #outer: Names | undefined;

  constructor(outer: Names | undefined, own: Iterable<string>) {
    this.#outer = outer;
    for (const name of own) this.#own.add(name);
  }

  has(name: string): boolean {
    return this.#own.has(name) || this.#outer?.has(name) === true;
  }

  /** Adds a name; false if the graph itself has it already. */
  add(name: string): boolean {
    if (this.#own.has(name)) return false;
    this.#own.add(name);
    return true;
  }
}

export function opsetsOf(imports: readonly OperatorSetIdProto[]): Opsets {
  return new Map(imports.map(({ domain, version }) => [domain === "ai.onnx" ? "" : domain, version]));
}

/** What a model has that is not there, gathered so that one error can tell everything. */
export class Planner {
  readonly #context: PlanContext;
  readonly #unsupported = new Set<string>();
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  #nodes = 0;
  #nesting = 0;

  constructor(context: PlanContext) {
    this.#context = context;
    this.#functions = new Map(
      context.functions.map((each) => [functionKey(each.domain, each.name, each.overload), each]),
    );
  }

  /** Throws if anything in what was planned is not supported. */
  finish(): void {
    if (this.#unsupported.size === 0) return;
    const list = [...this.#unsupported];
    const shown = list.slice(0, 20).join("; ") + (list.length > 20 ? `; and ${list.length - 20} more` : "");
    throw new UnsupportedOpError(
      `${this.#context.file}: Fovea cannot run this model: ${shown}. Fix: export it with other ops, or another opset; docs/onnx.md lists those that there are.`,
    );
  }

  /** @param outer names that the graph may use from around it */
  graph(graph: GraphProto, opsets: Opsets, outer?: Names): GraphPlan {
    const { file, readTensor } = this.#context;
    if (graph.sparseInitializer.length > 0) this.#unsupported.add("sparse initializers");
    const initializers = new Map<string, HostArray>();
    for (const tensor of graph.initializer) {
      if (initializers.has(tensor.name)) throw new FormatError(`${file}: ${twice("initializer", tensor.name)}`);
      initializers.set(tensor.name, readTensor(tensor, `${file}: initializer ${JSON.stringify(tensor.name)}`));
    }
    const inputs = graph.input.map((info) => this.#valueInfo(info));
    const names = new Names(outer, [...initializers.keys(), ...inputs.map(({ name }) => name)]);
    const nodes = this.#planNodes(graph.node, opsets, names, undefined);
    const outputs = graph.output.map((info) => this.#valueInfo(info));
    for (const { name } of outputs) {
      if (!names.has(name))
        throw new FormatError(
          `${file}: nothing makes the output ${JSON.stringify(name)}. Fix: export the model again.`,
        );
    }
    return { name: graph.name, inputs, outputs, initializers, nodes };
  }

  #valueInfo({ name, type }: ValueInfoProto): ValueInfo {
    const tensor = type?.tensorType;
    if (tensor === undefined) return { name, shape: undefined, type: undefined };
    const shape = tensor.shape?.dim.map(({ dimValue, dimParam }) => dimValue ?? (dimParam || "?"));
    if (tensor.elemType === 0) return { name, shape, type: undefined };
    const elements = elementTypeFrom(tensor.elemType);
    if (elements === undefined) {
      this.#unsupported.add(`${JSON.stringify(name)} is of type ${describeDataType(tensor.elemType)}`);
    }
    return { name, shape, type: elements };
  }

  /** @param given in a function, the attributes of the node that calls it */
  #planNodes(
    nodes: readonly NodeProto[],
    opsets: Opsets,
    names: Names,
    given: ReadonlyMap<string, AttributeProto> | undefined,
  ): NodePlan[] {
    const { file } = this.#context;
    if (++this.#nesting > maxNesting)
      throw new FormatError(`${file}: graphs and functions are nested more than ${maxNesting} deep.`);
    const plans: NodePlan[] = [];
    for (const node of nodes) {
      if (++this.#nodes > maxNodes) throw new FormatError(`${file}: the model has more than ${maxNodes} nodes.`);
      const label = node.name || node.output.find((name) => name !== "") || node.opType;
      for (const name of node.input) {
        if (name === "" || names.has(name)) continue;
        throw new FormatError(
          `${file}: node ${JSON.stringify(label)} (${node.opType}) takes ${JSON.stringify(name)}, which nothing before it makes. Fix: export the model again.`,
        );
      }
      plans.push(this.#planNode(node, label, opsets, names, given));
      for (const name of node.output) {
        if (name !== "" && !names.add(name)) throw new FormatError(`${file}: ${twice("value", name)}`);
      }
    }
    this.#nesting--;
    return plans;
  }

  #planNode(
    node: NodeProto,
    label: string,
    opsets: Opsets,
    names: Names,
    given: ReadonlyMap<string, AttributeProto> | undefined,
  ): NodePlan {
    const domain = node.domain === "ai.onnx" ? "" : node.domain;
    const opset = opsets.get(domain) ?? 0;
    const plan = { label, op: node.opType, opset, inputs: node.input, outputs: node.output };
    const attributes = node.attribute.flatMap((attribute) => {
      if (attribute.refAttrName === "") return [attribute];
      const referred = given?.get(attribute.refAttrName);
      return referred === undefined ? [] : [{ ...referred, name: attribute.name }];
    });
    const called = this.#functions.get(functionKey(node.domain, node.opType, node.overload));
    if (called !== undefined) return { ...plan, ...this.#planFunction(called, attributes, opsets) };
    const definition = domain === "" ? find(node.opType, opset) : undefined;
    if (definition === undefined) {
      this.#unsupported.add(`${describeNode(plan)}: ${this.#reason(node.opType, domain, opset)}`);
      return { ...plan, attributes: {}, bodies: [], definition: unknown };
    }
    const bodies: GraphPlan[] = [];
    const values = readAttributes(definition.attributes ?? {}, attributes, {
      node: `${this.#context.file}: ${describeNode(plan)}`,
      unsupported: (fault) => this.#unsupported.add(`${describeNode(plan)}: ${fault}`),
      tensor: this.#context.readTensor,
      graph: (graph) => {
        const body = this.graph(graph, opsets, names);
        bodies.push(body);
        return body;
      },
    });
    const refused = definition.refuse?.(values);
    if (refused !== undefined) this.#unsupported.add(`${describeNode(plan)}: ${refused}`);
    return { ...plan, attributes: values, bodies, definition };
  }

  #reason(op: string, domain: string, opset: number): string {
    if (domain !== "") return `there are no ops of the domain ${JSON.stringify(domain)}`;
    if (opset === 0) return "the model does not say which opset it uses";
    if (opset > newestOpset) return `opsets are known up to ${newestOpset}`;
    return find(op, newestOpset) === undefined ? "there is no such op" : "the op is not there in this opset";
  }

  /** A node that calls a function of the model: its body, with the call's attributes put in. */
  #planFunction(
    called: FunctionProto,
    attributes: readonly AttributeProto[],
    opsets: Opsets,
  ): Pick<NodePlan, "attributes" | "bodies" | "definition"> {
    const info = (name: string): ValueInfo => ({ name, shape: undefined, type: undefined });
    const given = new Map(
      [...called.attributeProto, ...attributes].map((attribute) => [attribute.name, attribute] as const),
    );
    const own = called.opsetImport.length > 0 ? opsetsOf(called.opsetImport) : opsets;
    const body: GraphPlan = {
      name: called.name,
      inputs: called.input.map(info),
      outputs: called.output.map(info),
      initializers: new Map(),
      nodes: this.#planNodes(called.node, own, new Names(undefined, called.input), given),
    };
    const definition: Definition = {
      since: 1,
      build: (call) => call.run(body, call.inputs),
    };
    return { attributes: {}, bodies: [body], definition };
  }
}

function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain, name, overload]);
}

function twice(what: string, name: string): string {
  return `there are two of the ${what} ${JSON.stringify(name)}. Expected each name once. Fix: export the model again.`;
}

/** Stands where an op is not supported, which is reported before anything could run. */
const unknown: Definition = { since: 1, build: () => [] };
