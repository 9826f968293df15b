/** What a network makes of pictures, computed once: a head is then trained in no time. */

import { checkCount } from "../core/check.js";
import { AbortedError, ArgumentError, NotFiniteError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import type { Shape } from "../core/shape.js";
import type { LoaderAugmentation } from "../data/augment/augmentation.js";
import type { BatchSource, ImageBatch } from "../data/batches.js";
import { FeatureDataset } from "../data/features.js";
import { DataLoader } from "../data/loader.js";
import type { Labelled } from "../data/sampling.js";
import { compile } from "../graph/compile.js";
import type { Tensor } from "../graph/tensor.js";
import { splitClassifier } from "../nn/chop.js";
import type { Layer } from "../nn/layers/container.js";
import { Network } from "../nn/network.js";
import { tensorOver } from "../ops/create.js";
import { switchToEvaluation } from "./evaluation.js";
import { normalizePixels } from "./pixels.js";

/** Labelled pictures that features can be made of. */
export type LabelledPictures = BatchSource<ImageBatch> & Labelled & { readonly name?: string; readonly split?: string };

export interface ExtractOptions {
  /** How pixels become the model's input. Default: 0 … 255 to 0 … 1. */
  readonly normalization?: Normalization | undefined;
  /** Default 64. */
  readonly batchSize?: number | undefined;
  /** How often each picture is looked at: the first time as it is, then as `augment` changes it. Default 1. */
  readonly copies?: number | undefined;
  /** What happens to the further copies at random. */
  readonly augment?: LoaderAugmentation<ImageBatch> | undefined;
  /** Decides over that. Default 0. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Runs the frozen part of a network once over a data set; it is switched to evaluation meanwhile.
 *
 * @param model a network, for what its classifying layer is given (`nn.splitClassifier`); or any layer, such as `nn.chop(network,
 *   "layer3")`, for what it gives
 * @returns for every copy, in turn, the features of all pictures in their order
 * @throws NotFiniteError where a feature is NaN or infinite; AbortedError when `signal` aborts
 * @example
 * const features = await extractFeatures(network, photos, { normalization });
 * const { classifier } = nn.splitClassifier(network);
 * await fit(classifier, features, { optimizer: new SGD(classifier.parameters(), { lr: 0.05 }), epochs: 20 });
 */
export async function extractFeatures(
  model: Layer,
  data: LabelledPictures,
  options: ExtractOptions = {},
): Promise<FeatureDataset> {
  const { normalization, batchSize = 64, augment, seed = 0, signal, onProgress } = options;
  const copies = checkCount("extractFeatures", "copies", options.copies ?? 1);
  if (data.size === 0)
    throw new ArgumentError("extractFeatures: the data set is empty. Expected at least one picture.");
  if (copies > 1 && augment === undefined) {
    throw new ArgumentError(
      `extractFeatures: ${copies} copies without augmentation would all be the same. Fix: say what changes them: { augment: augment.flip() }.`,
    );
  }
  const body = model instanceof Network ? splitClassifier(model).body : model;
  const step = compile((images: Tensor<Shape, "uint8">) => body(normalizePixels(images, normalization)));
  const labels = new Int32Array(copies * data.size);
  let features = new Float32Array();
  let shape: Shape = [];
  let done = 0;
  const restore = switchToEvaluation(model);
  try {
    for (let copy = 0; copy < copies; copy++) {
      const loader = new DataLoader(data, { batchSize, seed, augment: copy === 0 ? undefined : augment });
      for await (const batch of loader.epoch(copy)) {
        if (signal?.aborted) throw new AbortedError("extractFeatures was cancelled");
        if (batch.mixed !== undefined)
          throw new ArgumentError(
            "extractFeatures: a picture mixed of two has no class. Fix: no mixup or cutmix here.",
          );
        const result = await step(tensorOver(batch.images, batch.shape, "uint8"));
        const values = await result.data();
        if (done === 0) {
          shape = result.shape.slice(1);
          features = new Float32Array((labels.length * values.length) / batch.size);
        }
        checkFinite(values, batch.size, done);
        features.set(values, (done * values.length) / batch.size);
        labels.set(batch.labels, done);
        done += batch.size;
        onProgress?.(done, labels.length);
      }
    }
  } finally {
    restore();
  }
  const { name = "features", split = "", classNames } = data;
  return new FeatureDataset({ name, split, features, labels, shape, classNames });
}

function checkFinite(values: Float32Array, samples: number, first: number): void {
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong === -1) return;
  const sample = first + Math.floor((wrong * samples) / values.length);
  throw new NotFiniteError(
    `extractFeatures: a feature of sample ${sample} is ${values[wrong]}. Expected finite numbers. Fix: other weights, or check the normalization.`,
  );
}
