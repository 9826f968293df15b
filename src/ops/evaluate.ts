/** Computing several values at once. */

import { evaluateTensors } from "../graph/lazy.js";
import { pipelineOf } from "../graph/pipeline.js";
import { type AnyTensorLike, asTensor } from "./tensors.js";

/**
 * Computes tensors now, in one program, without reading them: so that they keep the values that they have before weights
 * change. Resolves when they have been computed.
 *
 * @example
 * await evaluate(loss, logits);
 * optimizer.step();
 * console.log(await logits.array());
 */
export async function evaluate(...values: readonly AnyTensorLike[]): Promise<void> {
  const tensors = values.map((value) => asTensor("evaluate", value));
  evaluateTensors(tensors);
  await Promise.all([...new Set(tensors.map((tensor) => tensor.device))].map((device) => pipelineOf(device).room(0)));
}
