/**
 * Dropout in convolutional layers: a lecture says that it will not contribute there, since single pixels have too little influence
 * and neighbours say the same. Few digits are learnt for long, so that there is something to prevent.
 */

import { Command } from "commander";
import { nn } from "fovea";
import { type Candidate, type ComparisonFlags, runExperiment, withComparisonOptions } from "./comparison.js";
import type { Plans } from "./experiment.js";

const plans: Plans = {
  full: { size: 1000, testSize: 5000, epochs: 25, seeds: 5 },
  quick: { size: 300, testSize: 100, epochs: 1, seeds: 1 },
};

interface Dropped {
  /** After each convolution. */
  readonly convolutional?: () => nn.Layer;
  /** After the fully connected layer. */
  readonly connected?: () => nn.Layer;
}

function network({ convolutional, connected }: Dropped): nn.Sequential {
  const layers = (inChannels: number, outChannels: number) => [
    new nn.Conv2d(inChannels, outChannels, 5, { padding: 2 }),
    new nn.ReLU(),
    ...(convolutional ? [convolutional()] : []),
    new nn.MaxPool2d(2),
  ];
  return new nn.Sequential(
    ...layers(1, 8),
    ...layers(8, 16),
    new nn.Flatten(),
    new nn.Linear(16 * 7 * 7, 128),
    new nn.ReLU(),
    ...(connected ? [connected()] : []),
    new nn.Linear(128, 10),
  );
}

const pixels = () => new nn.Dropout(0.2);
const maps = () => new nn.Dropout2d(0.2);
const units = () => new nn.Dropout(0.5);

const candidates: readonly Candidate[] = [
  { name: "none", make: () => network({}) },
  { name: "connected", make: () => network({ connected: units }) },
  { name: "pixels", make: () => network({ convolutional: pixels }) },
  { name: "maps", make: () => network({ convolutional: maps }) },
  { name: "pixels, connected", make: () => network({ convolutional: pixels, connected: units }) },
  { name: "maps, connected", make: () => network({ convolutional: maps, connected: units }) },
];

export const command = withComparisonOptions(
  new Command("dropout").description(
    "dropout of half the connected units, of a fifth of the pixels, of a fifth of the maps (2 minutes; 22 s a seed)",
  ),
  plans,
).action((settings: ComparisonFlags) => runExperiment(settings, { plans, candidates, lr: 0.03 }));
