/** The scripts of package.json as commands: `--help` with an example, and one line for a word that is not understood. */

import { Command, InvalidArgumentError } from "commander";
import { wholeNumber } from "../src/cli/options.js";

export { wholeNumber };

/** @param example words that follow `npm run <name> --` */
export function scriptCommand(name: string, description: string, example: string): Command {
  const start = `npm run ${name} --`;
  return new Command(start)
    .description(description)
    .addHelpText("after", `\nExample:\n  ${start} ${example}`.trimEnd())
    .configureOutput({
      outputError: (message, write) =>
        write(`${message.trim().replace(/\.?$/, ".").replaceAll("\n", " ")} Add --help for what is expected.\n`),
    });
}

/** A parser of names with commas between them, all of which must be known. */
export function namesOf<Name extends string>(known: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(",").map((word) => {
      const found = known.find((each) => each === word);
      if (found === undefined) throw new InvalidArgumentError(`"${word}" is none of ${known.join(", ")}.`);
      return found;
    });
}

/** A parser of whole numbers of 1 or more, with commas between them. */
export const wholeNumbers = (text: string): number[] => text.split(",").map(wholeNumber(1));
