/** Convolution, pooling and losses, forward and gradient, as PyTorch computes them. */

import { describe, it } from "node:test";
import {
  avgPool2d,
  conv2d,
  crossEntropy,
  grad,
  logSoftmax,
  maxPool2d,
  mseLoss,
  mul,
  softmax,
  sum,
  type Tensor,
} from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

type Pair = [number, number];

interface ConvolutionCase {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
}

interface PoolCase {
  readonly kind: "max" | "average";
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation?: Pair;
  readonly ceil: boolean;
  readonly count?: boolean;
}

const tolerance = 1e-5;
const devices = [...kernelDevices, { name: "reference", device: referenceDevice, reason: undefined }];

for (const { name, device, reason } of devices) {
  describe(`PyTorch's numbers on ${name}`, { skip: reason }, () => {
    const on = (title: string, body: () => Promise<void>) =>
      it(title, async () => {
        if (device === undefined) return;
        useDevice(device);
        await body();
      });

    const convolutions = new Golden<ConvolutionCase>("convolution");
    convolutions.cases.forEach(({ stride, padding, dilation, groups }, i) => {
      on(`convolution ${i}`, async () => {
        const [x, w, b] = [convolutions.tensor(`${i}.x`), convolutions.tensor(`${i}.w`), convolutions.tensor(`${i}.b`)];
        const y = conv2d(x, w, b, { stride, padding, dilation, groups });
        const gradients = grad(sum(mul(y, convolutions.tensor(`${i}.upstream`)) as Tensor), [x, w, b]);
        assertClose(await y.data(), convolutions.get(`${i}.y`).data, tolerance, "output");
        for (const [n, key] of ["gx", "gw", "gb"].entries()) {
          assertClose(await gradients[n].data(), convolutions.get(`${i}.${key}`).data, tolerance, key);
        }
      });
    });

    const pools = new Golden<PoolCase>("pooling");
    pools.cases.forEach(({ kind, kernel, stride, padding, dilation = [1, 1], ceil, count = true }, i) => {
      on(`${kind} pooling ${i}`, async () => {
        const x = pools.tensor(`${i}.x`);
        const y =
          kind === "max"
            ? maxPool2d(x, kernel, { stride, padding, dilation, ceilMode: ceil })
            : avgPool2d(x, kernel, { stride, padding, ceilMode: ceil, countIncludePad: count });
        const [gx] = grad(sum(mul(y, pools.tensor(`${i}.upstream`)) as Tensor), [x]);
        assertClose(await y.data(), pools.get(`${i}.y`).data, tolerance, "output");
        assertClose(await gx.data(), pools.get(`${i}.gx`).data, tolerance, "gradient");
      });
    });

    const losses = new Golden("losses");
    on("losses and softmax", async () => {
      const x = losses.tensor("x");
      const check = async (loss: Tensor<[]>, lossKey: string, gradientKey: string) => {
        const [gx] = grad(loss, [x]);
        assertClose([await loss.item()], losses.get(lossKey).data, tolerance, lossKey);
        assertClose(await gx.data(), losses.get(gradientKey).data, tolerance, gradientKey);
      };
      await check(crossEntropy(x, losses.labels("labels")), "loss", "gx");
      await check(crossEntropy(x, losses.tensor("soft")), "softLoss", "softGx");
      await check(mseLoss(x, losses.tensor("y")), "mseLoss", "mseGx");
      assertClose(await softmax(x, 0).data(), losses.get("softmax").data, tolerance, "softmax");
      assertClose(await logSoftmax(x).data(), losses.get("logSoftmax").data, tolerance, "logSoftmax");
    });
  });
}
