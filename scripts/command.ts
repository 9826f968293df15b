/** The scripts of package.json as commands: `--help` with an example, and one line for a word that is not understood. */

import { Command, InvalidArgumentError } from "commander";

export { wholeNumber } from "../src/cli/options.js";

/** @param example words that follow `npm run <name> --` */
export function scriptCommand(name: string, description: string, example: string): Command {
  const start = `npm run ${name} --`;
  return new Command(start)
    .description(description)
    .addHelpText("after", `\nExample:\n  ${start} ${example}`.trimEnd())
    .configureOutput({
      outputError: (message, write) =>
        write(`${message.trim().replaceAll("\n", " ")} Add --help for what is expected.\n`),
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
