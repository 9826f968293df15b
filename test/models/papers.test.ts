/** What the papers of the networks say of their sizes: each figure as printed there, and where ours is another, why. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { summarize } from "../../src/analysis/index.js";
import { models, type nn } from "../../src/index.js";

type Input = readonly [channels: number, height: number, width: number];

function summaryOf(name: models.ModelName, network: nn.Network = models.create(name), input?: Input) {
  return summarize(network, [1, ...(input ?? models.find(name).inputShape)], { memory: false });
}

/** As many digits as the paper prints. */
const millions = (count: number, digits: number) => (count / 1e6).toFixed(digits);

describe("LeNet-5 (LeCun et al., 1998, section II.B)", () => {
  const { layers } = summaryOf("lenet5-1998", models.create("lenet5-1998", { output: "rbf" }));
  const layer = (name: string) => {
    const found = layers.find((each) => each.name === name);
    assert.ok(found?.output, name);
    const [, maps, rows = 1, columns = 1] = found.output;
    return { parameters: found.parameters, macs: found.macs, maps, places: rows * columns };
  };
  const [c1, s2, c3, s4, c5, f6] = ["c1", "s2", "c3", "s4", "c5", "f6"].map(layer);

  it("has the paper's parameters in every layer, 60,000 in all", () => {
    const parameters = [c1, s2, c3, s4, c5, f6].map((each) => each.parameters);
    assert.deepEqual(parameters, [156, 12, 1516, 32, 48_120, 10_164]);
    assert.equal(
      parameters.reduce((sum, count) => sum + count),
      60_000,
    );
  });

  it("has the paper's connections: multiply-adds, and one more for each bias", () => {
    const withBiases = ({ macs, maps, places }: typeof c1) => macs + maps * places;
    assert.deepEqual([c1, c5, f6].map(withBiases), [122_304, 48_120, 10_164]);
    // A unit of S2 and S4 adds four inputs up: no products of weights here, but five connections there, with the bias.
    assert.deepEqual([s2.macs, s4.macs], [0, 0]);
    assert.deepEqual(
      [s2, s4].map(({ maps, places }) => 5 * maps * places),
      [5880, 2000],
    );
    // C3 is connected to some maps of S2 only. Its kernels are computed as if to all, 96 of them, with 36 of zeros.
    assert.equal(c3.parameters * c3.places, 151_600);
    assert.equal(c3.macs, 96 * 25 * c3.places);
    assert.equal(withBiases(c3) - 36 * 25 * c3.places, 151_600);
    // The codes of the output are no parameters: 84 connections to each class.
    assert.equal(122_304 + 5880 + 151_600 + 2000 + 48_120 + 10_164 + 10 * 84, 340_908);
  });
});

describe("AlexNet (Krizhevsky, Sutskever & Hinton, 2012)", () => {
  const { parameters, layers } = summaryOf("alexnet2012");

  it("has 60 million parameters and 650,000 neurons", () => {
    assert.equal(parameters, 60_965_224);
    const units = layers
      .filter(({ macs }) => macs > 0)
      .map(({ output }) => output?.slice(1).reduce((a, b) => a * b, 1));
    // The caption of figure 2, but for the first: 253,440 there, though 55×55×96 are 290,400.
    assert.deepEqual(units, [290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]);
    assert.equal(Math.round(units.reduce((sum: number, count) => sum + (count ?? 0), 0) / 1e4), 66);
  });
});

describe("ZFNet (Zeiler & Fergus, 2013, figure 3)", () => {
  it("has the figure's maps", () => {
    const { layers } = summaryOf("zfnet");
    const maps = layers
      .filter(({ type }) => /^(Conv2d|MaxPool2d)$/.test(type))
      .map(({ output }) => output?.slice(1, 3));
    const expected = [
      [96, 110],
      [96, 55],
      [256, 26],
      [256, 13],
      [384, 13],
      [384, 13],
      [256, 13],
      [256, 6],
    ];
    assert.deepEqual(maps, expected);
  });
});

describe("VGG (Simonyan & Zisserman, 2014, table 2)", () => {
  it("has as many million parameters", () => {
    const table = {
      "vgg-a": "133",
      "vgg-a-lrn": "133",
      "vgg-b": "133",
      "vgg-c": "134",
      "vgg-d": "138",
      "vgg-e": "144",
    } as const;
    for (const name of ["vgg-a", "vgg-a-lrn", "vgg-b", "vgg-c", "vgg-d", "vgg-e"] as const)
      assert.equal(millions(summaryOf(name).parameters, 0), table[name], name);
  });
});

