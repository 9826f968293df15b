/** Picking, writing, ordering, sampling, detection, quantization, recurrence. */

import { array, floats, int64s, scalar } from "../../support/onnxModels.js";
import { call, constant, f, i, type OnnxCase } from "./case.js";

const at = (shape: readonly number[], ...values: number[]) => constant(array("int64", shape, values));

function* picking(): Generator<OnnxCase> {
  const x = f([3, 4, 5]);
  yield call("Gather", 11, [x, at([2, 2], 0, -1, 2, 1)], { axis: 1 });
  yield call("Gather", 13, [x, at([], -2)], { axis: -1 });
  yield call("Gather", 1, [i("int64", [6]), at([3], 5, 0, 0)]);
  yield call("Gather", 13, [x, i("int64", [4], -3, 2)]);
  yield call("GatherElements", 13, [f([3, 3]), at([2, 3], 1, 2, 0, -1, 0, 0)]);
  yield call("GatherElements", 11, [f([3, 4]), i("int64", [3, 2], 0, 3)], { axis: 1 });
  yield call("GatherND", 12, [x, at([2, 2], 0, 1, -1, 3)]);
  yield call("GatherND", 13, [x, at([3, 1, 1], 0, 3, -1)], { batch_dims: 1 });
  yield call("GatherND", 11, [x, at([2, 3], 0, 1, 2, 2, 3, 4)]);
  for (const reduction of ["none", "add", "mul", "max", "min"]) {
    const settings: Record<string, string> = reduction === "none" ? {} : { reduction };
    const twice = reduction === "none" ? 2 : 1;
    yield call("ScatterElements", 18, [f([4, 3]), at([2, 3], 1, 0, 2, 3, twice, -1), f([2, 3])], settings);
    yield call("ScatterElements", 18, [i("int32", [4, 3]), at([4, 1], 0, 2, 1, -1), i("int32", [4, 1])], {
      axis: 1,
      ...settings,
    });
    yield call("ScatterND", 18, [f([4, 3]), at([2, 1], 2, reduction === "none" ? 0 : 2), f([2, 3])], settings);
    yield call("ScatterND", 18, [f([4, 3]), at([3, 2], 0, 1, 3, 2, -1, 0), f([3])], settings);
  }
  yield call("ScatterElements", 11, [f([4, 3]), i("int64", [1, 3], 0, 3), f([1, 3])]);
  const both = ["float32", "int64"] as const;
  for (const largest of [0, 1]) {
    yield call("TopK", 11, [f([3, 7]), constant(int64s(3))], { largest }, { outputs: both });
    yield call(
      "TopK",
      11,
      [i("int32", [12, 2], 0, 4), constant(int64s(10))],
      { largest, axis: 0 },
      { outputs: ["int32", "int64"] },
    );
  }
  yield call("TopK", 1, [f([3, 7])], { k: 2 }, { outputs: both });
  yield call("NonZero", 13, [i("int32", [3, 4], 0, 1)], {}, { outputs: ["int64"] });
  yield call("Compress", 11, [f([3, 4]), array("bool", [3], [1, 0, 1])], { axis: 0 });
  yield call("Compress", 11, [f([3, 4]), array("bool", [5], [1, 0, 1, 0, 1])]);
  const four = ["int64", "int64", "int64", "int64"] as const;
  for (const sorted of [0, 1]) yield call("Unique", 11, [i("int64", [12], 0, 5)], { sorted }, { outputs: four });
  yield call("Unique", 11, [i("int64", [6, 2], 0, 1)], { axis: 0 }, { outputs: four });
}

