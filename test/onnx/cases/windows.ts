/** Convolutions and pools. */

import { array } from "../../support/onnxModels.js";
import { call, constant, f, i, type OnnxCase } from "./case.js";

const axes: Readonly<Record<number, readonly number[]>> = { 1: [11], 2: [7, 6], 3: [4, 5, 4] };
const all = (axis: number, value: number) => Array.from({ length: axis }, () => value);

function* convolutions(): Generator<OnnxCase> {
  for (const rank of [1, 2, 3]) {
    const x = f([1, 4, ...axes[rank]]);
    const w = f([6, 4, ...all(rank, 3)]);
    yield call("Conv", 11, [x, w]);
    yield call("Conv", 11, [x, w, f([6])], { pads: [...all(rank, 1), ...all(rank, 2)] });
    yield call("Conv", 1, [x, w, f([6])], {
      strides: all(rank, 2),
      pads: all(2 * rank, 1),
      kernel_shape: all(rank, 3),
    });
    yield call("Conv", 22, [x, f([6, 2, ...all(rank, 2)]), f([6])], { group: 2, dilations: all(rank, 2) });
    for (const auto_pad of ["SAME_UPPER", "SAME_LOWER", "VALID"]) {
      yield call("Conv", 11, [x, f([3, 4, ...all(rank, 2)])], { auto_pad, strides: all(rank, 2) });
      yield call("Conv", 11, [x, f([3, 4, ...all(rank, 2)])], { auto_pad });
    }
    yield call("ConvTranspose", 11, [x, f([4, 2, ...all(rank, 3)]), f([2])]);
    yield call("ConvTranspose", 11, [x, f([4, 2, ...all(rank, 3)])], { strides: all(rank, 2), pads: all(2 * rank, 1) });
    yield call("ConvTranspose", 11, [x, f([4, 2, ...all(rank, 3)]), f([2])], {
      strides: all(rank, 3),
      output_padding: all(rank, 1),
    });
    yield call("ConvTranspose", 11, [x, f([4, 2, ...all(rank, 3)])], {
      strides: all(rank, 2),
      pads: all(2 * rank, 1),
      output_padding: all(rank, 1),
      dilations: all(rank, 2),
    });
    yield call("ConvTranspose", 1, [x, f([4, 3, ...all(rank, 2)]), f([6])], { group: 2, strides: all(rank, 2) });
    for (const auto_pad of ["SAME_UPPER", "SAME_LOWER"])
      yield call("ConvTranspose", 11, [x, f([4, 2, ...all(rank, 3)])], { auto_pad, strides: all(rank, 2) });
    const output_shape = axes[rank].map((length) => 2 * length + 1);
    yield call("ConvTranspose", 11, [x, f([4, 2, ...all(rank, 3)])], { output_shape, strides: all(rank, 2) });
    yield call("ConvTranspose", 11, [x, f([4, 2, ...all(rank, 3)])], {
      output_shape: axes[rank].map((length) => 2 * length),
      strides: all(rank, 2),
    });
  }
  yield call("Conv", 11, [f([1, 6, 9, 9]), f([6, 1, 3, 3]), f([6])], { group: 6, pads: [1, 1, 1, 1] });
  yield call("Conv", 11, [f([1, 2, 7, 9]), f([3, 2, 1, 5])], {
    pads: [0, 2, 0, 1],
    strides: [2, 1],
    dilations: [1, 2],
  });
}

function* pools(): Generator<OnnxCase> {
  for (const rank of [1, 2, 3]) {
    const x = f([1, 2, ...axes[rank]]);
    const kernel_shape = all(rank, 3);
    for (const op of ["MaxPool", "AveragePool"]) {
      yield call(op, op === "MaxPool" ? 1 : 7, [x], { kernel_shape });
      yield call(op, 7, [x], { kernel_shape, strides: all(rank, 2), pads: [...all(rank, 1), ...all(rank, 0)] });
      yield call(op, 11, [x], { kernel_shape: all(rank, 2), strides: all(rank, 3), ceil_mode: 1 });
      yield call(op, 11, [x], { kernel_shape, strides: all(rank, 2), ceil_mode: 1, pads: all(2 * rank, 1) });
      for (const auto_pad of ["SAME_UPPER", "SAME_LOWER", "VALID"])
        yield call(op, 11, [x], { kernel_shape, auto_pad, strides: all(rank, 2) });
    }
    yield call("MaxPool", 12, [x], { kernel_shape: all(rank, 2), dilations: all(rank, 2) });
    yield call("AveragePool", 19, [x], { kernel_shape: all(rank, 2), dilations: all(rank, 2), pads: all(2 * rank, 1) });
    yield call("AveragePool", 11, [x], { kernel_shape, pads: all(2 * rank, 1), count_include_pad: 1 });
    yield call("AveragePool", 19, [x], {
      kernel_shape,
      pads: all(2 * rank, 1),
      strides: all(rank, 2),
      count_include_pad: 1,
      ceil_mode: 1,
    });
    const outputs = ["float32", "int64"] as const;
    yield call("MaxPool", 12, [x], { kernel_shape: all(rank, 2), strides: all(rank, 2) }, { outputs });
    yield call("MaxPool", 12, [x], { kernel_shape, pads: all(2 * rank, 1), strides: all(rank, 2) }, { outputs });
    yield call("LpPool", 18, [x], { kernel_shape, p: 2, strides: all(rank, 2) });
    yield call("LpPool", 11, [x], { kernel_shape: all(rank, 2), p: 3, pads: all(2 * rank, 1) });
    yield call("LpPool", 2, [x], { kernel_shape: all(rank, 2), p: 1 });
    for (const op of ["GlobalAveragePool", "GlobalMaxPool"]) yield call(op, 1, [x]);
    yield call("GlobalLpPool", 2, [x], { p: 3 });
  }
  yield call(
    "MaxPool",
    12,
    [f([1, 2, 6, 6])],
    { kernel_shape: [2, 2], storage_order: 1 },
    { outputs: ["float32", "int64"] },
  );
  yield call("MaxPool", 12, [i("int8", [1, 2, 6, 6])], { kernel_shape: [3, 2] });
  yield call("MaxPool", 12, [i("uint8", [1, 2, 6, 6], 0, 255)], { kernel_shape: [2, 2], pads: [1, 1, 0, 0] });
  yield call("MaxPool", 11, [f([1, 1, 5, 5])], { kernel_shape: [3, 3], pads: [2, 2, 2, 2], strides: [2, 2] });
  yield call("AveragePool", 11, [f([1, 1, 5, 5])], { kernel_shape: [3, 3], pads: [2, 2, 2, 2], strides: [2, 2] });
  const indices = constant(array("int64", [1, 1, 2, 2], [5, 7, 13, 15]));
  yield call("MaxUnpool", 11, [f([1, 1, 2, 2]), indices], { kernel_shape: [2, 2], strides: [2, 2] });
}

export const windowCases: readonly OnnxCase[] = [...convolutions(), ...pools()];
