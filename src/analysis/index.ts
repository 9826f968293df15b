/** The arithmetic of models: sizes, parameters, multiply-adds, memory, receptive fields. */

export { type Benchmark, type BenchmarkOptions, benchmark, type WorkTime } from "./benchmark.js";
export { type ComparedModel, Comparison, compareModels } from "./comparison.js";
export { type DrawOptions, drawNetwork } from "./drawing/svg.js";
export { type LayerTime, type Measurement, type MeasureOptions, measure } from "./measure.js";
export type { Memory } from "./memory.js";
export type { PerAxis, PixelUse, ReceptiveField, Sight } from "./receptiveField.js";
export type { InputSpec, Inputs, Model } from "./record.js";
export { type LayerOptions, pixelUse, seenFrom } from "./sight.js";
export { compareStacks, type Stack, StackComparison, type StackCost, type StackOptions } from "./stacks.js";
export { type LayerSummary, Summary, type SummaryOptions, summarize } from "./summary.js";
export type { TableOptions } from "./table.js";
