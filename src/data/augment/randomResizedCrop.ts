/** Windows of random sizes and proportions, all brought to one size. */

import { resizePixels } from "../resize.js";
import { Augmentation, type Picture } from "./augmentation.js";
import { checkInteger, checkNames, checkRange } from "./options.js";
import { cutWindow, type Window } from "./window.js";

export interface RandomResizedCropOptions {
  /** Of the results, in pixels: one number for squares, or [height, width]. Default: that of the pictures. */
  readonly size?: number | readonly [height: number, width: number];
  /** Share of the picture's area. Default [0.08, 1]. */
  readonly scale?: readonly [least: number, most: number];
  /** Width over height. Default [3/4, 4/3]. */
  readonly ratio?: readonly [least: number, most: number];
}

/**
 * What GoogLeNet was trained with (Szegedy et al., "Going deeper with convolutions", 2014), and most networks for ImageNet since.
 *
 * @example augment.randomResizedCrop({ size: 224 })
 */
export function randomResizedCrop(options: RandomResizedCropOptions = {}): Augmentation<Window> {
  const name = "resized-crop";
  checkNames(name, options, ["size", "scale", "ratio"]);
  const { size } = options;
  const scale = checkRange(name, "scale", options.scale ?? [0.08, 1], { least: 1e-6, most: 1 });
  const ratio = checkRange(name, "ratio", options.ratio ?? [3 / 4, 4 / 3], { least: 1e-3, most: 1e3 });
  const sides = typeof size === "number" ? [size, size] : size;
  for (const side of sides ?? []) checkInteger(name, "size", side, 1, 16384);
  return new Augmentation<Window>(
    {
      outputShape: ([channels, height, width]) => [channels, sides?.[0] ?? height, sides?.[1] ?? width],
      draw(random, [, rows, columns]) {
        // As torchvision: ten attempts, then the largest window in the middle of allowed proportions.
        for (let attempt = 0; attempt < 10; attempt++) {
          const area = rows * columns * random.uniform(...scale);
          const proportion = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
          const width = Math.round(Math.sqrt(area * proportion));
          const height = Math.round(Math.sqrt(area / proportion));
          if (width < 1 || height < 1 || width > columns || height > rows) continue;
          return { top: random.integer(rows - height + 1), left: random.integer(columns - width + 1), height, width };
        }
        const proportion = Math.min(ratio[1], Math.max(ratio[0], columns / rows));
        const width = Math.max(1, Math.min(columns, Math.round(rows * proportion)));
        const height = Math.max(1, Math.min(rows, Math.round(columns / proportion)));
        return { top: Math.round((rows - height) / 2), left: Math.round((columns - width) / 2), height, width };
      },
      apply(picture, window) {
        const [, rows, columns] = picture.shape;
        return resizePicture(cutWindow(picture, window), [sides?.[0] ?? rows, sides?.[1] ?? columns]);
      },
    },
    1,
    { name, options },
  );
}

/** Bilinear with antialiasing as in Pillow; masks by nearest neighbour. */
function resizePicture({ shape, image, mask }: Picture, size: readonly [height: number, width: number]): Picture {
  const [channels, height, width] = shape;
  const [from, to] = [height * width, size[0] * size[1]];
  const resized = new Uint8Array(channels * to);
  for (let channel = 0; channel < channels; channel++) {
    const data = image.subarray(channel * from, (channel + 1) * from);
    resized.set(resizePixels({ width, height, channels: 1, data }, size).data, channel * to);
  }
  const result: Picture = { shape: [channels, ...size], image: resized };
  if (mask === undefined) return result;
  const moved = Uint8Array.from({ length: to }, (_, i) => {
    const y = Math.floor(((Math.floor(i / size[1]) + 0.5) * height) / size[0]);
    const x = Math.floor((((i % size[1]) + 0.5) * width) / size[1]);
    return mask[y * width + x];
  });
  return { ...result, mask: moved };
}
