/** Running a graph: recording, node by node, what it computes. */

import { FormatError, FoveaError } from "../../core/errors.js";
import { currentFrame, type Frame, withFrame } from "../../graph/context.js";
import { Call } from "./call.js";
import { blame, constantTensor, settle } from "./constants.js";
import type { Outputs, Request, Steps } from "./definition.js";
import { describeNode, type GraphPlan, type NodePlan } from "./graph.js";
import { mayOverflow, type OverflowChecks } from "./overflow.js";
import { tensorValue, type Value } from "./value.js";

/** The values that names stand for, in a graph and around it. */
class Scope {
  readonly #values = new Map<string, Value>();
  readonly #outer: Scope | undefined;

  constructor(outer: Scope | undefined) {
    this.#outer = outer;
  }

  get(name: string): Value | undefined {
    return this.#values.get(name) ?? this.#outer?.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}

/**
 * Records what a graph computes.
 *
 * @param inputs by name; initializers are taken from here where they have the same name
 * @param checks told of integers that may be too large; without it they wrap around
 * @returns its outputs, in order
 */
export function runGraph(
  plan: GraphPlan,
  inputs: ReadonlyMap<string, Value>,
  training: boolean,
  checks?: OverflowChecks,
): Steps<Value[]> {
  return runWithin(plan, inputs, undefined, { training, checks, nodes: 0 });
}

/** Nodes that one run may execute, those in loops counted as often as they are: more are a mistake, or made to do harm. */
const maxNodes = 200_000;

interface Execution {
  readonly training: boolean;
  readonly checks: OverflowChecks | undefined;
  nodes: number;
}

function* runWithin(
  plan: GraphPlan,
  inputs: ReadonlyMap<string, Value>,
  outer: Scope | undefined,
  execution: Execution,
): Steps<Value[]> {
  const scope = new Scope(outer);
  for (const [name, array] of plan.initializers) {
    if (!inputs.has(name)) scope.set(name, tensorValue(array.type, constantTensor(array)));
  }
  for (const [name, value] of inputs) scope.set(name, value);
  for (const node of plan.nodes) yield* runNode(node, scope, execution);
  return plan.outputs.map(({ name }) => {
    const value = scope.get(name);
    if (value === undefined) throw new FormatError(`the output ${JSON.stringify(name)} was not computed.`);
    return value;
  });
}

function* runNode(node: NodePlan, scope: Scope, execution: Execution): Steps<void> {
  if (++execution.nodes > maxNodes)
    throw new FormatError(`${describeNode(node)}: the loops of the model execute more than ${maxNodes} nodes.`);
  const inputs = node.inputs.map((name) => {
    if (name === "") return undefined;
    const value = scope.get(name);
    // An output that an op leaves out, such as a mask that is never made.
    if (value === undefined) throw new FormatError(`${describeNode(node)}: nothing made ${JSON.stringify(name)}.`);
    return value;
  });
  const callWith = (values: readonly (Value | undefined)[]) =>
    new Call(node, values, {
      training: execution.training,
      run: (body, given) => runWithin(body, matchInputs(node, body, given), scope, execution),
    });
  const build = function* (values: readonly (Value | undefined)[]): Steps<readonly (Value | undefined)[]> {
    const outputs = yield* withinFrame(node, () => node.definition.build(callWith(values), node.attributes));
    return asList(outputs).map((value) => value && settled(value));
  };
  const outputs = yield* build(inputs);
  blame(inputs, outputs, describeNode(node));
  const [result] = outputs;
  if (result?.kind === "tensor" && mayOverflow(node, inputs, result))
    yield* execution.checks?.watch(node, inputs, result, build) ?? [];
  for (const [i, name] of node.outputs.entries()) {
    const value = outputs[i];
    if (name !== "" && value !== undefined) scope.set(name, value);
  }
}

function asList(outputs: Outputs): readonly (Value | undefined)[] {
  return isValue(outputs) ? [outputs] : outputs;
}

function isValue(outputs: Outputs): outputs is Value {
  return "kind" in outputs;
}

function settled(value: Value): Value {
  if (value.kind !== "tensor") return value;
  const tensor = settle(value.type, value.tensor);
  return tensor === value.tensor ? value : { ...value, tensor };
}

function matchInputs(
  node: NodePlan,
  body: GraphPlan,
  values: readonly (Value | undefined)[],
): ReadonlyMap<string, Value> {
  if (values.length > body.inputs.length) {
    throw new FormatError(
      `${describeNode(node)}: its graph ${JSON.stringify(body.name)} has ${body.inputs.length} inputs. Expected ${values.length}.`,
    );
  }
  const matched = new Map<string, Value>();
  for (const [i, value] of values.entries()) if (value !== undefined) matched.set(body.inputs[i].name, value);
  return matched;
}

/** Runs each step of `build` as part of the node, which errors and summaries name. */
function* withinFrame<T>(node: NodePlan, build: () => T | Steps<T>): Steps<T> {
  const parent = currentFrame();
  const frame: Frame = {
    parent,
    module: node,
    name: () => node.label,
    parametersRead: parent?.parametersRead ?? new Set(),
    quiet: true,
  };
  const steps = withFrame(frame, build);
  if (!isSteps(steps)) return steps;
  let step = withFrame(frame, () => steps.next());
  while (!step.done) {
    const request = step.value;
    const answer = yield request;
    step = withFrame(frame, () => steps.next(answer));
  }
  return step.value;
}

function isSteps<T>(result: T | Steps<T>): result is Steps<T> {
  return typeof result === "object" && result !== null && Symbol.iterator in result && "next" in result;
}

/** Something has to be computed before it can be said what comes next. */
export class NotYetKnown extends FoveaError {
  constructor({ node, value }: Request) {
    super(
      "FOVEA_UNSUPPORTED",
      `${describeNode(node)}: the ${value.type} values of an input decide over sizes or control flow, and are not known until the graph is run. Fix: model.run(…), which waits for them; to compile or train, export the model with fixed sizes.`,
    );
  }
}

/** The result of steps that need not wait for anything. @throws NotYetKnown */
export function now<T>(steps: Steps<T>): T {
  const step = steps.next();
  if (step.done) return step.value;
  throw new NotYetKnown(step.value);
}

/** The result of steps, waiting for the values that they need. */
export async function waiting<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (!step.done) {
    const values = await step.value.value.tensor.data();
    step = steps.next(Float64Array.from(values));
  }
  return step.value;
}
