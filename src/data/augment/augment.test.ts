import assert from "node:assert/strict";
import { test } from "node:test";
import { ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import { AnnotatedImages } from "../annotated.js";
import type { ImageBatch } from "../batches.js";
import { ImageDataset } from "../images.js";
import { DataLoader, type LoaderOptions } from "../loader.js";
import * as augment from "./index.js";

const random = new RandomStream(3);
const size = 24;
const photos = new ImageDataset({
  name: "photos",
  split: "train",
  images: Uint8Array.from({ length: size * 3 * 8 * 9 }, () => random.integer(256)),
  labels: Uint8Array.from({ length: size }, (_, i) => i % 4),
  shape: [3, 8, 9],
  classNames: ["a", "b", "c", "d"],
});

async function batchesOf(options: LoaderOptions<ImageBatch>, epoch = 0): Promise<ImageBatch[]> {
  const batches: ImageBatch[] = [];
  for await (const batch of new DataLoader(photos, { batchSize: 10, ...options }).epoch(epoch)) batches.push(batch);
  return batches;
}

/** The pictures by sample, whatever their order. */
async function picturesOf(options: LoaderOptions<ImageBatch>, epoch = 0): Promise<Map<number, string>> {
  const pictures = new Map<number, string>();
  for (const { images, indices, size } of await batchesOf(options, epoch)) {
    const length = images.length / size;
    for (const [i, index] of indices.entries()) {
      pictures.set(index, images.subarray(i * length, (i + 1) * length).join());
    }
  }
  return pictures;
}

const everything = augment.compose([
  ...augment.augmentationNames
    .filter((name) => name !== "mixup" && name !== "cutmix")
    .map((name) => augment.findAugmentation(name).create(name === "affine" ? { degrees: 5, translate: 0.1 } : {})),
  augment.mixup({ probability: 0.5 }),
  augment.cutmix(),
]);

test("all augmentations together give the same bits with no, one and four workers, from any batch on", async () => {
  const options = { shuffle: true, seed: 5 };
  const own = await batchesOf({ ...options, augment: everything });
  assert.deepEqual(await batchesOf({ ...options, augment: everything }), own);
  for (const threads of [1, 4]) {
    assert.deepEqual(await batchesOf({ ...options, augment: augment.inWorkers(everything, threads) }), own);
  }
  const late = new DataLoader(photos, { batchSize: 10, ...options, augment: everything }).epoch(0, { startBatch: 2 });
  assert.deepEqual((await late.next()).value, own[2]);
  assert.notDeepEqual(await batchesOf({ ...options, augment: everything }, 1), own);
  assert.notDeepEqual(await batchesOf({ ...options, seed: 6, augment: everything }), own);
});

test("masks move with their pictures, here and in workers; what else there is for each pixel is refused", async () => {
  const masks = Uint8Array.from({ length: size * 72 }, (_, i) => photos.images[Math.floor(i / 72) * 216 + (i % 72)]);
  const annotated = new AnnotatedImages(photos, { masks, clean: new Uint8Array(size * 72) });
  const part = new AnnotatedImages(photos, { masks });
  const change = augment.compose([augment.translate(), augment.rotate({ sampling: "nearest" }), augment.solarize()]);
  for (const augmentation of [change, augment.inWorkers(change, 1)]) {
    for await (const { images, masks, shape } of new DataLoader(part, { augment: augmentation })) {
      assert.deepEqual(shape, [size, 3, 8, 9]);
      let solarized = 0;
      for (let i = 0; i < masks.length; i++) {
        const value = images[Math.floor(i / 72) * 216 + (i % 72)];
        assert.ok(value === masks[i] || value === 255 - masks[i]);
        if (value !== masks[i]) solarized++;
      }
      assert.ok(solarized > 100 && masks.join() !== part.annotations.masks.join());
    }
  }
  const batches = new DataLoader(annotated, { augment: change });
  await assert.rejects(batches.epoch(0).next(), /clean for each pixel, which would no longer fit/);
  const mixing = new DataLoader(part, { augment: augment.mixup() });
  await assert.rejects(mixing.epoch(0).next(), /masks, which cannot be mixed/);
});

test("what happens to a picture depends on seed, epoch and sample, not on the batch that it is in", async () => {
  const change = augment.compose([augment.randomCrop({ padding: 2 }), augment.gaussianNoise()]);
  const inOrder = await picturesOf({ augment: change, seed: 9 });
  assert.deepEqual(
    new Map(
      [...(await picturesOf({ augment: change, seed: 9, shuffle: true, batchSize: 7 }))].sort(([a], [b]) => a - b),
    ),
    inOrder,
  );
  assert.equal(new Set(inOrder.values()).size, size);
});

test("a sample that is drawn several times in an epoch is changed each time anew", async () => {
  const weights = Float64Array.from({ length: size }, (_, i) => (i === 4 ? 1000 : 1));
  const batches = await batchesOf({ augment: augment.gaussianNoise(), weights });
  const length = 3 * 8 * 9;
  const seen = batches.flatMap(({ images, indices }) =>
    [...indices.keys()]
      .filter((i) => indices[i] === 4)
      .map((i) => images.subarray(i * length, (i + 1) * length).join()),
  );
  assert.ok(seen.length > 15);
  assert.equal(new Set(seen).size, seen.length);
});

test("pinned, so that a resumed run of a later version sees what the first one did", () => {
  const picture = { shape: [3, 2, 3], image: Uint8Array.from({ length: 18 }, (_, i) => 14 * i) } as const;
  const draw = (name: string, options: object) => {
    const made = augment.findAugmentation(name).create(options);
    assert.ok(made instanceof augment.Augmentation);
    return made.augment(picture, new RandomStream(11, 1, 2)).image.join(" ");
  };
  assert.equal(draw("crop", { padding: 1 }), "0 0 14 0 42 56 0 84 98 0 126 140 0 168 182 0 210 224");
  assert.equal(draw("noise", {}), "8 19 13 38 74 69 90 82 121 136 121 166 169 173 190 221 222 237");
  assert.equal(draw("jitter", {}), "0 0 0 0 12 30 90 108 126 144 161 179 240 255 255 255 255 255");
});

test("draws stay within what the options say, and reach their ends", () => {
  const stream = new RandomStream(1);
  const many = <P>(augmentation: augment.Augmentation<P>, shape: augment.PictureShape = [3, 32, 48]) =>
    Array.from({ length: 400 }, () => augmentation.draw(stream, shape)).filter((drawn) => drawn !== undefined);
  const spread = (values: number[]) => [Math.min(...values), Math.max(...values)];
  const moves = many(augment.translate({ pixels: [2, 1] }));
  assert.deepEqual(spread(moves.map(({ x }) => x)), [-2, 2]);
  assert.deepEqual(spread(moves.map(({ y }) => y)), [-1, 1]);
  const crops = many(augment.randomCrop({ padding: 4 }));
  assert.deepEqual(spread(crops.map(({ top }) => top)), [-4, 4]);
  assert.deepEqual(spread(many(augment.randomCrop({ size: 30 })).map(({ left }) => left)), [0, 18]);
  const [least, most] = spread(many(augment.rotate({ degrees: 30 })).map(({ angle }) => angle));
  assert.ok(least >= -30 && least < -29 && most < 30 && most > 29);
  for (const { top, left, height, width } of many(augment.randomResizedCrop({ scale: [0.3, 0.5] }))) {
    assert.ok(top >= 0 && left >= 0 && top + height <= 32 && left + width <= 48);
    assert.ok(Math.abs((height * width) / (32 * 48) - 0.4) < 0.13, `${height}×${width}`);
  }
  for (const { changes } of many(augment.randAugment({ magnitude: 30 }))) {
    for (const { kind, amount } of changes) if (kind === "rotate") assert.equal(Math.abs(amount), 30);
  }
  const turned = many(augment.flip({ probability: 0.3 })).length;
  // 120 expected, with a standard deviation of 9.
  assert.ok(Math.abs(turned - 120) < 40, `${turned} of 400`);
});

test("noise has the deviation that was asked for, and Laplacian noise has longer tails", () => {
  const shape = [1, 200, 200] as const;
  const kurtosis = [augment.gaussianNoise, augment.laplacianNoise].map((make) => {
    const drawn = make({ deviation: 10 }).draw(new RandomStream(2), shape);
    const noise = drawn?.noise ?? new Float32Array();
    const moment = (power: number) => noise.reduce((sum, value) => sum + value ** power, 0) / noise.length;
    assert.ok(Math.abs(moment(1)) < 0.2 && Math.abs(Math.sqrt(moment(2)) - 10) < 0.2, `${moment(2)}`);
    return moment(4) / moment(2) ** 2;
  });
  // 3 for a Gaussian, 6 for Laplace's.
  assert.ok(Math.abs(kurtosis[0] - 3) < 0.2 && Math.abs(kurtosis[1] - 6) < 0.8, kurtosis.join());
  const grey = augment.gaussianNoise({ grey: true }).draw(new RandomStream(2), [3, 2, 2])?.noise ?? new Float32Array();
  assert.deepEqual([...grey.subarray(0, 4), ...grey.subarray(0, 4)], [...grey.subarray(4)]);
});

test("mixing shares out the labels by what is seen of both pictures", async () => {
  for (const augmentation of [augment.mixup({ alpha: 1 }), augment.cutmix()]) {
    const shares: number[] = [];
    for (let epoch = 0; epoch < 30; epoch++) {
      for (const { labels, mixed, size } of await batchesOf({ augment: augmentation }, epoch)) {
        assert.ok(mixed !== undefined && mixed.share >= 0 && mixed.share <= 1);
        for (let i = 0; i < size; i++) assert.equal(mixed.labels[i], labels[(i + 1) % size]);
        shares.push(mixed.share);
      }
    }
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    assert.ok(mean > 0.35 && mean < 0.85, `${mean}`);
  }
  const never = await batchesOf({ augment: augment.mixup({ probability: 0 }) });
  assert.deepEqual(never, await batchesOf({}));
});

test("text says what programs do", async () => {
  const text = "crop:2:paddingMode=reflect, flip ,rotate:-10..30,jitter:brightness=0.4:hue=0.1,erase:p=0.25,mixup:0.3";
  const same = augment.compose([
    augment.randomCrop({ padding: 2, paddingMode: "reflect" }),
    augment.flip(),
    augment.rotate({ degrees: [-10, 30] }),
    augment.colorJitter({ brightness: 0.4, hue: 0.1 }),
    augment.erase({ probability: 0.25 }),
    augment.mixup({ alpha: 0.3 }),
  ]);
  assert.deepEqual(augment.parse(text).description, same.description);
  assert.deepEqual(await batchesOf({ augment: augment.parse(text) }), await batchesOf({ augment: same }));
});

test("one of several is chosen; all keep their own probabilities", () => {
  const either = augment.oneOf([augment.flip({ probability: 1 }), augment.flipVertical({ probability: 1 })]);
  const stream = new RandomStream(4);
  const seen = Array.from({ length: 40 }, () =>
    either.augment({ shape: [1, 2, 2], image: Uint8Array.of(1, 2, 3, 4) }, stream),
  );
  assert.deepEqual(new Set(seen.map(({ image }) => image.join())), new Set(["2,1,4,3", "3,4,1,2"]));
});

test("one of your own works, though not in workers", async () => {
  const invert = new augment.Augmentation({
    draw: () => true,
    apply: (picture) => ({ ...picture, image: picture.image.map((value) => 255 - value) }),
  });
  const [plain, inverted] = [
    await batchesOf({}),
    await batchesOf({ augment: augment.compose([invert, invert, invert]) }),
  ];
  assert.deepEqual(
    inverted[0].images,
    plain[0].images.map((value) => 255 - value),
  );
  assert.throws(() => augment.inWorkers(invert, 2), /parts of your own.*Fix: use it without workers/);
});

test("errors in workers come back as what they are", async () => {
  const bad = augment.inWorkers(augment.compose([augment.randomCrop({ size: 40, padding: 0 })]), 1);
  await assert.rejects(batchesOf({ augment: bad }), (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /a window of 40×40 does not fit into a picture of 8×9/);
    return true;
  });
});

