/** Normalization, reductions, products, losses. */

import { array, int64s, scalar } from "../../support/onnxModels.js";
import { call, constant, f, i, type OnnxCase } from "./case.js";

function* normalization(): Generator<OnnxCase> {
  const statistics = (channels: number) => [f([channels]), f([channels]), f([channels]), f([channels], 0.5, 2)];
  for (const rank of [2, 3, 4, 5])
    yield call("BatchNormalization", 9, [f([2, 3, 4, 3, 2].slice(0, rank)), ...statistics(3)]);
  yield call("BatchNormalization", 7, [f([2, 3, 4, 4]), ...statistics(3)], { epsilon: 0.01 });
  yield call("BatchNormalization", 15, [f([2, 3, 4, 4]), ...statistics(3)]);
  const trained = ["float32", "float32", "float32"] as const;
  yield call(
    "BatchNormalization",
    14,
    [f([4, 3, 5]), ...statistics(3)],
    { training_mode: 1, momentum: 0.8 },
    { outputs: trained },
  );
  yield call("InstanceNormalization", 6, [f([2, 3, 4, 5]), f([3]), f([3])], { epsilon: 0.001 });
  yield call("InstanceNormalization", 6, [f([2, 3, 7]), f([3]), f([3])]);
  for (const axis of [-1, 1]) {
    const last = axis === 1 ? [4, 5] : [5];
    yield call("LayerNormalization", 17, [f([3, 4, 5]), f(last), f(last)], { axis });
    yield call("LayerNormalization", 17, [f([3, 4, 5]), f(last)], { axis, epsilon: 0.1 }, { outputs: trained });
  }
  yield call("GroupNormalization", 21, [f([2, 6, 3, 2]), f([6]), f([6])], { num_groups: 3 });
  yield call("RMSNormalization", 23, [f([3, 4, 5]), f([5])]);
  yield call("LRN", 13, [f([2, 6, 3, 3])], { size: 3, alpha: 0.3, beta: 0.6, bias: 1.5 });
  yield call("LpNormalization", 1, [f([3, 4])], { axis: 0, p: 1 });
  yield call("LpNormalization", 1, [f([3, 4])], { p: 2 });
  yield call("MeanVarianceNormalization", 13, [f([2, 3, 4, 2])]);
  yield call("MeanVarianceNormalization", 9, [f([2, 3, 4, 2])], { axes: [2, 3] });
  yield call("Dropout", 7, [f([3, 4])]);
  yield call("Dropout", 13, [f([3, 4]), constant(scalar("float32", 0.3))], {}, { outputs: ["float32", "bool"] });
}

const reductions = ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"];

function* reducing(): Generator<OnnxCase> {
  for (const name of reductions) {
    const op = `Reduce${name}`;
    const x = name === "LogSum" ? f([2, 3, 4], 0.1, 3) : f([2, 3, 4]);
    yield call(op, 11, [x], { axes: [1] });
    yield call(op, 11, [x], { axes: [0, -1], keepdims: 0 });
    yield call(op, 1, [x], {});
    yield call(op, 18, [x, constant(int64s(0, 2))], {});
    yield call(op, 18, [x, constant(int64s(-2))], { keepdims: 0 });
    yield call(op, 18, [x, constant(int64s())], { noop_with_empty_axes: 1 });
  }
  for (const name of ["Sum", "Mean", "Max", "Min", "Prod"])
    yield call(`Reduce${name}`, 13, [i("int32", [3, 4])], name === "Sum" ? {} : { axes: [1] });
  yield call("ReduceMax", 20, [i("bool", [3, 4], 0, 1), constant(int64s(1))]);
  yield call("ReduceMin", 18, [i("uint8", [3, 4], 0, 255), constant(int64s(1))]);
  for (const op of ["ArgMax", "ArgMin"]) {
    for (const select_last_index of [0, 1]) {
      const outputs = ["int64"] as const;
      yield call(op, 13, [i("int32", [4, 5], 0, 2)], { axis: 1, select_last_index }, { outputs });
      yield call(op, 12, [f([2, 3, 4])], { axis: -2, keepdims: 0, select_last_index }, { outputs });
    }
  }
  for (const exclusive of [0, 1]) {
    for (const reverse of [0, 1]) {
      yield call("CumSum", 14, [f([3, 5]), constant(scalar("int32", 1))], { exclusive, reverse });
      yield call("CumSum", 11, [i("int64", [4, 2]), constant(scalar("int64", -2))], { exclusive, reverse });
    }
  }
}

function* products(): Generator<OnnxCase> {
  for (const [a, b] of [
    [
      [3, 4],
      [4, 5],
    ],
    [[4], [4, 5]],
    [[3, 4], [4]],
    [[4], [4]],
    [
      [2, 3, 4],
      [4, 2],
    ],
    [
      [2, 1, 3, 4],
      [5, 4, 2],
    ],
    [[4], [2, 4, 3]],
  ])
    yield call("MatMul", 13, [f(a), f(b)]);
  for (const transA of [0, 1]) {
    for (const transB of [0, 1]) {
      const [a, b] = [f(transA === 0 ? [3, 4] : [4, 3]), f(transB === 0 ? [4, 5] : [5, 4])];
      yield call("Gemm", 13, [a, b, f([5])], { transA, transB, alpha: 0.5, beta: 2 });
      yield call("Gemm", 9, [a, b, f([3, 1])], { transA, transB });
      yield call("Gemm", 11, [a, b], { transA, transB });
    }
  }
  yield call("Det", 11, [f([2, 4, 4])]);
  const sums: Readonly<Record<string, readonly (readonly number[])[]>> = {
    "ij,jk->ik": [
      [2, 3],
      [3, 4],
    ],
    "bij,bjk->bik": [
      [2, 3, 4],
      [2, 4, 2],
    ],
    "ij->ji": [[2, 3]],
    "ii->i": [[3, 3]],
    "ij->": [[2, 3]],
    "i,j->ij": [[2], [3]],
    "ij,ij": [
      [2, 3],
      [2, 3],
    ],
    "bhid,bhjd->bhij": [
      [1, 2, 3, 4],
      [1, 2, 5, 4],
    ],
    "ij,jk,kl->il": [
      [2, 3],
      [3, 4],
      [4, 2],
    ],
    "a...b->...ba": [[2, 3, 4]],
  };
  for (const [equation, shapes] of Object.entries(sums))
    yield call(
      "Einsum",
      12,
      shapes.map((each) => f(each)),
      { equation },
    );
}

function* losses(): Generator<OnnxCase> {
  const labels = constant(array("int64", [3, 2], [0, 3, 1, 2, 4, 3]));
  for (const reduction of ["none", "sum", "mean"]) {
    for (const op of ["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"]) {
      yield call(op, 13, [f([3, 5, 2]), labels], { reduction });
      yield call(op, 13, [f([3, 5, 2]), labels, f([5], 0.2, 2)], { reduction, ignore_index: 3 });
    }
  }
  const both = ["float32", "float32"] as const;
  yield call("SoftmaxCrossEntropyLoss", 12, [f([3, 5, 2]), labels], {}, { outputs: both });
}

export const numberCases: readonly OnnxCase[] = [...normalization(), ...reducing(), ...products(), ...losses()];
