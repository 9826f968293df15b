/** What weights that answer for every pixel make of picture files. */

import { ArgumentError } from "../core/errors.js";
import { contactSheet } from "../data/contactSheet.js";
import { ImageDataset } from "../data/images.js";
import { colourMask } from "../data/maskColours.js";
import { fromPlanar, type PixelImage, toPlanar } from "../data/pixels.js";
import { readPixels, writePng } from "../node/image.js";
import { denoisePictures, type PixelViews, segmentPictures } from "../train/pixelPrediction.js";
import { formatShare, printJson, say } from "./output.js";
import { largestTile, pixelBatch } from "./pixel-evaluation.js";
import type { SavedModel } from "./saved-model.js";
import { pixelViewsOf, type ViewsName } from "./views.js";

export interface PixelFlags {
  /** PNG file for pictures beside what becomes of them. */
  readonly out?: string;
  readonly tile?: number;
  readonly views?: ViewsName;
  readonly invert?: true;
  readonly json?: true;
}

/** Answers for one picture after the other, and draws them all at the end. */
export class PixelAnswers {
  readonly #drawn: PixelImage[] = [];
  readonly #views: PixelViews | undefined;

  constructor(
    private readonly saved: SavedModel,
    private readonly flags: PixelFlags,
    private readonly signal: AbortSignal,
  ) {
    this.#views = pixelViewsOf(flags.views);
    if (saved.goal === "denoising" && flags.out === undefined)
      throw new ArgumentError("the weights give pictures without noise. Expected --out, the PNG file to put them in.");
  }

  /** Says what shares of the picture the classes have. */
  async add(file: string): Promise<void> {
    const { saved, flags } = this;
    const channels = saved.input.inputShape[0] === 1 ? 1 : 3;
    const { width, height, ...pixels } = await readPixels(file, { channels });
    const before = this.#drawn[0];
    if (flags.out !== undefined && before !== undefined && (before.width !== width || before.height !== height))
      throw new ArgumentError(
        `${file} has ${height}×${width} pixels, and the first picture ${before.height}×${before.width}. Expected one size for --out. Fix: another call for pictures of another size.`,
      );
    const image = toPlanar({ width, height, ...pixels });
    const data = new ImageDataset({
      name: file,
      split: "picture",
      images: flags.invert ? image.map((value) => 255 - value) : image,
      labels: new Uint8Array(1),
      shape: [channels, height, width],
      classNames: ["picture"],
    });
    const after = await this.#answer(file, data);
    this.#drawn.push(fromPlanar(data.images, [channels, height, width]), after);
  }

  async #answer(file: string, data: ImageDataset): Promise<PixelImage> {
    const { model, normalization, classNames, goal } = this.saved;
    const { tile = largestTile, json, out } = this.flags;
    const [channels, height, width] = data.shape;
    const batchSize = pixelBatch([channels, Math.min(tile, height), Math.min(tile, width)]);
    const options = { normalization, tile, batchSize, views: this.#views, signal: this.signal };
    if (goal === "denoising") {
      for await (const { picture } of denoisePictures(model, data, options)) {
        if (json) printJson({ file, out });
        return fromPlanar(picture, [channels === 1 ? 1 : 3, height, width]);
      }
    }
    for await (const { mask } of segmentPictures(model, data, options)) {
      const pixels = new Uint32Array(classNames.length);
      for (const kind of mask) pixels[kind]++;
      const shares = classNames.map((name, kind) => [name, pixels[kind] / mask.length] as const);
      if (json) printJson({ file, ...(out !== undefined && { out }), shares: Object.fromEntries(shares) });
      else say(`${file}: ${shares.map(([name, share]) => `${name} ${formatShare(share)}`).join(", ")}`);
      return colourMask(mask, height, width);
    }
    throw new ArgumentError(`${file} holds no picture.`);
  }

  /** Writes the pictures, each beside its mask or itself without noise. */
  async write(): Promise<void> {
    const { out, json } = this.flags;
    if (out === undefined || this.#drawn.length === 0) return;
    const [{ width }] = this.#drawn;
    await writePng(out, contactSheet(this.#drawn, { columns: 2, gap: 4, scale: width < 100 ? 3 : 1 }));
    if (!json) say(out);
  }
}
