/** Einstein's summation: products of tensors, summed over axes that the result does not name. */

import { sizeOf } from "../../../core/shape.js";
import type { Tensor } from "../../../graph/tensor.js";
import { mul } from "../../../ops/elementwise/arithmetic.js";
import { cast } from "../../../ops/elementwise/select.js";
import { takeAlongAxis } from "../../../ops/indexing/alongAxis.js";
import { arange } from "../../../ops/indexing/oneHot.js";
import { matmul } from "../../../ops/linear/matmul.js";
import { expand, sum } from "../../../ops/reduce/sum.js";
import { permute } from "../../../ops/shape/permute.js";
import { reshape } from "../../../ops/shape/reshape.js";
import type { Call } from "../call.js";
import { define, type OpTable, required, string } from "../definition.js";
import { dtypeOf } from "../elementTypes.js";
import { tensorValue } from "../value.js";

/** A tensor whose axes have names: letters, and numbers for those that "…" stands for, the last 0. */
interface Labelled {
  readonly labels: readonly string[];
  readonly tensor: Tensor;
}

/** The names of a term's axes, such as "b…ij". */
function labelsOf(call: Call, term: string, rank: number | undefined): string[] {
  const labels: string[] = [];
  for (let i = 0; i < term.length; i++) {
    if (term.startsWith("...", i)) {
      const count = rank === undefined ? 0 : rank - (term.length - 3);
      for (let k = count - 1; k >= 0; k--) labels.push(String(k));
      if (rank === undefined) labels.push("...");
      i += 2;
    } else if (/[A-Za-z]/.test(term[i])) {
      labels.push(term[i]);
    } else {
      throw call.error(`the equation has ${JSON.stringify(term[i])}. Expected letters, commas, "..." and "->"`);
    }
  }
  if (rank !== undefined && labels.length !== rank)
    throw call.shapeError(`the term ${JSON.stringify(term)} names ${labels.length} axes of a tensor with ${rank}`);
  return labels;
}

/** Axes that share a name as one: the diagonal. */
function withoutRepeats({ labels, tensor }: Labelled): Labelled {
  const again = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (again < 0) return { labels, tensor };
  const first = labels.indexOf(labels[again]);
  const rest = labels.map((_, i) => i).filter((i) => i !== first && i !== again);
  const length = tensor.shape[first];
  const moved = permute(tensor, [...rest, first, again]);
  const places = expand(reshape(arange(length), [...rest.map(() => 1), length, 1]), [
    ...rest.map((i) => tensor.shape[i]),
    length,
    1,
  ]);
  const diagonal = reshape(takeAlongAxis(moved, places, rest.length + 1), [
    ...rest.map((i) => tensor.shape[i]),
    length,
  ]);
  return withoutRepeats({ labels: [...rest.map((i) => labels[i]), labels[first]], tensor: diagonal });
}

/** Sums over axes that nothing else needs. */
function summedOut({ labels, tensor }: Labelled, needed: ReadonlySet<string>): Labelled {
  const gone = labels.flatMap((label, axis) => (needed.has(label) ? [] : [axis]));
  if (gone.length === 0) return { labels, tensor };
  return { labels: labels.filter((label) => needed.has(label)), tensor: sum(tensor, gone) };
}

/** The axes in another order; those that are missing have length 1. */
function arranged({ labels, tensor }: Labelled, order: readonly string[]): Tensor {
  const there = order.filter((label) => labels.includes(label));
  const moved = permute(
    tensor,
    there.map((label) => labels.indexOf(label)),
  );
  return reshape(
    moved,
    order.map((label) => (labels.includes(label) ? tensor.shape[labels.indexOf(label)] : 1)),
  );
}

/** Multiplies two tensors and sums over what only they have: a product of stacked matrices. */
function multiplied(a: Labelled, b: Labelled, needed: ReadonlySet<string>): Labelled {
  const length = (label: string) =>
    Math.max(...[a, b].map(({ labels, tensor }) => tensor.shape[labels.indexOf(label)] ?? 1));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const inner = shared.filter((label) => !needed.has(label));
  const batch = shared.filter((label) => needed.has(label));
  const rows = a.labels.filter((label) => !b.labels.includes(label));
  const columns = b.labels.filter((label) => !a.labels.includes(label));
  const sizes = (labels: readonly string[]) => labels.map(length);
  const stretched = (x: Labelled, order: readonly string[]) => expand(arranged(x, order), sizes(order));
  const left = reshape(stretched(a, [...batch, ...rows, ...inner]), [
    ...sizes(batch),
    sizeOf(sizes(rows)),
    sizeOf(sizes(inner)),
  ]);
  const right = reshape(stretched(b, [...batch, ...inner, ...columns]), [
    ...sizes(batch),
    sizeOf(sizes(inner)),
    sizeOf(sizes(columns)),
  ]);
  const labels = [...batch, ...rows, ...columns];
  return {
    labels,
    tensor: reshape(inner.length === 0 ? mul(left, right) : matmul(left, right), sizes(labels)) as Tensor,
  };
}

/** @param equation such as "bij,bjk->bik"; without an arrow the letters that are there once, in the alphabet's order */
export function einsum(call: Call, equation: string, tensors: readonly Tensor[]): Tensor {
  const [left, right] = equation.replaceAll(/\s/g, "").split("->");
  const terms = left.split(",");
  if (terms.length !== tensors.length)
    throw call.error(`the equation has ${terms.length} terms for ${tensors.length} inputs`);
  const operands = terms.map((term, i) => ({ labels: labelsOf(call, term, tensors[i].rank), tensor: tensors[i] }));
  const all = operands.flatMap(({ labels }) => labels);
  const dots = [...new Set(all.filter((label) => /\d/.test(label)))].sort((a, b) => Number(b) - Number(a));
  const once = all.filter((label) => /[A-Za-z]/.test(label) && all.indexOf(label) === all.lastIndexOf(label)).sort();
  const wanted =
    right === undefined
      ? [...dots, ...once]
      : labelsOf(call, right, undefined).flatMap((label) => (label === "..." ? dots : [label]));
  let result: Labelled | undefined;
  for (const [i, operand] of operands.map(withoutRepeats).entries()) {
    const later = operands.slice(i + 1).flatMap(({ labels }) => labels);
    const needed = new Set([...wanted, ...later]);
    const kept = summedOut(operand, new Set([...needed, ...(result?.labels ?? [])]));
    result =
      result === undefined ? kept : multiplied(summedOut(result, new Set([...needed, ...kept.labels])), kept, needed);
    result = summedOut(result, needed);
  }
  if (result === undefined) throw call.error("there are no inputs");
  return arranged(result, wanted);
}

export const summation: OpTable = {
  Einsum: [
    define({
      since: 12,
      attributes: { equation: required(string()) },
      build: (call, { equation }) => {
        const tensors = call.inputs.map((_, i) => cast(call.tensor(i), "float32") as Tensor);
        return tensorValue(call.type(0), cast(einsum(call, equation, tensors), dtypeOf(call.type(0))));
      },
    }),
  ],
};
