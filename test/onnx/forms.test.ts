/** Forms of ops that ONNX Runtime has no more, or never had, computed by hand. */

import assert from "node:assert/strict";
import { it } from "node:test";
import type { ElementType } from "../../src/interop/onnx/elementTypes.js";
import type { HostArray } from "../../src/interop/onnx/tensorProto.js";
import { load } from "../../src/onnx.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { tensorOf } from "../support/onnxCases.js";
import { type AttributeValue, array, floats, modelOf, scalar } from "../support/onnxModels.js";

useDevice(anyDevice());

/** What a single node gives for its inputs. */
async function compute(
  op: string,
  opset: number,
  inputs: readonly HostArray[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  type: ElementType = inputs[0].type,
): Promise<unknown> {
  const onnx = await load(modelOf({ op, opset, inputs, attributes, outputs: [type] }));
  const given = inputs.map((input, i) => [`x${i}`, tensorOf(input)] as const);
  return (await onnx.run(Object.fromEntries(given))).y0.array();
}

const matrix = (rows: number, columns: number, ...values: number[]) => array("float32", [rows, columns], values);

it("arithmetic before opset 7 says where the second operand's axes are", async () => {
  const x = matrix(2, 3, 1, 2, 3, 4, 5, 6);
  assert.deepEqual(await compute("Add", 6, [x, floats(10, 20)], { broadcast: 1, axis: 0 }), [
    [11, 12, 13],
    [24, 25, 26],
  ]);
  assert.deepEqual(await compute("Mul", 1, [x, floats(1, 0, 2)], { broadcast: 1 }), [
    [1, 0, 6],
    [4, 0, 12],
  ]);
  const flags = array("bool", [2, 2], [1, 1, 0, 1]);
  assert.deepEqual(await compute("And", 1, [flags, array("bool", [2], [1, 0])], { broadcast: 1, axis: 0 }), [
    [1, 1],
    [0, 0],
  ]);
});

it("the first opset's forms", async () => {
  const x = matrix(2, 2, 1, 2, 3, 4);
  assert.deepEqual(await compute("Concat", 1, [x, x]), [
    [1, 2, 1, 2],
    [3, 4, 3, 4],
  ]);
  assert.deepEqual(await compute("Pad", 1, [x], { paddings: [0, 1, 0, 0], value: 9 }), [
    [9, 1, 2],
    [9, 3, 4],
  ]);
  assert.deepEqual(await compute("Cast", 1, [floats(1.7, -2.2)], { to: "INT32" }, "int32"), [1, -2]);
  assert.deepEqual(await compute("Tile", 1, [floats(1, 2), scalar("int64", 2), scalar("int64", 0)]), [1, 2, 1, 2]);
  const picture = array("float32", [1, 1, 1, 2], [1, 2]);
  const enlarged = { height_scale: 2, width_scale: 2, mode: "nearest" };
  assert.deepEqual(await compute("Upsample", 1, [picture], enlarged), [
    [
      [
        [1, 1, 2, 2],
        [1, 1, 2, 2],
      ],
    ],
  ]);
  assert.deepEqual(await compute("AveragePool", 1, [picture], { kernel_shape: [1, 2], pads: [0, 1, 0, 0] }), [
    [[[1, 1.5]]],
  ]);
  assert.deepEqual(await compute("Dropout", 1, [floats(1, 2)], { is_test: 1 }), [1, 2]);
});

it("batch normalization of each place by itself", async () => {
  const x = array("float32", [1, 1, 2], [3, 8]);
  const [one, shift, mean, variance] = [
    [1, 1],
    [0, 1],
    [1, 2],
    [4, 9],
  ].map((values) => array("float32", [1, 2], values));
  const settings = { spatial: 0, epsilon: 0 };
  assert.deepEqual(await compute("BatchNormalization", 7, [x, one, shift, mean, variance], settings), [[[1, 3]]]);
});

it("response normalization over an even number of channels reaches further behind than before", async () => {
  const x = array("float32", [1, 3, 1], [1, 2, 3]);
  const [[[a], [b], [c]]] = (await compute("LRN", 13, [x], { size: 2, alpha: 2, beta: 1, bias: 1 })) as number[][][];
  for (const [found, wanted] of [
    [a, 1 / (1 + 1 + 4)],
    [b, 2 / (1 + 4 + 9)],
    [c, 3 / (1 + 9)],
  ])
    assert.ok(Math.abs(found - wanted) < 1e-6, `${found} is not ${wanted}`);
});

it("sums of products whose unnamed axes broadcast", async () => {
  const ones = (...shape: number[]) => array("float32", shape, Array(shape.reduce((a, b) => a * b)).fill(1));
  const onnx = await load(
    modelOf({
      op: "Einsum",
      opset: 12,
      inputs: [ones(2, 1, 3, 4), ones(5, 4, 2)],
      attributes: { equation: "...ij,...jk->...ik" },
      outputs: ["float32"],
    }),
  );
  const { y0 } = await onnx.run({ x0: tensorOf(ones(2, 1, 3, 4)), x1: tensorOf(ones(5, 4, 2)) });
  assert.deepEqual(y0.shape, [2, 5, 3, 2]);
  assert.ok((await y0.data()).every((value) => value === 4));
});
