/** How much gradients must shrink. */

import type { Tensor } from "../graph/tensor.js";
import { add, div, minimum, mul } from "../ops/elementwise/arithmetic.js";
import { sqrt } from "../ops/elementwise/functions.js";
import { sum } from "../ops/reduce/sum.js";

/** Added to the norm, as PyTorch does: gradients that are all 0 stay so. */
const epsilon = 1e-6;

/** The factor that brings the norm of all gradients together down to `largestNorm`; 1 where it is not above. */
export function clipScale(gradients: readonly Tensor[], largestNorm: Tensor): Tensor {
  const squares = gradients.map((gradient) => sum(mul(gradient, gradient)) as Tensor);
  const norm = sqrt(squares.reduce((total, square) => add(total, square) as Tensor));
  return minimum(div(largestNorm, add(norm, epsilon)), 1) as Tensor;
}
