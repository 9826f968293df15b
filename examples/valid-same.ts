/**
 * `valid` against `same`: zeros around the maps keep their size, and what lies at the border counts as often as what lies in the
 * middle. MNIST has nothing at its border; so the digits are cut to the middle 20×20 pixels, which they fill.
 */

import { Command } from "commander";
import { cropCenter, fromPlanar, ImageDataset, nn, toPlanar } from "fovea";
import { type Candidate, type ComparisonFlags, runExperiment, withComparisonOptions } from "./comparison.js";
import type { Plans } from "./experiment.js";

const plans: Plans = {
  full: { size: 3000, testSize: 5000, epochs: 8, seeds: 5 },
  quick: { size: 300, testSize: 100, epochs: 1, seeds: 1 },
};
const side = 20;

/** The middle of each picture. */
function cropped({ name, split, classNames, shape, size, labels, images }: ImageDataset): ImageDataset {
  const [, height, width] = shape;
  const pictures = Array.from({ length: size }, (_, i) => {
    const whole = fromPlanar(images.subarray(i * height * width, (i + 1) * height * width), [1, height, width]);
    return toPlanar(cropCenter(whole, [side, side]));
  });
  const middle = new Uint8Array(Buffer.concat(pictures));
  return new ImageDataset({ name, split, classNames, labels, shape: [1, side, side], images: middle });
}

type Around = "valid" | "zeros" | "reflect";

/** Two convolutions, and a classifier on where things are (flat) or on how much of them there is (mean). */
function network(around: Around, head: "flat" | "mean"): nn.Sequential {
  const padding = around === "valid" ? "valid" : "same";
  const paddingMode = around === "valid" ? "zeros" : around;
  const left = around === "valid" ? 2 : 5;
  return new nn.Sequential(
    new nn.Conv2d(1, 8, 5, { padding, paddingMode }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(8, 32, 5, { padding, paddingMode }),
    new nn.ReLU(),
    ...(head === "flat" ? [new nn.MaxPool2d(2), new nn.Flatten()] : [new nn.GlobalAvgPool()]),
    new nn.Linear(head === "flat" ? 32 * left * left : 32, 10),
  );
}

const candidates: readonly Candidate[] = (["flat", "mean"] as const).flatMap((head) =>
  (["valid", "zeros", "reflect"] as const).map((around) => ({
    name: `${around}; ${head}`,
    make: () => network(around, head),
  })),
);

export const command = withComparisonOptions(
  new Command("valid-same").description(
    "convolutions with and without a border of zeros around the maps (75 s; 15 s a seed)",
  ),
  plans,
).action((settings: ComparisonFlags) => runExperiment(settings, { plans, candidates, change: cropped, lr: 0.02 }));
