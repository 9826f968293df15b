/** Hand-made kernels: PyTorch's numbers, and what each is good for. The lectures' examples are in test/lectures. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, describe, it } from "node:test";
import { ArgumentError, ShapeError, type Tensor, tensor, vision, zeros } from "../../src/index.js";
import { anyDevice, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

const { applyKernel } = vision;
const golden = new Golden("vision");
interface GaborCase {
  readonly size: number;
  readonly options: vision.GaborOptions;
  readonly values: readonly number[];
}
const { cases: gaborCases }: { readonly cases: readonly GaborCase[] } = JSON.parse(
  readFileSync(new URL("../../../test/goldens/gabor.json", import.meta.url), "utf8"),
);
const reference = { name: "reference", device: referenceDevice, reason: undefined };

beforeEach(() => useDevice(anyDevice()));

describe("kernels", () => {
  for (const [size, sigma] of [
    [5, 1.2],
    [4, 0.9],
    [9, 1.4],
    [11, 1.8],
  ]) {
    it(`a Gaussian of ${size}×${size} and its Laplacian are what their formulas say`, async () => {
      const bell = vision.gaussian(size, sigma);
      assert.deepEqual(bell.shape, [size, size]);
      assertClose(await bell.data(), golden.get(`gaussian.${size}`).data, 1e-6, "gaussian");
      const second = await vision.laplacianOfGaussian(size, sigma).data();
      assertClose(second, golden.get(`log.${size}`).data, 1e-6, "laplacianOfGaussian");
    });
  }

  it("Gabor's are scikit-image's, and answer to stripes across the direction that they run in", async () => {
    for (const { size, options, values } of gaborCases) {
      assertClose(await vision.gabor(size, options).data(), values, 1e-6, JSON.stringify(options));
    }
    // Unless told: round, one octave, a crest in the middle.
    assertClose(await vision.gabor().data(), gaborCases[0].values, 1e-6);
    const response = async (angle: number) => {
      const stripes = Float32Array.from({ length: 81 }, (_, i) => Math.cos(((i % 9) - 4) * (Math.PI / 2)));
      return applyKernel(tensor(stripes, [9, 9]), vision.gabor(9, { angle }), { padding: "valid" }).item();
    };
    assert.ok((await response(0)) > 10 * Math.abs(await response(90)));
  });

  it("leave flat ground as it is when they blur or sharpen, and give nothing there when they look for edges", async () => {
    const total = async (kernel: Tensor) => (await kernel.data()).reduce((sum, value) => sum + value, 0);
    const { identity, box, gaussian, sharpen, emboss } = vision;
    for (const kernel of [identity(5), box(3), box(4), gaussian(), gaussian(7, 2), sharpen(), sharpen(0.3), emboss()]) {
      assertClose([await total(kernel)], [1], 1e-6);
    }
    const { sobelX, sobelY, scharrX, scharrY, laplacian, laplacianOfGaussian } = vision;
    const edges = [sobelX(), sobelY(), scharrX(), scharrY(), laplacian(), laplacian({ diagonals: true })];
    for (const kernel of [...edges, laplacianOfGaussian(), laplacianOfGaussian(7, 1)]) {
      assert.ok(Math.abs(await total(kernel)) < 1e-5);
    }
    // The lecture's matrix is not quite balanced.
    assert.equal(await total(vision.blobDetector()), 4);
  });

  it("refuse sizes and widths that make no sense", () => {
    const cases: [() => unknown, RegExp][] = [
      [() => vision.box(0), /^box: size is 0\. Expected an integer of 1 or more/],
      [() => vision.gaussian(2.5), /^gaussian: size is 2\.5/],
      [() => vision.gaussian(5, 0), /^gaussian: sigma is 0\. Expected a number of pixels above 0/],
      [() => vision.laplacianOfGaussian(9, Number.NaN), /^laplacianOfGaussian: sigma is NaN/],
      [() => vision.identity(4), /^identity: size is 4\. Expected an odd number/],
      [() => vision.gabor(0), /^gabor: size is 0/],
      [() => vision.gabor(9, { wavelength: 0 }), /^gabor: sigma is 0/],
      [() => vision.gabor(9, { wavelength: -4, sigma: 2 }), /^gabor: wavelength is -4\. Expected a number above 0/],
      [() => vision.gabor(9, { aspect: Number.NaN }), /^gabor: aspect is NaN/],
      [() => vision.gabor(9, { angle: Number.POSITIVE_INFINITY }), /^gabor: angle is Infinity\. Expected degrees/],
      [() => vision.sharpen(Number.POSITIVE_INFINITY), /^sharpen: amount is Infinity/],
    ];
    for (const [make, message] of cases) {
      assert.throws(make, (error) => error instanceof ArgumentError && message.test(error.message));
    }
  });
});

for (const { name, device, reason } of [...kernelDevices, reference]) {
  describe(`applyKernel on ${name}`, { skip: reason }, () => {
    const kernels = {
      sobelX: vision.sobelX,
      sobelY: vision.sobelY,
      scharrX: vision.scharrX,
      scharrY: vision.scharrY,
      laplacian: vision.laplacian,
      sharpen: vision.sharpen,
      emboss: vision.emboss,
      box: vision.box,
    };
    for (const [kernel, make] of Object.entries(kernels)) {
      it(`${kernel} gives PyTorch's numbers, with zeros around and with the border repeated`, async () => {
        if (device !== undefined) useDevice(device);
        const picture = golden.tensor("picture");
        const zerosAround = applyKernel(picture, make());
        assert.deepEqual(zerosAround.shape, picture.shape);
        assertClose(await zerosAround.data(), golden.get(`zeros.${kernel}`).data, 1e-5);
        const replicated = applyKernel(picture, make(), { paddingMode: "replicate" });
        assertClose(await replicated.data(), golden.get(`replicate.${kernel}`).data, 1e-5);
      });
    }
  });
}

describe("applyKernel", () => {
  it("measures a slope: 8 for each unit with Sobel, 32 with Scharr", async () => {
    const slope = tensor([0, 1, 2].map((y) => [0, 1, 2].map((x) => 5 * x - 3 * y)));
    const at = async (kernel: Tensor) => await applyKernel(slope, kernel, { padding: "valid" }).item();
    assert.deepEqual([await at(vision.sobelX()), await at(vision.sobelY())], [40, -24]);
    assert.deepEqual([await at(vision.scharrX()), await at(vision.scharrY())], [160, -96]);
    assert.equal(await at(vision.laplacian()), 0);
  });

  it("finds the middle of a blob with the lecture's detector", async () => {
    const [side, row, column] = [25, 9, 14];
    const darkDisc = Array.from({ length: side }, (_, y) =>
      Array.from({ length: side }, (_, x) => ((y - row) ** 2 + (x - column) ** 2 <= 6 ? 0 : 1)),
    );
    for (const kernel of [vision.blobDetector(), vision.laplacianOfGaussian()]) {
      const response = applyKernel(tensor(darkDisc), kernel, { paddingMode: "replicate" });
      const [{ row: y, column: x, value }] = await vision.findPeaks(response);
      assert.deepEqual([y, x], [row, column]);
      assert.ok(value > 0);
    }
  });

  it("returns the axes it was given", async () => {
    assert.deepEqual(applyKernel(zeros([6, 7]), vision.box(3)).shape, [6, 7]);
    assert.deepEqual(applyKernel(zeros([3, 6, 7]), vision.box(4)).shape, [3, 6, 7]);
    assert.deepEqual(applyKernel(zeros([2, 3, 6, 7]), vision.box(3), { padding: 0, stride: 2 }).shape, [2, 3, 2, 3]);
  });

  it("says what pictures and kernels are", () => {
    const expect = (run: () => unknown, message: RegExp) =>
      assert.throws(run, (error) => error instanceof ShapeError && message.test(error.message));
    expect(() => applyKernel(zeros([5]), vision.box()), /^applyKernel: the picture is 5\. Expected H×W or C×H×W or/);
    expect(() => applyKernel(zeros([5, 0]), vision.box()), /^applyKernel: the picture is 5×0\. .* none of them 0/);
    expect(() => applyKernel(zeros([5, 5]), zeros([1, 3, 3])), /^applyKernel: the kernel is 1×3×3\. Expected H×W/);
  });
});
