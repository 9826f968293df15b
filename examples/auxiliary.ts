/**
 * Auxiliary classifiers, on and off: a small GoogLeNet of six Inception modules, with a classifier after the second and the fourth
 * whose losses count 0.3; and the same with batch normalization, which is said to make them needless.
 */

import { Command } from "commander";
import { concat, nn, relu, type Tensor } from "fovea";
import { type Candidate, type ComparisonFlags, runExperiment, withComparisonOptions } from "./comparison.js";
import type { Plans } from "./experiment.js";

const plans: Plans = {
  full: { size: 3000, testSize: 5000, epochs: 8, seeds: 3 },
  quick: { size: 300, testSize: 100, epochs: 1, seeds: 1 },
};

/** A convolution that keeps the maps' size, normalized or not, and a rectifier. */
class Convolution extends nn.Module {
  conv: nn.Conv2d;
  norm: nn.BatchNorm2d | null;

  constructor(inChannels: number, outChannels: number, kernelSize: number, normalized: boolean) {
    super();
    this.conv = new nn.Conv2d(inChannels, outChannels, kernelSize, { padding: "same" });
    this.norm = normalized ? new nn.BatchNorm2d(outChannels) : null;
  }

  forward(x: Tensor): Tensor {
    const maps = this.conv(x);
    return relu(this.norm?.(maps) ?? maps);
  }
}

/** N×32×H×W → N×32×H×W: 1×1, 3×3 and 5×5 windows side by side, and pooling, each with 8 maps. */
class Inception extends nn.Module {
  one: Convolution;
  three: nn.Sequential;
  five: nn.Sequential;
  pool: nn.Sequential;

  constructor(normalized: boolean) {
    super();
    const convolution = (inChannels: number, kernelSize: number) =>
      new Convolution(inChannels, 8, kernelSize, normalized);
    this.one = convolution(32, 1);
    this.three = new nn.Sequential(convolution(32, 1), convolution(8, 3));
    this.five = new nn.Sequential(convolution(32, 1), convolution(8, 5));
    this.pool = new nn.Sequential(new nn.MaxPool2d(3, { stride: 1, padding: 1 }), convolution(32, 1));
  }

  forward(x: Tensor): Tensor {
    return concat([this.one(x), this.three(x), this.five(x), this.pool(x)], 1);
  }
}

/** Scores from the means of maps. */
const classifier = () => new nn.Sequential(new nn.GlobalAvgPool(), new nn.Linear(32, 10));

class SmallGoogLeNet extends nn.Network {
  readonly numClasses = 10;
  stem: nn.Sequential;
  modules: nn.Sequential[];
  head = classifier();
  auxiliary: nn.Sequential[];

  constructor({ normalized, auxiliary }: { readonly normalized: boolean; readonly auxiliary: boolean }) {
    super();
    this.stem = new nn.Sequential(new Convolution(1, 32, 3, normalized), new nn.MaxPool2d(4));
    this.modules = [0, 1, 2].map(() => new nn.Sequential(new Inception(normalized), new Inception(normalized)));
    this.auxiliary = auxiliary ? [classifier(), classifier()] : [];
  }

  override get featureInfo(): readonly nn.FeatureInfo[] {
    return [{ name: "modules.2", channels: 32, reduction: 4 }];
  }

  override get headLayers(): readonly nn.Layer[] {
    return [this.head];
  }

  override resetClassifier(): void {
    this.head = classifier();
  }

  protected override computeFeatures(x: Tensor): Tensor {
    return this.modules.reduce((maps, module) => module(maps), this.stem(x));
  }

  protected override forwardOutputs(x: Tensor): nn.NetworkOutputs {
    const [lower, middle, upper] = this.modules;
    const maps = lower(this.stem(x));
    const later = middle(maps);
    const logits = this.forwardHead(upper(later));
    if (!this.training) return { logits, auxiliary: [] };
    const scores = this.auxiliary.map((each, i) => each(i === 0 ? maps : later));
    return { logits, auxiliary: scores.map((each) => ({ logits: each, weight: 0.3 })) };
  }
}

const candidates: readonly Candidate[] = [false, true].flatMap((normalized) =>
  [false, true].map((auxiliary) => ({
    name: `${auxiliary ? "on" : "off"}${normalized ? ", normalized" : ""}`,
    make: () => new SmallGoogLeNet({ normalized, auxiliary }),
  })),
);

export const command = withComparisonOptions(
  new Command("auxiliary").description(
    "a small GoogLeNet with auxiliary classifiers on and off, and with batch normalization (3 minutes; 1 a seed)",
  ),
  plans,
).action((settings: ComparisonFlags) => runExperiment(settings, { plans, candidates }));
