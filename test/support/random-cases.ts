/** Calls with random settings: what a device computes of them and of their gradients, and what the definitions say. */

import assert from "node:assert/strict";
import type { Device } from "../../src/backends/backend.js";
import { ExactGraph } from "../../src/check/exact.js";
import { RandomStream } from "../../src/core/philox.js";
import { withTrace } from "../../src/graph/context.js";
import { evaluateTensors } from "../../src/graph/lazy.js";
import type { SampleInput } from "../../src/graph/op.js";
import type { AnyTensor, Tensor } from "../../src/graph/tensor.js";
import { tensorOver } from "../../src/ops/create.js";
import { mul } from "../../src/ops/elementwise/arithmetic.js";
import { grad } from "../../src/ops/gradient.js";
import { sum } from "../../src/ops/reduce/sum.js";
import { referenceDevice, useDevice } from "./devices.js";
import { assertClose, randomInput } from "./numbers.js";

/** Of results, and of gradients of a weighted sum of them, as a share of the largest. */
const tolerance = 1e-5;

/** Half of the settings are drawn from this seed, the others from a fresh one. */
export const fixedSeed = 1998;

/** A number for a name, so that what one op is tested with does not depend on which others there are. */
export function streamOf(name: string): number {
  return [...name].reduce((hash, letter) => (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 1, 7);
}

export interface RandomCase {
  readonly title: string;
  readonly inputs: readonly SampleInput[];
  /** What is computed from the inputs. */
  readonly call: (...inputs: AnyTensor[]) => readonly AnyTensor[];
  readonly differentiable: boolean;
  /** What is out of the ordinary in its settings. */
  readonly traits: ReadonlySet<string>;
  /** Seed and number of its values. */
  readonly values: readonly [seed: number, number: number];
}

/** The results, and the gradients where there are some. */
function record({ inputs, call, differentiable, values: [from, number] }: RandomCase): AnyTensor[] {
  const random = new RandomStream(from, number, 7);
  const tensors = inputs.map((input): AnyTensor => {
    const { data, shape, dtype } = randomInput(input, random);
    return tensorOver(data, shape, dtype);
  });
  const results = call(...tensors);
  const floats = (list: readonly AnyTensor[]) => list.filter((each): each is Tensor => each.dtype === "float32");
  const smooth = floats(results);
  if (!differentiable || smooth.length === 0) return [...results];
  const weighted = smooth.map((result) => {
    const weights = Float32Array.from({ length: result.size }, () => random.uniform(-1, 1));
    return sum(mul(result, tensorOver(weights, result.shape, "float32")));
  });
  const gradients = weighted.flatMap((total) => grad(total, floats(tensors), { allowUnused: true }));
  return [...results, ...gradients];
}

/** All cases in one program, as ops meet one another in a network. */
export function computeCases(device: Device, cases: readonly RandomCase[]) {
  useDevice(device);
  const recorded = cases.map(record);
  evaluateTensors(recorded.flat());
  return Promise.all(recorded.map((tensors) => Promise.all(tensors.map((tensor) => tensor.data()))));
}

/** The same by the definitions, in float64. */
export async function defineCases(cases: readonly RandomCase[]) {
  useDevice(referenceDevice);
  const trace = { states: new Map(), guards: [], gradients: new Set<never>() };
  const recorded = withTrace(trace, () => cases.map(record));
  const graph = await ExactGraph.compute(recorded.flat(), new Map());
  return recorded.map((tensors) => tensors.map((tensor) => graph.valueOf(tensor)));
}

type Values = readonly (readonly ArrayLike<number>[])[];

/** Throws unless all results and gradients agree. */
export function assertAgree(cases: readonly RandomCase[], found: Values, expected: Values): void {
  for (const [i, values] of expected.entries()) {
    assert.equal(found[i].length, values.length);
    values.forEach((each, part) => {
      const what = part === 0 ? "the result" : `result or gradient ${part}`;
      // Of sums that happen to be about 0 only the terms, of up to 1, say what an error is.
      assertClose(found[i][part], each, tolerance, `${cases[i].title} (seed ${cases[i].values[0]}): ${what}`, 1);
    });
  }
}

/** How often each kind of setting came up. */
export function coverage(cases: readonly RandomCase[]): string {
  const counts = new Map<string, number>();
  for (const { traits } of cases) for (const trait of traits) counts.set(trait, (counts.get(trait) ?? 0) + 1);
  const list = [...counts].sort(([, a], [, b]) => b - a).map(([trait, count]) => `${trait} ${count}`);
  return `${cases.length} configurations: ${list.join(", ")}`;
}
