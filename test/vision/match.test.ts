/** Template matching and peaks: the definition of the cosine, and places in a picture. The lecture's digits are in test/lectures. */

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { ArgumentError, grad, normal, ShapeError, sum, type Tensor, tensor, vision, zeros } from "../../src/index.js";
import { anyDevice, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

const { findPeaks, templateMatch } = vision;
const rows = (...lines: string[]) => tensor(lines.map((line) => [...line].map(Number)));

const reference = { name: "reference", device: referenceDevice, reason: undefined };

beforeEach(() => useDevice(anyDevice()));

for (const { name, device, reason } of [...kernelDevices, reference]) {
  describe(`templateMatch on ${name}`, { skip: reason }, () => {
    const golden = new Golden<{ padding: number }>("vision");
    golden.cases.forEach(({ padding }, i) => {
      it(`gives what the definition gives, case ${i}`, async () => {
        if (device !== undefined) useDevice(device);
        const [image, template] = [golden.tensor(`${i}.image`), golden.tensor(`${i}.template`)];
        const plain = templateMatch(image, template, { padding });
        assertClose(await plain.data(), golden.get(`${i}.plain`).data, 1e-5, "sums of products");
        const cosine = templateMatch(image, template, { padding, normalized: true });
        assert.deepEqual(cosine.shape, plain.shape);
        assertClose(await cosine.data(), golden.get(`${i}.cosine`).data, 1e-4, "cosines");
      });
    });
  });
}

describe("templateMatch", () => {
  it("normalized finds a piece of a picture again, darker and with less contrast", async () => {
    const picture = normal([40, 50]);
    const piece = picture.slice([11, 18], [23, 32]);
    const response = templateMatch(picture, piece.mul(0.2).sub(30) as Tensor, { normalized: true });
    const [best, second] = await findPeaks(response, { count: 2, distance: 3 });
    assert.deepEqual([best.row, best.column], [11, 23]);
    assert.ok(Math.abs(best.value - 1) < 1e-3 && second.value < 0.8, `${best.value}, ${second.value}`);
    const [opposite] = await findPeaks(templateMatch(picture, piece.neg(), { normalized: true }).neg());
    assert.deepEqual([opposite.row, opposite.column], [11, 23]);
  });

  it("normalized gives 0, not NaN, where there is no contrast", async () => {
    const flat = templateMatch(zeros([6, 6]).add(200) as Tensor, rows("10", "01"), { normalized: true });
    assert.ok((await flat.data()).every((value) => value === 0));
    // Two flat grounds with a step between: what rounding leaves of their contrast is no contrast.
    const steps = tensor(Array.from({ length: 9 }, () => [0.1, 0.1, 0.1, 0.1, 0.1, 0.7, 0.7, 0.7, 0.7, 0.7]));
    const edges = await templateMatch(steps, normal([4, 4]), { normalized: true }).data();
    assert.equal(edges.length, 6 * 7);
    assert.ok(edges.every((value, i) => value === 0 || ![0, 1, 5, 6].includes(i % 7)));
    const blank = templateMatch(normal([6, 6]), zeros([2, 2]).add(0.1) as Tensor, { normalized: true });
    assert.ok((await blank.data()).every((value) => value === 0));
    const half = tensor([0, 1, 2, 3].map(() => [50, 50, 50, 50, 51, 50, 50, 50]));
    const response = await templateMatch(half, rows("01", "01"), { normalized: true }).array();
    assert.deepEqual(
      response,
      [0, 1, 2].map(() => [0, 0, 0, 1, -1, 0, 0]),
    );
  });

  it("has a gradient, also next to flat ground", async () => {
    const picture = tensor([0, 1, 2, 3].map(() => [0, 0, 0, 0, 1, 3]));
    const [gradient] = grad(sum(templateMatch(picture, rows("01", "11"), { normalized: true })), [picture]);
    const values = await gradient.data();
    assert.ok(values.every(Number.isFinite) && values.some((value) => value !== 0));
  });

  it("says when template and picture do not fit", () => {
    const expect = (run: () => unknown, message: RegExp) =>
      assert.throws(run, (error) => error instanceof ShapeError && message.test(error.message));
    expect(() => templateMatch(zeros([3, 8, 8]), zeros([4, 4])), /has 3 channels and the template 4×4 has 1\. Fix:/);
    expect(() => templateMatch(zeros([8, 8]), zeros([9, 4])), /9×4 is larger than the picture 8×8\. Fix:/);
    expect(() => templateMatch(zeros([8]), zeros([4, 4])), /^templateMatch: the picture is 8\. Expected H×W/);
    assert.throws(() => templateMatch(zeros([8, 8]), zeros([4, 4]), { padding: -1 }), ArgumentError);
  });
});

describe("findPeaks", () => {
  const map = rows("0000000", "0950007", "0000000", "0006600", "1000000");
  const places = async (options?: vision.PeakOptions) =>
    (await findPeaks(map, options)).map(({ row, column, value }) => [row, column, value]);

  it("finds the largest values with nothing larger near, largest first, one of a plateau", async () => {
    assert.deepEqual(await places(), [[1, 1, 9]]);
    assert.deepEqual(await places({ count: 10, threshold: 1 }), [
      [1, 1, 9],
      [1, 6, 7],
      [3, 3, 6],
      [4, 0, 1],
    ]);
  });

  it("keeps the distance, the count and the threshold", async () => {
    assert.deepEqual(await places({ count: 10, threshold: 1, distance: 3 }), [
      [1, 1, 9],
      [1, 6, 7],
    ]);
    assert.deepEqual(await places({ count: 2 }), [
      [1, 1, 9],
      [1, 6, 7],
    ]);
    assert.deepEqual(await places({ count: Number.POSITIVE_INFINITY, threshold: 6.5 }), [
      [1, 1, 9],
      [1, 6, 7],
    ]);
    assert.deepEqual(await places({ threshold: 10 }), []);
  });

  it("passes over NaN and refuses what is no map", async () => {
    assert.deepEqual(await findPeaks(tensor([[Number.NaN, 1]])), [{ row: 0, column: 1, value: 1 }]);
    await assert.rejects(findPeaks(zeros([2, 3, 4])), /^ShapeError: findPeaks: the map is 2×3×4\. Expected H×W/);
    await assert.rejects(findPeaks(map, { count: 0 }), /count is 0\. Expected an integer of 1 or more/);
    await assert.rejects(findPeaks(map, { threshold: Number.NaN }), /threshold is NaN/);
  });
});
