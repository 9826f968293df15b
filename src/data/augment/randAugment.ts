/** Augmentation with two numbers to choose: how many changes, and how strong. */

import type { RandomStream } from "../../core/philox.js";
import { applyAffine } from "./affine.js";
import { Augmentation, type Picture, type PictureShape } from "./augmentation.js";
import { withValues } from "./bytes.js";
import { adjustBrightness, adjustContrast, adjustSaturation, checkColors } from "./color.js";
import { checkInteger, checkNames, checkNumber } from "./options.js";
import { adjustSharpness, equalizeTones, invertFrom, reduceBits, stretchContrast } from "./tones.js";
import { checkWarp, type WarpOptions, type WarpSettings, warpNames } from "./warp.js";

export interface RandAugmentOptions extends WarpOptions {
  /** Changes that each picture gets. Default 2. */
  readonly operations?: number;
  /** Strength of all of them, 0 … 30. Default 9. */
  readonly magnitude?: number;
}

/** The changes, first to last; amounts in the unit of each. */
export interface RandAugmentParameters {
  readonly changes: readonly { readonly kind: RandAugmentKind; readonly amount: number }[];
}

interface Kind {
  /** How strong at a share of the greatest strength, for pictures of `shape`. */
  amount(share: number, shape: PictureShape): number;
  /** Whether half of the amounts are negative. */
  readonly signed: boolean;
  apply(picture: Picture, amount: number, settings: WarpSettings): Picture;
}

const still = { angle: 0, translate: [0, 0], scale: 1, shear: [0, 0] } as const;
const leaning = (amount: number) => (Math.atan(amount) * 180) / Math.PI;

function geometric(
  amount: Kind["amount"],
  parameters: (amount: number) => Partial<Parameters<typeof applyAffine>[1]>,
): Kind {
  const apply: Kind["apply"] = (picture, amount, settings) =>
    applyAffine(picture, { ...still, ...parameters(amount) }, settings);
  return { amount, signed: true, apply };
}

function colored(change: (values: Float64Array, plane: number, factor: number) => void): Kind {
  return {
    amount: (share) => 0.9 * share,
    signed: true,
    apply(picture, amount) {
      checkColors("randaugment", picture.shape);
      const values = Float64Array.from(picture.image);
      change(values, picture.shape[1] * picture.shape[2], 1 + amount);
      return withValues(picture, values);
    },
  };
}

const unmeasured = { amount: () => 0, signed: false } as const;

/** The fourteen changes with torchvision's strengths. */
const kinds = {
  identity: { ...unmeasured, apply: (picture) => picture },
  shearX: geometric(
    (share) => 0.3 * share,
    (amount) => ({ shear: [leaning(amount), 0] }),
  ),
  shearY: geometric(
    (share) => 0.3 * share,
    (amount) => ({ shear: [0, leaning(amount)] }),
  ),
  translateX: geometric(
    (share, [, , width]) => Math.trunc((150 / 331) * width * share),
    (amount) => ({ translate: [amount, 0] }),
  ),
  translateY: geometric(
    (share, [, height]) => Math.trunc((150 / 331) * height * share),
    (amount) => ({ translate: [0, amount] }),
  ),
  rotate: geometric(
    (share) => 30 * share,
    (angle) => ({ angle }),
  ),
  brightness: colored((values, _, factor) => adjustBrightness(values, factor)),
  color: colored(adjustSaturation),
  contrast: colored(adjustContrast),
  sharpness: {
    amount: (share) => 0.9 * share,
    signed: true,
    apply: (picture, amount) => adjustSharpness(picture, 1 + amount),
  },
  posterize: { amount: (share) => 8 - Math.round(4 * share), signed: false, apply: reduceBits },
  solarize: { amount: (share) => 255 * (1 - share), signed: false, apply: invertFrom },
  autocontrast: { ...unmeasured, apply: stretchContrast },
  equalize: { ...unmeasured, apply: equalizeTones },
} as const satisfies Readonly<Record<string, Kind>>;

export type RandAugmentKind = keyof typeof kinds;

const names: readonly RandAugmentKind[] = [
  "identity",
  "shearX",
  "shearY",
  "translateX",
  "translateY",
  "rotate",
  "brightness",
  "color",
  "contrast",
  "sharpness",
  "posterize",
  "solarize",
  "autocontrast",
  "equalize",
];

/** The greatest magnitude. */
const mostMagnitude = 30;

/**
 * Some of fourteen changes, each as likely as the others, all as strong (Cubuk et al., "RandAugment: practical automated data
 * augmentation with a reduced search space", 2019).
 *
 * @example augment.randAugment({ operations: 2, magnitude: 9 })
 */
export function randAugment(options: RandAugmentOptions = {}): Augmentation<RandAugmentParameters> {
  const name = "randaugment";
  checkNames(name, options, ["operations", "magnitude", ...warpNames]);
  const operations = checkInteger(name, "operations", options.operations ?? 2, 0, 100);
  const magnitude = checkNumber(name, "magnitude", options.magnitude ?? 9, 0, mostMagnitude);
  const settings = checkWarp(name, options);
  const draw = (random: RandomStream, shape: PictureShape): RandAugmentParameters => ({
    changes: Array.from({ length: operations }, () => {
      const kind = names[random.integer(names.length)];
      const amount = kinds[kind].amount(magnitude / mostMagnitude, shape);
      return { kind, amount: kinds[kind].signed && random.bits() & 1 ? -amount : amount };
    }),
  });
  const apply = (picture: Picture, { changes }: RandAugmentParameters): Picture =>
    changes.reduce((changed, { kind, amount }) => kinds[kind].apply(changed, amount, settings), picture);
  return new Augmentation<RandAugmentParameters>({ draw, apply }, 1, { name, options });
}
