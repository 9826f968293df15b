/** Optimizers and learning-rate schedules. */

export * from "./adam.js";
export type { GroupSettings, ParameterGroup, Trainable } from "./groups.js";
export { Optimizer, type OptimizerState } from "./optimizer.js";
export * from "./schedules.js";
export * from "./sgd.js";
