/** Imported models: their inputs and outputs, and the values in their files. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FoveaError } from "../../src/core/errors.js";
import { type DType, type Shape, type Tensor, tensor } from "../../src/index.js";
import { dataTypes, TensorProto } from "../../src/interop/onnx/proto.js";
import type { HostArray } from "../../src/interop/onnx/tensorProto.js";
import { load, type OnnxModel } from "../../src/onnx.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { floats, int64s, model, modelOf, node, tensorProto, valueInfo } from "../support/onnxModels.js";

useDevice(anyDevice());

const fails = (pattern: RegExp) => (error: unknown) => error instanceof FoveaError && pattern.test(error.message);

const ints = (...values: number[]) => tensor(Int32Array.from(values));

/** What a model's only output holds. */
async function values(onnx: OnnxModel, inputs: Record<string, Tensor<Shape, DType>>): Promise<number[]> {
  const outputs = await onnx.run(inputs);
  return [...(await outputs[onnx.outputs[0].name].data())];
}

describe("inputs and outputs", () => {
  const bytes = model(
    {
      node: [
        node("Add", 13, ["x", "y"], ["sum"]),
        node("Shape", 13, ["sum"], ["shape"]),
        node("Cast", 13, ["flags"], ["numbers"], { to: dataTypes.int64 }),
      ],
      input: [
        valueInfo("x", "float32", ["batch", 2]),
        valueInfo("y", "float32", ["batch", 1]),
        valueInfo("flags", "bool", [3]),
      ],
      output: [
        valueInfo("sum", "float32", ["batch", 2]),
        valueInfo("shape", "int64", [2]),
        valueInfo("numbers", "int64", [3]),
      ],
    },
    13,
  );
  const x = tensor([[1, 2]]);
  const y = tensor([[10]]);
  const flags = tensor([true, false, true]);

  it("are described as in the file", async () => {
    const onnx = await load(bytes);
    assert.deepEqual(onnx.inputs, [
      { name: "x", shape: ["batch", 2], dtype: "float32" },
      { name: "y", shape: ["batch", 1], dtype: "float32" },
      { name: "flags", shape: [3], dtype: "bool" },
    ]);
    assert.deepEqual(
      onnx.outputs.map(({ name, dtype }) => [name, dtype]),
      [
        ["sum", "float32"],
        ["shape", "int64"],
        ["numbers", "int64"],
      ],
    );
    assert.equal(
      String(onnx),
      "OnnxModel(x: batch×2 float32, y: batch×1 float32, flags: 3 bool → sum: batch×2 float32, shape: 2 int64, numbers: 3 int64)",
    );
  });

  it("are computed for each number of samples", async () => {
    const onnx = await load(bytes);
    for (const rows of [1, 3, 0, 3]) {
      const outputs = await onnx.run({
        x: tensor(new Float32Array(2 * rows).fill(3), [rows, 2]),
        y: tensor(new Float32Array(rows), [rows, 1]),
        flags,
      });
      assert.deepEqual(await outputs.sum.array(), Array(rows).fill([3, 3]));
      assert.deepEqual(await outputs.shape.array(), [rows, 2]);
      assert.deepEqual(await outputs.numbers.array(), [1, 0, 1]);
      assert.equal(outputs.shape.dtype, "int32");
    }
  });

  it("that do not fit are refused with what was expected", async () => {
    const onnx = await load(bytes);
    await assert.rejects(
      onnx.run({ x, z: y }),
      fails(/inputs "y", "flags" missing and "z" unknown. Expected "x", "y", "flags"/),
    );
    await assert.rejects(onnx.run({ x: tensor([1, 2]), y, flags }), fails(/input "x" is 2. Expected batch×2/));
    await assert.rejects(
      onnx.run({ x, y: tensor([[1], [2]]), flags }),
      fails(/"batch" is 1 in the input "x" but 2 in "y"/),
    );
    await assert.rejects(
      onnx.run({ x: ints(1, 2).reshape([1, 2]), y, flags }),
      fails(/"x" is int32. Expected float32. Fix: \.to\("float32"\)/),
    );
    await assert.rejects(
      onnx.run({ x, y, flags: tensor([1, 0, 2], { dtype: "int32" }) }),
      fails(/"flags" holds 2. Expected bool: 0 to 1/),
    );
    const { numbers } = await onnx.run({ x, y, flags: ints(1, 0, 1) });
    assert.deepEqual(await numbers.array(), [1, 0, 1]);
  });

  it("that have defaults may be left out", async () => {
    const onnx = await load(
      model(
        {
          node: [node("Mul", 13, ["x", "factor"], ["y"])],
          input: [valueInfo("x", "float32", [2]), valueInfo("factor", "float32", [1])],
          initializer: [tensorProto("factor", floats(3))],
          output: [valueInfo("y", "float32")],
        },
        13,
      ),
    );
    assert.deepEqual(
      onnx.inputs.map(({ name }) => name),
      ["x"],
    );
    assert.deepEqual(await values(onnx, { x: tensor([1, 2]) }), [3, 6]);
    assert.deepEqual(await values(onnx, { x: tensor([1, 2]), factor: tensor([10]) }), [10, 20]);
  });
});

