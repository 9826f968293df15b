/** Data sets that Fovea draws itself, by the name that `--data` gives. */

import type { AnnotatedImages, Annotations } from "../data/annotated.js";
import { digits } from "../data/digits/digits.js";
import type { GeneratedOptions, GeneratedSplit } from "../data/generated/drawing.js";
import { faces } from "../data/generated/faces.js";
import { noisy } from "../data/generated/noisy.js";
import { shapes } from "../data/generated/shapes.js";
import type { ImageDataset } from "../data/images.js";
import type { Attributes } from "../train/metrics/index.js";
import { showProgress } from "./progress.js";

type Drawn = ImageDataset | AnnotatedImages<Annotations>;

/** Height and width, and channels: what the sets of any size are drawn in. */
interface Format {
  readonly side: number;
  readonly channels: 1 | 3;
}

const sets = {
  digits: (options) => digits(options),
  shapes: (options, format) => shapes({ ...options, ...format }),
  faces: (options, format) => faces({ ...options, ...format }),
  "faces-lecture": (options, format) => faces({ ...options, ...format, joint: faces.lecture }),
  noisy: (options) => noisy(options),
} as const satisfies Readonly<Record<string, (options: GeneratedOptions, format: Format) => Promise<Drawn>>>;

export type GeneratedName = keyof typeof sets;
export const generatedNames: readonly string[] = Object.keys(sets);

export function isGenerated(data: string): data is GeneratedName {
  return Object.hasOwn(sets, data);
}

export interface DrawOptions {
  readonly split: GeneratedSplit;
  /** What the network takes: C×H×W. Sets of any size are drawn like that, up to 64 pixels a side. */
  readonly like?: readonly [channels: number, height: number, width: number];
  readonly size?: number | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Larger networks have smaller pictures scaled. */
const largestSide = 64;

/** Draws one split of a set, and shows how far it is. */
export function drawGenerated(name: GeneratedName, { like, ...options }: DrawOptions): Promise<Drawn> {
  const { split, size, seed, signal } = options;
  const [channels, height, width] = like ?? [3, 32, 32];
  return sets[name](
    {
      split,
      ...(size !== undefined && { size }),
      ...(seed !== undefined && { seed }),
      ...(signal && { signal }),
      onProgress: (drawn, all) => showProgress(`drawing ${split} ${name}`, drawn, all),
    },
    { side: Math.max(16, Math.min(height, width, largestSide)), channels: channels === 1 ? 1 : 3 },
  );
}

/** The pictures with their classes alone. */
export function picturesOf(set: Drawn): ImageDataset {
  return "pictures" in set ? set.pictures : set;
}

/** What is known of each picture besides its class, where that is one value. */
export function attributesOf(set: Drawn): Attributes {
  return "pictures" in set ? set.attributeValues() : {};
}

/** What is known of each picture besides its class. */
export function annotationsOf(set: Drawn): Annotations {
  return "annotations" in set ? set.annotations : {};
}
