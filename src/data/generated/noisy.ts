/** Pictures with noise, beside the same pictures without: what a network learns to remove it from. */

import { drawLaplacian } from "../../core/distributions.js";
import { ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import { sizeOf } from "../../core/shape.js";
import { AnnotatedImages } from "../annotated.js";
import { digits } from "../digits/digits.js";
import { ImageDataset } from "../images.js";
import { toByte } from "../pixels.js";
import { checkGenerated, checkWithin, drawInSlices, type GeneratedOptions } from "./drawing.js";

/** Noise in the pixels of a picture, each value by itself; deviations are shares of the brightest value. */
export type Noise =
  | { readonly kind: "gaussian"; readonly deviation: number }
  | { readonly kind: "laplacian"; readonly deviation: number }
  /** This share of the pixels becomes black or white, all channels alike. */
  | { readonly kind: "salt-and-pepper"; readonly share: number };

export interface NoisyOptions extends GeneratedOptions {
  /** What is added; of several, one for each picture. Default Gaussian with a deviation of 0.2. */
  readonly noise?: Noise | readonly Noise[];
  /** The pictures without noise. Default the digits of that split, of which there are `size`. */
  readonly clean?: ImageDataset;
}

/** N×C×H×W: the pictures without noise. */
export interface NoisyAnnotations extends Readonly<Record<string, Uint8Array<ArrayBuffer>>> {
  readonly clean: Uint8Array<ArrayBuffer>;
}

const streams = { train: 0x6e6f6930, test: 0x6e6f6931 } as const;
const defaultSizes = { train: 10_000, test: 2_000 } as const;

/**
 * Adds noise to pictures. Values beyond black and white are cut off, as a camera's are. What is added to sample i depends
 * only on the noise and on (seed, split, i).
 *
 * @returns 10,000 digits for training and 2,000 for testing unless told otherwise, with `clean` beside
 * @example
 * const train = await noisy({ split: "train", noise: { kind: "salt-and-pepper", share: 0.1 } });
 * const { images, clean, shape } = train.batch(Uint32Array.of(0, 1, 2)); // both 3×1×28×28 bytes
 */
export async function noisy(options: NoisyOptions): Promise<AnnotatedImages<NoisyAnnotations>> {
  const { noise = { kind: "gaussian", deviation: 0.2 } } = options;
  const kinds: readonly Noise[] = "kind" in noise ? [noise] : noise;
  if (kinds.length === 0) throw new ArgumentError("noisy: noise is an empty list. Expected at least one kind.");
  for (const kind of kinds) checkNoise(kind);
  const given = options.clean;
  const pixels = sizeOf(given?.shape ?? [1, 28, 28]);
  const sizes = given === undefined ? defaultSizes : { train: given.size, test: given.size };
  const { split, size, seed } = checkGenerated("noisy", options, pixels, sizes);
  if (given !== undefined && size > given.size) {
    throw new ArgumentError(
      `noisy: size is ${size}, but ${given.name} has ${given.size} pictures. Fix: a smaller size.`,
    );
  }
  const { signal } = options;
  const source = given?.take(size) ?? (await digits({ split, size, seed, ...(signal && { signal }) }));
  const { images: clean, labels, shape, classNames } = source;
  const images = new Uint8Array(clean.length);
  const draw = (i: number) => {
    const random = new RandomStream(seed, streams[split], i);
    const part = [i * pixels, (i + 1) * pixels] as const;
    addNoise(clean.subarray(...part), images.subarray(...part), shape[0], kinds[random.integer(kinds.length)], random);
  };
  await drawInSlices(size, 1, draw, options);
  const name = `noisy ${source.name}`;
  const pictures = new ImageDataset({ name, split, images, labels, shape, classNames });
  return new AnnotatedImages(pictures, { clean });
}

/** Writes a picture of C×H×W bytes with noise. */
function addNoise(clean: Uint8Array, noisy: Uint8Array, channels: number, noise: Noise, random: RandomStream): void {
  switch (noise.kind) {
    case "gaussian":
      for (let i = 0; i < clean.length; i++) noisy[i] = toByte(clean[i] + random.normal(0, 255 * noise.deviation));
      return;
    case "laplacian": {
      const deviation = 255 * noise.deviation;
      for (let i = 0; i < clean.length; i++) noisy[i] = toByte(clean[i] + drawLaplacian(deviation, random));
      return;
    }
    case "salt-and-pepper": {
      const plane = clean.length / channels;
      noisy.set(clean);
      for (let pixel = 0; pixel < plane; pixel++) {
        const draw = random.uniform();
        if (draw >= noise.share) continue;
        for (let at = pixel; at < clean.length; at += plane) noisy[at] = draw < noise.share / 2 ? 0 : 255;
      }
    }
  }
}

function checkNoise(noise: Noise): void {
  switch (noise.kind) {
    case "gaussian":
    case "laplacian":
      checkWithin("noisy", "deviation", noise.deviation, 0, 10);
      return;
    case "salt-and-pepper":
      checkWithin("noisy", "share", noise.share, 0, 1);
      return;
    default:
      throw new ArgumentError(
        `noisy: there is no noise ${JSON.stringify(noise)}. Expected a kind of "gaussian", "laplacian" or "salt-and-pepper".`,
      );
  }
}
