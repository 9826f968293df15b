/** Generated pictures of plain shapes, with the class of every pixel: for segmentation, and for classification. */

import { ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import { AnnotatedImages } from "../annotated.js";
import { ImageDataset } from "../images.js";
import { Canvas, type Colour, greyOf, mix, type Outline, turned } from "./canvas.js";
import { checkGenerated, checkRange, checkWhole, checkWithin, drawInSlices, type GeneratedOptions } from "./drawing.js";

/** Outlines about the origin that reach 1 far. */
const outlines = {
  circle: (x, y) => Math.hypot(x, y) - 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) - Math.SQRT1_2,
  triangle: (x, y) => Math.max(y, Math.abs(x) * 0.8660254037844386 - y / 2) - 0.5,
  ring: (x, y) => Math.abs(Math.hypot(x, y) - 0.75) - 0.25,
  cross(x, y) {
    const [longer, shorter] = [Math.max(Math.abs(x), Math.abs(y)), Math.min(Math.abs(x), Math.abs(y))];
    return Math.max(longer - 0.95, shorter - 0.31);
  },
  star(x, y) {
    // All ten edges are mirror images of the one from the tip at (0, −1) to the notch on its right.
    const sector = Math.PI / 5;
    const angle = Math.atan2(x, -y) / (2 * sector);
    const folded = Math.abs(angle - Math.round(angle)) * 2 * sector;
    const [across, along] = [Math.hypot(x, y) * Math.sin(folded), Math.hypot(x, y) * Math.cos(folded)];
    const [notchX, notchY] = [0.42 * Math.sin(sector), 0.42 * Math.cos(sector)];
    const length = Math.hypot(notchX, 1 - notchY);
    return ((along - 1) * notchX + across * (1 - notchY)) / length;
  },
} as const satisfies Readonly<Record<string, Outline>>;

export type ShapeKind = keyof typeof outlines;

export interface ShapesOptions extends GeneratedOptions {
  /** Which shapes there are: class 1, 2 … of pixels. Default circle, square and triangle. */
  readonly kinds?: readonly ShapeKind[];
  /** Height and width in pixels, 8 … 1024. Default 32. */
  readonly side?: number;
  /** 3 for colours (the default), 1 for grey. */
  readonly channels?: 1 | 3;
  /** The least and the most shapes in a picture. Default [1, 4]. */
  readonly count?: readonly [least: number, most: number];
  /** The least and the most that a shape reaches from its middle, as a share of the side. Default [0.12, 0.28]. */
  readonly radius?: readonly [least: number, most: number];
  /** Standard deviation of the grain, as a share of the brightest value. Default 0.05. */
  readonly noise?: number;
  /** How far light falls off across the picture, at most. Default 0.15; 0 for flat colours where there is no noise. */
  readonly shading?: number;
  /** The least difference in brightness between a shape and the background, 0 … 0.5. Default 0.15. */
  readonly contrast?: number;
}

/** N×H×W: 0 for the background, k + 1 for `kinds[k]`. */
export interface ShapeAnnotations extends Readonly<Record<string, Uint8Array<ArrayBuffer>>> {
  readonly masks: Uint8Array<ArrayBuffer>;
}

const streams = { train: 0x73686130, test: 0x73686131 } as const;
const defaultSizes = { train: 10_000, test: 2_000 } as const;

/**
 * Draws pictures of overlapping shapes: of any size, place, angle and colour, later ones over earlier ones, on a
 * background of one colour under uneven light. `masks` say which shape each pixel shows; a picture's own class is the
 * shape that most of its pixels show. Sample i depends only on the options and on (seed, split, i), whatever the size.
 *
 * @returns 10,000 samples for training and 2,000 for testing unless `size` is told, C×side×side bytes each
 * @example
 * const train = await shapes({ split: "train", kinds: ["circle", "star"], side: 64 });
 * const { images, masks, shape } = train.batch(Uint32Array.of(0, 1, 2)); // 3×3×64×64 and 3×64×64 bytes
 */
