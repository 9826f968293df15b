/** Masks and pictures as what is learnt: metrics against scikit-learn and scikit-image, tiles, and training that learns. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  AbortedError,
  Adam,
  AnnotatedImages,
  CosineLR,
  crossEntropy,
  denoisePictures,
  denoising,
  evaluateDenoising,
  evaluateSegmentation,
  ImageDataset,
  manualSeed,
  metrics,
  models,
  nn,
  noisy,
  type PixelPredictOptions,
  RandomStream,
  type SegmentedSample,
  segmentation,
  segmentPictures,
  shapes,
  softDiceLoss,
  type Tensor,
  Trainer,
  tensor,
} from "../../src/index.js";

interface Segmented {
  readonly classes: number;
  readonly found: readonly number[];
  readonly truth: readonly number[];
  readonly accuracy: number;
  readonly iou: readonly number[];
  readonly mean_iou: number;
  readonly dice: readonly number[];
  readonly mean_dice: number;
  readonly confusion: readonly (readonly number[])[];
}

interface Pair {
  readonly shape: readonly [number, number, number];
  readonly picture: readonly number[];
  readonly truth: readonly number[];
  readonly psnr: number;
  readonly ssim: number;
}

const goldens: { readonly segmented: readonly Segmented[]; readonly pictures: readonly Pair[] } = JSON.parse(
  readFileSync(new URL("../../../test/goldens/pixels.json", import.meta.url), "utf8"),
);

const near = (a: number | undefined, b: number, within = 1e-9) =>
  assert.ok(a !== undefined && Math.abs(a - b) <= within, `${a} is not ${b}`);

describe("metrics of pixels", () => {
  it("equal scikit-learn's, whatever parts the pixels come in", () => {
    for (const each of goldens.segmented) {
      const counts = new metrics.PixelCounts(each.classes);
      counts.add(each.found.slice(0, 100), each.truth.slice(0, 100));
      counts.add(each.found.slice(100), each.truth.slice(100));
      const report = counts.report();
      near(report.accuracy, each.accuracy);
      near(report.meanIou, each.mean_iou);
      near(report.meanDice, each.mean_dice);
      for (const [k, iou] of each.iou.entries()) near(report.classes[k].iou, iou);
      for (const [k, dice] of each.dice.entries()) near(report.classes[k].dice, dice);
      assert.deepEqual(report.confusion, each.confusion);
      // What occurs nowhere has no share of anything.
      for (const { iou } of report.classes.slice(each.iou.length)) assert.equal(iou, undefined);
    }
  });

  it("say which pixel names no class, and count nothing then", () => {
    const counts = new metrics.PixelCounts(2);
    assert.throws(() => counts.add([0, 2], [0, 1]), /found class of pixel 1 is 2\. Expected 0 to 1/);
    assert.throws(() => counts.add([0], [0, 1]), /1 pixels were found, but 2 are true/);
    assert.throws(() => counts.report(), /no pixels have been counted/);
  });

  it("of pictures equal scikit-image's", () => {
    for (const { picture, truth, shape, psnr, ssim } of goldens.pictures) {
      near(metrics.psnr(picture, truth), psnr);
      near(metrics.ssim(picture, truth, shape), ssim, 1e-7);
    }
    assert.equal(metrics.psnr([1, 2], [1, 2]), Number.POSITIVE_INFINITY);
    assert.throws(() => metrics.psnr([1], [1, 2]), /1 values and the true one 2/);
    assert.throws(() => metrics.ssim(new Uint8Array(100), new Uint8Array(100), [1, 10, 10]), /sides of 11/);
  });
});

describe("softDiceLoss", () => {
  it("is what its definition says, and leaves out what is to be ignored", async () => {
    const scores = tensor(Float32Array.of(0, 2, -1, 1, 0, 0, 3, -2), [1, 2, 2, 2]);
    const right = [0.5, 1 / (1 + Math.exp(-2)), 1 / (1 + Math.exp(4)), 1 / (1 + Math.exp(-3))];
    const labels = tensor(Int32Array.of(0, 0, 1, 255), [1, 2, 2]);
    // Of class 0 two pixels, of class 1 one; the fourth does not count.
    const p0 = [right[0], right[1], right[2]];
    const dice = (overlap: number, size: number) => 1 - (2 * overlap + 1) / (size + 1);
    const sum = p0.reduce((a, b) => a + b, 0);
    const expected = (dice(p0[0] + p0[1], sum + 2) + dice(1 - p0[2], 3 - sum + 1)) / 2;
    near(await softDiceLoss(scores, labels, { ignoreIndex: 255 }).item(), expected, 1e-6);
    assert.throws(() => softDiceLoss(scores, tensor(Int32Array.of(0), [1])), /Expected N×K×… scores/);
  });
});

/** Planes of H×W values. */
interface Planes {
  readonly values: readonly number[];
  readonly size: readonly [height: number, width: number];
}

