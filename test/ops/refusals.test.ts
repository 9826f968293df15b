/**
 * Whatever cannot be computed is refused where it is called, with the function's name, what came, and what to do: every
 * function with windows times every mistake that there is to make with it.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ArgumentError, DTypeError, FoveaError, ShapeError } from "../../src/core/errors.js";
import * as fovea from "../../src/index.js";
import { nn, type Shape, type Tensor, tensor, zeros } from "../../src/index.js";
import { referenceDevice, useDevice } from "../support/devices.js";

useDevice(referenceDevice);

type Options = Readonly<Record<string, unknown>>;
type Call = (x: Tensor, options: Options) => unknown;
type Kind = typeof ArgumentError | typeof ShapeError | typeof DTypeError;

interface Mistake {
  readonly what: string;
  readonly call: () => unknown;
  readonly error: Kind;
  /** What came, as the message must say it. */
  readonly says: RegExp;
}

const functions = new Map(Object.entries<unknown>({ ...fovea }));

/** A function by its name, with arguments that its types would refuse. */
function callable(name: string): (...args: unknown[]) => unknown {
  const found = functions.get(name);
  assert.ok(typeof found === "function", name);
  return (...args) => Reflect.apply(found, undefined, args);
}

/** Each mistake is refused with an error of its kind that names `name`, says what came and what to do. */
function refuses(name: string, mistakes: readonly Mistake[]): void {
  for (const { what, call, error, says } of mistakes) {
    it(`${name}: ${what}`, () => {
      assert.throws(call, (thrown) => {
        assert.ok(thrown instanceof FoveaError, String(thrown));
        assert.ok(thrown instanceof error, `${thrown.name}: ${thrown.message}`);
        assert.ok(thrown.message.startsWith(`${name}: `), thrown.message);
        assert.match(thrown.message, says);
        assert.match(thrown.message, /Fix: |Expected /, "no mend");
        return true;
      });
    });
  }
}

const inputs: readonly Shape[] = [
  [2, 4, 9],
  [2, 4, 9, 8],
  [2, 4, 7, 6, 5],
];
const ranks = ["N×C×L", "N×C×H×W", "N×C×D×H×W"];

/** Mistakes with the settings that all windows have. */
function ofWindows(call: Call, axes: number, settings: readonly string[]): Mistake[] {
  const x = zeros(inputs[axes - 1]);
  const given = (option: string, value: unknown, says: RegExp, error: Kind = ArgumentError): Mistake => ({
    what: `${option} ${JSON.stringify(value)}`,
    call: () => call(x, { [option]: value }),
    error,
    says,
  });
  const tooMany = Array.from({ length: 7 }, () => 1);
  return settings.flatMap((option) => [
    ...(option === "padding" ? [] : [given(option, 0, new RegExp(`${option} is 0\\b`))]),
    given(option, -1, new RegExp(`${option} is -1`)),
    given(option, 1.5, new RegExp(`${option} is 1.5`)),
    given(option, Number.NaN, new RegExp(`${option} is NaN`)),
    given(option, tooMany, new RegExp(`${option} is \\[1,1,1,1,1,1,1\\]`)),
    given(option, "some", new RegExp(`${option} is "some"`)),
  ]);
}

/** Inputs of the wrong rank or type. */
function ofInputs(call: Call, axes: number): Mistake[] {
  const shape = inputs[axes - 1];
  const expected = new RegExp(`Expected ${ranks[axes - 1]}`);
  return [
    { what: "an axis too few", call: () => call(zeros(shape.slice(1)), {}), error: ShapeError, says: expected },
    { what: "an axis too many", call: () => call(zeros([1, ...shape]), {}), error: ShapeError, says: expected },
    {
      what: "integers",
      call: () => call(zeros(shape, { dtype: "int32" }) as Tensor<Shape, never>, {}),
      error: DTypeError,
      says: /int32/,
    },
  ];
}

