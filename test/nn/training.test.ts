/** Every layer learns inside a small network, on every device; and none is forgotten here. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sizeOf } from "../../src/core/shape.js";
import {
  Adam,
  compile,
  crossEntropy,
  flatten,
  manualSeed,
  maxPool1dWithIndices,
  maxPool2dWithIndices,
  maxPool3dWithIndices,
  nn,
  normal,
  type Shape,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import { delayed, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";

type Layer = nn.ModuleBase & ((x: Tensor) => Tensor);

/** Inputs of 6 samples: sounds, pictures, films, features. */
const shapes = { features: [6, 8], sounds: [6, 4, 9], pictures: [6, 4, 6, 6], films: [6, 2, 4, 4, 4] } as const;

interface Sample {
  readonly input: keyof typeof shapes;
  readonly make: () => Layer;
}

const on = (input: keyof typeof shapes, make: () => Layer): Sample => ({ input, make });

const samples: Readonly<Record<string, Sample>> = {
  AdaptiveAvgPool1d: on("sounds", () => new nn.AdaptiveAvgPool1d(4)),
  AdaptiveAvgPool2d: on("pictures", () => new nn.AdaptiveAvgPool2d(4)),
  AdaptiveAvgPool3d: on("films", () => new nn.AdaptiveAvgPool3d(3)),
  AdaptiveMaxPool1d: on("sounds", () => new nn.AdaptiveMaxPool1d(4)),
  AdaptiveMaxPool2d: on("pictures", () => new nn.AdaptiveMaxPool2d(4)),
  AdaptiveMaxPool3d: on("films", () => new nn.AdaptiveMaxPool3d(3)),
  AvgPool1d: on("sounds", () => new nn.AvgPool1d(3)),
  AvgPool2d: on("pictures", () => new nn.AvgPool2d(2)),
  AvgPool3d: on("films", () => new nn.AvgPool3d(2)),
  BatchNorm1d: on("features", () => new nn.BatchNorm1d(8)),
  BatchNorm2d: on("pictures", () => new nn.BatchNorm2d(4)),
  BatchNorm3d: on("films", () => new nn.BatchNorm3d(2)),
  BedOfNails: on("pictures", () => new nn.BedOfNails(2)),
  Conv1d: on("sounds", () => new nn.Conv1d(4, 5, 3)),
  Conv2d: on("pictures", () => new nn.Conv2d(4, 6, 3, { groups: 2, paddingMode: "reflect", padding: 1 })),
  Conv3d: on("films", () => new nn.Conv3d(2, 3, 3, { padding: "same" })),
  ConvTranspose1d: on("sounds", () => new nn.ConvTranspose1d(4, 3, 3, { stride: 2 })),
  ConvTranspose2d: on("pictures", () => new nn.ConvTranspose2d(4, 3, 2, { stride: 2 })),
  ConvTranspose3d: on("films", () => new nn.ConvTranspose3d(2, 3, 2)),
  CrossChannelAvgPool: on("pictures", () => new nn.CrossChannelAvgPool(2)),
  Dropout: on("pictures", () => new nn.Dropout(0.2)),
  Dropout1d: on("sounds", () => new nn.Dropout1d(0.2)),
  Dropout2d: on("pictures", () => new nn.Dropout2d(0.2)),
  Dropout3d: on("films", () => new nn.Dropout3d(0.2)),
  ELU: on("pictures", () => new nn.ELU()),
  FeatureDropout: on("pictures", () => new nn.FeatureDropout(0.2)),
  Flatten: on("pictures", () => new nn.Flatten()),
  GELU: on("pictures", () => new nn.GELU()),
  GlobalAvgPool: on("pictures", () => new nn.GlobalAvgPool()),
  GlobalMaxPool: on("pictures", () => new nn.GlobalMaxPool()),
  GroupNorm: on("pictures", () => new nn.GroupNorm(2, 4)),
  Hardshrink: on("pictures", () => new nn.Hardshrink()),
  Hardsigmoid: on("pictures", () => new nn.Hardsigmoid()),
  Hardswish: on("pictures", () => new nn.Hardswish()),
  Hardtanh: on("pictures", () => new nn.Hardtanh()),
  Identity: on("pictures", () => new nn.Identity()),
  InstanceNorm: on("pictures", () => new nn.InstanceNorm(4, { affine: true })),
  InstanceNorm1d: on("sounds", () => new nn.InstanceNorm1d(4, { affine: true })),
  InstanceNorm2d: on("pictures", () => new nn.InstanceNorm2d(4, { affine: true })),
  InstanceNorm3d: on("films", () => new nn.InstanceNorm3d(2, { affine: true })),
  LPPool1d: on("sounds", () => new nn.LPPool1d(3)),
  LPPool2d: on("pictures", () => new nn.LPPool2d(2)),
  LPPool3d: on("films", () => new nn.LPPool3d(2)),
  LayerNorm: on("pictures", () => new nn.LayerNorm([6, 6])),
  LeakyReLU: on("pictures", () => new nn.LeakyReLU()),
  Linear: on("features", () => new nn.Linear(8, 7)),
  LocalResponseNorm: on("pictures", () => new nn.LocalResponseNorm(3, { alpha: 1 })),
  LocallyConnected1d: on("sounds", () => new nn.LocallyConnected1d(4, 2, 3, 9)),
  LocallyConnected2d: on("pictures", () => new nn.LocallyConnected2d(4, 2, 3, 6)),
  LocallyConnected3d: on("films", () => new nn.LocallyConnected3d(2, 2, 2, 4)),
  LogSigmoid: on("pictures", () => new nn.LogSigmoid()),
  LogSoftmax: on("features", () => new nn.LogSoftmax()),
  MaxPool1d: on("sounds", () => new nn.MaxPool1d(3)),
  MaxPool2d: on("pictures", () => new nn.MaxPool2d(2)),
  MaxPool3d: on("films", () => new nn.MaxPool3d(2)),
  Maxout: on("pictures", () => new nn.Maxout(2)),
  MinPool1d: on("sounds", () => new nn.MinPool1d(3)),
  MinPool2d: on("pictures", () => new nn.MinPool2d(2)),
  MinPool3d: on("films", () => new nn.MinPool3d(2)),
  Mish: on("pictures", () => new nn.Mish()),
  PReLU: on("pictures", () => new nn.PReLU(4)),
  PixelShuffle: on("pictures", () => new nn.PixelShuffle(2)),
  PixelUnshuffle: on("pictures", () => new nn.PixelUnshuffle(2)),
  ReLU: on("pictures", () => new nn.ReLU()),
  ReLU6: on("pictures", () => new nn.ReLU6()),
  SELU: on("pictures", () => new nn.SELU()),
  Sequential: on("features", () => new nn.Sequential(new nn.Linear(8, 8), new nn.Tanh())),
  SiLU: on("pictures", () => new nn.SiLU()),
  Sigmoid: on("pictures", () => new nn.Sigmoid()),
  Softmax: on("features", () => new nn.Softmax()),
  Softplus: on("pictures", () => new nn.Softplus()),
  Softshrink: on("pictures", () => new nn.Softshrink()),
  Softsign: on("pictures", () => new nn.Softsign()),
  StochasticPool1d: on("sounds", () => new nn.StochasticPool1d(3)),
  StochasticPool2d: on("pictures", () => new nn.StochasticPool2d(2)),
  StochasticPool3d: on("films", () => new nn.StochasticPool3d(2)),
  Tanh: on("pictures", () => new nn.Tanh()),
  Upsample: on("pictures", () => new nn.Upsample({ scale: 2, mode: "linear" })),
};

