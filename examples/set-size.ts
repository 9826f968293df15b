/**
 * How many pictures does a network need? A fully connected network and LeNet-5 learn from ten digits, from twenty, and so on to
 * thousands; whatever there is, it is gone through often enough for a fixed number of steps at least.
 */

import { Command } from "commander";
import { models, type nn } from "fovea";
import { writeFile } from "fovea/node";
import { drawPlot } from "fovea/report";
import { withSpread } from "./comparison.js";
import {
  accuracyOf,
  describe,
  type Flags,
  figuresOf,
  fileToWrite,
  learn,
  loadDigits,
  Perceptron,
  type Plans,
  planOf,
  type Summary,
  summarize,
  tableRow,
  withExperimentOptions,
} from "./experiment.js";

const plans: Plans = {
  full: { size: 6000, testSize: 10_000, epochs: 6, seeds: 3 },
  quick: { size: 200, testSize: 200, epochs: 3, seeds: 1 },
};
const batchSize = 64;
/** With fewer, ten pictures would not be learnt by heart. */
const fewestSteps = { full: 300, quick: 25 };

const networks: Readonly<Record<"mlp" | "cnn", () => nn.Layer>> = {
  mlp: () => new Perceptron(),
  cnn: () => models.create("lenet5"),
};

/** 10, 20, 50, 100 …, and the last as it is. */
function sizesTo(most: number): number[] {
  const steps = [1, 2, 5].flatMap((first) => [10, 100, 1000, 10_000, 100_000].map((power) => first * power));
  return [...steps.filter((size) => size < most).sort((a, b) => a - b), most];
}

interface Row {
  readonly size: number;
  readonly mlp: Summary;
  readonly cnn: Summary;
}

async function run(settings: Flags & { readonly svg?: string }): Promise<void> {
  const { json = false, quick = false, svg } = settings;
  const begun = performance.now();
  const plan = planOf(settings, plans);
  const data = await loadDigits(settings, plan);
  const say = (text: string) => json || console.log(text);
  say(`${describe(data, plan)}. MLP: 784-100-10; CNN: LeNet-5.\n`);
  say(tableRow("pictures", ["MLP, %", "CNN, %"]));
  const rows: Row[] = [];
  for (const size of sizesTo(data.train.size)) {
    const steps = Math.max(plan.epochs * Math.ceil(size / batchSize), quick ? fewestSteps.quick : fewestSteps.full);
    const epochs = Math.ceil(steps / Math.ceil(size / batchSize));
    const accuracies: Record<keyof typeof networks, number[]> = { mlp: [], cnn: [] };
    for (let seed = 0; seed < plan.seeds; seed++) {
      // Other pictures with each seed: of ten, it matters which.
      const [train] = data.train.randomSplit([size / data.train.size, 1 - size / data.train.size], seed);
      for (const name of ["mlp", "cnn"] as const) {
        const { trainer } = await learn(networks[name], train, { epochs, seed });
        accuracies[name].push(await accuracyOf(trainer, data.test));
      }
    }
    const row = { size, mlp: summarize(accuracies.mlp), cnn: summarize(accuracies.cnn) };
    rows.push(row);
    say(tableRow(size, [withSpread(row.mlp), withSpread(row.cnn)]));
  }
  if (svg !== undefined) {
    const line = (name: string, of: "mlp" | "cnn") => ({
      name,
      points: rows.map((row) => [row.size, row[of].mean] as const),
    });
    const title = "Right, by how many digits were learnt from";
    const options = { title, xAxis: "pictures to learn from", yAxis: "%", xScale: "log", yRange: [0, 100] } as const;
    const plot = drawPlot([line("MLP", "mlp"), line("CNN", "cnn")], options);
    await writeFile(svg, new TextEncoder().encode(plot));
    say(`\nWritten: ${svg}`);
  }
  const seconds = (performance.now() - begun) / 1000;
  if (json) console.log(JSON.stringify({ ...figuresOf(data, plan), rows, seconds }));
  say(`\n${seconds.toFixed(0)} s.`);
}

export const command = withExperimentOptions(
  new Command("set-size")
    .description("accuracy by the number of pictures, for an MLP and a CNN (1 minute; 20 s a seed)")
    .option("--svg <file>", "write the table there as a plot", fileToWrite),
  plans,
).action(run);
