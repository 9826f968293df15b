/** Moving, joining, cutting, padding, resizing, constants. */

import { array, floats, int64s, scalar } from "../../support/onnxModels.js";
import { call, constant, f, i, type OnnxCase } from "./case.js";

const shape = (...lengths: number[]) => constant(int64s(...lengths));

function* moving(): Generator<OnnxCase> {
  const x = f([2, 3, 4]);
  for (const lengths of [[6, 4], [-1], [0, -1], [2, 0, 2, -1], [3, 8], [1, 24, 1]]) {
    yield call("Reshape", 13, [x, shape(...lengths)]);
    yield call("Reshape", 1, [x], { shape: lengths });
  }
  yield call("Reshape", 14, [f([0, 3]), shape(3, 0)], { allowzero: 1 });
  for (const axis of [0, 1, 2, 3]) yield call("Flatten", 9, [x], { axis });
  yield call("Flatten", 13, [x], { axis: -1 });
  yield call("Squeeze", 11, [f([1, 3, 1, 2])], { axes: [0, -2] });
  yield call("Squeeze", 11, [f([1, 3, 1, 2])]);
  yield call("Squeeze", 13, [f([1, 3, 1, 2]), shape(2)]);
  yield call("Unsqueeze", 11, [f([3, 2])], { axes: [0, 3] });
  yield call("Unsqueeze", 13, [f([3, 2]), shape(-1, 1)]);
  yield call("Transpose", 13, [x]);
  yield call("Transpose", 13, [i("uint8", [2, 3, 4], 0, 255)], { perm: [1, 2, 0] });
  yield call("Expand", 13, [f([3, 1]), shape(2, 1, 6)]);
  yield call("Expand", 8, [f([3, 1]), shape(3, 4)]);
  yield call("Tile", 13, [f([2, 3]), shape(2, 2)]);
  yield call("Tile", 6, [i("int64", [1, 2, 3]), shape(3, 1, 2)]);
  yield call("Concat", 13, [f([2, 3]), f([2, 1]), f([2, 2])], { axis: 1 });
  yield call("Concat", 4, [i("int64", [2]), i("int64", [3])], { axis: 0 });
  yield call("Concat", 13, [f([2, 3]), f([1, 3])], { axis: -2 });
  const three = ["float32", "float32", "float32"] as const;
  yield call("Split", 11, [f([2, 6])], { axis: 1 }, { outputs: three });
  yield call("Split", 11, [f([2, 6])], { axis: -1, split: [1, 2, 3] }, { outputs: three });
  yield call("Split", 13, [f([6, 2]), shape(2, 0, 4)], {}, { outputs: three });
  yield call("Split", 18, [f([7, 2])], { num_outputs: 3 }, { outputs: three });
  yield call("Slice", 1, [x], { starts: [0, 1], ends: [2, 9], axes: [1, 2] });
  const largest = constant(array("int64", [1], [2 ** 53]));
  yield call("Slice", 10, [x, shape(1), largest, shape(-1)]);
  yield call("Slice", 13, [x, shape(-1, 0), shape(-9, 4), shape(1, 2), shape(-1, 2)]);
  yield call("Slice", 13, [x, shape(2, 9), shape(0, -9), shape(1, 2), shape(-1, -3)]);
  yield call("Slice", 13, [x, shape(1, 2, 3), shape(1, 3, 4)]);
  yield call("DepthToSpace", 11, [f([1, 8, 2, 3])], { blocksize: 2 });
  yield call("DepthToSpace", 13, [f([1, 8, 2, 3])], { blocksize: 2, mode: "CRD" });
  yield call("SpaceToDepth", 13, [f([1, 2, 4, 6])], { blocksize: 2 });
  yield call("Shape", 13, [x], {}, { outputs: ["int64"] });
  yield call("Shape", 15, [x], { start: -2, end: 3 }, { outputs: ["int64"] });
  yield call("Size", 13, [x], {}, { outputs: ["int64"] });
  yield call("Trilu", 14, [f([2, 4, 5])], { upper: 0 });
  yield call("Trilu", 14, [f([4, 5]), constant(scalar("int64", 1))]);
  yield call("ReverseSequence", 10, [f([4, 3]), constant(int64s(1, 3, 4))]);
  yield call("ReverseSequence", 10, [f([3, 4]), constant(int64s(1, 3, 4))], { batch_axis: 0, time_axis: 1 });
  yield call("CenterCropPad", 18, [f([5, 7, 3]), shape(8, 4)], { axes: [0, 1] });
}

