/** Pictures drawn on rubber. */

import { Augmentation, type ChanceOptions } from "./augmentation.js";
import { checkNames, checkNumber } from "./options.js";
import { smooth } from "./smooth.js";
import { checkWarp, newPlaces, type WarpOptions, warp, warpNames } from "./warp.js";

export interface ElasticOptions extends ChanceOptions, WarpOptions {
  /** Strength: what the smoothed field is multiplied with, in pixels. Default 34. */
  readonly alpha?: number;
  /** Smoothness: standard deviation of the Gaussian in pixels. Default 4. */
  readonly sigma?: number;
}

/** For each pixel, row by row, how far to the right and below of it is the place of the picture that it will show. */
export interface ElasticParameters {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Moves every pixel by a smooth random field: what made convolutional networks best on MNIST (Simard, Steinkraus & Platt, "Best
 * practices for convolutional neural networks applied to visual document analysis", 2003, with σ = 4 and α = 34).
 *
 * @example augment.elastic({ alpha: 34, sigma: 4 })
 */
export function elastic(options: ElasticOptions = {}): Augmentation<ElasticParameters> {
  const name = "elastic";
  checkNames(name, options, ["alpha", "sigma", "probability", ...warpNames]);
  const alpha = checkNumber(name, "alpha", options.alpha ?? 34, 0, 1e6);
  const sigma = checkNumber(name, "sigma", options.sigma ?? 4, 0.1, 1000);
  const settings = checkWarp(name, options);
  return new Augmentation<ElasticParameters>(
    {
      draw(random, [, height, width]) {
        const field = () => {
          const uneven = Float64Array.from({ length: height * width }, () => random.uniform(-1, 1));
          return smooth(uneven, height, width, sigma).map((value) => alpha * value);
        };
        return { x: field(), y: field() };
      },
      apply(picture, { x, y }) {
        const width = picture.shape[2];
        const places = newPlaces(x.length);
        for (let i = 0; i < x.length; i++) {
          places.x[i] = (i % width) + x[i];
          places.y[i] = Math.floor(i / width) + y[i];
        }
        return warp(picture, places, settings);
      },
    },
    options.probability,
    { name, options },
  );
}
