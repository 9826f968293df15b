/** Graphs whose sizes or steps depend on values. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FoveaError } from "../../src/core/errors.js";
import { writeMessage } from "../../src/formats/protobuf.js";
import { compile, type DType, type Shape, type Tensor, tensor } from "../../src/index.js";
import {
  AttributeProto,
  attributeTypes,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  OperatorSetIdProto,
  type TensorProto,
} from "../../src/interop/onnx/proto.js";
import { load, type OnnxModel } from "../../src/onnx.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { floats, model, node, scalar, tensorProto, valueInfo } from "../support/onnxModels.js";

useDevice(anyDevice());

const fails = (pattern: RegExp) => (error: unknown) => error instanceof FoveaError && pattern.test(error.message);

/** What a model's only output holds. */
async function values(onnx: OnnxModel, inputs: Record<string, Tensor<Shape, DType>>): Promise<number[]> {
  const outputs = await onnx.run(inputs);
  return [...(await outputs[onnx.outputs[0].name].data())];
}

describe("sizes that depend on values", () => {
  const bytes = model(
    {
      node: [
        node("NonZero", 13, ["x"], ["places"]),
        node("Transpose", 13, ["places"], ["rows"]),
        node("GatherND", 13, ["x", "rows"], ["found"]),
        node("Mul", 13, ["found", "two"], ["y"]),
      ],
      input: [valueInfo("x", "float32", ["n"])],
      initializer: [tensorProto("two", floats(2))],
      output: [valueInfo("y", "float32")],
    },
    13,
  );

  it("are waited for", async () => {
    const onnx = await load(bytes);
    assert.deepEqual(await values(onnx, { x: tensor([0, 3, 0, 4]) }), [6, 8]);
    assert.deepEqual(await values(onnx, { x: tensor([1, 3, 5, 4]) }), [2, 6, 10, 8]);
    assert.deepEqual(await values(onnx, { x: tensor([0, 0]) }), []);
  });

  it("cannot be part of one program, which is told with the node", async () => {
    const onnx = await load(bytes);
    const call = compile((x: Tensor) => onnx(x));
    await assert.rejects(call(tensor([1, 0])), fails(/node "the NonZero" \(NonZero, opset 13\): .*Fix: model\.run/));
  });
});

describe("control flow", () => {
  const graph = (
    nodes: readonly NodeProto[],
    inputs: Parameters<typeof valueInfo>[],
    outputs: Parameters<typeof valueInfo>[],
    initializer: TensorProto[] = [],
  ) =>
    GraphProto.create({
      name: "body",
      node: nodes,
      input: inputs.map((each) => valueInfo(...each)),
      output: outputs.map((each) => valueInfo(...each)),
      initializer,
    });

  it("takes one branch or the other", async () => {
    const branch = (op: string) => graph([node(op, 13, ["x", "x"], ["r"])], [], [["r", "float32"]]);
    const onnx = await load(
      model(
        {
          node: [node("If", 13, ["c"], ["y"], { then_branch: branch("Add"), else_branch: branch("Mul") })],
          input: [valueInfo("c", "bool", []), valueInfo("x", "float32", ["n"])],
          output: [valueInfo("y", "float32")],
        },
        13,
      ),
    );
    assert.deepEqual(await values(onnx, { c: tensor(true), x: tensor([3, 5]) }), [6, 10]);
    assert.deepEqual(await values(onnx, { c: tensor(false), x: tensor([3, 5]) }), [9, 25]);
  });

  it("goes round as often as a condition holds, and remembers each step", async () => {
    const body = graph(
      [
        node("Add", 13, ["v", "x"], ["next"]),
        node("ReduceSum", 13, ["next"], ["total"], { keepdims: 0 }),
        node("Less", 13, ["total", "limit"], ["on"]),
        node("Identity", 13, ["next"], ["step"]),
      ],
      [
        ["i", "int64", []],
        ["c", "bool", []],
        ["v", "float32", ["n"]],
      ],
      [
        ["on", "bool"],
        ["next", "float32"],
        ["step", "float32"],
      ],
      [tensorProto("limit", scalar("float32", 10))],
    );
    const onnx = await load(
      model(
        {
          node: [node("Loop", 13, ["most", "", "zero"], ["last", "steps"], { body })],
          input: [valueInfo("x", "float32", ["n"])],
          initializer: [tensorProto("most", scalar("int64", 9)), tensorProto("zero", floats(0, 0))],
          output: [valueInfo("last", "float32"), valueInfo("steps", "float32")],
        },
        13,
      ),
    );
    const { last, steps } = await onnx.run({ x: tensor([1, 2]) });
    assert.deepEqual(await last.array(), [4, 8]);
    assert.deepEqual(await steps.array(), [
      [1, 2],
      [2, 4],
      [3, 6],
      [4, 8],
    ]);
    assert.deepEqual((await onnx.run({ x: tensor([0, 0]) })).steps.shape, [9, 2]);
  });

  it("without an end is stopped", async () => {
    const body = graph(
      [node("Identity", 13, ["c"], ["on"])],
      [
        ["i", "int64", []],
        ["c", "bool", []],
      ],
      [["on", "bool"]],
    );
    const onnx = await load(
      model(
        {
          node: [node("Loop", 13, ["", "yes"], ["nothing"], { body }), node("Relu", 13, ["x"], ["y"])].map((each) =>
            each.opType === "Loop" ? { ...each, output: [] } : each,
          ),
          input: [valueInfo("x", "float32")],
          initializer: [tensorProto("yes", scalar("bool", 1))],
          output: [valueInfo("y", "float32")],
        },
        13,
      ),
    );
    await assert.rejects(onnx.run({ x: tensor([1]) }), fails(/the loop takes more than 10000 steps/));
  });

  it("calls the model's own functions, with the call's attributes", async () => {
    const referring = {
      ...node("Elu", 13, ["a"], ["b"]),
      attribute: [AttributeProto.create({ name: "alpha", refAttrName: "steep", type: attributeTypes.float })],
    };
    const steep = FunctionProto.create({
      name: "Steep",
      domain: "own",
      input: ["a"],
      output: ["b"],
      attribute: ["steep"],
      node: [referring],
      opsetImport: [OperatorSetIdProto.create({ version: 13 })],
    });
    const call = NodeProto.create({
      opType: "Steep",
      domain: "own",
      input: ["x"],
      output: ["y"],
      attribute: [AttributeProto.create({ name: "steep", type: attributeTypes.float, f: 3 })],
    });
    const bytes = writeMessage(
      ModelProto,
      ModelProto.create({
        irVersion: 8,
        opsetImport: [
          OperatorSetIdProto.create({ version: 13 }),
          OperatorSetIdProto.create({ domain: "own", version: 1 }),
        ],
        functions: [steep],
        graph: GraphProto.create({
          node: [call],
          input: [valueInfo("x", "float32")],
          output: [valueInfo("y", "float32")],
        }),
      }),
    );
    const [y] = await values(await load(bytes), { x: tensor([-1]) });
    assert.ok(Math.abs(y - 3 * Math.expm1(-1)) < 1e-6);
  });
});
