/** Several looks at one picture, over which what a network says is averaged. Nothing in here is random. */

import { ArgumentError } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import type { ImageBatch } from "../batches.js";
import { roundHalfEven } from "../resize.js";
import type { Picture } from "./augmentation.js";
import { mirror } from "./flip.js";
import { checkInteger } from "./options.js";
import { allSymmetries, turnPlanes } from "./symmetries.js";
import { cutWindow } from "./window.js";

/** One look at a picture; those of one list all have one size. */
export type View = (picture: Picture) => Picture;

/** Each picture, and its mirror image. @example predict(model, test, { views: augment.flipViews() }) */
export function flipViews(): View[] {
  return [(picture) => picture, (picture) => mirror(picture, true)];
}

/**
 * Each picture in the eight ways that mirroring and quarter turns make of it: for pictures from above, or through a microscope.
 * They must be square.
 */
export function turnViews(): View[] {
  return allSymmetries.map(
    (symmetry): View =>
      ({ shape, image }) => {
        const [, height, width] = shape;
        if (height !== width)
          throw new ArgumentError(
            `turnViews: a picture is ${height}×${width}, and would be ${width}×${height} when turned. Expected squares. Fix: flipViews, or crop.`,
          );
        return { shape, image: turnPlanes(image, [height, width], symmetry) };
      },
  );
}

/**
 * Each picture, and moved by so many pixels in the eight directions; what comes in is 0.
 *
 * @param pixels default 1
 */
export function shiftViews(pixels = 1): View[] {
  checkInteger("shiftViews", "pixels", pixels, 1);
  const steps = [0, -pixels, pixels];
  return steps.flatMap((top) =>
    steps.map(
      (left): View =>
        (picture) =>
          cutWindow(picture, { top, left, height: picture.shape[1], width: picture.shape[2] }),
    ),
  );
}

/**
 * Windows at the four corners and in the middle, and their mirror images: AlexNet was tested with them (Krizhevsky, Sutskever & Hinton 2012).
 *
 * @param size pixels: one number for squares, or [height, width]; at most the pictures' own
 * @param flips whether there are mirror images, which makes ten; true unless told
 */
export function cropViews(size: number | readonly [height: number, width: number], flips = true): View[] {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  for (const side of [height, width]) checkInteger("cropViews", "size", side, 1);
  // As shares of what is left over.
  const places = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [0.5, 0.5],
  ] as const;
  const crops = places.map(
    ([down, across]): View =>
      (picture) => {
        const [, rows, columns] = picture.shape;
        if (height > rows || width > columns) {
          throw new ArgumentError(
            `cropViews: windows of ${height}×${width} do not fit into a picture of ${rows}×${columns}. Fix: a smaller size.`,
          );
        }
        const top = roundHalfEven(down * (rows - height));
        const left = roundHalfEven(across * (columns - width));
        return cutWindow(picture, { top, left, height, width });
      },
  );
  return flips ? crops.flatMap((crop): View[] => [crop, (picture) => mirror(crop(picture), true)]) : crops;
}

/** The pictures of a batch as one view shows them: their bytes, and B×C×H×W. */
export function viewBatch({ images, shape }: ImageBatch, view: View): Pick<ImageBatch, "images" | "shape"> {
  const [size, ...one] = shape;
  const length = sizeOf(one);
  const seen = Array.from({ length: size }, (_, i) =>
    view({ shape: one, image: images.subarray(i * length, (i + 1) * length) }),
  );
  const output = seen[0]?.shape ?? one;
  const result = new Uint8Array(size * sizeOf(output));
  for (const [i, { image }] of seen.entries()) result.set(image, i * image.length);
  return { images: result, shape: [size, ...output] };
}