describe("convolution refuses", () => {
  for (const axes of [1, 2, 3]) {
    const kernel = [3, 3, 3].slice(0, axes);
    const name = `conv${axes}d`;
    const call: Call = (x, options) => callable(name)(x, zeros([6, 4, ...kernel]), zeros([6]), options);
    const x = zeros(inputs[axes - 1]);
    const weighted = (weight: Shape, options: Options = {}) => callable(name)(x, zeros(weight), null, options);
    refuses(name, [
      ...ofWindows(call, axes, ["stride", "dilation", "padding"]),
      ...ofInputs(call, axes),
      ...[0, -1, 1.5].map(
        (groups): Mistake => ({
          what: `${groups} groups`,
          call: () => call(x, { groups }),
          error: ArgumentError,
          says: new RegExp(`groups is ${groups}`),
        }),
      ),
      {
        what: "groups that do not divide the channels",
        call: () => weighted([6, 1, ...kernel], { groups: 3 }),
        error: ShapeError,
        says: /3 groups do not divide 4 input and 6 output channels/,
      },
      {
        what: "other channels",
        call: () => weighted([6, 3, ...kernel]),
        error: ShapeError,
        says: new RegExp(`4 channels.*expects 3. Fix: new Conv${axes}d\\(4, 6`),
      },
      {
        what: "a kernel larger than the padded input",
        call: () => weighted([6, 4, ...kernel.map(() => 12)], { padding: 1 }),
        error: ShapeError,
        says: /the kernel spans 12.*more than the padded input of.*Fix: more padding/,
      },
      {
        what: "a kernel without elements",
        call: () => weighted([6, 4, ...kernel.map(() => 0)]),
        error: ShapeError,
        says: /kernel/,
      },
      {
        what: "a bias of another length",
        call: () => callable(name)(x, zeros([6, 4, ...kernel]), zeros([5]), {}),
        error: ShapeError,
        says: /the bias is 5. Expected 6/,
      },
      {
        what: "an unknown padding mode",
        call: () => call(x, { padding: 1, paddingMode: "mirror" }),
        error: ArgumentError,
        says: /"mirror"/,
      },
      {
        what: "more to mirror than there is",
        call: () => call(x, { padding: 20, paddingMode: "reflect" }),
        error: ShapeError,
        says: /20/,
      },
    ]);
  }
});

describe("transposed convolution refuses", () => {
  for (const axes of [1, 2, 3]) {
    const kernel = [3, 3, 3].slice(0, axes);
    const name = `convTranspose${axes}d`;
    const call: Call = (x, options) => callable(name)(x, zeros([4, 6, ...kernel]), zeros([6]), options);
    const x = zeros(inputs[axes - 1]);
    refuses(name, [
      ...ofWindows(call, axes, ["stride", "dilation", "padding"]),
      ...ofInputs(call, axes),
      {
        what: "groups that do not divide the channels",
        call: () => call(x, { groups: 3 }),
        error: ShapeError,
        says: /3 groups/,
      },
      {
        what: "other channels",
        call: () => callable(name)(x, zeros([3, 6, ...kernel]), null, {}),
        error: ShapeError,
        says: /4 channels.*expects 3/,
      },
      {
        what: "outputPadding that no window reaches",
        call: () => call(x, { stride: 2, outputPadding: 2 }),
        error: ArgumentError,
        says: /outputPadding (is )?2/,
      },
      {
        what: "padding that leaves nothing",
        call: () => call(x, { padding: 30 }),
        error: ShapeError,
        says: /30|whole result/,
      },
    ]);
  }
});

