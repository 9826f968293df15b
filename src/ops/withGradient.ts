/** A gradient given as a formula, where that is shorter than what differentiating each op on the way comes to. */

import { FoveaError } from "../core/errors.js";
import { defineOp } from "../graph/op.js";
import type { AnyTensor, Tensor } from "../graph/tensor.js";

/** Upstream gradient → gradient of each input. */
type Rules = (upstream: Tensor) => readonly Tensor[];

const rules = new WeakMap<AnyTensor, Rules>();

/** The first input is the value, the others are what its gradient is known of. */
export const withGradientOp = defineOp<"withGradient", string, Readonly<Record<string, never>>>({
  name: "withGradient",
  inputs: [],
  variadic: true,
  kind: "alias",
  shape: ({ 0: value }) => value,
  dtype: ({ 0: value }) => value,
  reference: ({ 0: value }, _, output) => output.data.set(value.data),
  gradient: (inputs, __, upstream, output) => {
    let gradients: readonly Tensor[] | undefined;
    const gradient = (index: number) => {
      gradients ??= rules.get(output)?.(upstream);
      if (gradients === undefined) throw new FoveaError("FOVEA_INTERNAL", "withGradient was recorded without its rule");
      return gradients[index];
    };
    return Object.fromEntries(
      Object.keys(inputs)
        .slice(1)
        .map((name, index) => [name, () => gradient(index)]),
    );
  },
  cost: () => ({ macs: 0 }),
  samples: [],
});

/**
 * `value`, whose gradient with respect to the `input` that it was computed from is `rule(upstream)` rather than found by
 * differentiating. The rule is made of ops, so that its result can be differentiated again.
 */
export function withGradient<T extends AnyTensor>(value: T, input: AnyTensor, rule: (upstream: Tensor) => Tensor): T {
  return withGradients(value, [input], (upstream) => [rule(upstream)]);
}

/** The same for several inputs, whose gradients are `rule(upstream)` in their order. */
export function withGradients<T extends AnyTensor>(value: T, inputs: readonly AnyTensor[], rule: Rules): T {
  const result = withGradientOp(Object.fromEntries([value, ...inputs].entries()), {});
  rules.set(result, rule);
  return result as T;
}