/** Modules of two tensors, trained below. */
const others = [
  ...["MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"],
  // Their training is that of several tasks: test/train/tasks.
  ...["GradientReversal", "MultiHead", "UncertaintyWeights"],
];
const losses = Object.keys(nn).filter((name) => name.endsWith("Loss") && /^[A-Z]/.test(name));

/** A layer behind one that learns, and in front of class scores. */
class Net extends nn.Module {
  readonly before: nn.Conv2d | nn.Linear | nn.Identity;
  readonly head: nn.Linear;

  constructor(
    readonly layer: Layer,
    shape: Shape,
  ) {
    super();
    this.before = shape.length === 4 ? new nn.Conv2d(shape[1], shape[1], 1) : new nn.Identity();
    const size = flatten(layer(zeros(shape))).shape[1];
    this.head = new nn.Linear(size, 3);
  }

  override forward(x: Tensor): Tensor {
    const y: Tensor = (this.before as Layer)(x);
    return this.head(flatten(this.layer(y)));
  }
}

/** The mean loss of the first and of the last steps on one batch. */
async function train(
  net: (x: Tensor) => Tensor,
  parameters: readonly nn.Parameter[],
  x: Tensor,
): Promise<[number, number]> {
  const labels = tensor([0, 1, 2, 0, 1, 2], { dtype: "int32" });
  const optimizer = new Adam([...parameters], { lr: 0.02 });
  const step = compile(() => {
    const loss = crossEntropy(net(x), labels);
    loss.backward();
    void optimizer.step();
    return loss;
  });
  const values: number[] = [];
  for (let i = 0; i < 24; i++) values.push(await (await step()).item());
  const mean = (part: readonly number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;
  return [mean(values.slice(0, 3)), mean(values.slice(-3))];
}

const reference = { name: "reference", device: referenceDevice, reason: undefined };

for (const { name, device, reason } of [...kernelDevices, ...(delayed ? [] : [reference])]) {
  describe(`every layer learns on ${name}`, { skip: reason }, () => {
    for (const [layer, { input, make }] of Object.entries(samples)) {
      it(layer, async () => {
        if (device === undefined) return;
        useDevice(device);
        manualSeed(1);
        const net = new Net(make(), shapes[input]);
        const [first, last] = await train(net, net.parameters(), normal(shapes[input]));
        assert.ok(last < 0.9 * first, `the loss went from ${first} to ${last}`);
        assert.match(net.toString(), new RegExp(`\\(layer\\): ${layer}\\b`));
      });
    }

    const unpooled = {
      MaxUnpool1d: [() => new nn.Conv1d(4, 4, 1), maxPool1dWithIndices, new nn.MaxUnpool1d(3), shapes.sounds],
      MaxUnpool2d: [() => new nn.Conv2d(4, 4, 1), maxPool2dWithIndices, new nn.MaxUnpool2d(3), shapes.pictures],
      MaxUnpool3d: [() => new nn.Conv3d(2, 4, 1), maxPool3dWithIndices, new nn.MaxUnpool3d(2), shapes.films],
    } as const;
    for (const [layer, [before, pool, unpool, shape]] of Object.entries(unpooled)) {
      it(layer, async () => {
        if (device === undefined) return;
        useDevice(device);
        manualSeed(1);
        const conv: Layer = before();
        const head = new nn.Linear(4 * sizeOf(shape.slice(2)), 3);
        const net = (x: Tensor) => {
          const { values, indices } = pool(conv(x), unpool.kernelSize);
          return head(flatten(unpool(values, indices)));
        };
        const parameters = [...conv.parameters(), ...head.parameters()];
        const [first, last] = await train(net, parameters, normal(shape));
        assert.ok(last < 0.9 * first, `the loss went from ${first} to ${last}`);
      });
    }
  });
}

describe("layers", () => {
  it("are all trained here", () => {
    const bases = ["Module", "ModuleBase", "Network"];
    const classes = Object.entries<unknown>({ ...nn }).filter(
      ([key, value]) => typeof value === "function" && value.prototype instanceof nn.ModuleBase && !bases.includes(key),
    );
    const known = new Set([...Object.keys(samples), ...others, ...losses]);
    assert.deepEqual(
      classes.map(([key]) => key).filter((key) => !known.has(key)),
      [],
    );
  });

  it("of losses give what the functions give", async () => {
    useDevice(referenceDevice);
    const [scores, labels] = [
      tensor([
        [1, 2, 0.5],
        [0, -1, 3],
      ]),
      tensor([1, 2], { dtype: "int32" }),
    ];
    const smooth = { labelSmoothing: 0.1, reduction: "none" } as const;
    assert.deepEqual(
      await new nn.CrossEntropyLoss(smooth)(scores, labels).array(),
      await crossEntropy(scores, labels, smooth).array(),
    );
    const target = tensor([
      [1, 0, 1],
      [0, 1, 1],
    ]);
    const pairs: readonly [Tensor<[]>, Tensor<[]>][] = [
      [new nn.MSELoss()(scores, target), nn.mseLoss(scores, target)],
      [new nn.L1Loss()(scores, target), nn.l1Loss(scores, target)],
      [new nn.HuberLoss({ delta: 0.5 })(scores, target), nn.huberLoss(scores, target, { delta: 0.5 })],
      [new nn.SmoothL1Loss()(scores, target), nn.smoothL1Loss(scores, target)],
      [new nn.BCEWithLogitsLoss()(scores, target), nn.binaryCrossEntropyWithLogits(scores, target)],
      [new nn.KLDivLoss()(scores, target), nn.klDivLoss(scores, target)],
      [new nn.KLDivLoss({ reduction: "sum" })(scores, target), nn.klDivLoss(scores, target, { reduction: "sum" })],
      [new nn.HingeLoss({ squared: true })(scores, target), nn.hingeLoss(scores, target, { squared: true })],
    ];
    for (const [layer, loss] of pairs) assert.equal(await layer.item(), await loss.item());
    const probabilities = scores.sigmoid();
    assert.equal(
      await new nn.BCELoss()(probabilities, target).item(),
      await nn.binaryCrossEntropy(probabilities, target).item(),
    );
    assert.equal(await new nn.NLLLoss()(scores.logSoftmax(), labels).item(), await crossEntropy(scores, labels).item());
    assert.equal(
      await new nn.MultiMarginLoss()(scores, labels).item(),
      await nn.multiMarginLoss(scores, labels).item(),
    );
    const areas = probabilities.reshape([2, 1, 3]);
    assert.equal(
      await new nn.DiceLoss()(areas, target.reshape([2, 1, 3])).item(),
      await nn.diceLoss(areas, target.reshape([2, 1, 3])).item(),
    );
  });
});