/** Turned by some quarters, each of which brings the first row to the left. */
function quarters(planes: Planes, count: number): Planes {
  if (count === 0) return planes;
  const [height, width] = planes.size;
  const values = planes.values.map((_, i, from) => {
    const [row, column] = [Math.floor((i % (height * width)) / height), i % height];
    return from[i - (i % (height * width)) + column * width + width - 1 - row];
  });
  return quarters({ values, size: [width, height] }, count - 1);
}

function mirrored({ values, size }: Planes): Planes {
  const [, width] = size;
  return { values: values.map((_, i, from) => from[i - (i % width) + width - 1 - (i % width)]), size };
}

/** A 1×1 convolution: every pixel for itself. */
function threshold(): nn.Conv2d {
  const layer = new nn.Conv2d(1, 2, 1);
  layer.loadStateDict({
    weight: { dtype: "float32", shape: [2, 1, 1, 1], data: Float32Array.of(-1, 1) },
    bias: { dtype: "float32", shape: [2], data: Float32Array.of(0.5, -0.5) },
  });
  return layer;
}

function pictureOf(height: number, width: number): AnnotatedImages<{ masks: Uint8Array<ArrayBuffer> }> {
  const random = new RandomStream(3);
  const images = Uint8Array.from({ length: height * width }, () => random.integer(256));
  const pictures = pictureWith({ values: [...images], size: [height, width] });
  return new AnnotatedImages(pictures, { masks: images.map((value) => (value > 127 ? 1 : 0)) });
}

function pictureWith({ values, size }: Planes): ImageDataset {
  return new ImageDataset({
    ...{ name: "random", split: "test", images: Uint8Array.from(values), labels: new Uint8Array(1) },
    ...{ shape: [1, ...size], classNames: ["picture"] },
  });
}

