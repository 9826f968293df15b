/** What a gradient check found, for programs and for people. */

import { formatShape, type Shape } from "../core/shape.js";
import type { Comparison } from "./differences.js";

/** One element whose gradient was compared. */
export interface CheckedElement {
  readonly input: string;
  /** Its place in the input. */
  readonly index: readonly number[];
  readonly gradient: number;
  /** The slope that differences of the function's values give. */
  readonly difference: number;
  /** |gradient − difference| as a share of the larger (of a hundredth of the largest in this input where that is more). */
  readonly error: number;
}

/** What was found for one input. */
export interface InputReport {
  readonly name: string;
  readonly shape: Shape;
  readonly size: number;
  /** Elements that were looked at. */
  readonly checked: number;
  /** Elements of these at which the function has a corner, so that there is no slope to compare with. */
  readonly kinks: number;
  readonly wrong: number;
  readonly worst: CheckedElement | undefined;
}

export class GradcheckResult {
  constructor(
    /** What the gradients were computed with. The differences they are compared with are always float64. */
    readonly precision: "float64" | "float32",
    readonly step: number,
    readonly tolerance: number,
    /** Largest share of elements at corners with which a check still says something. */
    readonly mostKinks: number,
    readonly inputs: readonly InputReport[],
  ) {}

  get checked(): number {
    return this.inputs.reduce((sum, input) => sum + input.checked, 0);
  }

  get kinks(): number {
    return this.inputs.reduce((sum, input) => sum + input.kinks, 0);
  }

  get wrong(): number {
    return this.inputs.reduce((sum, input) => sum + input.wrong, 0);
  }

  /** No gradient is wrong, and not more elements than allowed had to be passed over. */
  get passed(): boolean {
    return this.wrong === 0 && this.kinks <= this.mostKinks * this.checked;
  }

  /** The element that is furthest off. */
  get worst(): CheckedElement | undefined {
    return this.inputs.reduce<CheckedElement | undefined>((worst, input) => {
      return worst === undefined || (input.worst?.error ?? -1) > worst.error ? input.worst : worst;
    }, undefined);
  }

  /** One line on the whole, and one for each input. */
  toString(): string {
    const { checked, kinks, wrong, worst } = this;
    const parts = [
      `gradcheck ${this.passed ? "passed" : "FAILED"}: ${checked} elements in ${this.precision}, ${wrong} wrong, ${kinks} at corners`,
    ];
    if (worst !== undefined) parts.push(`  worst: ${describeElement(worst)} (allowed ${this.tolerance})`);
    if (wrong === 0 && !this.passed)
      parts.push("  Too many elements lie at corners, where nothing can be checked. Fix: other inputs.");
    for (const input of this.inputs) {
      const error = input.worst === undefined ? "nothing to compare" : `error ${input.worst.error.toExponential(1)}`;
      parts.push(`  ${input.name} ${formatShape(input.shape)}: ${input.checked} of ${input.size} elements, ${error}`);
    }
    return parts.join("\n");
  }

  /** What `console.log` shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** `weight[2, 0]: gradient 0.5, differences give 1, error 5.0e-1`. */
export function describeElement({ input, index, gradient, difference, error }: CheckedElement): string {
  const place = index.length === 0 ? "" : `[${index.join(", ")}]`;
  return `${input}${place}: gradient ${short(gradient)}, differences give ${short(difference)}, error ${error.toExponential(1)}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(8)));
}

export function summarize(
  name: string,
  shape: Shape,
  size: number,
  comparisons: readonly Comparison[],
  tolerance: number,
): InputReport {
  const smooth = comparisons.filter(({ kink }) => !kink);
  const worst = smooth.reduce<Comparison | undefined>(
    (found, each) => (found === undefined || each.error > found.error ? each : found),
    undefined,
  );
  return {
    name,
    shape,
    size,
    checked: comparisons.length,
    kinks: comparisons.length - smooth.length,
    wrong: smooth.filter(({ error }) => !(error <= tolerance)).length,
    worst: worst && {
      input: name,
      index: placeOf(worst.at, shape),
      gradient: worst.gradient,
      difference: worst.difference,
      error: worst.error,
    },
  };
}

function placeOf(position: number, shape: Shape): number[] {
  const index: number[] = [];
  let rest = position;
  for (const length of [...shape].reverse()) {
    index.push(rest % length);
    rest = Math.floor(rest / length);
  }
  return index.reverse();
}
