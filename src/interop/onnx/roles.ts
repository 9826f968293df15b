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

/**
 * What a body must know of its inputs, the node that runs it must know too. Names inside and outside are not told apart:
 * at worst, an initializer is a constant for nothing.
 */
function visitBody(node: NodePlan, body: GraphPlan, known: Set<string>, statistics: Set<string>): void {
  for (const [i, { name }] of body.outputs.entries()) if (known.has(node.outputs[i])) known.add(name);
  visit(body, known, statistics);
  // The last inputs are the body's: a loop's first are the number of its steps and a condition, and those of If are none.
  const offset = Math.max(0, node.inputs.length - body.inputs.length);
  for (const [i, { name }] of body.inputs.entries()) {
    const outer = node.inputs[i + offset];
    if (known.has(name) && outer !== undefined) known.add(outer);
  }
}
