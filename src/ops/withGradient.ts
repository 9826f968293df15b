/** A gradient given as a formula, where that is shorter than what differentiating each op on the way comes to. */

import { FoveaError } from "../core/errors.js";
import { defineOp } from "../graph/op.js";
import type { AnyTensor, Tensor } from "../graph/tensor.js";

/** Upstream gradient → gradient. */
type Rule = (upstream: Tensor) => Tensor;

const rules = new WeakMap<AnyTensor, Rule>();

export const withGradientOp = defineOp<"withGradient", "value" | "input", Readonly<Record<string, never>>>({
  name: "withGradient",
  inputs: ["value", "input"],
  kind: "alias",
  shape: ({ value }) => value,
  dtype: ({ value }) => value,
  reference: ({ value }, _, output) => output.data.set(value.data),
  gradient: (_, __, upstream, output) => ({
    input: () => {
      const rule = rules.get(output);
      if (rule === undefined) throw new FoveaError("FOVEA_INTERNAL", "withGradient was recorded without its rule");
      return rule(upstream);
    },
  }),
  cost: () => ({ macs: 0 }),
  samples: [],
});

/**
 * `value`, whose gradient with respect to the `input` that it was computed from is `rule(upstream)` rather than found by
 * differentiating. The rule is made of ops, so that its result can be differentiated again.
 */
export function withGradient<T extends AnyTensor>(value: T, input: AnyTensor, rule: Rule): T {
  const result = withGradientOp({ value, input }, {});
  rules.set(result, rule);
  return result as T;
}
