/** Augmentations after, or instead of, one another. */

import { ArgumentError } from "../../core/errors.js";
import { Augmentation, type BatchAugmentation, type ChanceOptions, type Description } from "./augmentation.js";
import { checkNames } from "./options.js";

/**
 * One after the other: each picture's augmentations, and then, where there are such, those that mix the pictures of a batch.
 *
 * @example
 * const change = augment.compose([augment.randomCrop({ padding: 4 }), augment.flip(), augment.cutout({ size: 8 })]);
 * await fit(model, train, { optimizer, epochs: 20, augment: change });
 */
export function compose(parts: readonly Augmentation[], options?: ChanceOptions): Augmentation<readonly unknown[]>;
export function compose(parts: readonly BatchAugmentation[]): BatchAugmentation;
export function compose(parts: readonly BatchAugmentation[], options: ChanceOptions = {}): BatchAugmentation {
  const description = describeParts("compose", options, parts);
  const pictures = parts.filter((part) => part instanceof Augmentation);
  if (pictures.length === parts.length) return composePictures(pictures, options, description);
  checkNames("compose", options, []);
  const first = parts.findIndex((part) => !(part instanceof Augmentation));
  if (parts.slice(first).some((part) => part instanceof Augmentation)) {
    throw new ArgumentError(
      "augment compose: an augmentation of pictures comes after one that mixes the pictures of a batch. Fix: put mixup and cutmix last.",
    );
  }
  const before = composePictures(pictures, {}, undefined);
  const mixing = parts.slice(first);
  return {
    description,
    augmentBatch: (batch, context) =>
      mixing.reduce((mixed, part) => part.augmentBatch(mixed, context), before.augmentBatch(batch, context)),
  };
}

function composePictures(
  parts: readonly Augmentation[],
  options: ChanceOptions,
  description: Description | undefined,
): Augmentation<readonly unknown[]> {
  checkNames("compose", options, ["probability"]);
  return new Augmentation<readonly unknown[]>(
    {
      ...((options.probability ?? 1) === 1 && {
        outputShape: (shape) => parts.reduce((size, part) => part.outputShape(size), shape),
      }),
      draw(random, shape) {
        let size = shape;
        return parts.map((part) => {
          const parameters = part.draw(random, size);
          size = part.outputShape(size);
          return parameters;
        });
      },
      apply: (picture, parameters) => parts.reduce((changed, part, i) => part.apply(changed, parameters[i]), picture),
    },
    options.probability,
    description,
  );
}

/** Which of the augmentations, and its own parameters. */
export interface OneOfParameters {
  readonly which: number;
  readonly parameters: unknown;
}

/** One of several, each as likely as the others; they must keep the size. @example augment.oneOf([augment.rotate(), augment.shear()]) */
export function oneOf(parts: readonly Augmentation[], options: ChanceOptions = {}): Augmentation<OneOfParameters> {
  checkNames("oneOf", options, ["probability"]);
  if (parts.length === 0) throw new ArgumentError("augment oneOf: there is nothing to choose from.");
  return new Augmentation<OneOfParameters>(
    {
      draw(random, shape) {
        const which = random.integer(parts.length);
        return { which, parameters: parts[which].draw(random, shape) };
      },
      apply: (picture, { which, parameters }) => parts[which].apply(picture, parameters),
    },
    options.probability,
    describeParts("oneOf", options, parts),
  );
}

/** Undefined where a part has none. */
function describeParts(name: string, options: object, parts: readonly BatchAugmentation[]): Description | undefined {
  const of = parts.map(({ description }) => description).filter((description) => description !== undefined);
  return of.length === parts.length ? { name, options, of } : undefined;
}
