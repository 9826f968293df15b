/**
 * Templates that were drawn from data, and templates that were learnt: the mean of each digit slid over the picture, as before
 * networks; a linear classifier, whose weights are a template for each digit, in one place; and many small templates, LeNet-5.
 */

import { Command } from "commander";
import { contactSheet, globalMaxPool, type ImageDataset, models, nn, type Tensor, vision } from "fovea";
import { writePng } from "fovea/node";
import {
  asTheyAre,
  type Candidate,
  type Compared,
  type ComparisonFlags,
  runExperiment,
  withComparisonOptions,
} from "./comparison.js";
import { fileToWrite, type Plans, shifted } from "./experiment.js";
import { drawSigned } from "./signed.js";
import { meanTemplates } from "./templates.js";

const plans: Plans = {
  full: { size: 6000, testSize: 5000, epochs: 8, seeds: 3 },
  quick: { size: 300, testSize: 100, epochs: 2, seeds: 1 },
};
const side = 28;
/** Pixels by which templates slide in each direction. */
const padding = 2;

/** The largest response of each template, wherever it is; nothing of it learns. */
class Templates extends nn.Module {
  templates: nn.Parameter;

  constructor(
    train: ImageDataset,
    readonly normalized: boolean,
  ) {
    super();
    this.templates = new nn.Parameter(meanTemplates(train).div(train.size * 255), { requiresGrad: false });
  }

  forward(x: Tensor): Tensor {
    const { normalized } = this;
    return globalMaxPool(vision.templateMatch(x, this.templates.value, { normalized, padding }));
  }
}

const candidates: readonly Candidate[] = [
  { name: "means, products", make: (train) => new Templates(train, false) },
  { name: "means, normalized", make: (train) => new Templates(train, true) },
  { name: "learnt", make: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(side * side, 10)) },
  { name: "LeNet-5", make: () => models.create("lenet5") },
];

const tests = (test: ImageDataset) => [...asTheyAre(test), { heading: "moved by 2, %", data: shifted(test, 2) }];

/** A row of ten templates for each network that has ten of 28×28. */
async function drawTemplates(rows: readonly Compared[], out: string): Promise<void> {
  const pictures = [];
  for (const { network } of rows) {
    for (const { value } of network.parameters()) {
      if (value.size !== 10 * side * side) continue;
      const weights = await value.data();
      for (let digit = 0; digit < 10; digit++)
        pictures.push(drawSigned(weights.subarray(digit * side * side, (digit + 1) * side * side), side));
    }
  }
  await writePng(out, contactSheet(pictures, { scale: 2 }));
}

export const command = withComparisonOptions(
  new Command("learned-templates")
    .description("means of digits as templates, against templates that are learnt (20 s)")
    .option("--out <file>", "draw the templates there as a PNG picture, a row for each way", fileToWrite),
  plans,
).action((settings: ComparisonFlags & { readonly out?: string }) => {
  const { out } = settings;
  const conclude = async (rows: readonly Compared[]) => {
    if (out === undefined) return [];
    // The means are the same in both ways.
    await drawTemplates(
      rows.filter(({ name }) => name !== "means, normalized"),
      out,
    );
    return [`Written: ${out}: means above, learnt templates below (seed 0).`];
  };
  return runExperiment(settings, { plans, candidates, tests, conclude, lr: 0.02 });
});
