/** The script of a thread that augments batches. */

import { parentPort } from "node:worker_threads";
import { FoveaError } from "../core/errors.js";
import type { BatchAugmentation } from "../data/augment/augmentation.js";
import { fromDescription } from "../data/augment/registry.js";
import type { AugmentReply, AugmentRequest } from "../data/augment/workers.js";

/** The last one: a loader asks for the same again and again. */
let made: { readonly key: string; readonly augmentation: BatchAugmentation } | undefined;

function answer({ id, description, batch, context }: AugmentRequest): AugmentReply {
  try {
    const key = JSON.stringify(description);
    if (made?.key !== key) made = { key, augmentation: fromDescription(description) };
    const { images, masks, shape, mixed } = made.augmentation.augmentBatch(batch, context);
    return { id, changed: { images, shape, ...(masks && { masks }), ...(mixed && { mixed }) } };
  } catch (error) {
    const code = error instanceof FoveaError ? error.code : "FOVEA_INTERNAL";
    const text = code === "FOVEA_INTERNAL" && error instanceof Error ? error.stack : undefined;
    return { id, error: { code, message: text ?? (error instanceof Error ? error.message : String(error)) } };
  }
}

parentPort?.on("message", (request: AugmentRequest) => {
  const reply = answer(request);
  parentPort?.postMessage(reply, "changed" in reply ? [reply.changed.images.buffer] : []);
});
