/** The words that benchmarks are started with. */

/** The words of an option, separated by commas, of which all must be known. */
export function choices<Name extends string>(option: string, given: string, known: readonly Name[]): Name[] {
  return given.split(",").map((word) => {
    const found = known.find((each) => each === word);
    return found ?? refuse(`--${option}: "${word}" is none of ${known.join(", ")}`);
  });
}

export function wholeNumber(option: string, given: string): number {
  const value = Number(given);
  return Number.isInteger(value) && value >= 1
    ? value
    : refuse(`--${option}: "${given}" is no whole number of 1 or more`);
}

function refuse(message: string): never {
  console.error(`${message}. Add --help for what is expected.`);
  process.exit(2);
}
