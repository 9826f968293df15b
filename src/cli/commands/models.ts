/** `fovea models`: the networks there are. */

import { Command } from "commander";
import { ArgumentError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import * as models from "../../models/index.js";
import { formatCount, printJson, say } from "../output.js";

const help = `
Example:
  $ fovea models
  $ fovea models vgg
  $ fovea models --json

A size followed by + is the network's own, and pictures may have any from some
size on, which --json gives as minimumSize. Others take one size only.`;

export function modelsCommand(): Command {
  return new Command("models")
    .description("list the networks that can be built by name")
    .argument("[text]", "only those whose name or description contains it")
    .option("--json", "one JSON object a line on standard output")
    .addHelpText("after", help)
    .action(listModels);
}

function listModels(text: string | undefined, { json }: { readonly json?: true }): void {
  const wanted = text?.toLowerCase() ?? "";
  const entries = models
    .list()
    .filter(({ name, description }) => `${name}\n${description}`.toLowerCase().includes(wanted));
  if (entries.length === 0)
    throw new ArgumentError(`no model's name or description contains "${text}". Fix: fovea models lists all.`);
  const rows = entries.map((entry) => ({ entry, parameters: entry.create().parameterCount() }));
  if (json) {
    for (const { entry, parameters } of rows) printJson(describe(entry, parameters));
    return;
  }
  const width = Math.max(...entries.map(({ name }) => name.length));
  say(`${"".padEnd(width)}   parameters        input  year  `);
  for (const { entry, parameters } of rows) {
    const { name, inputShape, minimumSize, paper, description } = entry;
    const size = `${formatShape(inputShape)}${minimumSize === undefined ? " " : "+"}`;
    // The parameters have a column of their own.
    const what = description.replace(/: [\d,]+ parameters$/, "");
    say(
      `${name.padEnd(width)}  ${formatCount(parameters).padStart(11)}  ${size.padStart(12)}  ${String(paper?.year ?? "").padEnd(4)}  ${what}`,
    );
  }
}

function describe(entry: models.ModelEntry, parameters: number): object {
  const { name, description, task = "classification", inputShape, minimumSize, numClasses, paper } = entry;
  return { name, description, task, input: inputShape, minimumSize, numClasses, parameters, paper };
}