describe("integers of 64 bits", () => {
  const one = (op: string, constant: bigint[], other: readonly bigint[] = []) =>
    model(
      {
        node: [node(op, 13, op === "Slice" ? ["x", "start", "k"] : ["x", "k"], ["y"])],
        input: [valueInfo("x", "int64", ["n"])],
        initializer: [
          tensorProto("k", { type: "int64", shape: [constant.length], data: BigInt64Array.from(constant) }),
          tensorProto("start", { type: "int64", shape: [other.length], data: BigInt64Array.from(other) }),
        ],
        output: [valueInfo("y", "int64")],
      },
      13,
    );

  it("are computed in int32, and come out exactly", async () => {
    assert.deepEqual(await values(await load(one("Mul", [-3n])), { x: ints(7, 2 ** 29) }), [-21, -3 * 2 ** 29]);
    assert.deepEqual(await values(await load(one("Div", [-3n])), { x: ints(7, -7, 2147483647) }), [-2, 2, -715827882]);
  });

  it("may be as large as they are where they only say how far", async () => {
    const onnx = await load(one("Slice", [2n ** 63n - 1n], [1n]));
    assert.deepEqual(await values(onnx, { x: ints(5, 6, 7) }), [6, 7]);
  });

  it("beyond int32 are an error where they are computed with", async () => {
    const onnx = await load(one("Add", [2n ** 40n]));
    await assert.rejects(
      values(onnx, { x: ints(1) }),
      fails(/node "the Add" \(Add, opset 13\): the int64 value 1099511627776 is beyond int32.*Fix/),
    );
  });

  const [most, least] = [2 ** 31 - 1, -(2 ** 31)];
  type Grows = readonly [op: string, constant: number | undefined, large: readonly number[], small: readonly number[]];
  const grow: readonly Grows[] = [
    ["Add", 5, [1, most - 4], [1, most - 5]],
    ["Sub", 5, [1, least + 4], [1, least + 5]],
    ["Mul", 3, [1, 2 ** 30], [1, 2 ** 29]],
    ["Mul", 2 ** 20, [2 ** 30], [2 ** 10]],
    ["Pow", 3, [2, 1291], [2, -1290]],
    ["Neg", undefined, [least], [most]],
    ["Abs", undefined, [least], [-most]],
    ["CumSum", 0, [most - 2, 1, 2, -5], [most - 2, 1, 1, -5]],
    ["ReduceSum", 0, [2 ** 30, 2 ** 30], [2 ** 30, 2 ** 30, -1].slice(1)],
    ["ReduceProd", undefined, [2 ** 16, 2 ** 16], [2 ** 15, 2 ** 15]],
    ["ReduceMean", undefined, new Array<number>(40).fill(2 ** 26), new Array<number>(20).fill(2 ** 26)],
  ];
  it("that become larger than int32 are an error, too, which names the node", async () => {
    const results: Readonly<Record<string, number[]>> = {
      Add: [6, most],
      Sub: [-4, least],
      Pow: [8, -2146689000],
      Neg: [-most],
      Abs: [most],
      CumSum: [most - 2, most - 1, most, most - 5],
      ReduceSum: [2 ** 30 - 1],
      ReduceProd: [2 ** 30],
      ReduceMean: [2 ** 26],
    };
    for (const [op, constant, large, small] of grow) {
      const second = constant === undefined ? [] : [{ constant: int64s(constant) }];
      const build = (numbers: readonly number[]) =>
        modelOf({ op, opset: 13, inputs: [int64s(...numbers), ...second], outputs: ["int64"] });
      const onnx = await load(build(large));
      const message = new RegExp(`node "the ${op}" \\(${op}, opset 13\\): a result is beyond int32.*Fix`);
      await assert.rejects(onnx.run({ x0: ints(...large) }), fails(message), op);
      const fine = await load(build(small));
      const { y0 } = await fine.run({ x0: ints(...small) });
      const expected = results[op] ?? small.map((value) => value * (constant ?? 1));
      assert.deepEqual([...(await y0.data())], expected, op);
      // A graph that was compiled for numbers that fit notices those that do not.
      if (large.length !== small.length) continue;
      await assert.rejects(fine.run({ x0: ints(...large) }), fails(message), op);
      assert.deepEqual([...(await (await fine.run({ x0: ints(...small) })).y0.data())], expected, op);
    }
  });

  it("that come from floating point, or are unsigned, are looked at as well", async () => {
    const cast = await load(
      modelOf({
        op: "Cast",
        opset: 13,
        inputs: [{ type: "float32", shape: [2], data: new Float32Array(2) }],
        outputs: ["int64"],
        attributes: { to: dataTypes.int64 },
      }),
    );
    assert.deepEqual([...(await (await cast.run({ x0: tensor([2.9, -2e9]) })).y0.data())], [2, -2e9]);
    for (const value of [3e9, -3e9, Number.NaN, Number.NEGATIVE_INFINITY])
      await assert.rejects(cast.run({ x0: tensor([1, value]) }), fails(/node "the Cast" .* a result is beyond int32/));
    const [three, two] = [
      [3, 4],
      [2, 9],
    ].map((each): HostArray => ({ type: "uint32", shape: [2], data: Uint32Array.from(each) }));
    const unsigned = await load(modelOf({ op: "Sub", opset: 14, inputs: [three, two], outputs: ["uint32"] }));
    assert.deepEqual([...(await (await unsigned.run({ x0: ints(3, 9), x1: ints(2, 4) })).y0.data())], [1, 5]);
    await assert.rejects(unsigned.run({ x0: ints(3, 4), x1: ints(2, 9) }), fails(/a result is beyond/));
  });

  it("in shapes may be as large as they are, but not larger than can be counted", async () => {
    const graph = (factor: bigint) =>
      model(
        {
          node: [
            node("Shape", 13, ["x"], ["s"]),
            node("Mul", 13, ["s", "k"], ["large"]),
            node("Div", 13, ["large", "k"], ["again"]),
            node("Expand", 13, ["x", "again"], ["y"]),
          ],
          input: [valueInfo("x", "int64", ["n"])],
          initializer: [tensorProto("k", { type: "int64", shape: [1], data: BigInt64Array.of(factor) })],
          output: [valueInfo("y", "int64")],
        },
        13,
      );
    assert.deepEqual(await values(await load(graph(2n ** 40n)), { x: ints(5, 6) }), [5, 6]);
    await assert.rejects(
      values(await load(graph(2n ** 62n)), { x: ints(5, 6) }),
      fails(/node "the Mul" \(Mul, opset 13\): its result 9223372036854776000 is not known exactly.*Fix/),
    );
  });
});

