/** Losses: how wrong a prediction is, as one number. */

export * from "./classification.js";
export * from "./distributions.js";
export * from "./groups.js";
export * from "./hinge.js";
export type { LossOptions, Reduced, Reduction } from "./reduction.js";
export * from "./regression.js";
