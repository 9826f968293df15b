/** What is left of many measurements. */

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that `share` of the others lie below, between neighbours where there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}
