/** ONNX files that were damaged on purpose: what reading and running them may do at most. */

import { mutate } from "../../scripts/fuzz/mutate.js";
import { FoveaError } from "../../src/core/errors.js";
import { type AnyTensor, type DType, RandomStream, type Shape, zeros } from "../../src/index.js";
import { dtypeOf } from "../../src/interop/onnx/elementTypes.js";
import { GraphProto } from "../../src/interop/onnx/proto.js";
import { load } from "../../src/onnx.js";
import { array, type Bytes, floats, int64s, model, node, scalar, tensorProto, valueInfo } from "./onnxModels.js";

/** A small model with something of everything: nested graphs, all kinds of attributes, several types. */
export function seedModel(): Bytes {
  const body = GraphProto.create({
    name: "body",
    node: [node("Add", 13, ["v", "v"], ["w"]), node("Identity", 13, ["c"], ["d"])],
    input: [valueInfo("i", "int64", []), valueInfo("c", "bool", []), valueInfo("v", "float32", [2])],
    output: [valueInfo("d", "bool"), valueInfo("w", "float32")],
  });
  const weight = Array.from({ length: 18 }, (_, i) => i / 9 - 1);
  return model(
    {
      node: [
        node("Conv", 13, ["x", "weight"], ["a"], { pads: [1, 1, 1, 1], auto_pad: "NOTSET" }),
        node("Elu", 13, ["a"], ["b"], { alpha: 0.5 }),
        node("Reshape", 13, ["b", "shape"], ["r"]),
        node("ReduceMean", 13, ["r"], ["m"], { axes: [1], keepdims: 0 }),
        node("Loop", 13, ["three", "yes", "m"], ["l"], { body }),
        node("Constant", 13, [], ["k"], { value: scalar("float32", 3) }),
        node("Mul", 13, ["l", "k"], ["y"]),
      ],
      input: [valueInfo("x", "float32", ["n", 1, 3, 3])],
      output: [valueInfo("y", "float32", [2])],
      initializer: [
        tensorProto("weight", array("float32", [2, 1, 3, 3], weight)),
        tensorProto("shape", int64s(2, -1)),
        tensorProto("three", scalar("int64", 3)),
        tensorProto("yes", scalar("bool", 1)),
        tensorProto("spare", floats(1, 2)),
      ],
    },
    13,
  );
}

/** What became of damaged models. */
export interface Outcome {
  refused: number;
  ran: number;
}

/**
 * Loads mutations of a model, and runs those that can be loaded; throws for anything but an error of Fovea's own.
 */
export async function fuzzOnnx(count: number, seed: number): Promise<Outcome> {
  const random = new RandomStream(seed);
  const original = seedModel();
  const outcome: Outcome = { refused: 0, ran: 0 };
  for (let i = 0; i < count; i++) {
    const bytes = mutate(original, random, original);
    try {
      const onnx = await load(bytes);
      const inputs = onnx.inputs.map(({ name, shape = [], dtype }) => [name, blank(shape, dtypeOf(dtype))] as const);
      for (const output of Object.values(await onnx.run(Object.fromEntries(inputs)))) await output.data();
      outcome.ran++;
    } catch (error) {
      if (!(error instanceof FoveaError) || error.code === "FOVEA_INTERNAL")
        throw new Error(`mutation ${i} of seed ${seed}: ${error instanceof Error ? error.stack : error}`);
      outcome.refused++;
    }
  }
  return outcome;
}

/** Zeros of a shape; lengths that nobody would pass are 1. */
function blank(shape: readonly (number | string)[], dtype: DType): AnyTensor {
  const lengths: Shape = shape.map((length) =>
    typeof length === "number" && length >= 0 && length < 100 ? length : 1,
  );
  return zeros(lengths, { dtype });
}
