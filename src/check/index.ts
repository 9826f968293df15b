/** Checks of what one builds: are the gradients right, and does a network treat a moved picture alike? */

export { type EquivarianceOptions, equivarianceError } from "./equivariance.js";
export { type GradcheckOptions, gradcheck, gradcheckModel } from "./gradcheck.js";
export type { Move } from "./moves.js";
export * as moves from "./moves.js";
export { type CheckedElement, GradcheckResult, type InputReport } from "./report.js";
