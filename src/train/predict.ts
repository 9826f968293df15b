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
}

/** What a model says about one picture. */
export interface Prediction {
  readonly index: number;
  readonly label: number;
  /** Of each class, by number. */
  readonly probabilities: Float32Array;
}

/** Names pictures with a model; its program is made once for each size of batch. */
export class Predictor {
  readonly #step: CompiledFunction<[Tensor<Shape, "uint8">], Tensor>;

  constructor(
    private readonly model: Layer,
    { normalization }: Pick<PredictOptions, "normalization"> = {},
  ) {
    this.#step = compile((images: Tensor<Shape, "uint8">) => softmax(model(normalizePixels(images, normalization)), 1));
  }

  /** Class probabilities for each picture, in order. */
  async *predict(
    data: BatchSource<ImageBatch>,
    { batchSize = 256, views = asItIs }: Pick<PredictOptions, "batchSize" | "views"> = {},
  ): AsyncGenerator<Prediction> {
    if (views.length === 0) throw new ArgumentError("predict: there are no views. Expected at least one.");
    const restore = switchToEvaluation(this.model);
    try {
      for await (const batch of new DataLoader(data, { batchSize }).epoch(0)) {
        const { labels, indices, size } = batch;
        const values = await this.#average(batch, views);
        const classes = values.length / size;
        for (let i = 0; i < size; i++) {
          yield { index: indices[i], label: labels[i], probabilities: values.subarray(i * classes, (i + 1) * classes) };
        }
      }
    } finally {
      restore();
    }
  }

  /** The mean over the views of each picture's probabilities. */
  async #average(batch: ImageBatch, views: readonly View[]): Promise<Float32Array> {
    let sum: Float32Array | undefined;
    for (const view of views) {
      const { images, shape } = view === asItIs[0] ? batch : viewBatch(batch, view);
      const values = await (await this.#step(tensorOver(images, shape, "uint8"))).data();
      sum = sum?.map((value, i) => value + values[i]) ?? values;
    }
    return sum?.map((value) => value / views.length) ?? new Float32Array();
  }
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
