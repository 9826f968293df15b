/** All ops that have kernels of their own. A backend's kernel table has an entry for each of these names. */

import { conv2dInputGradientOp, conv2dOp, conv2dWeightGradientOp } from "./convolution/conv2d.js";
import * as elementwise from "./elementwise/operations.js";
import { scatterAlongAxisOp, takeAlongAxisOp } from "./indexing/alongAxis.js";
import { iotaOp, oneHotOp } from "./indexing/oneHot.js";
import { argSortOp } from "./indexing/sort.js";
import { scatterTakeOp, takeOp } from "./indexing/take.js";
import { matmulOp } from "./linear/matmul.js";
import { adaptiveMaxPool2dIndicesOp, adaptiveMaxPool2dOp } from "./pooling/adaptiveMaxPool2d.js";
import { averagePool2dGradientOp, averagePool2dOp } from "./pooling/averagePool2d.js";
import { maxPool2dIndicesOp, maxPool2dOp } from "./pooling/maxPool2d.js";
import { gatherPlaneOp, scatterPlaneOp } from "./pooling/planes.js";
import { normalOp, uniformOp } from "./random/random.js";
import { argMaxOp, argMinOp, maxOp, minOp } from "./reduce/extreme.js";
import { expandOp, sumOp } from "./reduce/sum.js";
import { resampleOp } from "./resampling.js";
import { concatOp } from "./shape/concat.js";
import { permuteOp } from "./shape/permute.js";
import { detachOp, reshapeOp } from "./shape/reshape.js";
import { embedOp, sliceOp } from "./shape/slice.js";
import { withGradientOp } from "./withGradient.js";

/** Ops with a kernel of their own. */
export const kernelOps = {
  conv2d: conv2dOp,
  conv2dInputGradient: conv2dInputGradientOp,
  conv2dWeightGradient: conv2dWeightGradientOp,
  matmul: matmulOp,
  maxPool2d: maxPool2dOp,
  maxPool2dIndices: maxPool2dIndicesOp,
  scatterPlane: scatterPlaneOp,
  gatherPlane: gatherPlaneOp,
  averagePool2d: averagePool2dOp,
  averagePool2dGradient: averagePool2dGradientOp,
  adaptiveMaxPool2d: adaptiveMaxPool2dOp,
  adaptiveMaxPool2dIndices: adaptiveMaxPool2dIndicesOp,
  resample: resampleOp,
  sum: sumOp,
  max: maxOp,
  min: minOp,
  argMax: argMaxOp,
  argMin: argMinOp,
  permute: permuteOp,
  expand: expandOp,
  slice: sliceOp,
  embed: embedOp,
  concat: concatOp,
  takeAlongAxis: takeAlongAxisOp,
  scatterAlongAxis: scatterAlongAxisOp,
  take: takeOp,
  scatterTake: scatterTakeOp,
  argSort: argSortOp,
  oneHot: oneHotOp,
  iota: iotaOp,
  uniform: uniformOp,
  normal: normalOp,
} as const;

/** Ops that are fused into groups and evaluated element by element. */
export const elementwiseOps = elementwise;

/** Ops that only rename. */
export const aliasOps = { reshape: reshapeOp, detach: detachOp, withGradient: withGradientOp } as const;

/** Names of the ops that need a kernel. */
export type KernelOpName = keyof typeof kernelOps;
