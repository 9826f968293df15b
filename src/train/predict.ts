/** What a trained model says about pictures. */

import { ArgumentError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import type { Shape } from "../core/shape.js";
import { type View, viewBatch } from "../data/augment/views.js";
import type { BatchSource, ImageBatch } from "../data/batches.js";
import { DataLoader } from "../data/loader.js";
import { type CompiledFunction, compile } from "../graph/compile.js";
import type { Tensor } from "../graph/tensor.js";
import type { Layer } from "../nn/layers/container.js";
import { crossEntropy } from "../nn/losses/classification.js";
import { tensorOver } from "../ops/create.js";
import { softmax } from "../ops/softmax.js";
import { switchToEvaluation } from "./evaluation.js";
import { normalizePixels } from "./pixels.js";

export interface PredictOptions {
  readonly normalization?: Normalization | undefined;
  /** Default 256. */
  readonly batchSize?: number;
  /** Looks at each picture, over which probabilities are averaged: `augment.flipViews()`. Default: the picture as it is. */
  readonly views?: readonly View[] | undefined;
  /** Whether to compare with the pictures' own labels. Default false. */
  readonly losses?: boolean | undefined;
}

/** What a model says about one picture. */
export interface Prediction {
  readonly index: number;
  readonly label: number;
  /** Of each class, by number. */
  readonly probabilities: Float32Array;
  /** With `losses`: the negative logarithm of the probability of its own label. */
  readonly loss?: number;
}

type Labels = Tensor<Shape, "int32">;

interface Answers {
  readonly probabilities: Float32Array;
  readonly losses: Float32Array | undefined;
}

/** Names pictures with a model; its program is made once for each size of batch. */
export class Predictor {
  readonly #step: CompiledFunction<
    [Tensor<Shape, "uint8">, Labels | undefined],
    { readonly probabilities: Tensor; readonly losses: Tensor | undefined }
  >;

  constructor(
    private readonly model: Layer,
    { normalization }: Pick<PredictOptions, "normalization"> = {},
  ) {
    this.#step = compile((images: Tensor<Shape, "uint8">, labels: Labels | undefined) => {
      const logits = model(normalizePixels(images, normalization));
      const losses = labels && crossEntropy(logits, labels, { reduction: "none" });
      return { probabilities: softmax(logits, 1), losses };
    });
  }

  /** Class probabilities for each picture, in order. */
  async *predict(
    data: BatchSource<ImageBatch>,
    { batchSize = 256, views = asItIs, losses = false }: Omit<PredictOptions, "normalization"> = {},
  ): AsyncGenerator<Prediction> {
    if (views.length === 0) throw new ArgumentError("predict: there are no views. Expected at least one.");
    const restore = switchToEvaluation(this.model);
    try {
      for await (const batch of new DataLoader(data, { batchSize }).epoch(0)) {
        const { labels, indices, size } = batch;
        const answers = await this.#average(batch, views, losses);
        const classes = answers.probabilities.length / size;
        for (let i = 0; i < size; i++) {
          const probabilities = answers.probabilities.subarray(i * classes, (i + 1) * classes);
          const loss = answers.losses && { loss: answers.losses[i] };
          yield { index: indices[i], label: labels[i], probabilities, ...loss };
        }
      }
    } finally {
      restore();
    }
  }

  /** The mean over the views of each picture's probabilities, and what is lost with that. */
  async #average(batch: ImageBatch, views: readonly View[], losses: boolean): Promise<Answers> {
    const labels = losses ? tensorOver(batch.labels, [batch.size], "int32") : undefined;
    const answers: Answers[] = [];
    for (const view of views) {
      const { images, shape } = view === asItIs[0] ? batch : viewBatch(batch, view);
      const answer = await this.#step(tensorOver(images, shape, "uint8"), labels);
      const [probabilities, lost] = await Promise.all([answer.probabilities.data(), answer.losses?.data()]);
      answers.push({ probabilities, losses: lost });
    }
    if (answers.length === 1) return answers[0];
    const probabilities = answers[0].probabilities.map((_, i) => {
      return answers.reduce((sum, answer) => sum + answer.probabilities[i], 0) / views.length;
    });
    return { probabilities, losses: averageLosses(answers.flatMap(({ losses }) => losses ?? [])) };
  }
}

/** What is lost where the probabilities behind some losses are averaged: none of them may vanish by rounding. */
function averageLosses(losses: readonly Float32Array[]): Float32Array | undefined {
  return losses[0]?.map((_, i) => {
    const least = losses.reduce((least, of) => Math.min(least, of[i]), Number.POSITIVE_INFINITY);
    return least - Math.log(losses.reduce((sum, of) => sum + Math.exp(least - of[i]), 0) / losses.length);
  });
}

const asItIs: readonly View[] = [(picture) => picture];

/**
 * Class probabilities for each picture, in order.
 *
 * @example for await (const { probabilities } of predict(model, test)) …
 */
export function predict(
  model: Layer,
  data: BatchSource<ImageBatch>,
  options: PredictOptions = {},
): AsyncGenerator<Prediction> {
  return new Predictor(model, options).predict(data, options);
}

/** Class numbers from the most to the least probable. */
export function ranking(probabilities: ArrayLike<number>): number[] {
  return Array.from({ length: probabilities.length }, (_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
}
