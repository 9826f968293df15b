/** The generated sets: the same sample whatever is asked before, distributed as asked for, masks that agree. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { AbortedError, ArgumentError, DataError } from "../../core/errors.js";
import { AnnotatedImages } from "../annotated.js";
import { digits } from "../digits/digits.js";
import { type FacesJoint, faces } from "./faces.js";
import { noisy } from "./noisy.js";
import { series } from "./series.js";
import { shapes } from "./shapes.js";

const all = [0, 1, 2, 3, 4, 5, 6, 7];
const bytesOf = (arrays: readonly (Uint8Array | Int32Array | Float32Array)[]) => {
  const hash = createHash("sha256");
  for (const array of arrays) hash.update(array);
  return hash.digest("hex");
};
const hashOf = {
  shapes: async (options: { split: "train" | "test"; size: number; seed?: number }) => {
    const { images, labels, masks } = (await shapes({ ...options, side: 16 })).batch(Uint32Array.from(all));
    return bytesOf([images, labels, masks]);
  },
  faces: async (options: { split: "train" | "test"; size: number; seed?: number }) => {
    const { images, smile, gender, age } = (await faces({ ...options, side: 16 })).batch(Uint32Array.from(all));
    return bytesOf([images, smile, gender, age]);
  },
  noisy: async (options: { split: "train" | "test"; size: number; seed?: number }) => {
    const { images, clean } = (await noisy(options)).batch(Uint32Array.from(all));
    return bytesOf([images, clean]);
  },
  series: async (options: { split: "train" | "test"; size: number; seed?: number }) => {
    const { signals, labels, positions, masks } = (await series(options)).batch(Uint32Array.from(all));
    return bytesOf([signals, labels, positions, masks]);
  },
};

for (const [name, hash] of Object.entries(hashOf)) {
  it(`${name}: sample i depends on seed, split and i alone`, async () => {
    const first = await hash({ split: "train", size: 8 });
    assert.equal(await hash({ split: "train", size: 20 }), first);
    assert.notEqual(await hash({ split: "test", size: 8 }), first);
    assert.notEqual(await hash({ split: "train", size: 8, seed: 1 }), first);
  });
}

describe("shapes", () => {
  it("show in the mask what shows in the picture", async () => {
    const options = { split: "train", size: 30, side: 24, noise: 0, shading: 0, contrast: 0.3 } as const;
    const [single, several] = [await shapes({ ...options, count: [1, 1] }), await shapes(options)];
    for (let i = 0; i < 60; i++) {
      const { image, masks } = i < 30 ? single.get(i) : several.get(i - 30);
      const plane = 24 * 24;
      const colour = (pixel: number) => [0, 1, 2].map((channel) => image[channel * plane + pixel]).join();
      // Away from edges a picture has the background's colour exactly where the mask is 0.
      const inside = (pixel: number) =>
        [-25, -24, -23, -1, 1, 23, 24, 25].every((step) => masks[pixel + step] === masks[pixel]);
      const columns = Array.from({ length: plane }, (_, pixel) => pixel).filter(
        (pixel) => pixel % 24 > 0 && pixel % 24 < 23 && pixel > 24 && pixel < plane - 24 && inside(pixel),
      );
      const shapeColours = new Set(columns.filter((pixel) => masks[pixel] > 0).map(colour));
      const background = columns.filter((pixel) => masks[pixel] === 0).map(colour);
      // The first pictures have one shape, in one colour; in others, a tip may tint the background.
      if (i < 30) assert.ok(shapeColours.size <= 1 && new Set(background).size <= 1, `picture ${i}`);
      const usual = background.filter((each) => each === background[0]).length;
      assert.ok(usual >= 0.9 * background.length, `picture ${i}`);
      assert.ok(!shapeColours.has(background[0]), `picture ${i}`);
    }
  });

  it("have the areas that their outlines say", async () => {
    const area = { circle: Math.PI, square: 2, triangle: 1.299, ring: Math.PI * 0.75, cross: 1.9718, star: 1.2344 };
    for (const [kind, expected] of Object.entries(area)) {
      const { masks } = (
        await shapes({
          ...{ split: "train", size: 30, side: 64, channels: 1, count: [1, 1], radius: [0.2, 0.2] },
          kinds: [JSON.parse(JSON.stringify(kind))],
        })
      ).batch(Uint32Array.from({ length: 30 }, (_, i) => i));
      // Those that do not touch the border are whole.
      const areas = Array.from({ length: 30 }, (_, i) => masks.subarray(i * 4096, (i + 1) * 4096))
        .filter((mask) => !mask.some((value, at) => value > 0 && [0, 63].includes(at % 64)))
        .filter((mask) => !mask.some((value, at) => value > 0 && [0, 63].includes(at >> 6)))
        .map((mask) => mask.reduce((sum, value) => sum + value, 0) / (0.2 * 64) ** 2);
      const mean = areas.reduce((sum, each) => sum + each, 0) / areas.length;
      assert.ok(areas.length > 3 && Math.abs(mean / expected - 1) < 0.03, `${kind}: ${mean}, not ${expected}`);
    }
  });

  it("are labelled with the shape that shows most, each kind about as often", async () => {
    const set = await shapes({ split: "train", size: 600, side: 16, channels: 1 });
    for (let i = 0; i < 50; i++) {
      const { masks, label } = set.get(i);
      const pixels = [1, 2, 3].map((kind) => masks.filter((value) => value === kind).length);
      assert.equal(pixels[label], Math.max(...pixels));
    }
    // The circle is the largest, the triangle the smallest.
    for (const count of set.pictures.classCounts()) assert.ok(count > 100 && count < 320, `${count}`);
  });

  it("refuse wrong options", async () => {
    const wrong = [
      { side: 4 },
      { kinds: [] },
      { kinds: ["circle", "circle"] as const },
      { kinds: [JSON.parse('"blob"')] },
      { channels: JSON.parse("2") },
      { count: [0, 3] as const },
      { count: [3, 1] as const },
      { radius: [0.2, Number.NaN] as const },
      { noise: -1 },
      { contrast: 0.6 },
      { size: 1e9 },
    ];
    for (const options of wrong) await assert.rejects(shapes({ split: "train", ...options }), ArgumentError);
    await assert.rejects(shapes({ split: "train", kinds: [] }), /Expected one or more of circle, square/);
  });
});

describe("faces", () => {
  /** Shares of smiling men, smiling women, other men, other women. */
  const cells = async (joint: FacesJoint, size: number) => {
    // Sixteen pixels a side are enough to count.
    const { annotations } = await faces({ split: "train", size, side: 16, channels: 1, noise: 0, joint });
    const counts = [0, 0, 0, 0];
    for (const [i, smiles] of annotations.smile.entries()) counts[2 - 2 * smiles + annotations.gender[i]]++;
    return counts.map((count) => count / size);
  };

  it("are distributed as the lecture has it, within the error of a sample", async () => {
    const shares = await cells(faces.lecture, 1200);
    for (const [i, expected] of [0.47, 0.02, 0.45, 0.06].entries()) {
      const error = Math.sqrt((expected * (1 - expected)) / 1200);
      assert.ok(Math.abs(shares[i] - expected) < 4 * error, `${shares}`);
    }
    assert.equal((await cells({ smile: { male: 0.5, female: 0 }, nonSmile: { male: 0, female: 0.5 } }, 60))[1], 0);
  });

  it("can be labelled by any attribute, and a batch has all", async () => {
    for (const label of ["smile", "gender", "age"] as const) {
      const set = await faces({ split: "test", size: 40, side: 16, label });
      const { labels, smile, gender, age } = set.batch(Uint32Array.from({ length: 40 }, (_, i) => i));
      const groups = Int32Array.from(age, (years) => (years < 35 ? 0 : years < 60 ? 1 : 2));
      assert.deepEqual(labels, { smile, gender, age: groups }[label]);
      assert.ok(age.every((years) => years >= 18 && years < 80));
      assert.equal(set.pictures.classNames.length, label === "age" ? 3 : 2);
    }
  });

  it("refuse distributions that are none", async () => {
    const joint = { smile: { male: 0.5, female: 0.5 }, nonSmile: { male: 0.5, female: 0 } };
    await assert.rejects(faces({ split: "train", joint }), /add up to 1.5. Expected numbers of 0 or more/);
    for (const wrong of [{ ages: [80, 18] as const }, { subtlety: -1 }, { side: 8 }, { label: JSON.parse('"mood"') }])
      await assert.rejects(faces({ split: "train", ...wrong }), ArgumentError);
  });
});

