/** Rotation, translation, scaling and shear in one step, so that pictures are read between their pixels only once. */

import { ArgumentError } from "../../core/errors.js";
import type { RandomStream } from "../../core/philox.js";
import { Augmentation, type ChanceOptions, type Description, type Picture, type PictureShape } from "./augmentation.js";
import { checkNames, checkRange, drawFrom, type Range } from "./options.js";
import { checkWarp, newPlaces, type Places, type WarpOptions, type WarpSettings, warp, warpNames } from "./warp.js";

export interface AffineOptions extends ChanceOptions, WarpOptions {
  /** Degrees to turn by, clockwise; one number for both directions. Default 0. */
  readonly degrees?: Range;
  /** How far to move at most, as a share of the picture's width and height; one number for both. Default 0. */
  readonly translate?: number | readonly [x: number, y: number];
  /** Factor of the size. Default 1. */
  readonly scale?: readonly [low: number, high: number];
  /** Degrees that upright lines lean by; one number for both directions. Default 0. */
  readonly shear?: Range;
  /** The same of level lines. Default 0. */
  readonly shearY?: Range;
}

/** What torchvision's `affine` takes: about the middle of the picture. */
export interface AffineParameters {
  /** Degrees, clockwise. */
  readonly angle: number;
  /** Pixels to the right and down. */
  readonly translate: readonly [x: number, y: number];
  /** Factor of the size. */
  readonly scale: number;
  /** Degrees. */
  readonly shear: readonly [x: number, y: number];
}

/**
 * Turns, moves, scales and slants, each at random within its limits.
 *
 * @example augment.affine({ degrees: 10, translate: 0.1, scale: [0.9, 1.1], shear: 5 })
 */
export function affine(options: AffineOptions): Augmentation<AffineParameters> {
  const changes = ["degrees", "translate", "scale", "shear", "shearY"];
  checkNames("affine", options, [...changes, "probability", ...warpNames]);
  if (!changes.some((change) => Object.hasOwn(options, change)))
    throw new ArgumentError(`augment affine: there is nothing to change. Expected one of ${changes.join(", ")}.`);
  return makeAffine({ name: "affine", options }, options);
}

/** An augmentation of another name that is a case of `affine`. */
export function makeAffine(description: Description, options: AffineOptions): Augmentation<AffineParameters> {
  const { name } = description;
  const { translate = 0, probability } = options;
  const settings = checkWarp(name, options);
  const degrees = checkRange(name, "degrees", options.degrees ?? 0, { around: 0, least: -360, most: 360 });
  const scale = checkRange(name, "scale", options.scale ?? [1, 1], { least: 1 / 64, most: 64 });
  const shears = [options.shear ?? 0, options.shearY ?? 0].map((shear) =>
    checkRange(name, "shear", shear, { around: 0, least: -89, most: 89 }),
  );
  const [moveX, moveY] = typeof translate === "number" ? [translate, translate] : translate;
  const moves = [moveX, moveY].map((move) => checkRange(name, "translate", move, { around: 0, most: 1 }));
  const draw = (random: RandomStream, [, height, width]: PictureShape): AffineParameters => ({
    angle: drawFrom(random, degrees),
    translate: [drawFrom(random, moves[0]) * width, drawFrom(random, moves[1]) * height],
    scale: drawFrom(random, scale),
    shear: [drawFrom(random, shears[0]), drawFrom(random, shears[1])],
  });
  const apply = (picture: Picture, parameters: AffineParameters) => applyAffine(picture, parameters, settings);
  return new Augmentation<AffineParameters>({ draw, apply }, probability, description);
}

export function applyAffine(picture: Picture, parameters: AffineParameters, settings: WarpSettings): Picture {
  return warp(picture, affinePlaces(picture.shape, parameters), settings);
}

/** Where the result's pixels come from: the inverse of turning, shearing, scaling and moving, in that order. */
function affinePlaces([, height, width]: PictureShape, { angle, translate, scale, shear }: AffineParameters): Places {
  const [turn, shearX, shearY] = [angle, ...shear].map((degrees) => (degrees * Math.PI) / 180);
  const a = Math.cos(turn - shearY) / Math.cos(shearY);
  const b = -a * Math.tan(shearX) - Math.sin(turn);
  const c = Math.sin(turn - shearY) / Math.cos(shearY);
  const d = -c * Math.tan(shearX) + Math.cos(turn);
  const [xx, xy, yx, yy] = [d / scale, -b / scale, -c / scale, a / scale];
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const places = newPlaces(height * width);
  for (let y = 0, i = 0; y < height; y++) {
    const down = y - middleY - translate[1];
    for (let x = 0; x < width; x++, i++) {
      const across = x - middleX - translate[0];
      places.x[i] = xx * across + xy * down + middleX;
      places.y[i] = yx * across + yy * down + middleY;
    }
  }
  return places;
}
