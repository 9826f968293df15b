/** Small kernels one after another against large ones: what each costs and sees. */

import { ArgumentError } from "../core/errors.js";
import { ReLU } from "../nn/layers/activation.js";
import { Sequential } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import type { ReceptiveField } from "./receptiveField.js";
import { summarize } from "./summary.js";
import { alignColumns, formatPerAxis, formatWhole } from "./table.js";

/** Sizes of the kernels of convolutions that follow one another; [height, width] where they are not square. */
export type Stack = readonly (number | readonly [number, number])[];

export interface StackOptions {
  /** Channels of the input and of every layer. Default 64. */
  readonly channels?: number;
  /** Height and width of the maps, which padding keeps. Default 32. */
  readonly size?: number;
  /** Learn a bias for each channel. Default false: weights alone are compared. */
  readonly bias?: boolean;
}

export interface StackCost {
  /** `7×7`, or `3×3, 3×3, 3×3`. */
  readonly name: string;
  readonly parameters: number;
  readonly macs: number;
  readonly receptiveField: ReceptiveField;
  /** Layers, each followed by a non-linearity. */
  readonly layers: number;
  /** Parameters as a share of the first stack's. */
  readonly share: number;
}

export class StackComparison {
  constructor(readonly stacks: readonly StackCost[]) {}

  /** A line for each stack. */
  toString(): string {
    const head = ["kernels", "layers", "field", "parameters", "multiply-adds", "share"];
    const rows = this.stacks.map(({ name, layers, receptiveField, parameters, macs, share }) => {
      const numbers = [
        formatWhole(layers),
        formatPerAxis(receptiveField.size),
        formatWhole(parameters),
        formatWhole(macs),
      ];
      return [name, ...numbers, `${(100 * share).toFixed(1)} %`];
    });
    return alignColumns([head, ...rows], 1, 80).join("\n");
  }

  /** What `console.log` shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/**
 * Compares stacks of convolutions with as many channels throughout: one 7×7 has 49 C² weights and three 3×3 have 27 C²,
 * and both see 7×7 pixels (Simonyan & Zisserman 2014).
 *
 * @example console.log(compareStacks([[7], [3, 3, 3], [[1, 7], [7, 1]]], { channels: 256 }));
 */
export function compareStacks(
  stacks: readonly Stack[],
  { channels = 64, size = 32, bias = false }: StackOptions = {},
): StackComparison {
  const costs = stacks.map((stack) => {
    if (stack.length === 0) throw new ArgumentError("compareStacks: a stack has no kernels. Expected one at least.");
    const layers = stack.flatMap((kernel) => [
      new Conv2d(channels, channels, kernel, { padding: "same", bias }),
      new ReLU(),
    ]);
    const { parameters, macs, root } = summarize(new Sequential(...layers), [1, channels, size, size], {
      memory: false,
    });
    const name = stack.map((kernel) => (typeof kernel === "number" ? [kernel, kernel] : kernel).join("×")).join(", ");
    const { receptiveField } = root;
    if (receptiveField === undefined) throw new ArgumentError(`compareStacks: maps of ${size}×${size} have no places.`);
    return { name, parameters, macs, receptiveField, layers: stack.length };
  });
  return new StackComparison(costs.map((cost) => ({ ...cost, share: cost.parameters / costs[0].parameters })));
}