describe("noisy", () => {
  it("adds noise of the deviation and the kind asked for", async () => {
    const clean = (await shapes({ split: "train", size: 40, side: 16, channels: 1, noise: 0, shading: 0 })).pictures;
    const differences = async (noise: Parameters<typeof noisy>[0]["noise"]) => {
      const set = await noisy({ split: "train", clean, noise: noise ?? [] });
      const { images } = set.pictures;
      // Bytes in the middle of the range are cut off by nothing.
      return Array.from(images, (value, i) => ({ value, from: set.annotations.clean[i] })).filter(
        ({ from }) => from > 100 && from < 155,
      );
    };
    for (const kind of ["gaussian", "laplacian"] as const) {
      const steps = (await differences({ kind, deviation: 0.06 })).map(({ value, from }) => value - from);
      const moment = (power: number) => steps.reduce((sum, step) => sum + step ** power, 0) / steps.length;
      assert.ok(steps.length > 1000 && Math.abs(moment(1)) < 1.5);
      assert.ok(Math.abs(Math.sqrt(moment(2)) / (0.06 * 255) - 1) < 0.1, `${kind}: ${Math.sqrt(moment(2))}`);
      // The fourth moment of a normal distribution is 3 variances squared, of a Laplacian one 6.
      const tails = moment(4) / moment(2) ** 2;
      assert.ok(kind === "gaussian" ? tails < 3.6 : tails > 4.2, `${kind}: ${tails}`);
    }
    const flipped = await differences({ kind: "salt-and-pepper", share: 0.2 });
    const changed = flipped.filter(({ value, from }) => value !== from);
    assert.ok(changed.every(({ value }) => value === 0 || value === 255));
    assert.ok(Math.abs(changed.length / flipped.length - 0.2) < 0.04);
  });

  it("draws digits unless told, keeps their classes, and refuses wrong noise", async () => {
    const set = await noisy({ split: "test", size: 20 });
    assert.deepEqual(set.annotations.clean, (await digits({ split: "test", size: 20 })).images);
    assert.deepEqual([set.pictures.name, set.pictures.classNames.length], ["noisy digits", 10]);
    await assert.rejects(noisy({ split: "test", noise: [] }), /empty list/);
    await assert.rejects(noisy({ split: "test", noise: { kind: "gaussian", deviation: Number.NaN } }), ArgumentError);
    await assert.rejects(noisy({ split: "test", clean: set.pictures, size: 21 }), /has 20 pictures/);
    await assert.rejects(noisy({ split: "test", noise: JSON.parse('{"kind":"rain"}') }), /there is no noise/);
  });
});

