/** Generated pictures of faces, which smile or do not, of men and women of any age, in a proportion of one's choice. */

import { ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import { AnnotatedImages } from "../annotated.js";
import { ImageDataset } from "../images.js";
import { Canvas } from "./canvas.js";
import { checkGenerated, checkRange, checkWhole, checkWithin, drawInSlices, type GeneratedOptions } from "./drawing.js";
import { drawFace } from "./face-drawing.js";

/** How likely each combination is: four numbers of 0 or more that add up to 1. */
export interface FacesJoint {
  readonly smile: { readonly male: number; readonly female: number };
  readonly nonSmile: { readonly male: number; readonly female: number };
}

export type FaceAttribute = "smile" | "gender" | "age";

export interface FacesOptions extends GeneratedOptions {
  /** How smiles and genders are distributed together. Default `faces.balanced`, a quarter each. */
  readonly joint?: FacesJoint;
  /** Ages in years, all as likely: the least and the most. Default [18, 80]. They depend on nothing else. */
  readonly ages?: readonly [least: number, most: number];
  /** Which attribute is the pictures' class; ages in three groups. Default smile. */
  readonly label?: FaceAttribute;
  /** Height and width in pixels, 16 … 1024. Default 32. */
  readonly side?: number;
  /** 3 for colours (the default), 1 for grey. */
  readonly channels?: 1 | 3;
  /**
   * How hard smiles are to tell: how far the corners of the mouth are raised is normally distributed about ±1 with this
   * deviation. Default 0.9, where one face in eight looks as if it did what it does not; 0 where all are clear.
   */
  readonly subtlety?: number;
  /** Standard deviation of the grain, as a share of the brightest value. Default 0.03. */
  readonly noise?: number;
}

/** What is known of each face, in the order of the pictures. */
export interface FaceAnnotations extends Readonly<Record<string, Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>>> {
  /** 0 for no smile, 1 for a smile. */
  readonly smile: Int32Array<ArrayBuffer>;
  /** 0 for men, 1 for women. */
  readonly gender: Int32Array<ArrayBuffer>;
  /** In years. */
  readonly age: Float32Array<ArrayBuffer>;
}

/** Classes of the pictures when an attribute is their label. */
const classNames: Readonly<Record<FaceAttribute, readonly string[]>> = {
  smile: ["no smile", "smile"],
  gender: ["male", "female"],
  age: ["below 35", "35 to 59", "60 and above"],
};

const streams = { train: { draw: 0x66616330, who: 0x66616331 }, test: { draw: 0x66616332, who: 0x66616333 } } as const;
const defaultSizes = { train: 10_000, test: 2_000 } as const;

async function drawFaces(options: FacesOptions): Promise<AnnotatedImages<FaceAnnotations>> {
  const { joint = faces.balanced, label = "smile", side = 32, channels = 3, subtlety = 0.9, noise = 0.03 } = options;
  checkWhole("faces", "side", side, 16, 1024);
  if (channels !== 1 && channels !== 3)
    throw new ArgumentError(`faces: channels is ${channels}. Expected 1 for grey or 3 for colours.`);
  if (!Object.hasOwn(classNames, label))
    throw new ArgumentError(`faces: label is ${JSON.stringify(label)}. Expected "smile", "gender" or "age".`);
  checkWithin("faces", "subtlety", subtlety, 0, 10);
  checkWithin("faces", "noise", noise, 0, 1);
  const [youngest, oldest] = checkRange("faces", "ages", options.ages ?? [18, 80], [0, 120]);
  const shares = checkJoint(joint);
  const pixels = channels * side * side;
  const { split, size, seed } = checkGenerated("faces", options, pixels, defaultSizes);
  const images = new Uint8Array(size * pixels);
  const [smile, gender, age] = [new Int32Array(size), new Int32Array(size), new Float32Array(size)];
  const canvas = new Canvas(channels, side);
  const draw = (i: number) => {
    const who = new RandomStream(seed, streams[split].who, i);
    const cell = pick(shares, who.uniform());
    smile[i] = cell < 2 ? 1 : 0;
    gender[i] = cell % 2;
    age[i] = who.uniform(youngest, oldest);
    const random = new RandomStream(seed, streams[split].draw, i);
    drawFace(canvas, { smiling: smile[i] === 1, female: gender[i] === 1, age: age[i] }, subtlety, random);
    canvas.grain(noise, random);
    canvas.write(images, i * pixels);
  };
  await drawInSlices(size, 1, draw, options);
  const labels = label === "age" ? Int32Array.from(age, ageGroup) : label === "smile" ? smile : gender;
  const shape = [channels, side, side] as const;
  const pictures = new ImageDataset({ name: "faces", split, images, labels, shape, classNames: classNames[label] });
  return new AnnotatedImages<FaceAnnotations>(
    pictures,
    { smile, gender, age },
    { smile: classNames.smile, gender: classNames.gender },
  );
}

/**
 * Draws faces. Smiles show in the mouth alone, more or less; gender shows in hair, jaw, brows, lips and beards, none of
 * which every woman or man has; age in lines and grey hair. Skin, hair, light, pose, glasses and clothes vary without
 * meaning anything. Sample i depends only on the options and on (seed, split, i), whatever the size.
 *
 * `faces.lecture` is the distribution of smiles and genders in the lecture on fairness: 0.47 and 0.45 of all faces are
 * men's, with and without a smile; 0.02 and 0.06 women's. A network that learns from it takes smiling women not to smile.
 *
 * @returns 10,000 samples for training and 2,000 for testing unless `size` is told, C×side×side bytes each
 * @example
 * const train = await faces({ split: "train", joint: faces.lecture });
 * const { images, labels, gender, age } = train.batch(Uint32Array.of(0, 1, 2));
 */
export const faces = Object.assign(drawFaces, {
  /** 0.47 smiling men, 0.02 smiling women, 0.45 other men, 0.06 other women. */
  lecture: { smile: { male: 0.47, female: 0.02 }, nonSmile: { male: 0.45, female: 0.06 } },
  /** A quarter each. */
  balanced: { smile: { male: 0.25, female: 0.25 }, nonSmile: { male: 0.25, female: 0.25 } },
} satisfies Readonly<Record<string, FacesJoint>>);

function ageGroup(years: number): number {
  return years < 35 ? 0 : years < 60 ? 1 : 2;
}

/** Shares of smiling men and women, other men and women. */
function checkJoint({ smile, nonSmile }: FacesJoint): readonly number[] {
  const shares = [smile.male, smile.female, nonSmile.male, nonSmile.female];
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.every((share) => share >= 0) && Math.abs(sum - 1) <= 1e-6) return shares;
  throw new ArgumentError(
    `faces: joint is smile ${smile.male} (male) and ${smile.female} (female), nonSmile ${nonSmile.male} and ${nonSmile.female}, which add up to ${sum}. Expected numbers of 0 or more that add up to 1, such as faces.lecture.`,
  );
}

/** Which share the number from 0 to 1 falls into; never one of 0. */
function pick(shares: readonly number[], value: number): number {
  let left = value;
  let last = 0;
  for (const [i, share] of shares.entries()) {
    if (share === 0) continue;
    if (left < share) return i;
    left -= share;
    last = i;
  }
  return last;
}
