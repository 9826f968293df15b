/** Convolutions of all kinds, forward and gradient, as PyTorch computes them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  grad,
  locallyConnected1d,
  locallyConnected2d,
  locallyConnected3d,
  matmul,
  mul,
  pad,
  reshape,
  sum,
  type Tensor,
  tensor,
  trueConvolution,
  unfold,
  zeros,
} from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

interface Case {
  readonly name: string;
  readonly options: ConvOptions &
    ConvTransposeOptions & { readonly padding: number | number[]; readonly kernel?: readonly number[] };
}

const golden = new Golden<Case>("convolutions-of-all-kinds");
const convolutions = { conv1d, conv2d, conv3d };
const transposed = { convTranspose1d, convTranspose2d, convTranspose3d };
const unshared = { locallyConnected1d, locallyConnected2d, locallyConnected3d };

function apply({ name, options }: Case, x: Tensor, w: Tensor, b: Tensor): Tensor {
  const convolve = Object.entries(convolutions).find(([key]) => key === name)?.[1];
  if (convolve !== undefined) return convolve(x, w, b, options);
  const transpose = Object.entries(transposed).find(([key]) => key === name)?.[1];
  if (transpose !== undefined) return transpose(x, w, b, options);
  const local = Object.entries(unshared).find(([key]) => key === name)?.[1];
  assert.ok(local !== undefined, name);
  const y = local(x, w, b, options.kernel ?? 1, options);
  return reshape(y, [y.shape[0], y.shape[1], -1]);
}

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`PyTorch's convolutions on ${name}`, { skip: reason }, () => {
    golden.cases.forEach((each, i) => {
      it(`${each.name} ${i} ${JSON.stringify(each.options)}`, async () => {
        if (device === undefined) return;
        useDevice(device);
        const [x, w, b] = ["x", "w", "b"].map((key) => golden.tensor(`${i}.${key}`));
        const y = apply(each, x, w, b);
        assert.deepEqual(y.shape, golden.get(`${i}.y`).shape);
        const gradients = grad(sum(mul(y, golden.tensor(`${i}.upstream`))), [x, w, b]);
        assertClose(await y.data(), golden.get(`${i}.y`).data, 1e-5, "output");
        for (const [n, key] of ["gx", "gw", "gb"].entries())
          assertClose(await gradients[n].data(), golden.get(`${i}.${key}`).data, 1e-5, key);
      });
    });
  });
}

describe("convolution", () => {
  useDevice(referenceDevice);

  it("as mathematics defines it copies the weight where the input has an impulse", async () => {
    const impulse = tensor([
      [
        [
          [0, 0, 0],
          [0, 1, 0],
          [0, 0, 0],
        ],
      ],
    ]);
    const weight = tensor([
      [
        [
          [1, 2, 3],
          [4, 5, 6],
          [7, 8, 9],
        ],
      ],
    ]);
    assert.deepEqual(await trueConvolution(impulse, weight, null, { padding: 1 }).array(), await weight.array());
    const mirrored = [
      [
        [
          [9, 8, 7],
          [6, 5, 4],
          [3, 2, 1],
        ],
      ],
    ];
    assert.deepEqual(await conv2d(impulse, weight, null, { padding: 1 }).array(), mirrored);
  });

  it("has as many places as the stride allows with the same padding, also for even kernels", () => {
    for (const [size, kernel, stride] of [
      [7, 3, 1],
      [7, 4, 1],
      [8, 2, 2],
      [9, 4, 3],
      [5, 5, 4],
    ]) {
      const y = conv1d(zeros([1, 1, size]), zeros([1, 1, kernel]), null, { padding: "same", stride });
      assert.equal(y.shape[2], Math.ceil(size / stride));
    }
  });

  it("has every place at which a window touches the input with full padding", () => {
    assert.deepEqual(conv2d(zeros([1, 1, 4, 5]), zeros([1, 1, 3, 2]), null, { padding: "full" }).shape, [1, 1, 6, 6]);
  });

  it("is a matrix product over unfolded windows", async () => {
    const [x, w] = [golden.tensor("4.x"), golden.tensor("4.w")];
    const product = matmul(reshape(w, [w.shape[0], -1]), unfold(x, [3, 2]));
    assertClose(await product.data(), await conv2d(x, w).data(), 1e-6, "product");
  });

  const [picture, sound, film] = [zeros([1, 3, 8, 8]), zeros([1, 3, 8]), zeros([1, 3, 4, 8, 8])];
  const mistakes: [string, () => unknown, RegExp][] = [
    ["a picture where there should be a sound", () => conv1d(picture, zeros([2, 3, 3])), /Expected N×C×L and O×C×L/],
    ["other channels", () => conv3d(film, zeros([2, 4, 3, 3, 3])), /3 channels.*expects 4. Fix: new Conv3d\(3, 2, …\)/],
    ["a kernel larger than the input", () => conv3d(film, zeros([2, 3, 5, 3, 3])), /spans 5×3×3, more than .* 4×8×8/],
    ["groups that do not divide", () => conv1d(sound, zeros([2, 3, 3]), null, { groups: 2 }), /2 groups do not divide/],
    ["no stride", () => conv1d(sound, zeros([2, 3, 3]), null, { stride: 0 }), /stride is 0. Expected an integer of 1/],
    ["negative padding", () => conv1d(sound, zeros([2, 3, 3]), null, { padding: -1 }), /padding is -1/],
    ["a bias of another length", () => conv3d(film, zeros([2, 3, 3, 3, 3]), zeros([3])), /Expected 2, one for each/],
    ["too much to mirror", () => pad(tensor([1, 2]), [[2, 0]], "reflect"), /reflect cannot add 2.*at most 1/],
    // @ts-expect-error
    ["an unknown mode", () => pad(tensor([1, 2]), [[1, 0]], "mirror"), /"reflect", "replicate" or "circular"/],
    [
      "elements that no window reaches",
      () => convTranspose1d(sound, zeros([3, 2, 3]), null, { outputPadding: 1 }),
      /outputPadding 1.*less than the stride \(1\)/,
    ],
    ["a transposed weight the wrong way round", () => convTranspose2d(picture, zeros([2, 3, 3, 3])), /expects 2/],
    [
      "padding that leaves nothing",
      () => convTranspose1d(zeros([1, 3, 1]), zeros([3, 2, 3]), null, { padding: 2 }),
      /cuts off the whole result/,
    ],
    ["weights for other places", () => locallyConnected2d(picture, zeros([4, 2, 27]), null, 3), /Expected 36×O×27/],
  ];
  for (const [what, call, message] of mistakes) it(`refuses ${what}`, () => void assert.throws(call, message));
});