describe("series", () => {
  it("have their events where they say, in order, apart from one another", async () => {
    const set = await series({ split: "train", size: 200, count: [1, 3], length: 200, noise: 0, drift: 0 });
    for (let i = 0; i < set.size; i++) {
      const { signal, mask, label, events } = set.get(i);
      assert.equal(label, events[0].kind);
      let before = 0;
      for (const { kind, start, end } of events) {
        assert.ok(start >= before && end <= 200 && end - start >= 25 && end - start <= 50);
        assert.ok(mask.subarray(start, end).every((value) => value === kind + 1));
        assert.ok(Math.max(...signal.subarray(start, end).map(Math.abs)) > 0.5);
        before = end;
      }
      assert.ok(signal.every((value, t) => mask[t] > 0 || value === 0));
    }
  });

  it("give batches with the middle of each event", async () => {
    const set = await series({ split: "test", size: 30 });
    const { signals, positions, shape } = set.batch(Uint32Array.of(3, 7));
    assert.deepEqual([shape, signals.length], [[2, 1, 128], 256]);
    const [{ start, end }] = set.get(7).events;
    assert.equal(positions[1], Math.fround((start + end) / 256));
    const [train, rest] = set.randomSplit([0.5, 0.5]);
    assert.deepEqual([train.size, rest.size], [15, 15]);
    await assert.rejects(series({ split: "train", count: [1, 9] }), /9 events of 32 moments do not fit/);
    await assert.rejects(series({ split: "train", kinds: [] }), /Expected one or more of bump/);
  });
});

it("annotations go with their pictures into parts and batches", async () => {
  const set = await shapes({ split: "train", size: 20, side: 8, channels: 1 });
  const part = set.subset([5, 3]).take(1);
  assert.deepEqual(part.get(0), set.get(5));
  const dealt = set
    .randomSplit([0.5, 0.5], 3)
    .flatMap((each) => Array.from({ length: each.size }, (_, i) => each.get(i)));
  assert.equal(new Set(dealt.map(({ masks }) => masks.join())).size, 20);
  assert.equal(set.subset([]).batch(new Uint32Array()).masks.length, 0);
  assert.throws(() => new AnnotatedImages(set.pictures, { heights: new Float32Array(19) }), DataError);
  assert.throws(() => new AnnotatedImages(set.pictures, { labels: new Float32Array(20) }), ArgumentError);
});

it("drawing can be stopped", async () => {
  const controller = new AbortController();
  const stopped = faces({ split: "train", signal: controller.signal, onProgress: () => controller.abort() });
  await assert.rejects(stopped, AbortedError);
});
