/** Layers pass their settings on: they give what PyTorch computes for the functions that they are made of. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nn, type Tensor } from "../../src/index.js";
import { referenceDevice, useDevice } from "../support/devices.js";
import { Golden, type GoldenTensor } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

type Layer = nn.ModuleBase & ((x: Tensor) => Tensor);

function assertGives(layer: Layer, x: Tensor, expected: GoldenTensor): Promise<void> {
  const y = layer(x);
  assert.equal(y.size, expected.data.length);
  return y.data().then((values) => assertClose(values, expected.data, 1e-5, layer.constructor.name));
}

/** `LPPool2d` for `lpPool2d`, and the like. */
function layerNamed(name: string): (...settings: never[]) => unknown {
  const wanted = name.toLowerCase();
  const found = Object.entries<unknown>({ ...nn }).find(
    ([key, value]) => key.toLowerCase() === wanted && key !== name && typeof value === "function",
  )?.[1];
  assert.ok(typeof found === "function", `no layer for ${name}`);
  return (...settings) => Reflect.construct(found, settings);
}

describe("layers of activations", () => {
  const golden = new Golden<string>("activations");
  const layers: Readonly<Record<string, () => Layer>> = {
    leakyRelu: () => new nn.LeakyReLU(0.1),
    elu: () => new nn.ELU(1.5),
    selu: () => new nn.SELU(),
    gelu: () => new nn.GELU(),
    geluTanh: () => new nn.GELU({ approximate: "tanh" }),
    silu: () => new nn.SiLU(),
    softplus: () => new nn.Softplus(2),
    logSigmoid: () => new nn.LogSigmoid(),
    mish: () => new nn.Mish(),
    softsign: () => new nn.Softsign(),
    hardtanh: () => new nn.Hardtanh(-0.5, 2),
    relu6: () => new nn.ReLU6(),
    hardsigmoid: () => new nn.Hardsigmoid(),
    hardswish: () => new nn.Hardswish(),
    hardshrink: () => new nn.Hardshrink(0.7),
    softshrink: () => new nn.Softshrink(0.7),
  };
  /** Functions that are no activations, and have no layer. */
  const functions = ["erf", "expm1", "log1p"];

  for (const name of golden.cases.filter((each) => !functions.includes(each))) {
    it(name, async () => {
      useDevice(referenceDevice);
      assert.ok(name in layers, `no layer for ${name}`);
      await assertGives(layers[name](), golden.tensor("x"), golden.get(`${name}.y`));
    });
  }

  it("prelu", async () => {
    useDevice(referenceDevice);
    const layer = new nn.PReLU(6);
    layer.weight = new nn.Parameter(golden.tensor("preluByChannel.weight"));
    await assertGives(layer, golden.tensor("x"), golden.get("preluByChannel.y"));
  });
});

describe("layers of pooling and upsampling", () => {
  interface Case {
    readonly name: string;
    readonly arguments: readonly unknown[];
  }
  const golden = new Golden<Case>("resizing");
  golden.cases.forEach(({ name, arguments: settings }, i) => {
    it(`${name} ${JSON.stringify(settings)}`, async () => {
      useDevice(referenceDevice);
      const layer = layerNamed(name)(...(settings as never[])) as Layer;
      // Stochastic pooling averages when evaluating, as in the golden.
      layer.eval();
      await assertGives(layer, golden.tensor(`${i}.x`), golden.get(`${i}.y`));
    });
  });
});

describe("layers of convolution", () => {
  interface Case {
    readonly name: string;
    readonly options: { readonly groups?: number; readonly kernel?: readonly number[] };
  }
  interface Weighted {
    weight: nn.Parameter;
    bias: nn.Parameter | null;
  }
  const golden = new Golden<Case>("convolutions-of-all-kinds");
  golden.cases.forEach(({ name, options }, i) => {
    it(`${name} ${JSON.stringify(options)}`, async () => {
      useDevice(referenceDevice);
      const [x, weight, bias] = ["x", "w", "b"].map((key) => golden.tensor(`${i}.${key}`));
      const [, channels, ...size] = x.shape;
      const out = name.startsWith("locally") ? weight.shape[1] : bias.size;
      const settings =
        options.kernel === undefined
          ? [channels, out, weight.shape.slice(2), options]
          : [channels, out, options.kernel, size, options];
      const layer = layerNamed(name)(...(settings as never[])) as Layer & Weighted;
      assert.deepEqual(layer.weight.shape, weight.shape);
      assert.deepEqual(layer.bias?.shape, bias.shape);
      layer.weight = new nn.Parameter(weight);
      layer.bias = new nn.Parameter(bias);
      await assertGives(layer, x, golden.get(`${i}.y`));
    });
  });
});