describe("pooling refuses", () => {
  const kinds = ["maxPool", "minPool", "avgPool", "lpPool", "stochasticPool", "maxPoolWithIndices"];
  for (const kind of kinds) {
    for (const axes of [1, 2, 3]) {
      const name = kind.replace("Pool", `Pool${axes}d`);
      const call: Call = (x, options) => callable(name)(x, 3, options);
      const x = zeros(inputs[axes - 1]);
      const sized = (size: unknown) => callable(name)(x, size, {});
      refuses(name, [
        ...ofWindows(call, axes, ["stride", "dilation", "padding"]),
        ...ofInputs(call, axes),
        ...[0, -2, 1.5, "2", undefined, [2, 2, 2, 2]].map(
          (size): Mistake => ({
            what: `windows of ${JSON.stringify(size)}`,
            call: () => sized(size),
            error: ArgumentError,
            says: /the kernel size is/,
          }),
        ),
        {
          what: "a window larger than the input",
          call: () => sized(12),
          error: ShapeError,
          says: /a window of 12.*does not fit into the input of.*Fix: a smaller window/,
        },
        {
          what: "padding of more than half a window",
          call: () => call(x, { padding: 2 }),
          error: ArgumentError,
          says: /more than half of the window of 3/,
        },
        {
          what: "no places",
          call: () => call(zeros([1, 2, 0, 0, 0].slice(0, axes + 2)), {}),
          error: ShapeError,
          says: /0/,
        },
      ]);
    }
  }

  for (const axes of [1, 2, 3]) {
    for (const kind of ["adaptiveAvgPool", "adaptiveMaxPool"]) {
      const name = `${kind}${axes}d`;
      const x = zeros(inputs[axes - 1]);
      refuses(name, [
        ...[0, -1, 2.5, [1, 2, 3, 4]].map(
          (size): Mistake => ({
            what: `results of ${JSON.stringify(size)}`,
            call: () => callable(name)(x, size),
            error: ArgumentError,
            says: /the size of the result is/,
          }),
        ),
        { what: "an axis too few", call: () => callable(name)(zeros([2, 3]), 2), error: ShapeError, says: /2×3/ },
      ]);
    }
    const name = `maxUnpool${axes}d`;
    const [values, places] = [zeros([1, 2, 3, 3, 3].slice(0, axes + 2)), [1, 2, 3, 3, 3].slice(0, axes + 2)];
    const indices = zeros(places, { dtype: "int32" });
    refuses(name, [
      {
        what: "indices of another shape",
        call: () => callable(name)(values, zeros([1, ...places], { dtype: "int32" }), 6),
        error: ShapeError,
        says: new RegExp(`Expected ${ranks[axes - 1]} twice. Fix: pass on both results of maxPool${axes}dWithIndices`),
      },
      { what: "a size of 0", call: () => callable(name)(values, indices, 0), error: ArgumentError, says: /size is 0/ },
    ]);
  }

  for (const name of ["maxout", "crossChannelAvgPool"]) {
    refuses(name, [
      { what: "no pieces", call: () => callable(name)(zeros([2, 6]), 0), error: ArgumentError, says: /pieces is 0/ },
      {
        what: "pieces that do not divide",
        call: () => callable(name)(zeros([2, 7]), 3),
        error: ShapeError,
        says: /3 pieces do not divide the 7 channels/,
      },
      { what: "no such axis", call: () => callable(name)(zeros([2, 6]), 2, 4), error: ShapeError, says: /axis 4/ },
    ]);
  }
});

describe("unshared and unfolded windows refuse", () => {
  refuses("unfold", [
    ...ofWindows((x, options) => callable("unfold")(x, 3, options), 2, ["stride", "dilation", "padding"]),
    ...ofInputs((x, options) => callable("unfold")(x, 3, options), 2),
    {
      what: "a window larger than the padded input",
      call: () => fovea.unfold(zeros([1, 1, 4, 4]), 7, { padding: 1 }),
      error: ShapeError,
      says: /7×7 does not fit into the padded input of 6×6/,
    },
  ]);
  for (const axes of [1, 2, 3]) {
    const name = `locallyConnected${axes}d`;
    const [layer, size] = [`LocallyConnected${axes}d`, inputs[axes - 1].slice(2)];
    const call: Call = (x, options) => callable(name)(x, zeros([1, 1, 1]), null, 3, options);
    refuses(name, [
      ...ofWindows(call, axes, ["stride", "dilation", "padding"]),
      ...ofInputs(call, axes),
      {
        what: "weights for other places",
        call: () => call(zeros(inputs[axes - 1]), {}),
        error: ShapeError,
        says: /the weight is 1×1×1. Expected \d+×O×\d+/,
      },
    ]);
    const found = Object.entries<unknown>({ ...nn }).find(([key]) => key === layer)?.[1];
    assert.ok(typeof found === "function");
    refuses(layer, [
      {
        what: "a window larger than the input",
        call: () => Reflect.construct(found, [4, 2, 20, size]),
        error: ShapeError,
        says: /20.*does not fit/,
      },
      {
        what: "no channels",
        call: () => Reflect.construct(found, [0, 2, 3, size]),
        error: ArgumentError,
        says: /is 0/,
      },
    ]);
  }
});

describe("indices outside are refused while running", () => {
  const places = (...values: number[]) => tensor(values, { dtype: "int32" });
  const cases: Readonly<Record<string, (bad: number) => Tensor<Shape>>> = {
    take: (bad) => fovea.take(zeros([3, 2]), places(0, bad)),
    takeAlongAxis: (bad) => fovea.takeAlongAxis(zeros([3]), places(0, bad), 0),
    oneHot: (bad) => fovea.oneHot(places(0, bad), 3),
    maxUnpool1d: (bad) => fovea.maxUnpool1d(zeros([1, 1, 2]), places(0, bad).reshape([1, 1, 2]), 3),
    crossEntropy: (bad) => fovea.crossEntropy(zeros([2, 3]), places(0, bad)),
    multiMarginLoss: (bad) => fovea.multiMarginLoss(zeros([2, 3]), places(0, bad)),
  };
  for (const [name, call] of Object.entries(cases)) {
    for (const bad of [3, -1, 2 ** 31 - 1]) {
      it(`${name}: ${bad}`, async () => {
        await assert.rejects(
          async () => await call(bad).data(),
          (thrown) => {
            assert.ok(thrown instanceof FoveaError && thrown.code === "FOVEA_DATA", String(thrown));
            assert.match(thrown.message, new RegExp(`element 1 of the indices .* is ${bad}, expected 0 … 2\\. Fix: `));
            assert.match(thrown.message, /refusals\.test/, "where it was called");
            return true;
          },
        );
      });
    }
  }
});

