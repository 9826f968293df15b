/** `--augment`: augmentations as text, and whether they get threads of their own. */

import { availableParallelism } from "node:os";
import { InvalidArgumentError } from "commander";
import { ArgumentError } from "../core/errors.js";
import type { BatchAugmentation, LoaderAugmentation } from "../data/augment/augmentation.js";
import { parse } from "../data/augment/parse.js";
import { inWorkers } from "../data/augment/workers.js";
import type { BatchSource, ImageBatch } from "../data/batches.js";

/** The text without spaces, once it is known to say something. */
export function augmentationText(text: string): string {
  const compact = text.replaceAll(/\s/g, "");
  try {
    parse(compact);
  } catch (error) {
    if (error instanceof ArgumentError) throw new InvalidArgumentError(error.message);
    throw error;
  }
  return compact;
}

/** Augmenting a batch of 64 for longer than this would keep small networks waiting. */
const mostMilliseconds = 3;

/**
 * What `--augment` asks for, ready for `fit`. Results do not depend on the threads, so that their number may depend on
 * how long a batch takes here.
 *
 * @param workers threads for it; unless told none where it is quick, else up to four
 * @throws ArgumentError where it does not suit the pictures
 */
export async function loadAugmentation(
  text: string | undefined,
  workers: number | undefined,
  data: BatchSource<ImageBatch>,
): Promise<LoaderAugmentation<ImageBatch> | undefined> {
  if (text === undefined) return undefined;
  const augmentation = parse(text);
  const indices = Uint32Array.from({ length: Math.min(64, data.size) }, (_, i) => i);
  const batch = await data.batch(indices, { seed: 0, epoch: 0, signal: new AbortController().signal });
  const milliseconds = time(augmentation, batch);
  const threads = workers ?? (milliseconds > mostMilliseconds ? Math.min(4, availableParallelism()) : 0);
  return threads === 0 ? augmentation : inWorkers(augmentation, threads);
}

/** The second time counts: the first compiles. */
function time(augmentation: BatchAugmentation, batch: ImageBatch): number {
  augmentation.augmentBatch(batch, { seed: 0, epoch: 0 });
  const begun = performance.now();
  augmentation.augmentBatch(batch, { seed: 0, epoch: 1 });
  return performance.now() - begun;
}