const mistakes: [what: string, call: () => unknown, message: RegExp][] = [
  [
    "no such name",
    () => augment.parse("flip,rotat:3"),
    /no augmentation "rotat". Did you mean rotate\? Expected crop,/,
  ],
  ["an empty name", () => augment.parse("flip,"), /a name is missing/],
  [
    "no such option",
    () => augment.parse("rotate:degree=3"),
    /rotate: there is no option degree. Did you mean degrees\?/,
  ],
  ["a value without a name", () => augment.parse("jitter:0.4"), /"0.4" in jitter:0.4 is not an option/],
  ["an option twice", () => augment.parse("rotate:3:degrees=4"), /sets degrees twice/],
  ["words for numbers", () => augment.parse("rotate:lots"), /degrees is "lots". Expected a number/],
  ["a range upside down", () => augment.parse("rotate:5..2"), /degrees is \[5,2\]. Expected .* in this order/],
  [
    "no probability",
    () => augment.flip({ probability: 1.5 }),
    /flip: probability is 1.5. Expected a number from 0 to 1/,
  ],
  ["negative padding", () => augment.randomCrop({ padding: -1 }), /padding is -1. Expected an integer from 0/],
  ["NaN", () => augment.gaussianNoise({ deviation: Number.NaN }), /deviation is NaN/],
  ["nothing to do", () => augment.affine({}), /nothing to change/],
  ["fill of nothing", () => augment.rotate({ fill: 256 }), /fill is 256. Expected a number from 0 to 255/],
  ["colours to come after mixing", () => augment.parse("mixup,flip"), /put mixup and cutmix last/],
  ["no threads", () => augment.inWorkers(augment.flip(), 0), /threads is 0/],
  [
    "two channels",
    () => augment.colorJitter().augment({ shape: [2, 1, 1], image: Uint8Array.of(1, 2) }, random),
    /the pictures have 2 channels. Expected 1 for grey, or 3/,
  ],
  [
    "too few bytes",
    () => augment.flip().augment({ shape: [3, 2, 2], image: new Uint8Array(11) }, random),
    /11 bytes are not a picture of 3×2×2/,
  ],
  [
    "a fill for other channels",
    () => augment.rotate({ fill: [1, 2] }).augment({ shape: [3, 2, 2], image: new Uint8Array(12) }, random),
    /fill has 2 values for pictures of 3 channels/,
  ],
];
for (const [what, call, message] of mistakes) {
  test(`refuses ${what}`, () => {
    assert.throws(call, (error) => {
      assert.ok(error instanceof ArgumentError, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}
