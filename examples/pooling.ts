/**
 * Which pooling? The same small network with the largest, the mean, the smallest or a random element of each window, the root of
 * the sum of their squares, with strides instead, with windows as large as the maps, and with no pooling at all.
 */

import { Command } from "commander";
import { type ImageDataset, nn } from "fovea";
import { asTheyAre, type Candidate, type ComparisonFlags, runExperiment, withComparisonOptions } from "./comparison.js";
import { type Plans, shifted } from "./experiment.js";

const plans: Plans = {
  full: { size: 6000, testSize: 10_000, epochs: 8, seeds: 3 },
  quick: { size: 300, testSize: 100, epochs: 1, seeds: 1 },
};

interface Pooled {
  /** What comes after the first convolution of 8 maps, and the second of 16. */
  readonly pool?: (channels: number) => nn.Layer;
  /** Of the convolutions. */
  readonly stride?: number;
  /** The side of the maps that the classifier is given. Default: a quarter of the picture's. */
  readonly side?: number;
  /** What comes last before the classifier. */
  readonly last?: nn.Layer;
}

function network({ pool, stride = 1, side = 7, last }: Pooled): nn.Sequential {
  const layers = (inChannels: number, outChannels: number) => [
    new nn.Conv2d(inChannels, outChannels, 5, { stride, padding: 2 }),
    new nn.ReLU(),
    ...(pool ? [pool(outChannels)] : []),
  ];
  return new nn.Sequential(
    ...layers(1, 8),
    ...layers(8, 16),
    ...(last ? [last] : []),
    new nn.Flatten(),
    new nn.Linear(16 * side * side, 10),
  );
}

const candidates: readonly Candidate[] = [
  { name: "max", make: () => network({ pool: () => new nn.MaxPool2d(2) }) },
  { name: "max, overlapping", make: () => network({ pool: () => new nn.MaxPool2d(3, { stride: 2, padding: 1 }) }) },
  { name: "average", make: () => network({ pool: () => new nn.AvgPool2d(2) }) },
  { name: "L2 norm", make: () => network({ pool: () => new nn.LPPool2d(2) }) },
  { name: "stochastic", make: () => network({ pool: () => new nn.StochasticPool2d(2) }) },
  { name: "min", make: () => network({ pool: () => new nn.MinPool2d(2) }) },
  {
    name: "2×2 convolution",
    make: () => network({ pool: (channels) => new nn.Conv2d(channels, channels, 2, { stride: 2 }) }),
  },
  { name: "stride 2", make: () => network({ stride: 2 }) },
  { name: "none", make: () => network({ side: 28 }) },
  { name: "global average", make: () => network({ side: 1, last: new nn.GlobalAvgPool() }) },
  { name: "global max", make: () => network({ side: 1, last: new nn.GlobalMaxPool() }) },
];

const tests = (test: ImageDataset) => [
  ...asTheyAre(test),
  { heading: "moved by 2, %", data: shifted(test, 2) },
  { heading: "moved by 4, %", data: shifted(test, 4) },
];

export const command = withComparisonOptions(
  new Command("pooling").description("the same network with every kind of pooling, and without (6 minutes; 2 a seed)"),
  plans,
).action((settings: ComparisonFlags) => runExperiment(settings, { plans, candidates, tests, lr: 0.02 }));
