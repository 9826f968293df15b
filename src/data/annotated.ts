/** Labelled images with more about each: a mask, attributes, the picture without noise. */

import { ArgumentError, DataError } from "../core/errors.js";
import type { BatchSource, ImageBatch } from "./batches.js";
import { checkIndex, checkIndices, type Dataset, type ImageSample, splitIndices } from "./dataset.js";
import type { FeatureBatch } from "./features.js";
import type { ImageDataset } from "./images.js";

/** Values of one kind for all samples, one after the other: as many for each. */
export type Annotation = Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
export type Annotations = Readonly<Record<string, Annotation>>;

/** Names of values, for those annotations that have some. */
export type ValueNames<Values> = { readonly [Name in keyof Values]?: readonly string[] };

/**
 * Pictures with their classes, and further values for each under names of their own. Its batches are image batches with
 * those values beside, so that whatever takes images takes them too.
 *
 * @example
 * const train = await shapes({ split: "train" });
 * const { images, masks, shape } = train.batch(Uint32Array.of(0, 1));
 * train.pictures.classCounts();
 */
export class AnnotatedImages<Values extends Annotations>
  implements Dataset<ImageSample & Values>, BatchSource<ImageBatch & Values>
{
  /** The pictures with their classes alone. */
  readonly pictures: ImageDataset;
  /** All values, in the order of the pictures. */
  readonly annotations: Values;
  /** What the numbers of an annotation stand for, where they do: `["male", "female"]`. */
  readonly valueNames: ValueNames<Values>;

  /** @throws DataError unless each annotation has as many values for every picture */
  constructor(pictures: ImageDataset, annotations: Values, valueNames: ValueNames<Values> = {}) {
    checkAnnotations(`${pictures.name} (${pictures.split})`, pictures.size, annotations);
    this.pictures = pictures;
    this.annotations = annotations;
    this.valueNames = valueNames;
  }

  get size(): number {
    return this.pictures.size;
  }

  /** One image, its class and its annotations; the bytes are the data set's own, not a copy. */
  get(index: number): ImageSample & Values {
    checkIndex(`${this.pictures.name} (${this.pictures.split})`, index, this.size);
    const each = mapAnnotations(this.annotations, (values) => {
      const length = values.length / this.size;
      return values.subarray(index * length, (index + 1) * length);
    });
    return { ...this.pictures.get(index), ...each };
  }

  batch(indices: Uint32Array<ArrayBuffer>): ImageBatch & Values {
    return { ...this.pictures.batch(indices), ...this.#gather(indices) };
  }

  /** The samples at `indices`, in that order. The pictures share memory with this data set. */
  subset(indices: ArrayLike<number>): AnnotatedImages<Values> {
    checkIndices(`${this.pictures.name} (${this.pictures.split})`, indices, this.size);
    return new AnnotatedImages(this.pictures.subset(indices), this.#gather(indices), this.valueNames);
  }

  /** The first `count` samples, or all when there are fewer. */
  take(count: number): AnnotatedImages<Values> {
    const { size } = this.pictures.take(count);
    return this.subset(Array.from({ length: size }, (_, index) => index));
  }

  /** Deals the samples at random into parts; fractions that add up to 1 leave nothing out. */
  randomSplit(fractions: readonly number[], seed = 0): AnnotatedImages<Values>[] {
    return splitIndices(this.size, fractions, seed).map((indices) => this.subset(indices));
  }

  /**
   * The value of each annotation for each picture, by name where it has one: what `groupBy` and reports take. Annotations of
   * several values a picture, such as masks, are left out.
   */
  attributeValues(): Record<string, ArrayLike<string | number | undefined>> {
    const single = Object.entries(this.annotations).filter(([, { length }]) => length === this.size);
    return Object.fromEntries(
      single.map(([name, values]) => {
        const names: readonly string[] | undefined = this.valueNames[name];
        return [name, names === undefined ? values : Array.from(values, (value): string | undefined => names[value])];
      }),
    );
  }

  #gather(indices: ArrayLike<number>): Values {
    return mapAnnotations(this.annotations, (values) =>
      gather(values, indices, values.length / Math.max(1, this.size)),
    );
  }
}

/**
 * Any pictures, or features of them, with further values for each, which batches then have beside them: labels of several tasks, where some may be
 * unknown (-1 of class numbers, NaN of others).
 *
 * @example const train = annotate(photos, { smile: Int32Array.of(0, 1, -1), age: Float32Array.of(31, NaN, 64) });
 */
export function annotate<Batch extends ImageBatch | FeatureBatch, Values extends Annotations>(
  data: BatchSource<Batch>,
  values: Values,
): BatchSource<Batch & Values> {
  checkAnnotations("annotate", data.size, values);
  const gatherAll = (indices: ArrayLike<number>) =>
    mapAnnotations(values, (each) => gather(each, indices, each.length / Math.max(1, data.size)));
  return {
    get size() {
      return data.size;
    },
    batch(indices, context) {
      const batch = data.batch(indices, context);
      if (batch instanceof Promise) return batch.then((loaded) => ({ ...loaded, ...gatherAll(indices) }));
      return { ...batch, ...gatherAll(indices) };
    },
  };
}

/** @throws DataError unless each annotation has as many values for every picture */
function checkAnnotations(what: string, size: number, annotations: Annotations): void {
  for (const [name, { length }] of Object.entries(annotations)) {
    if (["images", "image", "labels", "label", "indices", "shape", "size"].includes(name))
      throw new ArgumentError(`an annotation is named ${name}, as a part of every batch is. Fix: another name.`);
    if (size > 0 ? length % size === 0 && length > 0 : length === 0) continue;
    throw new DataError(`${what}: ${name} has ${length} values for ${size} pictures. Expected as many for each.`);
  }
}

function mapAnnotations<Values extends Annotations>(
  annotations: Values,
  change: (values: Annotation) => Annotation,
): Values {
  const changed = Object.entries(annotations).map(([name, values]) => [name, change(values)]);
  // `change` keeps each array's type, which the type of entries does not say.
  return Object.fromEntries(changed) as Values;
}

/** The values of the samples at `indices`, `length` for each. */
function gather(values: Annotation, indices: ArrayLike<number>, length: number): Annotation {
  const count = indices.length * length;
  const gathered =
    values instanceof Uint8Array
      ? new Uint8Array(count)
      : values instanceof Int32Array
        ? new Int32Array(count)
        : new Float32Array(count);
  for (let i = 0; i < indices.length; i++) {
    gathered.set(values.subarray(indices[i] * length, (indices[i] + 1) * length), i * length);
  }
  return gathered;
}
