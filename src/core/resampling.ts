/** Axes made longer or shorter: each element of the result is a weighted sum of neighbours. Pure functions of numbers. */

/** How an axis of `before` elements becomes one of `after`. */
export type Resampling =
  /** Element i is element ⌊i · step⌋. */
  | { readonly kind: "nearest"; readonly before: number; readonly after: number; readonly step: number }
  /** Element i lies on a straight line between two: at (i + ½) · step − ½; without a step the outermost stay in place. */
  | { readonly kind: "linear"; readonly before: number; readonly after: number; readonly step: number | null }
  /** Element i is the mean of elements ⌊i · before / after⌋ … ⌈(i + 1) · before / after⌉ − 1. */
  | { readonly kind: "mean"; readonly before: number; readonly after: number };

/** What one element of a result consists of: Σ weights[k] · element (begin + k). */
export interface Weighted {
  readonly begin: number;
  readonly weights: readonly number[];
}

/** First and last+1 of the elements that element `i` of `after` parts of `before` elements covers. */
export function partOf(i: number, before: number, after: number): readonly [begin: number, end: number] {
  return [Math.floor((i * before) / after), Math.ceil(((i + 1) * before) / after)];
}

/**
 * For each element of the result, what it consists of. `transposed` turns the direction round, as gradients do: for each of
 * the `before` elements what it has given to the `after` ones.
 */
export function weightedRuns(axis: Resampling, transposed: boolean): readonly Weighted[] {
  return transposed ? given(axis) : taken(axis);
}

function taken(axis: Resampling): readonly Weighted[] {
  const { before, after } = axis;
  return Array.from({ length: after }, (_, i): Weighted => {
    if (axis.kind === "nearest") return { begin: Math.min(Math.floor(i * axis.step), before - 1), weights: [1] };
    if (axis.kind === "mean") {
      const [begin, end] = partOf(i, before, after);
      return { begin, weights: Array.from({ length: end - begin }, () => 1 / (end - begin)) };
    }
    const position = axis.step === null ? stretched(i, before, after) : Math.max(0, (i + 0.5) * axis.step - 0.5);
    const begin = Math.min(Math.floor(position), before - 1);
    const share = position - begin;
    return begin + 1 < before && share > 0 ? { begin, weights: [1 - share, share] } : { begin, weights: [1] };
  });
}

const stretched = (i: number, before: number, after: number) => (after === 1 ? 0 : (i * (before - 1)) / (after - 1));

function given(axis: Resampling): readonly Weighted[] {
  const runs = Array.from({ length: axis.before }, (): { begin: number; weights: number[] } => ({
    begin: 0,
    weights: [],
  }));
  for (const [i, { begin, weights }] of taken(axis).entries()) {
    for (const [k, weight] of weights.entries()) {
      const run = runs[begin + k];
      if (run.weights.length === 0) run.begin = i;
      run.weights.push(weight);
    }
  }
  return runs;
}
