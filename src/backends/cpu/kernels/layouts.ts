/** Which operands kernels take with their channels last. */

import type { OpShapes } from "../../backend.js";
import type { Machine } from "../lowering.js";
import { convolutionChannelsLast, weightGradientChannelsLast } from "./convolution.js";
import type { LoweredOp } from "./index.js";
import type { ConcatParams } from "./movement.js";
import { reductionChannelsLast } from "./reduce.js";

type Takes = (work: OpShapes, machine: Machine) => readonly string[];

const convolution: Takes = convolutionChannelsLast;

/** Lanes are channels. */
const pool: Takes = ({ inputs, output }, { vectorWidth }) =>
  output[1] % vectorWidth === 0 ? [...Object.keys(inputs), "output"] : [];

const concat: Takes = ({ inputs, params, output }) =>
  output.length === 4 && (params as ConcatParams).axis === 1 ? [...Object.keys(inputs), "output"] : [];

const slice: Takes = ({ output }) => (output.length === 4 ? ["input", "output"] : []);

const table: Partial<Readonly<Record<LoweredOp, Takes>>> = {
  conv2d: convolution,
  conv2dInputGradient: convolution,
  conv2dWeightGradient: weightGradientChannelsLast,
  maxPool2d: pool,
  maxPool2dIndices: pool,
  averagePool2d: pool,
  averagePool2dGradient: pool,
  scatterPlane: pool,
  sum: reductionChannelsLast,
  max: reductionChannelsLast,
  min: reductionChannelsLast,
  concat,
  slice,
};

const takes: ReadonlyMap<string, Takes> = new Map(Object.entries(table));

/** See `Compiler.channelsLast`. */
export function channelsLast(work: OpShapes, machine: Machine): readonly string[] {
  return takes.get(work.op)?.(work, machine) ?? [];
}
