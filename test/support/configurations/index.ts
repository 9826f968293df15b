/** For each op a way to draw its settings at random; an op without one does not compile. */

import type { DType } from "../../../src/core/dtype.js";
import { broadcastShapes } from "../../../src/core/shape.js";
import type { Operation } from "../../../src/graph/op.js";
import { elementwiseOps, type KernelOpName, kernelOps } from "../../../src/ops/primitives.js";
import { describeInput } from "../numbers.js";
import { arrayConfigurations } from "./arrays.js";
import type { Configuration, Draw } from "./draw.js";
import { windowConfigurations } from "./windows.js";

export { type Configuration, Draw } from "./draw.js";

const ofKernels: Readonly<Record<KernelOpName, (draw: Draw) => Configuration>> = {
  ...windowConfigurations,
  ...arrayConfigurations,
};

/** Operands of any shapes that broadcast, with the values and types of one of the op's samples. */
function ofElementwise(op: Operation): (draw: Draw) => Configuration {
  return (draw) => {
    const { inputs, params } = draw.pick(op.samples);
    const shape = draw.shape(0, 5, { longest: draw.pick([3, 7, 17]) });
    const shapes = Object.keys(inputs).map(() => {
      if (draw.oneIn(2)) return shape;
      const own = shape.map((length) => (draw.oneIn(3) ? 1 : length));
      return own.slice(draw.between(0, own.length));
    });
    const result = broadcastShapes(op.name, ...shapes);
    draw.trait(
      "stretched",
      shapes.some((own) => own.join() !== result.join()),
    );
    const entries = Object.entries(inputs).map(([name, input], i) => {
      const described = describeInput(input);
      draw.trait(described.dtype, described.dtype !== ("float32" satisfies DType));
      return [name, { ...described, shape: shapes[i] }] as const;
    });
    return { inputs: Object.fromEntries(entries), params };
  };
}

/** How many settings of each op are drawn from one seed. */
export const configurationsPerSeed = 50;

export interface RandomOperation {
  readonly op: Operation;
  readonly draw: (draw: Draw) => Configuration;
}

const elementwise = Object.values<{ readonly operation: Operation }>(elementwiseOps).map(({ operation }) => operation);

/** Every op that computes something, with its random settings. */
export const randomOperations: readonly RandomOperation[] = [
  ...Object.values<{ readonly operation: Operation }>(kernelOps).map(({ operation }) => ({
    op: operation,
    draw: ofKernels[operation.name as KernelOpName],
  })),
  ...elementwise.map((op) => ({ op, draw: ofElementwise(op) })),
];
