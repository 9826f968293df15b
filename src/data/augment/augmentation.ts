/** What all augmentations have in common: parameters are drawn at random, then a picture and its mask change by them. */

import { ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import { formatShape, sizeOf } from "../../core/shape.js";
import type { BatchContext, ImageBatch } from "../batches.js";

export type PictureShape = readonly [channels: number, height: number, width: number];

/** A picture, and what lies over it and moves with it. */
export interface Picture {
  readonly shape: PictureShape;
  /** Bytes in C×H×W order. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** A class number for each pixel, H×W. It moves with the picture by nearest neighbour; colours do not touch it. */
  readonly mask?: Uint8Array<ArrayBuffer> | undefined;
}

/** What an augmentation is made anew from, on another thread for one: the name and the options that it was made with. */
export interface Description {
  readonly name: string;
  readonly options: object;
  readonly of?: readonly Description[];
}

/** What a loader does to each of its batches. The same batch and context give the same bits, wherever it is computed. */
export interface LoaderAugmentation<Batch> {
  /** Batches that it works on at once, where it answers later. */
  readonly threads?: number;
  augmentBatch(batch: Batch, context: AugmentContext): Batch | Promise<Batch>;
}

/** The same for pictures of any kind, at once. */
export interface BatchAugmentation {
  /** Undefined where it is one of your own: such run on the thread that asks for batches. */
  readonly description: Description | undefined;
  augmentBatch<Batch extends ImageBatch>(batch: Batch, context: AugmentContext): Batch;
}

/** What decides over chance, besides the sample. */
export type AugmentContext = Pick<BatchContext, "seed" | "epoch" | "occurrences">;

/** How one kind of augmentation works. */
export interface AugmentationRules<P> {
  /** Everything that is left to chance, for a picture of `shape`. */
  draw(random: RandomStream, shape: PictureShape): P;
  /** The changed picture; the one given is left as it is. Nothing in here is random. */
  apply(picture: Picture, parameters: P): Picture;
  /** Of the results; unless told, that of the pictures. */
  outputShape?(shape: PictureShape): PictureShape;
}

export interface ChanceOptions {
  /** Share of the pictures that are changed, 0 … 1. */
  readonly probability?: number | undefined;
}

/** Keeps the streams of augmentation apart from other uses of the same seed. */
const AUGMENT_STREAM = 0x6175676d;

/**
 * A random change of pictures. Drawing and applying are apart, so that what was drawn can be looked at, or applied again.
 *
 * @example
 * const turn = augment.rotate({ degrees: 15 });
 * const parameters = turn.draw(new RandomStream(7), picture.shape);
 * const { image, mask } = turn.apply(picture, parameters);
 * // One of your own:
 * const invert = new augment.Augmentation({
 *   draw: (random) => random.uniform() < 0.5,
 *   apply: (picture, inverted) => (inverted ? { ...picture, image: picture.image.map((v) => 255 - v) } : picture),
 * });
 */
export class Augmentation<P = unknown> implements BatchAugmentation {
  readonly description: Description | undefined;
  readonly #rules: AugmentationRules<P>;
  readonly #probability: number;

  /** @param probability of changing a picture; the others are passed on as they are */
  constructor(rules: AugmentationRules<P>, probability = 1, description?: Description) {
    if (!(probability >= 0 && probability <= 1)) {
      const name = description === undefined ? "Augmentation" : `augment ${description.name}`;
      throw new ArgumentError(`${name}: probability is ${probability}. Expected a number from 0 to 1.`);
    }
    if (probability < 1 && rules.outputShape !== undefined)
      throw new ArgumentError("Augmentation: what changes the size of pictures must change all of them.");
    this.#rules = rules;
    this.#probability = probability;
    this.description = description;
  }

  /** Parameters for a picture of `shape`; undefined when it is to stay as it is. */
  draw(random: RandomStream, shape: PictureShape): P | undefined {
    if (this.#probability < 1 && random.uniform() >= this.#probability) return undefined;
    return this.#rules.draw(random, shape);
  }

  /** The picture as the parameters say; a new one, or the same where nothing changes. */
  apply(picture: Picture, parameters: P | undefined): Picture {
    return parameters === undefined ? picture : this.#rules.apply(picture, parameters);
  }

  outputShape(shape: PictureShape): PictureShape {
    return this.#rules.outputShape?.(shape) ?? shape;
  }

  /**
   * Draws and applies: the whole in one call.
   *
   * @throws ArgumentError unless there are as many bytes as the shape says
   */
  augment(picture: Picture, random: RandomStream): Picture {
    checkPicture(picture);
    return this.apply(picture, this.draw(random, picture.shape));
  }

  /** Every picture of the batch by parameters of its own, which (seed, epoch, sample) decide. */
  augmentBatch<Batch extends ImageBatch>(batch: Batch, context: AugmentContext): Batch {
    checkAnnotations(batch);
    const [size, ...rest] = batch.shape;
    const shape: PictureShape = rest;
    const output = this.outputShape(shape);
    const [from, to] = [sizeOf(shape), sizeOf(output)];
    const [maskFrom, maskTo] = [shape[1] * shape[2], output[1] * output[2]];
    const images = new Uint8Array(size * to);
    const masks = batch.masks && new Uint8Array(size * maskTo);
    const streams = sampleStreams(context);
    for (let i = 0; i < size; i++) {
      const picture = {
        shape,
        image: batch.images.subarray(i * from, (i + 1) * from),
        mask: batch.masks?.subarray(i * maskFrom, (i + 1) * maskFrom),
      };
      const random = streams(batch.indices[i], context.occurrences?.[i]);
      const { image, mask } = this.apply(picture, this.draw(random, shape));
      if (image.length !== to) {
        throw new ArgumentError(
          `augmentation: sample ${batch.indices[i]} came out with ${image.length} bytes. Expected ${to}, for ${formatShape(output)}. Fix: give all pictures one size; randomCrop({ size }) does.`,
        );
      }
      images.set(image, i * to);
      if (mask !== undefined) masks?.set(mask, i * maskTo);
    }
    return { ...batch, images, shape: [size, ...output], ...(masks && { masks }) };
  }
}

/** Independent random numbers for each sample of an epoch, and for each `use` of them. */
export function sampleStreams({ seed, epoch }: AugmentContext): (index: number, use?: number) => RandomStream {
  const random = new RandomStream(seed, AUGMENT_STREAM, epoch);
  // 53 bits, as seeds have.
  const key = (random.bits() & 0x1fffff) * 2 ** 32 + random.bits();
  return (index, use = 0) => new RandomStream(key, index, use);
}

/** Throws where a batch has more for each pixel than augmentation knows to move, such as pictures without noise. */
function checkAnnotations({ images: _, masks: __, ...batch }: ImageBatch): void {
  const [size, , height, width] = batch.shape;
  // So few pixels cannot be told from labels.
  if (height * width < 8) return;
  for (const [name, value] of Object.entries(batch)) {
    if (!ArrayBuffer.isView(value) || value.byteLength < size * height * width) continue;
    throw new ArgumentError(
      `augmentation: the batches have ${name} for each pixel, which would no longer fit the pictures. Expected masks at most. Fix: train without augmentation.`,
    );
  }
}

export function checkPicture({ shape, image, mask }: Picture): void {
  const [, height, width] = shape;
  if (shape.length === 3 && shape.every((length) => Number.isInteger(length) && length > 0)) {
    if (image.length === sizeOf(shape) && (mask === undefined || mask.length === height * width)) return;
  }
  const over = mask === undefined ? "" : `, with a mask of ${mask.length}`;
  throw new ArgumentError(
    `augmentation: ${image.length} bytes${over} are not a picture of ${formatShape(shape)}. Expected C×H×W bytes, and H×W for a mask.`,
  );
}