describe("values in the file", () => {
  const identity = (initializer: TensorProto, type: Parameters<typeof valueInfo>[1]) =>
    model(
      { node: [node("Identity", 13, ["w"], ["y"])], initializer: [initializer], output: [valueInfo("y", type)] },
      13,
    );
  const packed = (bytes: readonly number[]) => [Uint8Array.from(bytes)];

  it("are read in all the ways in which they may be kept", async () => {
    const tensors: [TensorProto, Parameters<typeof valueInfo>[1], number[]][] = [
      [
        TensorProto.create({ dims: [2], dataType: dataTypes.float16, rawData: Uint8Array.of(0, 0x3c, 0, 0xc4) }),
        "float16",
        [1, -4],
      ],
      [
        TensorProto.create({ dims: [2], dataType: dataTypes.float16, int32Data: packed([0x80, 0x78, 0x80, 0x88, 3]) }),
        "float16",
        [1, -4],
      ],
      [
        TensorProto.create({ dims: [1], dataType: dataTypes.bfloat16, rawData: Uint8Array.of(0x49, 0x40) }),
        "bfloat16",
        [3.140625],
      ],
      [
        TensorProto.create({
          dims: [1],
          dataType: dataTypes.double,
          doubleData: [new Uint8Array(Float64Array.of(0.5).buffer)],
        }),
        "float64",
        [0.5],
      ],
      [
        TensorProto.create({
          dims: [2],
          dataType: dataTypes.float,
          floatData: [new Uint8Array(Float32Array.of(1.5).buffer), new Uint8Array(Float32Array.of(-2).buffer)],
        }),
        "float32",
        [1.5, -2],
      ],
      [
        TensorProto.create({ dims: [2], dataType: dataTypes.int64, int64Data: packed([5, ...Array(9).fill(255), 1]) }),
        "int64",
        [5, -1],
      ],
      [
        TensorProto.create({ dims: [2], dataType: dataTypes.uint8, int32Data: packed([7, 0xff, 1]) }),
        "uint8",
        [7, 255],
      ],
      [TensorProto.create({ dims: [2], dataType: dataTypes.bool, rawData: Uint8Array.of(0, 9) }), "bool", [0, 1]],
      [TensorProto.create({ dims: [], dataType: dataTypes.int8, rawData: Uint8Array.of(0xfe) }), "int8", [-2]],
    ];
    for (const [each, type, expected] of tensors) {
      const onnx = await load(identity(TensorProto.create({ ...each, name: "w" }), type));
      assert.deepEqual(await values(onnx, {}), expected, type);
    }
  });

  it("that do not fit are refused by name", async () => {
    const wrong = (tensor: Partial<TensorProto>, pattern: RegExp) =>
      assert.rejects(
        load(identity(TensorProto.create({ name: "w", ...tensor }), "float32"), { name: "m.onnx" }),
        fails(pattern),
      );
    await wrong(
      { dims: [3], dataType: 1, rawData: new Uint8Array(8) },
      /^m\.onnx: initializer "w" has 8 bytes of values. Expected 12, for 3 of float32.*Fix/,
    );
    await wrong({ dims: [3], dataType: 7, int64Data: packed([1, 2]) }, /has at most 2 values. Expected 3/);
    await wrong({ dims: [1], dataType: 7, int64Data: packed([1, 2]) }, /has more than 1 values. Expected 1/);
    await wrong({ dims: [-1], dataType: 1 }, /shape \[-1\]/);
    await wrong({ dims: [2 ** 40, 2 ** 40], dataType: 1 }, /shape/);
    await wrong({ dims: [1], dataType: 8, stringData: [new Uint8Array()] }, /is of type string/);
    await wrong(
      { dims: [1], dataType: 11, rawData: new Uint8Array(Float64Array.of(1e300).buffer) },
      /double 1e\+300 at index 0 is beyond float32/,
    );
  });
});
