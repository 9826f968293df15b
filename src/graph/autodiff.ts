/**
 * Reverse-mode differentiation: from the graph of a value, more graph that computes its gradients. Shared weights are
 * used several times and their gradients are summed.
 */

import { FoveaError, GradientError, ShapeError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { pathOf } from "./context.js";
import { inputNames } from "./operation.js";
import { Parameter } from "./state.js";
import type { AnyTensor, Tensor } from "./tensor.js";

/**
 * The gradients of `root` with respect to `targets`, given the gradient `seed` of whatever comes after `root`. A target
 * that `root` does not depend on has no entry.
 */
export function backpropagate(
  root: Tensor,
  seed: Tensor,
  targets: ReadonlySet<AnyTensor>,
  add: (a: Tensor, b: Tensor) => Tensor,
): Map<AnyTensor, Tensor> {
  const nodes = collect(root);
  const needed = new Set<AnyTensor>();
  for (const node of nodes) {
    if (targets.has(node) || inputsOf(node).some((input) => needed.has(input))) needed.add(node);
  }
  const gradients = new Map<AnyTensor, Tensor>();
  if (needed.has(root)) gradients.set(root, seed);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    const upstream = gradients.get(node);
    if (upstream === undefined || node.origin.kind !== "computed") continue;
    const { op, inputs, params, frame } = node.origin;
    // A target may come of an op without a gradient, such as a draw: nothing behind it is asked for.
    if (!inputs.some((input) => needed.has(input))) continue;
    if (typeof op.gradient !== "function") {
      throw new GradientError(`${op.name} has no gradient: ${op.gradient.reason}.`).at(pathOf(frame));
    }
    const names = inputNames(op, inputs.length);
    const named = Object.fromEntries(inputs.map((input, n) => [names[n], input]));
    const thunks = op.gradient(named as Record<string, Tensor>, params, upstream, node as Tensor);
    inputs.forEach((input, n) => {
      if (!needed.has(input)) return;
      const thunk = thunks[names[n]];
      if (thunk === undefined) return;
      const gradient = thunk();
      if (!sameShape(gradient.shape, input.shape)) {
        throw new FoveaError(
          "FOVEA_INTERNAL",
          `the gradient of ${op.name} for ${names[n]} is ${formatShape(gradient.shape)}, not ${formatShape(input.shape)}`,
        );
      }
      const sum = gradients.get(input);
      gradients.set(input, sum === undefined ? gradient : add(sum, gradient));
    });
  }
  return gradients;
}

/** The parameters that `root` depends on and that are not frozen, with the tensors that stand for them in its graph. */
export function parametersBehind(root: Tensor): Map<AnyTensor, Parameter> {
  const found = new Map<AnyTensor, Parameter>();
  for (const node of collect(root)) {
    const { origin } = node;
    if (origin.kind === "state" && origin.state instanceof Parameter && origin.state.requiresGrad) {
      found.set(node, origin.state);
    }
  }
  return found;
}

/** Throws unless `root`'s graph is still there and it is one number, or its upstream gradient is given. */
export function checkDifferentiable(what: string, root: AnyTensor, upstream?: AnyTensor): void {
  if (upstream !== undefined && !sameShape(upstream.shape, root.shape)) {
    throw new ShapeError(
      `${what}: the upstream gradient is ${formatShape(upstream.shape)}. Expected ${formatShape(root.shape)}, the shape of what is differentiated.`,
    );
  }
  if (upstream === undefined && root.size !== 1) {
    throw new ShapeError(
      `${what}: the gradient of ${formatShape(root.shape)} values was asked for; it must be one number. Fix: loss.mean() or loss.sum() first.`,
    );
  }
  if (root.origin.kind === "stored") {
    throw new GradientError(
      `${what}: this value was computed earlier, and the weights that it came from have changed since. Fix: call ${what} before optimizer.step(), on a loss computed anew each time.`,
    );
  }
}

/** Everything of type float32 that `root` was computed from, inputs first. */
function collect(root: AnyTensor): AnyTensor[] {
  const seen = new Set<AnyTensor>([root]);
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    for (const input of inputsOf(node)) {
      if (seen.has(input)) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  return [...seen].sort((a, b) => a.order - b.order);
}

function inputsOf({ origin }: AnyTensor): readonly AnyTensor[] {
  return origin.kind === "computed" ? origin.inputs.filter((input) => input.dtype === "float32") : [];
}
