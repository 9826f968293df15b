/** Grains: noise added to every value of a picture. */

import { drawLaplacian } from "../../core/distributions.js";
import type { RandomStream } from "../../core/philox.js";
import { toByte } from "../pixels.js";
import { Augmentation, type ChanceOptions } from "./augmentation.js";
import { checkNames, checkRange, drawFrom, type Range } from "./options.js";

export interface NoiseOptions extends ChanceOptions {
  /** Standard deviation, where 255 is white; of a pair each picture draws its own. Default 10. */
  readonly deviation?: Range;
  /** Whether all channels get the same, as film has it. Default false: each its own, as sensors have it. */
  readonly grey?: boolean;
}

/** What is added to each value, C×H×W. */
export interface NoiseParameters {
  readonly noise: Float32Array;
}

/** Normally distributed noise. @example augment.gaussianNoise({ deviation: [0, 25] }) */
export function gaussianNoise(options: NoiseOptions = {}): Augmentation<NoiseParameters> {
  return make("noise", options, (random, deviation) => random.normal(0, deviation));
}

/** Noise with a sharper peak and longer tails: exp(−|x| / b) / 2b, of which the standard deviation is b √2. */
export function laplacianNoise(options: NoiseOptions = {}): Augmentation<NoiseParameters> {
  return make("laplacian-noise", options, (random, deviation) => drawLaplacian(deviation, random));
}

function make(name: string, options: NoiseOptions, one: (random: RandomStream, deviation: number) => number) {
  checkNames(name, options, ["deviation", "grey", "probability"]);
  const { grey = false, probability } = options;
  const deviations = checkRange(name, "deviation", options.deviation ?? 10, { least: 0, most: 255 });
  return new Augmentation<NoiseParameters>(
    {
      draw(random, [channels, height, width]) {
        const deviation = drawFrom(random, deviations);
        const plane = height * width;
        const noise = new Float32Array(channels * plane);
        const drawn = grey ? plane : noise.length;
        for (let i = 0; i < drawn; i++) noise[i] = one(random, deviation);
        for (let at = drawn; at < noise.length; at += plane) noise.copyWithin(at, 0, plane);
        return { noise };
      },
      apply(picture, { noise }) {
        const image = new Uint8Array(picture.image.length);
        for (let i = 0; i < image.length; i++) image[i] = toByte(picture.image[i] + noise[i]);
        return { ...picture, image };
      },
    },
    probability,
    { name, options },
  );
}
