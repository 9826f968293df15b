/** Parameters and multiply-adds of the networks, to the last digit. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { type Summary, summarize } from "../../src/analysis/index.js";
import { models } from "../../src/index.js";

type Counted = readonly [type: string, output: readonly number[], parameters: number, macs: number];

interface Architecture {
  readonly parameters: number;
  readonly macs: number;
  readonly layers: Readonly<Record<string, Counted>>;
}

const goldenFile = new URL("../../../test/goldens/architectures.json", import.meta.url);
const { torchvision, ...goldens }: Record<string, Architecture> = JSON.parse(readFileSync(goldenFile, "utf8"));

/** Counts that others give: parameters, and multiply-adds at the network's own size. */
const published: Readonly<Record<string, readonly [parameters: number, macs: number]>> = {
  lenet5: [61_706, 416_520],
  alexnet: [61_100_840, 714_188_480],
  vgg11: [132_863_336, 7_609_090_048],
  vgg13: [133_047_848, 11_308_466_176],
  vgg16: [138_357_544, 15_470_264_320],
  vgg19: [143_667_240, 19_632_062_464],
  googlenet: [13_004_888, 1_498_376_192],
  inception_v3: [27_161_264, 5_713_216_096],
  resnet18: [11_689_512, 1_814_073_344],
  resnet50: [25_557_032, 4_089_184_256],
};

/** `branchPool` here is `branch_pool` in Python. */
function withPlainNames<T>(layers: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(layers.map(([name, counts]) => [name.toLowerCase().replaceAll("_", ""), counts]));
}

const summaries = new Map<string, Summary>();

function summaryOf(name: string): Summary {
  const { inputShape, create } = models.find(name);
  const summary = summaries.get(name) ?? summarize(create(), [1, ...inputShape], { memory: false });
  summaries.set(name, summary);
  return summary;
}

describe("counts", () => {
  it("are of the torchvision that they were taken from", () => assert.match(String(torchvision), /^0\./));

  for (const [name, { parameters, macs, layers }] of Object.entries(goldens)) {
    it(`of ${name} are torchvision's, layer by layer`, () => {
      const summary = summaryOf(name);
      const counted = summary.layers
        .filter((layer) => layer.macs > 0)
        .map((layer) => [layer.name, [layer.type, layer.output?.slice(1), layer.parameters, layer.macs]] as const);
      assert.deepEqual(withPlainNames(counted), withPlainNames(Object.entries(layers)));
      assert.equal(summary.parameters, parameters);
      assert.equal(summary.macs, macs);
    });
  }

  for (const [name, [parameters, macs]] of Object.entries(published)) {
    it(`of ${name} are the published ones`, () => {
      const summary = summaryOf(name);
      assert.equal(summary.parameters, parameters);
      assert.equal(summary.macs, macs);
    });
  }

  it("of every network add up: its layers have each parameter once, and all its work", () => {
    for (const { name, inputShape, create } of models.list()) {
      const network = create({ width: 0.25 });
      const { layers, parameters, macs, operations, activations, trainable } = summarize(network, [1, ...inputShape], {
        memory: false,
      });
      const sum = (of: (layer: (typeof layers)[number]) => number) =>
        layers.reduce((total, each) => total + of(each), 0);
      assert.equal(parameters, network.parameterCount(), name);
      assert.equal(trainable, parameters, name);
      assert.equal(
        sum((layer) => layer.parameters),
        parameters,
        name,
      );
      assert.equal(
        sum((layer) => layer.macs),
        macs,
        name,
      );
      assert.equal(
        sum((layer) => layer.operations),
        operations,
        name,
      );
      assert.equal(
        sum((layer) => layer.activations),
        activations,
        name,
      );
    }
  });
});