describe("segmentPictures", () => {
  it("gives the same whole and in tiles, where pixels do not depend on others", async () => {
    const data = pictureOf(23, 37);
    for (const options of [{}, { tile: 16 }, { tile: 10, overlap: 9, batchSize: 3 }, { tile: 30, overlap: 0 }]) {
      let count = 0;
      for await (const { mask, probabilities, shape } of segmentPictures(threshold(), data, options)) {
        assert.deepEqual(mask, data.annotations.masks);
        assert.deepEqual(shape, [1, 23, 37]);
        near(probabilities[0] + probabilities[23 * 37], 1, 1e-5);
        count++;
      }
      assert.equal(count, 1);
    }
    const seen: SegmentedSample[] = [];
    const { meanIou } = await evaluateSegmentation(threshold(), data, {
      tile: 12,
      onPicture: (each) => seen.push(each),
    });
    assert.equal(meanIou, 1);
    const [{ image, truth, mask }] = seen;
    assert.deepEqual(image, data.pictures.images);
    assert.deepEqual([truth, mask], [data.annotations.masks, data.annotations.masks]);
  });

  it("averages over looks from all sides as single answers turned back do, whole and in tiles", async () => {
    manualSeed(4);
    const network = new nn.Sequential(new nn.Conv2d(1, 4, 3, { padding: 1 }), new nn.ReLU(), new nn.Conv2d(4, 3, 1));
    const answer = async (data: ImageDataset, options: PixelPredictOptions = {}): Promise<number[]> => {
      for await (const { probabilities } of segmentPictures(network, data, options)) return [...probabilities];
      return [];
    };
    const size = [6, 9] as const;
    const picture: Planes = { values: [...pictureOf(...size).pictures.images], size };
    const mean = async (mirrors: readonly boolean[], turns: readonly number[], options: PixelPredictOptions) => {
      const sums = new Float64Array(3 * 54);
      for (const mirror of mirrors) {
        for (const turn of turns) {
          const seen = quarters(mirror ? mirrored(picture) : picture, turn);
          const said = { values: await answer(pictureWith(seen), options), size: seen.size };
          const back = quarters(said, (4 - turn) % 4);
          for (const [i, value] of (mirror ? mirrored(back) : back).values.entries()) sums[i] += value;
        }
      }
      return sums.map((sum) => sum / (mirrors.length * turns.length));
    };
    const whole = pictureWith(picture);
    const plain = await answer(whole);
    // Tiles lie evenly, so that those of a turned picture are the turned tiles.
    for (const options of [{}, { tile: 8, overlap: 6, batchSize: 1 }]) {
      const expected = {
        flips: await mean([false, true], [0], options),
        turns: await mean([false, true], [0, 1, 2, 3], options),
      };
      for (const views of ["flips", "turns"] as const) {
        const found = await answer(whole, { ...options, views });
        for (const [i, value] of found.entries()) near(value, expected[views][i], 1e-6);
        assert.ok(found.some((value, i) => Math.abs(value - plain[i]) > 1e-3));
      }
    }
    await assert.rejects(answer(whole, JSON.parse('{ "views": "shifts" }')), /views is "shifts"\. Expected "flips"/);
  });

  it("stops between two looks", async () => {
    const stop = new AbortController();
    class Stopping extends nn.Sequential {
      override forward(x: Tensor): Tensor {
        stop.abort();
        return super.forward(x);
      }
    }
    const { signal } = stop;
    const pictures = segmentPictures(new Stopping(threshold()), pictureOf(8, 8), { views: "flips", signal });
    await assert.rejects(pictures.next(), AbortedError);
  });

  it("says the same of a network that is indifferent to turns", async () => {
    const data = pictureOf(11, 14);
    const answers = async (views?: PixelPredictOptions["views"], tile?: number) => {
      for await (const { probabilities } of segmentPictures(threshold(), data, { views, tile })) return probabilities;
      return undefined;
    };
    for (const tile of [undefined, 5]) {
      const plain = await answers(undefined, tile);
      assert.deepEqual(await answers("flips", tile), plain);
      assert.deepEqual(await answers("turns", tile), plain);
    }
    const { meanIou } = await evaluateSegmentation(threshold(), data, { views: "turns" });
    assert.equal(meanIou, 1);
  });

  it("says what is wrong with tiles and networks", async () => {
    const data = pictureOf(20, 20);
    const first = async (model: nn.Layer, options = {}) => segmentPictures(model, data, options).next();
    await assert.rejects(first(threshold(), { tile: 8, overlap: 8 }), /overlap is 8\. Expected an integer from 0/);
    await assert.rejects(first(new nn.Conv2d(1, 2, 3)), /1×2×18×18 for pictures of 1×1×20×20.*padding "same"/s);
    await assert.rejects(denoisePictures(threshold(), data).next(), /gives 2 channels for a picture of 1×20×20/);
  });
});