describe("Network in Network (Lin, Chen & Yan, 2013)", () => {
  it("has 29 MB of weights for ImageNet, and about a million for CIFAR-10", () => {
    // The paper counts neither; its authors' file has 29 MB, and Springenberg et al. (2014, table 3) say ≈ 1 M.
    assert.equal(Math.round((summaryOf("nin").parameters * 4) / 2 ** 20), 29);
    assert.equal(millions(summaryOf("nin-cifar10").parameters, 1), "1.0");
  });
});

describe("batch-normalized Inception (Ioffe & Szegedy, 2015)", () => {
  it("has the sizes of its appendix, figure 5; the text's 13.6 million parameters do not follow from them", () => {
    const { layers, parameters } = summaryOf("inception_v2");
    const sizes = new Set(layers.flatMap(({ output }) => (output?.length === 4 ? [output[2]] : [])));
    assert.deepEqual([...sizes], [112, 56, 28, 14, 7, 1]);
    assert.equal(millions(parameters, 1), "11.2");
  });
});

describe("Inception v3 (Szegedy et al., 2015)", () => {
  it("needs 5 billion multiply-adds and fewer than 25 million parameters, without its auxiliary classifier", () => {
    const { parameters, macs } = summaryOf("inception_v3", models.create("inception_v3", { auxiliary: false }));
    assert.ok(parameters < 25e6 && parameters > 23e6, `${parameters}`);
    // The paper's own layout; torchvision's, which this is, has 5.7.
    assert.equal((macs / 1e9).toFixed(1), "5.7");
  });
});

describe("ResNet for CIFAR-10 (He et al., 2015, table 6)", () => {
  it("has as many million parameters, and 6n + 2 layers", () => {
    const table = { resnet20: "0.27", resnet32: "0.46", resnet44: "0.66", resnet56: "0.85", resnet110: "1.7" } as const;
    for (const name of ["resnet20", "resnet32", "resnet44", "resnet56", "resnet110"] as const) {
      const { parameters, depth } = summaryOf(name);
      assert.equal(millions(parameters, table[name].length - 2), table[name], name);
      assert.equal(depth, Number(name.slice(6)));
    }
  });
});

describe("SqueezeNet (Iandola et al., 2016)", () => {
  it("has 4.8 MB of weights, 50 times fewer than AlexNet", () => {
    const { parameters } = summaryOf("squeezenet1_0");
    assert.equal(((parameters * 4) / 2 ** 20).toFixed(1), "4.8");
    assert.ok(Math.abs(summaryOf("alexnet2012").parameters / parameters - 50) < 2);
  });
});

describe("MobileNet (Howard et al., 2017)", () => {
  it("has the multiply-adds and parameters of tables 6 and 7", () => {
    const figures = (width: number, side: number) => {
      const { parameters, macs } = summaryOf("mobilenet_v1", models.create("mobilenet_v1", { width }), [3, side, side]);
      return [macs / 1e6, millions(parameters, 1)] as const;
    };
    const printed: [width: number, side: number, macs: number, parameters: string][] = [
      [1, 224, 569, "4.2"],
      [0.75, 224, 325, "2.6"],
      [0.5, 224, 149, "1.3"],
      [0.25, 224, 41, "0.5"],
      [1, 192, 418, "4.2"],
      // 290.7, printed as 290.
      [1, 160, 290.7, "4.2"],
      [1, 128, 186, "4.2"],
    ];
    for (const [width, side, expected, parameters] of printed) {
      const [macs, count] = figures(width, side);
      assert.ok(Math.abs(macs - expected) <= 0.5, `${width} × ${side}: ${macs}`);
      assert.equal(count, parameters);
    }
  });
});

describe("networks for segmentation", () => {
  it("U-Net (Ronneberger, Fischer & Brox, 2015) has 23 convolutions, and makes 388×388 scores of 572×572 pixels", () => {
    const { layers, parameters } = summaryOf("unet", models.create("unet", { padding: "valid" }));
    assert.equal(layers.filter(({ macs }) => macs > 0).length, 23);
    assert.deepEqual(layers.at(-1)?.output, [1, 2, 388, 388]);
    // The paper does not count; its layers with biases do.
    assert.equal(millions(parameters, 1), "31.0");
  });

  it("SegNet (Badrinarayanan, Kendall & Cipolla, 2015) has 13 convolutions down and 13 up, and 29.45 million parameters", () => {
    const { layers, parameters } = summaryOf("segnet");
    assert.equal(layers.filter(({ macs }) => macs > 0).length, 26);
    assert.equal(millions(parameters, 2), "29.45");
  });
});
