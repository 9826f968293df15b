/** What becomes of initializers: parameters to train, states, or constants from which sizes are computed. */

import type { ElementType } from "./elementTypes.js";
import { isFloat } from "./elementTypes.js";
import type { GraphPlan, NodePlan } from "./graph.js";

export type Role = "parameter" | "state" | "constant";

/** Ops that ask for nothing but their input's shape. */
const shapeOnly: ReadonlySet<string> = new Set(["Shape", "Size"]);

/** The role of each initializer of a graph. */
export function rolesOf(plan: GraphPlan): (name: string, type: ElementType) => Role {
  const known = new Set<string>();
  const statistics = new Set<string>();
  visit(plan, known, statistics);
  return (name, type) => {
    if (known.has(name)) return "constant";
    return isFloat(type) && !statistics.has(name) ? "parameter" : "state";
  };
}

/** From the last node to the first: what an input that must be known is computed from must be known too. */
function visit(plan: GraphPlan, known: Set<string>, statistics: Set<string>): void {
  for (const node of plan.nodes.toReversed()) {
    for (const body of node.bodies) visitBody(node, body, known, statistics);
    for (const index of node.definition.statistics ?? []) {
      const name = node.inputs[index];
      if (name !== undefined) statistics.add(name);
    }
    const all = node.outputs.some((name) => known.has(name)) && !shapeOnly.has(node.op);
    for (const [index, name] of node.inputs.entries()) {
      if (name !== "" && (all || node.definition.known?.includes(index))) known.add(name);
    }
  }
}

/** What a body must know of its inputs, the node that runs it must know too. */
function visitBody(node: NodePlan, body: GraphPlan, known: Set<string>, statistics: Set<string>): void {
  const inside = new Set(known);
  for (const [i, { name }] of body.outputs.entries()) if (known.has(node.outputs[i])) inside.add(name);
  visit(body, inside, statistics);
  const own = new Set([...body.inputs.map(({ name }) => name), ...body.nodes.flatMap(({ outputs }) => outputs)]);
  for (const name of inside) if (!own.has(name)) known.add(name);
  const offset = node.op === "If" ? undefined : node.inputs.length - body.inputs.length;
  if (offset === undefined) return;
  for (const [i, { name }] of body.inputs.entries()) {
    const outer = node.inputs[i + Math.max(0, offset)];
    if (inside.has(name) && outer !== undefined) known.add(outer);
  }
}