describe("objectives", () => {
  it("teach a small U-Net masks that an untrained one does not know", async () => {
    manualSeed(0);
    const options = {
      kinds: ["circle"],
      side: 16,
      channels: 1,
      radius: [0.2, 0.4],
      contrast: 0.5,
      shading: 0,
      count: [1, 2],
    } as const;
    const train = await shapes({ split: "train", size: 160, ...options });
    const test = await shapes({ split: "test", size: 40, ...options });
    const network = new models.UNet({ width: 1 / 16, depth: 2, batchNorm: true, dropout: 0 });
    const before = await evaluateSegmentation(network, test);
    const optimizer = new Adam(network.parameters(), { lr: 0.01 });
    const schedule = new CosineLR(optimizer, { steps: 120 });
    const trainer = new Trainer(network, { optimizer, schedule, objective: segmentation({ loss: "both" }) });
    const records = await trainer.fit(train, { epochs: 6, batchSize: 8, validation: test });
    const { meanIou, accuracy } = await evaluateSegmentation(network, test);
    assert.ok(before.meanIou < 0.5 && meanIou > 0.75, `${before.meanIou} before, ${meanIou} after`);
    // All of these pictures have as many pixels.
    near(records.at(-1)?.validation?.accuracy, accuracy, 1e-6);
  });

  it("teach it to remove noise", async () => {
    manualSeed(0);
    const train = await noisy({ split: "train", size: 96 });
    const test = await noisy({ split: "test", size: 20 });
    const network = new models.UNet({ width: 1 / 16, depth: 1, numClasses: 1, dropout: 0 });
    const optimizer = new Adam(network.parameters(), { lr: 0.01 });
    const trainer = new Trainer(network, { optimizer, objective: denoising() });
    await trainer.fit(train, { epochs: 6, batchSize: 8 });
    const { gain, before, after, count } = await evaluateDenoising(network, test);
    assert.equal(count, 20);
    assert.ok(gain > 3 && Math.abs(after.psnr - before.psnr - gain) < 1e-9, `${gain} dB`);
    assert.ok((after.ssim ?? 0) > (before.ssim ?? 1));
    const decibels: number[] = [];
    const looks = await evaluateDenoising(network, test, {
      views: "flips",
      onPicture: ({ picture, clean }) => decibels.push(metrics.psnr(picture, clean)),
    });
    near(looks.after.psnr, decibels.reduce((sum, each) => sum + each, 0) / 20);
    assert.ok(looks.gain > 3 && looks.gain !== gain, `${looks.gain} dB`);
    near(looks.before.psnr, before.psnr);
  });

  it("ignore the pixels that they are told to", async () => {
    const scores = tensor(Float32Array.of(2, -1, 0, 1, 1, 0, 3, -2), [1, 2, 2, 2]);
    const masks = tensor(Int32Array.of(0, 255, 1, 255), [1, 2, 2]);
    const objective = segmentation();
    const loss = await objective.loss(scores, masks).item();
    const known = crossEntropy(tensor(Float32Array.of(2, 1, 0, 3), [2, 2]), tensor(Int32Array.of(0, 1), [2]));
    near(loss, await known.item(), 1e-6);
    near(await objective.right(scores, masks).item(), 1);
  });

  it("say what the data or the options lack", async () => {
    const network = new models.UNet({ width: 1 / 16, depth: 1 });
    const optimizer = new Adam(network.parameters(), { lr: 0.01 });
    const { pictures } = pictureOf(16, 16);
    const fit = (objective: ReturnType<typeof segmentation>) =>
      new Trainer(network, { optimizer, objective }).fit(pictures, { epochs: 1 });
    await assert.rejects(fit(segmentation()), /the data set has no masks\. Expected/);
    await assert.rejects(fit(denoising()), /no pictures without noise/);
    assert.throws(
      () => new Trainer(network, { optimizer, objective: denoising(), loss: crossEntropy }),
      /Fix: give the loss to denoising\(\)/,
    );
  });
});
