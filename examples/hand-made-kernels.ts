/**
 * Against tradition: sixteen kernels that people made, and a linear classifier on what they see; the same with kernels at random,
 * and with kernels that learn along with the classifier.
 */

import { Command } from "commander";
import { contactSheet, nn, pad, reshape, stack, type Tensor, vision } from "fovea";
import { writePng } from "fovea/node";
import {
  type Candidate,
  type Compared,
  type ComparisonFlags,
  runExperiment,
  withComparisonOptions,
} from "./comparison.js";
import { fileToWrite, type Plans } from "./experiment.js";
import { drawSigned } from "./signed.js";

const plans: Plans = {
  full: { size: 6000, testSize: 10_000, epochs: 8, seeds: 3 },
  quick: { size: 300, testSize: 100, epochs: 2, seeds: 1 },
};
const side = 9;

/** Edges, spots, and stripes of two widths in four directions, all in frames of 9×9. */
function handMade(): Tensor {
  const angles = [0, 45, 90, 135];
  const stripes = (wavelength: number, phase: number) =>
    angles.map((angle) => vision.gabor(side, { wavelength, angle, phase }));
  const kernels = [
    vision.sobelX(),
    vision.sobelY(),
    vision.laplacian({ diagonals: true }),
    vision.blobDetector(),
    ...stripes(5, 0),
    ...stripes(5, 90),
    ...stripes(8, 90),
  ];
  const framed = kernels.map((kernel) => {
    const edge = (side - kernel.shape[0]) / 2;
    return pad(kernel, [
      [edge, edge],
      [edge, edge],
    ]);
  });
  return reshape(stack(framed, 0), [kernels.length, 1, side, side]);
}

/** Each kernel as long, as a vector, as those that networks begin with. */
function unitLength(kernels: Tensor): Tensor {
  return kernels.div(kernels.mul(kernels).sum([1, 2, 3], { keepdim: true }).sqrt());
}

/** One layer of kernels, how strongly each answers in 49 places, and a linear classifier. */
function network(kernels: (typeof kinds)[number]): nn.Sequential {
  const convolution = new nn.Conv2d(1, 16, side, { padding: "same", bias: kernels === "learned" });
  if (kernels === "hand-made") convolution.weight.assign(unitLength(handMade()));
  if (kernels === "random") convolution.weight.assign(unitLength(convolution.weight.value));
  if (kernels !== "learned") convolution.freeze();
  return new nn.Sequential(
    convolution,
    new nn.ReLU(),
    new nn.MaxPool2d(4),
    new nn.Flatten(),
    new nn.Linear(16 * 7 * 7, 10),
  );
}

const kinds = ["hand-made", "random", "learned"] as const;
const candidates: readonly Candidate[] = [
  { name: "pixels only", make: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(28 * 28, 10)) },
  ...kinds.map((kind) => ({ name: `${kind} kernels`, make: () => network(kind) })),
];

/** The kernels of each kind in a row. */
async function drawKernels(rows: readonly Compared[], out: string): Promise<void> {
  const pictures = [];
  for (const { network } of rows) {
    for (const [, module] of network.namedModules()) {
      if (!(module instanceof nn.Conv2d)) continue;
      const weights = await module.weight.value.data();
      for (let at = 0; at < weights.length; at += side * side)
        pictures.push(drawSigned(weights.subarray(at, at + side * side), side));
    }
  }
  await writePng(out, contactSheet(pictures, { columns: 16, scale: 4, gap: 4 }));
}

export const command = withComparisonOptions(
  new Command("hand-made-kernels")
    .description("a linear classifier on hand-made, random and learned kernels (1 minute; 20 s a seed)")
    .option("--out <file>", "draw the kernels there as a PNG picture, a row for each kind", fileToWrite),
  plans,
).action((settings: ComparisonFlags & { readonly out?: string }) => {
  const { out } = settings;
  const conclude = async (rows: readonly Compared[]) => {
    if (out === undefined) return [];
    await drawKernels(rows, out);
    return [`Written: ${out}: from above, kernels that people made, random ones, learned ones (seed 0).`];
  };
  return runExperiment(settings, { plans, candidates, conclude, lr: 0.02 });
});
