/** Pooling and its gradient, and the ways back up. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  avgPool2d,
  bedOfNails,
  conv2d,
  grad,
  maxout,
  maxPool2d,
  maxPool2dWithIndices,
  maxUnpool2d,
  minPool2d,
  nn,
  sum,
  tensor,
  upsample,
  zeros,
} from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { assertGrid, volume } from "./grid.js";

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`pooling in the lectures, on ${name}`, { skip: reason }, () => {
    const on = (title: string, body: () => Promise<void>) =>
      it(title, async () => {
        if (device === undefined) return;
        useDevice(device);
        await body();
      });

    const input = () =>
      volume(`
        1 4 3 6
        2 1 0 9
        2 2 7 7
        5 3 3 6`);

    on("L3, max pooling", async () => {
      await assertGrid(maxPool2d(input(), 2), "4 9\n5 7");
    });

    on("L3, average pooling (the deck prints 2.5 4 / 2 2.5)", async () => {
      await assertGrid(avgPool2d(input(), 2), "2 4.5\n3 5.75");
    });

    on("L3, the gradient of max pooling is 1 for the winner of each window, 0 elsewhere", async () => {
      const x = input();
      const [gradient] = grad(sum(maxPool2d(x, 2)), [x]);
      // Of the two 7s the first wins.
      await assertGrid(
        gradient,
        `0 1 0 0
         0 0 0 1
         0 0 1 0
         1 0 0 0`,
      );
    });

    on("L3, the gradient of average pooling is 1 / (r · c) for every element", async () => {
      const x = input();
      const [gradient] = grad(sum(avgPool2d(x, 2)), [x]);
      assert.ok((await gradient.data()).every((value) => value === 0.25));
    });

    on(
      "L0, windows of 2 with a stride of 1 overlap; an element in several windows gets several gradients",
      async () => {
        const x = input();
        const pooled = maxPool2d(x, 2, { stride: 1 });
        await assertGrid(
          pooled,
          `4 4 9
         2 7 9
         5 7 7`,
        );
        const [gradient] = grad(sum(pooled), [x]);
        await assertGrid(
          gradient,
          `0 2 0 0
         1 0 0 2
         0 0 3 0
         1 0 0 0`,
        );
      },
    );

    on(
      "L4, max pooling keeps bright things on a dark ground, min pooling dark ones on a bright ground (the deck has it the wrong way round)",
      async () => {
        const [dark, bright] = [0.1, 0.9];
        const spot = (ground: number, thing: number) =>
          tensor(
            Array.from({ length: 4 }, (_, y) =>
              Array.from({ length: 4 }, (_, x) => (y === 1 && x === 2 ? thing : ground)),
            ),
          ).reshape([1, 1, 4, 4]);
        const seen = async (pooled: typeof maxPool2d, ground: number, thing: number) => {
          const values = await pooled(spot(ground, thing), 2).data();
          return values.some((value) => Math.abs(value - thing) < 1e-6);
        };
        assert.deepEqual([await seen(maxPool2d, dark, bright), await seen(maxPool2d, bright, dark)], [true, false]);
        assert.deepEqual([await seen(minPool2d, dark, bright), await seen(minPool2d, bright, dark)], [false, true]);
      },
    );

    on("L1, a small shift leaves most of what was pooled as it was", async () => {
      const row = (...values: number[]) => tensor(values).reshape([1, 1, 1, values.length]);
      const settings = { stride: 1, padding: [0, 1] } as const;
      const before = row(0.1, 1, 0.2, 0.1, 0, 0.1, 0.1, 0);
      const after = row(0.3, 0.1, 1, 0.2, 0.1, 0, 0.1, 0.1);
      const [a, b] = [
        await maxPool2d(before, [1, 3], settings).data(),
        await maxPool2d(after, [1, 3], settings).data(),
      ];
      const changed = (from: ArrayLike<number>, to: ArrayLike<number>) =>
        Array.from(from).filter((value, i) => value !== to[i]).length;
      // Every element moved; of the maxima fewer than half changed.
      assert.equal(changed(await before.data(), await after.data()), 7);
      assert.ok(changed(a, b) <= 4, `${a} and ${b}`);
    });

    on("L2, a convolution with a stride does what pooling does to sizes: 7×7 → 3×3", async () => {
      assert.deepEqual(conv2d(zeros([1, 1, 7, 7]), zeros([1, 1, 3, 3]), null, { stride: 2 }).shape, [1, 1, 3, 3]);
      assert.deepEqual(maxPool2d(zeros([1, 1, 7, 7]), 3, { stride: 2 }).shape, [1, 1, 3, 3]);
    });

    on("L1 and L4, maxout pools across channels: half as many maps, and the gradient goes to the larger", async () => {
      const x = volume("1 5\n2 0", "3 4\n2 -1");
      const y = maxout(x, 2);
      await assertGrid(y, "3 5\n2 0");
      const [gradient] = grad(sum(y), [x]);
      // Where both are equal they share it.
      await assertGrid(gradient.slice(0, 0), "0 1\n0.5 1");
      await assertGrid(gradient.slice(0, 1), "1 0\n0.5 0");
    });

    const small = () => volume("1 2\n3 4");

    on("L4, up again by nearest neighbours", async () => {
      await assertGrid(
        upsample(small(), { scale: 2 }),
        `1 1 2 2
         1 1 2 2
         3 3 4 4
         3 3 4 4`,
      );
    });

    on("L4, bilinear: a mean of four neighbours by their distance; corners stay, or areas do", async () => {
      await assertGrid(
        upsample(small(), { scale: 2, mode: "linear" }),
        `1    1.25 1.75 2
         1.5  1.75 2.25 2.5
         2.5  2.75 3.25 3.5
         3    3.25 3.75 4`,
      );
      await assertGrid(
        upsample(small(), { size: 3, mode: "linear", alignCorners: true }),
        `1 1.5 2
         2 2.5 3
         3 3.5 4`,
      );
    });

    on("L4, a bed of nails", async () => {
      await assertGrid(
        bedOfNails(small(), 2),
        `1 0 2 0
         0 0 0 0
         3 0 4 0
         0 0 0 0`,
      );
    });

    on("L4, max-unpooling puts values back where the encoder found the largest", async () => {
      const { values, indices } = maxPool2dWithIndices(input(), 2);
      await assertGrid(values, "4 9\n5 7");
      await assertGrid(indices, "1 7\n12 10");
      const decoded = `
        0 1 0 0
        0 0 0 2
        0 0 4 0
        3 0 0 0`;
      await assertGrid(maxUnpool2d(small(), indices, 4), decoded);
      await assertGrid(new nn.MaxUnpool2d(2)(small(), indices), decoded);
    });
  });
}