function* sampling(): Generator<OnnxCase> {
  const x = f([2, 2, 4, 5]);
  for (const padding_mode of ["zeros", "border", "reflection"])
    for (const mode of ["nearest", "linear", "cubic"])
      for (const align_corners of [0, 1])
        yield call(
          "GridSample",
          20,
          [x, f([2, 3, 2, 2], -1.4, 1.4)],
          { mode, padding_mode, align_corners },
          { tolerance: 1e-4 },
        );
  yield call("GridSample", 16, [x, f([2, 3, 2, 2])], { mode: "bilinear" });
  yield call("GridSample", 20, [f([1, 2, 3, 4, 3]), f([1, 2, 2, 2, 3], -1.2, 1.2)], { mode: "linear" });
  for (const align_corners of [0, 1]) {
    yield call("AffineGrid", 20, [f([2, 2, 3]), constant(int64s(2, 3, 4, 5))], { align_corners });
    yield call("AffineGrid", 20, [f([1, 3, 4]), constant(int64s(1, 1, 2, 3, 2))], { align_corners });
  }
  yield call("Col2Im", 18, [f([1, 8, 9]), constant(int64s(4, 4)), constant(int64s(2, 2))]);
  yield call("Col2Im", 18, [f([1, 4, 8]), constant(int64s(5, 5)), constant(int64s(2, 2))], {
    strides: [2, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
  });
  const boxes = constant(array("float32", [2, 4], [0.5, 1, 6.2, 5.1, -1, 0, 3.4, 7.7]));
  for (const mode of ["avg", "max"])
    for (const sampling_ratio of [0, 2])
      yield call("RoiAlign", 16, [f([2, 2, 8, 8]), boxes, at([2], 0, 1)], {
        mode,
        sampling_ratio,
        output_height: 3,
        output_width: 2,
        spatial_scale: 0.9,
      });
  yield call("RoiAlign", 10, [f([2, 2, 8, 8]), boxes, at([2], 1, 0)], {
    output_height: 2,
    output_width: 2,
    sampling_ratio: 1,
  });
  const corners = array(
    "float32",
    [1, 5, 4],
    [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 1, 101, 0, 100],
  );
  const scores = array("float32", [1, 2, 5], [0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.3, 0.8, 0.1, 0.4]);
  const limits = [constant(int64s(3)), constant(floats(0.5)), constant(floats(0.2))];
  for (const center_point_box of [0, 1])
    yield call("NonMaxSuppression", 11, [corners, scores, ...limits], { center_point_box }, { outputs: ["int64"] });
  const pooled = constant(array("float32", [3, 5], [0, 1, 1, 6, 5, 1, 0, 2, 7, 7, 0, 5, 5, 4, 4]));
  yield call("MaxRoiPool", 1, [f([2, 2, 8, 8]), pooled], { pooled_shape: [2, 3], spatial_scale: 0.9 });
  yield call("DeformConv", 19, [f([1, 4, 5, 5]), f([3, 4, 2, 2]), f([1, 16, 4, 4]), f([3])], { offset_group: 2 });
}

function* quantization(): Generator<OnnxCase> {
  const scale = constant(scalar("float32", 0.05));
  const zero = (type: "uint8" | "int8", value: number) => constant(scalar(type, value));
  yield call("QuantizeLinear", 10, [f([3, 4], -9, 9), scale, zero("uint8", 128)], {}, { outputs: ["uint8"] });
  yield call("QuantizeLinear", 13, [f([3, 4], -9, 9), scale, zero("int8", 3)], {}, { outputs: ["int8"] });
  const rows = [constant(floats(0.1, 0.2, 0.3)), constant(array("uint8", [3], [1, 100, 255]))];
  yield call("QuantizeLinear", 13, [f([3, 4], -9, 9), ...rows], { axis: 0 }, { outputs: ["uint8"] });
  yield call(
    "DequantizeLinear",
    10,
    [i("uint8", [3, 4], 0, 255), scale, zero("uint8", 128)],
    {},
    { outputs: ["float32"] },
  );
  yield call("DequantizeLinear", 13, [i("uint8", [3, 4], 0, 255), ...rows], { axis: 0 }, { outputs: ["float32"] });
  yield call("DequantizeLinear", 13, [i("int32", [4], -999, 999), scale], {}, { outputs: ["float32"] });
  yield call("DynamicQuantizeLinear", 11, [f([3, 4], -3, 7)], {}, { outputs: ["uint8", "float32", "uint8"] });
  const x = i("uint8", [1, 3, 5, 5], 0, 255);
  const w = constant(
    array(
      "uint8",
      [4, 3, 2, 2],
      Array.from({ length: 48 }, (_, n) => (n * 37) % 256),
    ),
  );
  yield call(
    "ConvInteger",
    10,
    [x, w, zero("uint8", 120), zero("uint8", 99)],
    { pads: [1, 1, 1, 1] },
    { outputs: ["int32"] },
  );
  yield call(
    "MatMulInteger",
    10,
    [i("uint8", [3, 70], 0, 255), i("uint8", [70, 4], 0, 255), zero("uint8", 12)],
    {},
    { outputs: ["int32"] },
  );
  yield call(
    "QLinearConv",
    10,
    [
      x,
      scale,
      zero("uint8", 120),
      w,
      constant(scalar("float32", 0.02)),
      zero("uint8", 99),
      constant(scalar("float32", 0.9)),
      zero("uint8", 60),
    ],
    { strides: [2, 2] },
    { outputs: ["uint8"] },
  );
  yield call(
    "QLinearMatMul",
    10,
    [
      i("uint8", [3, 8], 0, 255),
      scale,
      zero("uint8", 120),
      i("uint8", [8, 4], 0, 255),
      scale,
      zero("uint8", 99),
      constant(scalar("float32", 0.9)),
      zero("uint8", 60),
    ],
    {},
    { outputs: ["uint8"] },
  );
}

function* recurrence(): Generator<OnnxCase> {
  const gates = { RNN: 1, GRU: 3, LSTM: 4 } as const;
  for (const [op, count] of Object.entries(gates)) {
    for (const direction of ["forward", "reverse", "bidirectional"]) {
      const both = direction === "bidirectional" ? 2 : 1;
      const inputs = [f([4, 2, 3]), f([both, count * 5, 3]), f([both, count * 5, 5]), f([both, 2 * count * 5])];
      const outputs = ["float32", "float32", ...(op === "LSTM" ? (["float32"] as const) : [])] as const;
      yield call(op, 14, inputs, { direction, hidden_size: 5 }, { outputs });
      const lengths = constant(array("int32", [2], [4, 2]));
      yield call(op, 7, [...inputs, lengths, f([both, 2, 5])], { direction, hidden_size: 5, clip: 1.5 }, { outputs });
    }
  }
  const gru = [f([3, 2, 4]), f([1, 9, 4]), f([1, 9, 3]), f([1, 18])];
  yield call("GRU", 14, gru, { hidden_size: 3, linear_before_reset: 1 });
  const lstm = [
    f([3, 2, 4]),
    f([1, 12, 4]),
    f([1, 12, 3]),
    f([1, 24]),
    undefined,
    f([1, 2, 3]),
    f([1, 2, 3]),
    f([1, 9]),
  ];
  yield call("LSTM", 14, lstm, { hidden_size: 3, activations: ["HardSigmoid", "Relu", "Softsign"] });
  yield call("LSTM", 14, lstm.slice(0, 4), { hidden_size: 3, input_forget: 1 });
}

export const indexCases: readonly OnnxCase[] = [...picking(), ...sampling(), ...quantization(), ...recurrence()];
