/** What convolution computes: the decks' examples, to be followed with a pencil. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  concat,
  conv1d,
  conv2d,
  locallyConnected2d,
  nn,
  tensor,
  trueConvolution,
  vision,
  zeros,
} from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { assertGrid, grid, volume } from "./grid.js";

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`convolution in the lectures, on ${name}`, { skip: reason }, () => {
    const on = (title: string, body: () => Promise<void>) =>
      it(title, async () => {
        if (device === undefined) return;
        useDevice(device);
        await body();
      });

    const fiveByFive = `
      7 2 3 3 8
      4 5 3 8 4
      3 3 2 8 4
      2 8 7 2 7
      5 4 4 5 4`;
    const leftMinusRight = `
      1 0 -1
      1 0 -1
      1 0 -1`;

    on("L2, the first 5×5 example: the kernel is laid on as it is printed", async () => {
      await assertGrid(
        conv2d(volume(fiveByFive), volume(leftMinusRight)),
        ` 6 -9 -8
         -3 -2 -3
         -3  0 -2`,
      );
    });

    on("L2, the same: the slide's formula turns the kernel round, which changes every sign here", async () => {
      await assertGrid(
        trueConvolution(volume(fiveByFive), volume(leftMinusRight)),
        `-6 9 8
          3 2 3
          3 0 2`,
      );
    });

    on("L2, the second 5×5 example", async () => {
      const picture = volume(`
        3 3 2 1 0
        0 0 1 3 1
        3 1 2 2 3
        2 0 0 2 2
        2 0 0 0 1`);
      const kernel = volume(`
        0 1 2
        2 2 0
        0 1 2`);
      await assertGrid(
        conv2d(picture, kernel),
        `12 12 17
         10 17 19
          9  6 14`,
      );
    });

    const stairs = `
      1 1 1 0 0
      0 1 1 1 0
      0 0 1 1 1
      0 0 1 1 0
      0 1 1 0 0`;
    const cross = `
      1 0 1
      0 1 0
      1 0 1`;

    on("L3 and L4, a cross on 5×5: turned round it is itself, so both formulas give the same", async () => {
      const result = `
        4 3 4
        2 4 3
        2 3 4`;
      await assertGrid(conv2d(volume(stairs), volume(cross)), result);
      await assertGrid(trueConvolution(volume(stairs), volume(cross)), result);
    });

    on(
      "L3, zero padding keeps 5×5 (the deck's numbers, 1 1 2 0 0 …, follow from no reading of its picture)",
      async () => {
        const corner = volume(`
        0 0 1
        0 1 1
        1 1 1`);
        await assertGrid(
          conv2d(volume(stairs), corner, null, { padding: 1 }),
          `3 4 4 2 1
         2 4 4 4 2
         1 3 5 4 2
         1 4 5 3 0
         1 3 2 0 0`,
        );
      },
    );

    on("L0, a dilation of 2 spreads a filter of 2×2 over 3×3 places", async () => {
      const picture = volume(`
        1 9  5 -2 4
        2 8  6  5 2
        3 7 -5 -3 0
        2 3  8  1 8
        8 0  9 -4 2`);
      const filter = volume(`
         2 1
        -3 9`);
      const dilated = conv2d(picture, filter, null, { dilation: 2 });
      await assertGrid(
        dilated,
        `-47 -32  29
          76  21  62
          58 -25 -19`,
      );
      const withHoles = volume(`
         2 0 1
         0 0 0
        -3 0 9`);
      assert.deepEqual(await conv2d(picture, withHoles).array(), await dilated.array());
    });

    on("L0, RGB: each channel has its own part of the filter, and the parts are added: 5 + 7 + 37 = 49", async () => {
      const [red, green, blue] = [
        "1 9 5 -2\n2 8 6 5\n3 7 -5 -3\n2 3 8 1",
        "2 1 9 0\n-3 0 -7 3\n3 7 1 2\n4 2 0 1",
        "6 4 2 1\n-2 3 9 -2\n7 7 3 2\n3 8 7 2",
      ];
      const parts = ["0 1\n2 -1", "2 3\n0 2", "4 2\n-1 1"];
      const whole = conv2d(volume(red, green, blue), volume(...parts));
      assert.deepEqual(whole.shape, [1, 1, 3, 3]);
      const corners = await Promise.all(
        [red, green, blue].map((channel, i) => conv2d(volume(channel), volume(parts[i])).slice(0, 0, 0, 0).item()),
      );
      assert.deepEqual(corners, [5, 7, 37]);
      assert.equal(await whole.slice(0, 0, 0, 0).item(), 49);
    });

    on(
      'L0, a 1×1 convolution mixes maps: 47, then 37 (the deck calls it "1-d convolution", which slides along one axis)',
      async () => {
        // As far as the slide shows the three maps: their first row.
        const maps = volume("-8 5", "9 6", "7 10");
        const mixed = conv2d(maps, tensor([-1, 2, 3]).reshape([1, 3, 1, 1]));
        await assertGrid(mixed, "47 37");
        const alongOneAxis = conv1d(tensor([[[1, 0, 0, 2]]]), tensor([[[5, 6]]]));
        assert.deepEqual(await alongOneAxis.array(), [[[5, 0, 12]]]);
      },
    );

    describe("L2, RGB with stride 2 and padding 1", () => {
      const first = () =>
        volume(
          "0 1 2 2 1\n1 0 0 1 1\n1 0 0 2 1\n1 1 0 1 0\n2 1 2 2 1",
          "0 0 0 2 1\n1 1 0 1 0\n1 1 0 2 1\n0 1 1 0 1\n2 0 2 2 1",
          "2 2 2 0 2\n0 0 1 0 0\n2 2 1 2 2\n0 1 0 0 2\n1 0 0 2 0",
        );
      const settings = { stride: 2, padding: 1 } as const;
      const one = () => tensor([1]);

      on("the first picture with W1", async () => {
        const w1 = volume("0 -1 1\n0 -1 -1\n-1 0 0", "-1 1 0\n-1 0 0\n-1 0 -1", "-1 1 0\n1 0 0\n1 1 0");
        await assertGrid(
          conv2d(first(), w1, null, settings),
          `-2 -3 -5
           -2 -1 -2
           -3 -4  2`,
        );
      });

      const w0 = (lastRow: string) =>
        volume("-1 1 -1\n0 -1 1\n-1 -1 -1", "-1 0 0\n1 1 0\n0 1 1", `-1 1 0\n-1 -1 1\n${lastRow}`);

      on("the first picture with W0 as its slide prints it (whose output does not follow from it)", async () => {
        await assertGrid(
          conv2d(first(), w0("-1 1 1"), one(), settings),
          `3 -2 -1
           2  0  0
           1  1  2`,
        );
      });

      on(
        "the first picture with W0 as the next slide has it, one sign changed: the output that both print",
        async () => {
          await assertGrid(
            conv2d(first(), w0("-1 -1 1"), one(), settings),
            `3 -4 -1
           2  0 -4
           1  1  2`,
          );
        },
      );

      on("the second picture, both filters at once: two maps", async () => {
        const second = volume(
          "0 0 1 0 2\n1 0 2 0 1\n1 0 2 2 0\n2 0 0 2 0\n2 1 2 2 0",
          "2 1 2 1 1\n2 1 2 0 1\n0 2 1 0 1\n1 2 2 2 2\n0 1 2 0 1",
          "2 1 1 2 0\n1 0 0 1 0\n0 1 0 0 0\n1 0 2 1 0\n2 2 1 1 1",
        );
        const filters = concat([
          volume("-1 0 1\n0 0 1\n1 -1 1", "-1 0 1\n1 -1 1\n0 1 0", "-1 1 1\n1 1 0\n0 -1 0"),
          volume("0 1 -1\n0 -1 0\n0 -1 1", "-1 0 0\n1 -1 0\n1 -1 0", "-1 1 -1\n0 -1 -1\n1 0 0"),
        ]);
        const maps = conv2d(second, filters, tensor([1, 0]), settings);
        assert.deepEqual(maps.shape, [1, 2, 3, 3]);
        await assertGrid(
          maps.slice(0, 0),
          `2  3  3
           3  7  3
           8 10 -3`,
        );
        await assertGrid(
          maps.slice(0, 1),
          `-8 -8 -3
           -3  1  0
           -3 -8 -5`,
        );
      });
    });

    on(
      "L1, convolution is commutative (over all places at which the two touch); cross-correlation is not",
      async () => {
        const [a, b] = ["1 2 3\n4 5 6\n7 8 9", "1 0\n2 -1"];
        const everywhere = { padding: "full" } as const;
        assert.deepEqual(
          await trueConvolution(volume(a), volume(b), null, everywhere).array(),
          await trueConvolution(volume(b), volume(a), null, everywhere).array(),
        );
        assert.notDeepEqual(
          await conv2d(volume(a), volume(b), null, everywhere).array(),
          await conv2d(volume(b), volume(a), null, everywhere).array(),
        );
      },
    );

    on('L1, the output is as deep as there are filters (the deck says "depths will be equal")', async () => {
      assert.deepEqual(
        conv2d(zeros([1, 3, 28, 28]), zeros([100, 3, 3, 3]), null, { padding: 1 }).shape,
        [1, 100, 28, 28],
      );
    });

    on("L3, filters that are not shared give the same where all places happen to have the same weights", async () => {
      const [picture, kernel] = [volume(stairs), grid(cross).flatten(0)];
      const weight = kernel.expand([9, 1, 9]);
      const local = locallyConnected2d(picture, weight, null, 3);
      assert.deepEqual(await local.array(), await conv2d(picture, volume(cross)).array());
    });

    on("L2, one layer in the words of the slide: 3 channels in, 7 out, kernel 5, stride 1, padding 1", async () => {
      const layer = new nn.Conv2d(3, 7, 5, { stride: 1, padding: 1 });
      assert.deepEqual(layer(zeros([1, 3, 32, 32])).shape, [1, 7, 30, 30]);
      // Non-square kernels, and a stride and padding for each axis.
      const uneven = new nn.Conv2d(16, 33, [3, 5], { stride: [2, 1], padding: [4, 2] });
      assert.deepEqual(uneven(zeros([20, 16, 50, 100])).shape, [20, 33, 28, 100]);
    });

    on("L2, a kernel against an edge: the response is where the brightness changes", async () => {
      const step = grid(Array.from({ length: 4 }, () => "0 0 0 9 9 9").join("\n"));
      await assertGrid(vision.applyKernel(step, vision.sobelX(), { padding: 0 }), "0 36 36 0\n0 36 36 0");
      await assertGrid(vision.applyKernel(step, vision.sobelY(), { padding: 0 }), "0 0 0 0\n0 0 0 0");
      // The slide's kernel, 1 0 −1, is meant to be turned round.
      const printed = volume("1 0 -1\n2 0 -2\n1 0 -1");
      await assertGrid(trueConvolution(step.reshape([1, 1, 4, 6]), printed), "0 36 36 0\n0 36 36 0");
      const ninths = vision.applyKernel(step, vision.box(3).mul(9), { padding: 0 });
      await assertGrid(ninths, "0 27 54 81\n0 27 54 81");
    });
  });
}
