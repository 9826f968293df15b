/** Every op that the CPU kernels compute, and which of them can finish their output with elementwise work. */

import type { OpWork } from "../../backend.js";
import type { Lowering } from "../lowering.js";
import { convolutionLowerings } from "./convolution.js";
import { indexingLowerings } from "./indexing.js";
import { matmulLowerings } from "./matmul.js";
import { movementLowerings } from "./movement.js";
import { poolingLowerings } from "./pooling.js";
import { randomLowerings } from "./random.js";
import { reduceLowerings } from "./reduce.js";
import { resamplingLowerings } from "./resampling.js";

/** A lowering for any op: the graph has checked the names of the inputs and the parameters against the op. */
export type LowerAny = (work: OpWork, to: Lowering) => void;

/** `never` accepts the lowerings of all ops, whatever inputs and parameters they declare. */
type Lowerings = Readonly<Record<string, (work: never, to: Lowering) => void>>;

const lowerings = {
  ...convolutionLowerings,
  ...matmulLowerings,
  ...poolingLowerings,
  ...resamplingLowerings,
  ...reduceLowerings,
  ...movementLowerings,
  ...indexingLowerings,
  ...randomLowerings,
} satisfies Lowerings;

export type LoweredOp = keyof typeof lowerings;

export const tableOfLowerings: ReadonlyMap<string, LowerAny> = new Map(
  Object.entries<Lowerings[string]>(lowerings).map(([op, lower]) => [op, (work, to) => lower(work as never, to)]),
);

/** Their lowerings pass `Lowering.epilogue` on to the step that finishes the output. */
export const opsWithEpilogue: ReadonlySet<string> = new Set<LoweredOp>([
  ...(["conv2d", "conv2dInputGradient", "conv2dWeightGradient", "matmul"] as const),
  ...([
    "maxPool2d",
    "maxPool2dIndices",
    "averagePool2d",
    "averagePool2dGradient",
    "scatterPlane",
    "gatherPlane",
    "adaptiveMaxPool2d",
    "adaptiveMaxPool2dIndices",
    "resample",
  ] as const),
  ...(["sum", "max", "min", "argMax", "argMin", "uniform", "normal"] as const),
]);
