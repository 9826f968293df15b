/** Asking for gradients: `grad`, and `backward` for parameters. */

import { GradientError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { backpropagate, checkDifferentiable, parametersBehind } from "../graph/autodiff.js";
import { currentTrace } from "../graph/context.js";
import { keep } from "../graph/lazy.js";
import type { AnyTensor, Tensor } from "../graph/tensor.js";
import { full, zeros } from "./create.js";
import { noParams } from "./elementwise/define.js";
import { addOp } from "./elementwise/operations.js";
import { asFloats, asTensor, type TensorLike } from "./tensors.js";

const add = (a: Tensor, b: Tensor): Tensor => addOp({ a, b }, noParams) as Tensor;

export interface GradOptions {
  /** Give zeros for tensors that the loss does not depend on, instead of an error. Default false. */
  readonly allowUnused?: boolean;
  /**
   * How much each element of the first argument counts, in its shape: the gradient of whatever comes after it. Then it may
   * have any number of elements. Default: 1, for a single one.
   */
  readonly upstream?: TensorLike;
}

/**
 * The gradients of a one-element tensor with respect to others: tensors of their shapes, in their order. Gradients are
 * part of the graph, so they can be differentiated again.
 *
 * @example
 * const [dx, dw] = grad(loss, [x, layer.weight]);
 * const [dx] = grad(relu(x), [x], { upstream }); // PyTorch's grad_outputs
 */
export function grad(
  loss: TensorLike,
  targets: readonly TensorLike[],
  { allowUnused = false, upstream }: GradOptions = {},
): Tensor[] {
  const root = asTensor("grad", loss);
  const given = upstream === undefined ? undefined : asFloats("grad", upstream);
  checkDifferentiable("grad", root, given);
  const tensors = targets.map((target) => asTensor("grad", target));
  const seed = given ?? full(root.shape, 1, { device: root.device });
  const found = backpropagate(root, seed, new Set<AnyTensor>(tensors), add);
  return tensors.map((target, i) => {
    const gradient = found.get(target);
    if (gradient !== undefined) return gradient;
    if (!allowUnused) {
      throw new GradientError(
        `grad: the loss does not depend on target ${i} (${formatShape(target.shape)}). Fix: compute the loss from this very tensor, or pass { allowUnused: true } for zeros.`,
      );
    }
    return zeros(target.shape, { device: target.device });
  });
}

/**
 * Computes the gradient of `loss` for every parameter that it depends on and that is not frozen, and adds it to the
 * parameter's `grad`. An optimizer's `step()` uses the gradients up.
 *
 * @param loss a tensor with one element
 */
export function backward(loss: Tensor): void {
  checkDifferentiable("backward", loss);
  const parameters = parametersBehind(loss);
  if (parameters.size === 0) {
    throw new GradientError(
      "backward: the loss depends on no parameter that can be trained. Expected at least one with requiresGrad. Fix: compute it with a module, or unfreeze its parameters; for gradients of plain tensors use grad(loss, [x]).",
    );
  }
  const seed = full(loss.shape, 1, { device: loss.device });
  const gradients = backpropagate(loss, seed, new Set(parameters.keys()), add);
  for (const [tensor, parameter] of parameters) {
    const gradient = gradients.get(tensor);
    if (gradient === undefined) continue;
    parameter.grad = parameter.grad === null ? gradient : add(parameter.grad, gradient);
  }
  // The weights are about to change: the loss's value must be computed with them, not after.
  if (currentTrace() === null) keep(loss);
}
