/** Losses with their options, forward and gradient, as PyTorch computes them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fovea from "../../src/index.js";
import { grad, mul, sum, type Tensor } from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

interface Case {
  readonly name: string;
  readonly reduction: "none" | "mean" | "sum" | "batchmean";
  readonly label_smoothing?: number;
  readonly ignore_index?: number;
  readonly margin?: number;
  readonly delta?: number;
  readonly beta?: number;
  readonly log_target?: boolean;
  readonly p?: 1 | 2;
  readonly smooth?: number;
  readonly squared?: boolean;
}

const golden = new Golden<Case>("losses-with-options");

function lossOf(key: string, { name, reduction: spelled, ...options }: Case, x: Tensor): Tensor {
  const optional = (what: string) => (golden.has(`${key}.${what}`) ? golden.tensor(`${key}.${what}`) : undefined);
  const labels = () => golden.labels(`${key}.labels`);
  const target = () => golden.tensor(`${key}.target`);
  const weight = optional("weight");
  const reduction = spelled === "batchmean" ? "mean" : spelled;
  const {
    label_smoothing: labelSmoothing,
    ignore_index: ignoreIndex,
    margin,
    delta,
    beta,
    p = 1,
    smooth,
    squared = false,
  } = options;
  switch (name) {
    case "crossEntropy": {
      const targets = golden.has(`${key}.labels`) ? labels() : target();
      return fovea.crossEntropy(x, targets, { weight, labelSmoothing, ignoreIndex, reduction });
    }
    case "nllLoss":
      return fovea.nllLoss(x, labels(), { weight, ignoreIndex, reduction });
    case "multiMarginLoss":
      return fovea.multiMarginLoss(x, labels(), { ...(margin !== undefined && { margin }), p, weight, reduction });
    case "hingeLoss":
      return fovea.hingeLoss(x, target(), { ...(margin !== undefined && { margin }), squared, reduction });
    case "diceLoss":
      return fovea.diceLoss(x, target(), { ...(smooth !== undefined && { smooth }), reduction });
    case "mseLoss":
      return fovea.mseLoss(x, target(), { reduction });
    case "l1Loss":
      return fovea.l1Loss(x, target(), { reduction });
    case "huberLoss":
      return fovea.huberLoss(x, target(), { ...(delta !== undefined && { delta }), reduction });
    case "smoothL1Loss":
      return fovea.smoothL1Loss(x, target(), { ...(beta !== undefined && { beta }), reduction });
    case "binaryCrossEntropyWithLogits":
      return fovea.binaryCrossEntropyWithLogits(x, target(), {
        weight,
        positiveWeight: optional("pos_weight"),
        reduction,
      });
    case "binaryCrossEntropy":
      return fovea.binaryCrossEntropy(x, target(), { weight, reduction });
    case "klDivLoss":
      return fovea.klDivLoss(x, target(), {
        reduction: spelled === "batchmean" ? "batchMean" : spelled,
        logTarget: options.log_target ?? false,
      });
    default:
      return assert.fail(`no loss named ${name}`);
  }
}

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`PyTorch's losses on ${name}`, { skip: reason }, () => {
    golden.cases.forEach((each, i) => {
      const { name: loss, ...options } = each;
      it(`${loss} ${JSON.stringify(options)}`, async () => {
        if (device === undefined) return;
        useDevice(device);
        const x = golden.tensor(`${i}.x`);
        const value = lossOf(String(i), each, x);
        const [gradient] = grad(sum(mul(value, golden.tensor(`${i}.upstream`))), [x]);
        assertClose(await value.data(), golden.get(`${i}.loss`).data, 1e-5, "loss");
        assertClose(await gradient.data(), golden.get(`${i}.gx`).data, 1e-5, "gradient");
      });
    });
  });
}

describe("losses", () => {
  const { zeros, tensor } = fovea;
  useDevice(referenceDevice);

  it("dice measures the overlap of areas", async () => {
    const area = tensor([
      [
        [
          [1, 1],
          [0, 0],
        ],
      ],
    ]);
    const half = tensor([
      [
        [
          [1, 0],
          [0, 0],
        ],
      ],
    ]);
    assert.equal(await fovea.diceLoss(area, area).item(), 0);
    // 1 − (2 · 1 + 0) / (2 + 1)
    assert.ok(Math.abs((await fovea.diceLoss(area, half, { smooth: 0 }).item()) - 1 / 3) < 1e-7);
    assert.equal(await fovea.diceLoss(zeros([2, 3, 4, 4]), zeros([2, 3, 4, 4])).item(), 0);
    assert.deepEqual(fovea.diceLoss(zeros([2, 3, 4, 4]), zeros([2, 3, 4, 4]), { reduction: "none" }).shape, [2, 3]);
  });

  const labels = tensor([0, 1], { dtype: "int32" });
  const mistakes: [string, () => unknown, RegExp][] = [
    [
      "an unknown reduction",
      // @ts-expect-error
      () => fovea.l1Loss(zeros([2]), zeros([2]), { reduction: "average" }),
      /"none", "mean" or "sum"/,
    ],
    ["scores without samples", () => fovea.crossEntropy(zeros([3]), labels), /Expected N×K/],
    ["labels for other places", () => fovea.crossEntropy(zeros([2, 3, 4, 4]), labels), /Expected 2×4×4 class numbers/],
    ["weights for other classes", () => fovea.crossEntropy(zeros([2, 3]), labels, { weight: zeros([2]) }), /3 classes/],
    ["too much smoothing", () => fovea.crossEntropy(zeros([2, 3]), labels, { labelSmoothing: 2 }), /Expected 0 … 1/],
    ["shapes that differ", () => fovea.huberLoss(zeros([2, 3]), zeros([3, 2])), /2×3 but the target 3×2/],
    [
      "another exponent than 1 and 2",
      () => fovea.multiMarginLoss(zeros([2, 3]), labels, { p: 3 as 1 }),
      /Expected 1 or 2/,
    ],
    [
      "an endless margin",
      () => fovea.hingeLoss(zeros([2]), zeros([2]), { margin: Infinity }),
      /Expected a finite number/,
    ],
    ["no width", () => fovea.huberLoss(zeros([2]), zeros([2]), { delta: 0 }), /above 0/],
    ["areas without places", () => fovea.diceLoss(zeros([2, 3]), zeros([2, 3])), /at least one axis of places/],
  ];
  for (const [what, call, message] of mistakes) it(`refuse ${what}`, () => void assert.throws(call, message));
});