function* padding(): Generator<OnnxCase> {
  const x = f([2, 4, 5]);
  for (const mode of ["constant", "reflect", "edge"]) {
    yield call("Pad", 2, [x], { mode, pads: [0, 1, 2, 0, 3, 1], value: 1.5 });
    yield call("Pad", 13, [x, shape(0, 2, 0, 0, 0, 4), constant(scalar("float32", -1))], { mode });
    yield call("Pad", 18, [x, shape(1, 2), undefined, constant(int64s(-1))], { mode });
  }
  yield call("Pad", 19, [x, shape(0, 3, 1, 1, 2, 4)], { mode: "wrap" });
  yield call("Pad", 13, [x, shape(0, -1, 1, 0, 2, -2)]);
  yield call("Pad", 13, [i("int64", [2, 3]), shape(1, 0, 0, 2), constant(scalar("int64", 7))]);
}

const transforms = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"];

function* resizing(): Generator<OnnxCase> {
  const x = f([1, 2, 4, 5]);
  const scales = (...values: number[]) => constant(floats(1, 1, ...values));
  for (const coordinate_transformation_mode of transforms) {
    for (const mode of ["nearest", "linear", "cubic"]) {
      const settings = { mode, coordinate_transformation_mode };
      yield call("Resize", 11, [x, constant(floats()), scales(2, 1.6)], settings);
      yield call("Resize", 13, [x, undefined, scales(0.5, 0.6)], settings);
      yield call("Resize", 13, [x, undefined, undefined, shape(1, 2, 7, 3)], settings);
    }
    for (const nearest_mode of ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
      yield call("Resize", 11, [x, constant(floats()), scales(1.5, 0.6)], {
        nearest_mode,
        coordinate_transformation_mode,
      });
  }
  const cubic = { mode: "cubic", cubic_coeff_a: -0.5, exclude_outside: 1 };
  yield call("Resize", 13, [x, undefined, scales(2, 0.8)], cubic);
  for (const mode of ["linear", "cubic"])
    yield call("Resize", 18, [x, undefined, undefined, shape(1, 2, 2, 3)], { mode, antialias: 1 });
  yield call("Resize", 18, [x, undefined, constant(floats(2, 3))], { axes: [2, 3] });
  for (const keep_aspect_ratio_policy of ["not_larger", "not_smaller"])
    yield call("Resize", 18, [x, undefined, undefined, shape(7, 8)], {
      axes: [2, 3],
      keep_aspect_ratio_policy,
      mode: "linear",
    });
  const region = constant(floats(0, 0, 0.2, 0.4, 1, 1, 0.9, 1.3));
  yield call(
    "Resize",
    11,
    [x, region, undefined, shape(1, 2, 3, 4)].map((each) => each ?? constant(floats())),
    {
      coordinate_transformation_mode: "tf_crop_and_resize",
      mode: "linear",
      extrapolation_value: 5,
    },
  );
  yield call("Resize", 10, [x, scales(2, 3)]);
  yield call("Resize", 10, [x, scales(2, 3)], { mode: "linear" });
  yield call("Resize", 13, [f([1, 1, 6]), undefined, constant(floats(1, 1, 1.5))], { mode: "linear" });
  yield call("Resize", 13, [f([1, 1, 3, 3, 4]), undefined, scales(2, 2, 0.5)], { mode: "linear" });
  yield call("Upsample", 7, [x], { scales: [1, 1, 2, 3] });
  yield call("Upsample", 9, [x, scales(2, 2)], { mode: "linear" });
}

function* creation(): Generator<OnnxCase> {
  yield call("Range", 11, [scalar("int64", 2), scalar("int64", 11), scalar("int64", 3)]);
  yield call("Range", 11, [scalar("float32", 1), scalar("float32", -1), scalar("float32", -0.3)]);
  yield call("ConstantOfShape", 9, [int64s(2, 3)], { value: array("int64", [1], [7]) }, { outputs: ["int64"] });
  yield call("ConstantOfShape", 9, [int64s(2, 0)], {}, { outputs: ["float32"] });
  yield call("EyeLike", 9, [f([3, 4])], { k: 1, dtype: 7 }, { outputs: ["int64"] });
  yield call("EyeLike", 9, [f([3, 4])], { k: -1 });
  const pair = constant(floats(-1, 2));
  yield call(
    "OneHot",
    11,
    [i("int64", [2, 3], 0, 4), constant(scalar("int64", 5)), pair],
    {},
    { outputs: ["float32"] },
  );
  yield call(
    "OneHot",
    11,
    [i("int64", [2, 3], -6, 6), constant(scalar("int64", 4)), pair],
    { axis: 1 },
    { outputs: ["float32"] },
  );
  for (const op of ["HannWindow", "HammingWindow", "BlackmanWindow"])
    for (const periodic of [0, 1])
      yield call(op, 17, [constant(scalar("int64", 9))], { periodic }, { outputs: ["float32"] });
}

export const shapeCases: readonly OnnxCase[] = [...moving(), ...padding(), ...resizing(), ...creation()];
