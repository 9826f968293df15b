/** Models that cannot be run, and what is said of them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FoveaError } from "../../src/core/errors.js";
import { tensor } from "../../src/index.js";
import { AttributeProto, attributeTypes, dataTypes, type GraphProto, NodeProto } from "../../src/interop/onnx/proto.js";
import { load } from "../../src/onnx.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { int64s, model, node, tensorProto, valueInfo } from "../support/onnxModels.js";

useDevice(anyDevice());

const fails = (pattern: RegExp) => (error: unknown) => error instanceof FoveaError && pattern.test(error.message);

describe("what is not there", () => {
  it("is told when a model is loaded, all of it at once, with node, op and opset", async () => {
    const strange = NodeProto.create({ name: "n1", opType: "Frobnicate", input: ["x"], output: ["a"] });
    const foreign = NodeProto.create({
      name: "n2",
      opType: "Gelu",
      domain: "com.example",
      input: ["a"],
      output: ["b"],
    });
    const early = NodeProto.create({ name: "n3", opType: "Gelu", input: ["b"], output: ["c"] });
    const setting = AttributeProto.create({ name: "sharpness", type: attributeTypes.float, f: 2 });
    const relu = NodeProto.create({ name: "n4", opType: "Relu", input: ["c"], output: ["d"], attribute: [setting] });
    const cast = node("Cast", 13, ["d"], ["y"], { to: dataTypes.string });
    const graph = {
      node: [strange, foreign, early, relu, cast],
      input: [valueInfo("x", "float32")],
      output: [valueInfo("y", "float32")],
    };
    await assert.rejects(load(model(graph, 13), { name: "m.onnx" }), (error) => {
      assert.ok(error instanceof FoveaError);
      assert.equal(error.code, "FOVEA_UNSUPPORTED");
      assert.match(error.message, /^m\.onnx: Fovea cannot run this model: /);
      assert.match(error.message, /node "n1" \(Frobnicate, opset 13\): there is no such op/);
      assert.match(error.message, /node "n2" \(Gelu, opset 0\): there are no ops of the domain "com\.example"/);
      assert.match(error.message, /node "n3" \(Gelu, opset 13\): the op is not there in this opset/);
      assert.match(error.message, /node "n4" \(Relu, opset 13\): attribute "sharpness"/);
      assert.match(error.message, /node "the Cast" \(Cast, opset 13\): conversion to string/);
      return true;
    });
    const simple = {
      node: [node("Relu", 13, ["x"], ["y"])],
      input: [valueInfo("x", "float32")],
      output: [valueInfo("y", "float32")],
    };
    await assert.rejects(
      load(model(simple, 99)),
      fails(/node "the Relu" \(Relu, opset 99\): opsets are known up to \d+/),
    );
  });

  it("is told of graphs that make no sense", async () => {
    const relu = (input: string, output: string) => node("Relu", 13, [input], [output]);
    const input = [valueInfo("x", "float32")];
    const output = [valueInfo("y", "float32")];
    const wrong = (graph: Partial<GraphProto>, pattern: RegExp) =>
      assert.rejects(load(model(graph, 13)), fails(pattern));
    await wrong({ node: [relu("z", "y")], input, output }, /takes "z", which nothing before it makes/);
    await wrong({ node: [relu("y", "z"), relu("x", "y")], input, output }, /takes "y", which nothing before it makes/);
    await wrong({ node: [relu("x", "z")], input, output }, /nothing makes the output "y"/);
    await wrong({ node: [relu("x", "y"), relu("x", "y")], input, output }, /two of the value "y"/);
    await wrong(
      {
        node: [node("Flatten", 13, ["x"], ["y"], { axis: 1 })].map((each) => ({
          ...each,
          attribute: [...each.attribute, ...each.attribute],
        })),
        input,
        output,
      },
      /attribute "axis" is there twice/,
    );
    await assert.rejects(load(new Uint8Array()), fails(/it has no graph/));
    await assert.rejects(load("/nowhere/model.onnx"), fails(/cannot read \/nowhere\/model\.onnx/));
  });

  it("in a call names the node", async () => {
    const graph = {
      node: [node("Reshape", 13, ["x", "s"], ["y"])],
      input: [valueInfo("x", "float32")],
      initializer: [tensorProto("s", int64s(5, -1))],
      output: [valueInfo("y", "float32")],
    };
    const onnx = await load(model(graph, 13));
    await assert.rejects(onnx.run({ x: tensor([1, 2, 3]) }), fails(/the Reshape: reshape: no length in place of -1/));
  });
});