describe("shapes are refused", () => {
  const x = zeros([2, 3, 4]);
  const cases: readonly (readonly [string, () => unknown, Kind, RegExp])[] = [
    ["full", () => zeros([-1, 2]), ShapeError, /\[-1, 2\] is not a shape/],
    ["full", () => zeros([2.5]), ShapeError, /\[2.5\] is not a shape/],
    ["full", () => zeros([Number.NaN]), ShapeError, /\[NaN\] is not a shape/],
    ["reshape", () => fovea.reshape(x, [5, -1]), ShapeError, /\[5, -1\]/],
    ["reshape", () => fovea.reshape(x, [5, 5]), ShapeError, /2×3×4 has 24 elements, 5×5 would have 25/],
    ["reshape", () => fovea.reshape(x, [-1, -1]), ShapeError, /one -1/],
    ["reshape", () => fovea.reshape(x, [-2, -12]), ShapeError, /-2/],
    ["expand", () => fovea.expand(x, [2, 3, 8]), ShapeError, /2×3×4.*2×3×8/],
    ["expand", () => fovea.expand(x, [-1, 3, 4]), ShapeError, /-1/],
    ["permute", () => fovea.permute(x, [0, 1]), ShapeError, /\[0, 1\]/],
    ["permute", () => fovea.permute(x, [0, 1, 1]), ShapeError, /\[0, 1, 1\]/],
    ["transpose", () => fovea.transpose(x, 0, 3), ShapeError, /axis 3/],
    ["squeeze", () => fovea.squeeze(x, 0), ShapeError, /length 2, not 1/],
    ["unsqueeze", () => fovea.unsqueeze(x, 5), ShapeError, /axis 5/],
    ["slice", () => fovea.slice(x, 2), ArgumentError, /index 2 is outside axis 0 of length 2/],
    ["slice", () => fovea.slice(x, [0, 2, 0]), ArgumentError, /a step of 0/],
    ["slice", () => fovea.slice(x, null, null, null, null), ShapeError, /4 ranges/],
    ["split", () => fovea.split(x, 0), ArgumentError, /pieces of 0/],
    ["split", () => fovea.split(x, [1, 2]), ArgumentError, /pieces of \[1, 2\].*add up to 2/],
    ["Dropout2d", () => new nn.Dropout2d()(x), ShapeError, /2×3×4. Expected N×C×H×W/],
    ["Dropout1d", () => new nn.Dropout1d()(zeros([2, 3])), ShapeError, /2×3. Expected N×C×L/],
    ["Dropout3d", () => new nn.Dropout3d()(x), ShapeError, /2×3×4. Expected N×C×D×H×W/],
    ["InstanceNorm2d", () => new nn.InstanceNorm2d(3)(x), ShapeError, /2×3×4. Expected N×C×H×W/],
    ["InstanceNorm1d", () => new nn.InstanceNorm1d(3)(zeros([2, 3])), ShapeError, /2×3. Expected N×C×L/],
    ["InstanceNorm3d", () => new nn.InstanceNorm3d(3)(x), ShapeError, /2×3×4. Expected N×C×D×H×W/],
    ["concat", () => fovea.concat([x, zeros([2, 3])], 0), ShapeError, /2×3/],
    ["concat", () => fovea.concat([x, zeros([2, 4, 4])], 0), ShapeError, /2×4×4/],
    ["concat", () => fovea.concat([], 0), ArgumentError, /./],
    ["stack", () => fovea.stack([x, zeros([2, 3])], 0), ShapeError, /2×3/],
    ["flip", () => fovea.flip(x, 3), ShapeError, /axis 3/],
    ["pad", () => fovea.pad(x, [[0.5, 0]]), ArgumentError, /0.5/],
    ["pad", () => fovea.pad(x, [[-3, -3]]), ShapeError, /-3/],
    ["sum", () => fovea.sum(x, 3), ShapeError, /axis 3/],
    ["sum", () => fovea.sum(x, [0, -3]), ShapeError, /twice/],
    ["max", () => fovea.max(zeros([2, 0]), 1), ShapeError, /2×0 has no elements/],
    ["argMax", () => fovea.argmax(zeros([2, 0]), 1), ShapeError, /2×0 has no elements/],
    ["median", () => fovea.median(zeros([0])), ShapeError, /0 has no elements/],
    ["quantile", () => fovea.quantile(x, 1.5), ArgumentError, /q is 1.5/],
    ["norm", () => fovea.norm(x, 0, { p: -1 }), ArgumentError, /p is -1/],
    ["sort", () => fovea.sort(x, 3), ShapeError, /axis 3/],
    ["topk", () => fovea.topk(x, 5), ArgumentError, /k is 5/],
    ["arange", () => fovea.arange(0, 1, 0.1), ArgumentError, /0, 1, 0.1.*linspace/],
    ["arange", () => fovea.arange(-3), ArgumentError, /-3/],
    ["linspace", () => fovea.linspace(0, 1, 0), ArgumentError, /0 numbers/],
    ["eye", () => fovea.eye(-1), ArgumentError, /-1/],
    ["oneHot", () => fovea.oneHot(tensor([0], { dtype: "int32" }), 0), ArgumentError, /0 classes/],
    [
      "matmul",
      () => fovea.matmul(zeros([2, 3]), zeros([2, 3])),
      ShapeError,
      /2×3 times 2×3: rows of 3 meet columns of 2/,
    ],
    ["matmul", () => fovea.matmul(zeros([3]), zeros([3, 2])), ShapeError, /got 3 and 3×2/],
    ["linear", () => fovea.linear(zeros([2, 3]), zeros([5, 4])), ShapeError, /2×3.*5×4 expects 4/],
    ["add", () => fovea.add(zeros([2, 3]), zeros([2, 4])), ShapeError, /2×3 and 2×4 do not broadcast/],
    ["softmax", () => fovea.softmax(x, 3), ShapeError, /axis 3/],
    ["layerNorm", () => fovea.layerNorm(x, [3]), ShapeError, /2×3×4/],
    ["groupNorm", () => fovea.groupNorm(x, 2), ArgumentError, /2/],
    ["localResponseNorm", () => fovea.localResponseNorm(x, 0), ArgumentError, /0/],
    ["upsample", () => fovea.upsample(x, { size: 0 }), ArgumentError, /0/],
    ["upsample", () => fovea.upsample(zeros([2, 3]), { scale: 2 }), ShapeError, /2×3/],
    ["bedOfNails", () => fovea.bedOfNails(x, 0), ArgumentError, /0/],
    ["pixelShuffle", () => fovea.pixelShuffle(zeros([1, 3, 2, 2]), 2), ShapeError, /1×3×2×2/],
    ["pixelUnshuffle", () => fovea.pixelUnshuffle(zeros([1, 3, 3, 2]), 2), ShapeError, /1×3×3×2/],
    ["dropout", () => fovea.dropout(x, -0.1), ArgumentError, /-0.1/],
    ["hardtanh", () => fovea.hardtanh(x, 2, 1), ArgumentError, /2 and 1/],
    ["softplus", () => fovea.softplus(x, 0), ArgumentError, /beta is 0/],
    ["rot90", () => fovea.rot90(x, 0.5), ArgumentError, /0.5/],
    ["roll", () => fovea.roll(x, 0.5), ArgumentError, /0.5/],
    ["repeat", () => fovea.repeat(x, [2]), ArgumentError, /\[2\]/],
    ["cumsum", () => fovea.cumsum(x, 3), ShapeError, /axis 3/],
    ["uniform", () => fovea.uniform([2], 1, 0), ArgumentError, /1 and 0/],
    ["normal", () => fovea.normal([2], 0, -1), ArgumentError, /deviation is -1/],
    ["crossEntropy", () => fovea.crossEntropy(zeros([2, 3]), zeros([2, 4])), ShapeError, /2×3.*2×4/],
    ["mseLoss", () => fovea.mseLoss(zeros([2]), zeros([3])), ShapeError, /2.*3/],
    ["klDivLoss", () => fovea.klDivLoss(zeros([2]), zeros([3])), ShapeError, /2.*3/],
    ["diceLoss", () => fovea.diceLoss(x, x, { smooth: -1 }), ArgumentError, /smooth is -1/],
  ];
  for (const [name, call, error, says] of cases) refuses(name, [{ what: String(says), call, error, says }]);
});