export async function shapes(options: ShapesOptions): Promise<AnnotatedImages<ShapeAnnotations>> {
  const { kinds = ["circle", "square", "triangle"], side = 32, channels = 3 } = options;
  checkWhole("shapes", "side", side, 8, 1024);
  if (channels !== 1 && channels !== 3)
    throw new ArgumentError(`shapes: channels is ${channels}. Expected 1 for grey or 3 for colours.`);
  checkKinds(kinds);
  const settings: Settings = {
    kinds,
    count: checkRange("shapes", "count", options.count ?? [1, 4], [1, 100], true),
    radius: checkRange("shapes", "radius", options.radius ?? [0.12, 0.28], [0.05, 1]),
    noise: checkWithin("shapes", "noise", options.noise ?? 0.05, 0, 1),
    shading: checkWithin("shapes", "shading", options.shading ?? 0.15, 0, 1),
    contrast: checkWithin("shapes", "contrast", options.contrast ?? 0.15, 0, 0.5),
  };
  const plane = side * side;
  const { split, size, seed } = checkGenerated("shapes", options, channels * plane, defaultSizes);
  const images = new Uint8Array(size * channels * plane);
  const masks = new Uint8Array(size * plane);
  const labels = new Uint8Array(size);
  const canvas = new Canvas(channels, side);
  const draw = (i: number) => {
    const mask = masks.subarray(i * plane, (i + 1) * plane);
    drawShapes(canvas, mask, settings, new RandomStream(seed, streams[split], i));
    canvas.write(images, i * channels * plane);
    labels[i] = largestKind(mask, kinds.length);
  };
  await drawInSlices(size, 1, draw, options);
  const shape = [channels, side, side] as const;
  const pictures = new ImageDataset({ name: "shapes", split, images, labels, shape, classNames: kinds });
  return new AnnotatedImages(pictures, { masks });
}

interface Settings extends Required<Pick<ShapesOptions, "kinds" | "count" | "radius">> {
  readonly noise: number;
  readonly shading: number;
  readonly contrast: number;
}

function drawShapes(canvas: Canvas, mask: Uint8Array, settings: Settings, random: RandomStream): void {
  const { kinds, count, radius, noise, shading, contrast } = settings;
  const { side } = canvas;
  const background = randomColour(random);
  canvas.clear(background);
  const shapesHere = count[0] + random.integer(count[1] - count[0] + 1);
  for (let each = 0; each < shapesHere; each++) {
    const kind = random.integer(kinds.length);
    const reach = side * random.uniform(radius[0], radius[1]);
    // Its middle is in the picture, so that some of it shows unless another hides it.
    const [x, y] = [random.uniform(0, side), random.uniform(0, side)];
    const outline = outlines[kinds[kind]];
    const placed: Outline = (px, py) => reach * outline((px - x) / reach, (py - y) / reach);
    const colour = contrasting(randomColour(random), background, contrast);
    const angle = random.uniform(0, 2 * Math.PI);
    canvas.fill({ x, y, reach }, turned(placed, x, y, angle), colour, 1, (pixel) => {
      mask[pixel] = kind + 1;
    });
  }
  canvas.shade(random.uniform(0, shading), random.uniform(0, 2 * Math.PI));
  canvas.grain(noise, random);
}

/** Neither black nor white, so that light and grain show. */
function randomColour(random: RandomStream): Colour {
  const share = () => random.uniform(0.1, 0.9);
  return [share(), share(), share()];
}

/** The colour, moved towards black or white where it is about as bright as the background. */
function contrasting(colour: Colour, background: Colour, least: number): Colour {
  const difference = greyOf(colour) - greyOf(background);
  if (Math.abs(difference) >= least) return colour;
  const end = greyOf(background) < 0.5 ? 1 : 0;
  const target = greyOf(background) + (end === 1 ? least : -least);
  return mix(colour, [end, end, end], (target - greyOf(colour)) / (end - greyOf(colour)));
}

/** The kind that most pixels show, counted from 0; the first where none shows. */
function largestKind(mask: Uint8Array, kinds: number): number {
  const pixels = new Uint32Array(kinds + 1);
  for (const kind of mask) pixels[kind]++;
  return pixels.indexOf(Math.max(...pixels.subarray(1)), 1) - 1;
}

function checkKinds(kinds: readonly ShapeKind[]): void {
  const known = Object.keys(outlines);
  const wrong = kinds.find((kind, i) => !known.includes(kind) || kinds.indexOf(kind) !== i);
  if (wrong === undefined && kinds.length > 0) return;
  throw new ArgumentError(
    `shapes: kinds is [${kinds.join(", ")}]. Expected one or more of ${known.join(", ")}, each once.`,
  );
}
