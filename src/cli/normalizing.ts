/** `--normalize`: what pixels become, learnt from a set of pictures. */

import type { Normalization } from "../core/normalization.js";
import type { BatchSource, ImageBatch } from "../data/batches.js";
import { fitNormalization, type NormalizationGroup, normalizationGroups } from "../data/normalization/fit.js";
import type { OpenedTarget } from "./evaluation.js";
import { clearProgress, showProgress } from "./progress.js";

/** Methods that learn from pictures. */
export const learntMethods = ["min-max", "z-score", "zca"] as const;
type LearntMethod = (typeof learntMethods)[number];

/** @param per what shares a range or a mean; whitening goes by pixel */
export async function learnNormalization(
  method: LearntMethod,
  per: NormalizationGroup,
  data: BatchSource<ImageBatch>,
  signal: AbortSignal,
): Promise<Normalization> {
  const onProgress = (done: number, total: number) => showProgress("learning the normalization", done, total);
  // Directions that hardly vary in pictures are noise, which whitening would make as strong as all others.
  const chosen = method === "zca" ? { method, epsilon: 0.01 } : { method, per };
  return await fitNormalization(data, { ...chosen, signal, onProgress }).finally(clearProgress);
}

export const normalizationSources = ["trained", "own"] as const;
export type NormalizationSource = (typeof normalizationSources)[number];

/** The same weights, with a normalization that is learnt from the test pictures in the way of the run. */
export async function normalizeAnew(opened: OpenedTarget, signal: AbortSignal): Promise<OpenedTarget> {
  const { saved, data } = opened;
  const { normalize, normalizePer } = saved.settings;
  const method = learntMethods.find((name) => name === normalize) ?? "z-score";
  // A run whose pixels became what its model says has no use for the setting.
  const per = (method === normalize && normalizationGroups.find((name) => name === normalizePer)) || "channel";
  return { ...opened, saved: { ...saved, normalization: await learnNormalization(method, per, data, signal) } };
}
