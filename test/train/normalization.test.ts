/** Normalization learnt from samples, against scikit-learn and NumPy (test/goldens/preprocessing.py). */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { RandomStream } from "../../src/core/philox.js";
import { symmetricEigen } from "../../src/data/normalization/eigen.js";
import {
  ArgumentError,
  applyNormalization,
  compile,
  DataError,
  digits,
  type FitNormalizationOptions,
  FormatError,
  fitNormalization,
  ImageDataset,
  imageBatches,
  NotFiniteError,
  normalizationFromJson,
  normalizationToJson,
  normalizePixels,
  onWarning,
  tensor,
} from "../../src/index.js";
import { kernelDevices, useDevice } from "../support/devices.js";

type Rows = readonly (readonly number[])[];

interface Case {
  readonly name: string;
  readonly train: Rows;
  readonly test: Rows;
  readonly rank: number;
  readonly min_max: Rows;
  readonly z_score: Rows;
  readonly pca: Rows;
  readonly zca: Rows;
  readonly zca_epsilon: Rows;
}

interface Golden {
  readonly cases: readonly Case[];
  readonly channels: { readonly pixels: readonly number[]; readonly z_score: readonly number[] };
}

const golden: Golden = JSON.parse(
  readFileSync(new URL("../../../test/goldens/preprocessing.json", import.meta.url), "utf8"),
);

const warnings: string[] = [];
onWarning((message) => warnings.push(message));

const samples = (rows: Rows) => ({ values: Float64Array.from(rows.flat()), shape: [rows.length, rows[0].length] });
const close = (found: ArrayLike<number>, expected: readonly number[], tolerance = 1e-5) => {
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries()) {
    assert.ok(
      Math.abs(found[i] - value) <= tolerance * Math.max(1, Math.abs(value)),
      `${i}: ${found[i]}, not ${value}`,
    );
  }
};

/** The covariances of rows of `features` values. */
function covariance(values: ArrayLike<number>, features: number): number[][] {
  const rows = Array.from({ length: values.length / features }, (_, i) =>
    Array.from({ length: features }, (_, j) => values[i * features + j]),
  );
  const mean = rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);
  return mean.map((_, i) =>
    mean.map((_, j) => rows.reduce((sum, row) => sum + (row[i] - mean[i]) * (row[j] - mean[j]), 0) / (rows.length - 1)),
  );
}

for (const { name, train, test, rank, ...expected } of golden.cases) {
  describe(`samples ${name}`, () => {
    const fitted = async (options: FitNormalizationOptions) => {
      const normalization = await fitNormalization(samples(train), options);
      return applyNormalization(samples(test), normalization);
    };
    it("are scaled as by scikit-learn", async () => {
      close((await fitted({ method: "min-max", range: [-1, 1] })).values, expected.min_max.flat());
      close((await fitted({ method: "z-score", per: "feature" })).values, expected.z_score.flat());
    });
    it("are whitened as by scikit-learn and NumPy", async () => {
      const { values, shape } = await fitted({ method: "pca" });
      assert.deepEqual(shape, [test.length, rank]);
      // Which way along an axis is up, is anybody's choice.
      for (let k = 0; k < rank; k++) {
        const column = test.map((_, i) => values[i * rank + k]);
        const right = expected.pca.map((row) => row[k]);
        const sign = Math.sign(column[0] * right[0]);
        close(
          column,
          right.map((value) => sign * value),
          1e-4,
        );
      }
      close((await fitted({ method: "zca" })).values, expected.zca.flat(), 1e-4);
      close((await fitted({ method: "zca", epsilon: 0.1 })).values, expected.zca_epsilon.flat());
    });
    it("are without correlation, and of variance 1, once whitened", async () => {
      const whitened = applyNormalization(samples(train), await fitNormalization(samples(train), { method: "pca" }));
      for (const [i, row] of covariance(whitened.values, rank).entries())
        close(
          row,
          row.map((_, j) => (i === j ? 1 : 0)),
          1e-4,
        );
      if (rank < train[0].length) {
        const wanted = { method: "pca", components: rank + 1 } as const;
        await assert.rejects(fitNormalization(samples(train), wanted), /vary in \d directions only/);
      }
    });
  });
}

it("goes by channel, and bytes count as 0 … 1", async () => {
  const { pixels, z_score } = golden.channels;
  const pictures = { values: Uint8Array.from(pixels), shape: [9, 2, 3, 4] };
  const normalization = await fitNormalization(pictures, { method: "z-score" });
  assert.deepEqual([normalization.mean.length, normalization.per, normalization.shape], [2, "channel", [2, 3, 4]]);
  close(applyNormalization(pictures, normalization).values, z_score);
});

it("eigenvectors make a matrix diagonal, also one with zeros and equal eigenvalues", () => {
  const random = new RandomStream(5);
  const n = 40;
  const few = Float64Array.from({ length: 7 * n }, () => random.normal());
  for (const rank of [0, 7, n]) {
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < Math.min(rank, 7); k++) matrix[i * n + j] += few[k * n + i] * few[k * n + j];
      }
      if (rank === n) matrix[i * n + i] += 3;
    }
    const { values, vectors } = symmetricEigen(matrix.slice(), n);
    for (let k = 0; k < n; k++) {
      for (let i = 0; i < n; i++) {
        let [image, product] = [0, 0];
        for (let j = 0; j < n; j++) {
          image += matrix[i * n + j] * vectors[k * n + j];
          product += vectors[i * n + j] * vectors[k * n + j];
        }
        assert.ok(Math.abs(image - values[k] * vectors[k * n + i]) < 1e-10);
        assert.ok(Math.abs(product - (i === k ? 1 : 0)) < 1e-12);
      }
      assert.ok(k === 0 || values[k] <= values[k - 1]);
    }
  }
});

