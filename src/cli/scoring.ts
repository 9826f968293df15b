/** What a model says of every picture of a set, for reports. */

import { AbortedError } from "../core/errors.js";
import type { View } from "../data/augment/views.js";
import type { LabelledImages } from "../data/images.js";
import type { Mistake } from "../report/index.js";
import { predictedClasses, type ScoreRows } from "../train/metrics/index.js";
import { Predictor } from "../train/predict.js";
import type { Scores } from "../train/sums.js";
import { toPicture } from "./picture.js";
import { clearProgress, showProgress } from "./progress.js";
import type { SavedModel } from "./saved-model.js";

/** Probabilities of the classes for each picture, and what the pictures are. */
export interface ScoredSet {
  readonly probabilities: ScoreRows;
  readonly labels: Int32Array;
  readonly predicted: Int32Array;
  readonly scores: Scores;
}

/** @param views looks at each picture, over which probabilities are averaged; none for the picture as it is */
export async function scoreSet(
  { model, normalization }: Pick<SavedModel, "model" | "normalization">,
  data: LabelledImages,
  views: readonly View[] | undefined,
  signal: AbortSignal,
): Promise<ScoredSet> {
  const probabilities: Float32Array[] = [];
  const labels = new Int32Array(data.size);
  let loss = 0;
  try {
    for await (const prediction of new Predictor(model, { normalization }).predict(data, { views, losses: true })) {
      if (signal.aborted) throw new AbortedError();
      labels[probabilities.length] = prediction.label;
      probabilities.push(prediction.probabilities);
      loss += prediction.loss ?? 0;
      showProgress("testing", probabilities.length, data.size);
    }
  } finally {
    clearProgress();
  }
  const predicted = predictedClasses(probabilities);
  const count = data.size;
  const hits = predicted.reduce((sum, answer, i) => sum + (answer === labels[i] ? 1 : 0), 0);
  return { probabilities, labels, predicted, scores: { loss: loss / count, accuracy: hits / count, count } };
}

/** Which pictures a model is wrong about, those first that it was surest of: they say the most. */
export function surestMistakes({ probabilities, labels, predicted }: ScoredSet, most: number): number[] {
  const sureness = (i: number) => probabilities[i][predicted[i]];
  return [...labels.keys()]
    .filter((i) => labels[i] !== predicted[i])
    .sort((a, b) => sureness(b) - sureness(a))
    .slice(0, most);
}

/** Those mistakes, as reports show them. */
export async function worstMistakes(
  scored: ScoredSet,
  data: LabelledImages,
  classNames: readonly string[],
  most: number,
): Promise<Mistake[]> {
  const { probabilities, labels, predicted } = scored;
  const mistakes: Mistake[] = [];
  for (const i of surestMistakes(scored, most)) {
    const { image } = await data.get(i);
    mistakes.push({
      picture: toPicture(image, data.shape),
      label: classNames[labels[i]],
      answer: classNames[predicted[i]],
      confidence: probabilities[i][predicted[i]],
    });
  }
  return mistakes;
}
