/** Which operands kernels take with their channels last. */

import type { OpShapes } from "../../backend.js";
import type { Machine } from "../lowering.js";
import { convolutionChannelsLast } from "./convolution.js";
import type { LoweredOp } from "./index.js";
import type { ConcatParams } from "./movement.js";

type Takes = (work: OpShapes, machine: Machine) => readonly string[];

const convolution: Takes = convolutionChannelsLast;

/** Lanes are channels. */
const pool: Takes = ({ output }, { vectorWidth }) => (output[1] % vectorWidth === 0 ? ["input", "output"] : []);

const concat: Takes = ({ inputs, params, output }) =>
  output.length === 4 && (params as ConcatParams).axis === 1 ? [...Object.keys(inputs), "output"] : [];

const table: Partial<Readonly<Record<LoweredOp, Takes>>> = {
  conv2d: convolution,
  conv2dInputGradient: convolution,
  maxPool2d: pool,
  averagePool2d: pool,
  concat,
};

const takes: ReadonlyMap<string, Takes> = new Map(Object.entries(table));

/** See `Compiler.channelsLast`. */
export function channelsLast(work: OpShapes, machine: Machine): readonly string[] {
  return takes.get(work.op)?.(work, machine) ?? [];
}
