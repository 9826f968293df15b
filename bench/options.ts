/** The words that benchmarks are started with. */

/** The words of an option, separated by commas, of which all must be known. */
export function choices<Name extends string>(option: string, given: string, known: readonly Name[]): Name[] {
  return given.split(",").map((word) => {
    const found = known.find((each) => each === word);
    if (found === undefined) throw new Error(`--${option}: "${word}" is none of ${known.join(", ")}`);
    return found;
  });
}

export function wholeNumber(option: string, given: string): number {
  const value = Number(given);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${option}: "${given}" is not a whole number of 1 or more`);
  return value;
}