describe("data sets", () => {
  it("are gone through in batches, none of which is kept, with the same result", async () => {
    const set = await digits({ split: "train", size: 600 });
    const values = { values: set.images, shape: [600, 1, 28, 28] };
    const own = imageBatches({ size: 600, get: (index: number) => set.get(index) }, [1, 28, 28]);
    for (const options of [{ method: "z-score", per: "feature" }, { method: "min-max" }] as const) {
      const whole = await fitNormalization(values, options);
      assert.deepEqual(await fitNormalization(set, options), whole);
      assert.deepEqual(await fitNormalization(own, options), whole);
      // Pixels at the edge never have ink: they become what 0 is.
      assert.ok(whole.std.every((deviation) => deviation > 0));
    }
  });

  for (const { name, device, reason } of kernelDevices) {
    it(`are normalized the same in programs on ${name}`, { skip: reason }, async () => {
      if (device === undefined) return;
      useDevice(device);
      const random = new RandomStream(2);
      const values = Uint8Array.from({ length: 90 * 2 * 4 * 3 }, () => random.integer(256));
      const pictures = { values, shape: [90, 2, 4, 3] };
      const options: readonly FitNormalizationOptions[] = [
        { method: "min-max", per: "all", range: [-1, 1] },
        { method: "z-score", per: "channel" },
        { method: "z-score", per: "feature" },
        { method: "zca" },
        { method: "pca", components: 5 },
      ];
      for (const each of options) {
        const normalization = await fitNormalization(pictures, each);
        const again = normalizationFromJson(normalizationToJson(normalization));
        assert.deepEqual(again, { ...normalization });
        const program = compile(() => normalizePixels(tensor(values, [90, 2, 4, 3]), again));
        const result = await program();
        const expected = applyNormalization(pictures, normalization);
        assert.deepEqual(result.shape, expected.shape);
        close(await result.data(), [...expected.values]);
      }
    });
  }
});

describe("normalization warns", () => {
  const pictures = (split: string, count: number) =>
    new ImageDataset({
      ...{ name: "two", split, shape: [1, 1, 2] as const, classNames: ["a"] },
      images: Uint8Array.from({ length: 2 * count }, (_, i) => (i * 37) % 251),
      labels: new Uint8Array(count),
    });
  const said = async (split: string, count: number, options: FitNormalizationOptions) => {
    warnings.length = 0;
    await fitNormalization(pictures(split, count), options);
    return warnings.join("\n");
  };
  it("where it is learnt from a test set, or from few samples", async () => {
    assert.equal(await said("train", 200, { method: "z-score" }), "");
    assert.match(await said("test", 200, { method: "z-score" }), /learnt from the test pictures of two/);
    assert.match(await said("train", 25, { method: "z-score" }), /25 samples of two, whose mean may be off by 20 %/);
  });
});

it("wrong samples and options are refused", async () => {
  const rows = { values: Float32Array.of(1, 2, 3, 4), shape: [2, 2] };
  const wrong: readonly (readonly [FitNormalizationOptions, RegExp])[] = [
    [{ method: JSON.parse('"robust"') }, /no method "robust". Expected min-max, z-score, pca, zca/],
    [{ method: "z-score", range: [0, 1] }, /with min-max only/],
    [{ method: "min-max", range: [1, 1] }, /Expected \[low, high\]/],
    [{ method: "zca", per: "channel" }, /leave out per/],
    [{ method: "zca", components: 1 }, /with pca only/],
    [{ method: "pca", epsilon: -1 }, /number of 0 or more/],
  ];
  for (const [options, message] of wrong) {
    await assert.rejects(fitNormalization(rows, options), (error) => {
      return error instanceof ArgumentError && message.test(error.message);
    });
  }
  const z = { method: "z-score" } as const;
  await assert.rejects(fitNormalization({ values: new Float32Array(3), shape: [2, 2] }, z), ArgumentError);
  await assert.rejects(fitNormalization({ values: new Float32Array(0), shape: [0, 2] }, z), DataError);
  for (const method of ["z-score", "zca"] as const) {
    const holed = { values: Float32Array.of(1, 2, 3, Number.NaN), shape: [2, 2] };
    await assert.rejects(fitNormalization(holed, { method }), (error) => {
      return error instanceof NotFiniteError && /sample 1 has the value NaN/.test(error.message);
    });
  }
  const same = { values: new Float32Array(4).fill(7), shape: [2, 2] };
  await assert.rejects(fitNormalization(same, { method: "zca" }), /all samples are the same/);
  const fitted = await fitNormalization(same, z);
  assert.deepEqual([...applyNormalization(same, fitted).values], [0, 0, 0, 0]);
  assert.throws(() => applyNormalization({ values: new Float32Array(6), shape: [2, 3] }, fitted), ArgumentError);
  for (const text of ["", "[]", '{"mean":[1]}', '{"mean":[1],"std":[0]}', '{"mean":[1],"std":[1],"method":"x"}'])
    assert.throws(() => normalizationFromJson(text), FormatError);
});
