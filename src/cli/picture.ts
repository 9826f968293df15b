/** Grey pictures in a terminal: two pixels to a character. */

export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  /** Rows of bytes, 0 black … 255 white. */
  readonly data: ArrayLike<number>;
}

const plainShades = " .:-=+*#%@";

/** The grey picture of an image in C×H×W order. */
export function greyPicture(
  image: Uint8Array,
  [channels, height, width]: readonly [channels: number, height: number, width: number],
): GreyPicture {
  const plane = height * width;
  const data = Uint8Array.from({ length: plane }, (_, pixel) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += image[channel * plane + pixel];
    return sum / channels;
  });
  return { width, height, data };
}

/** Lines of text: half blocks in shades of grey where colours are possible, else characters of growing density. */
export function drawPicture({ width, height, data }: GreyPicture, colours: boolean): string[] {
  const at = (x: number, y: number) => (y < height ? data[y * width + x] : 0);
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    let line = "";
    for (let x = 0; x < width; x++) {
      const [upper, lower] = [at(x, y), at(x, y + 1)];
      line += colours
        ? `\x1b[38;5;${grey(upper)}m\x1b[48;5;${grey(lower)}m▀`
        : plainShades[Math.floor(((upper + lower) / 511) * plainShades.length)];
    }
    lines.push(colours ? `${line}\x1b[0m` : line);
  }
  return lines;
}

/** The nearest of a terminal's 24 greys, black and white. */
function grey(value: number): number {
  const step = Math.round((value / 255) * 25);
  if (step === 0) return 16;
  return step === 25 ? 231 : 231 + step;
}

/** The picture without the black rows and columns around it. */
export function cropPicture(picture: GreyPicture): GreyPicture {
  const { width, height, data } = picture;
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return picture;
  const size = { width: right - left + 1, height: bottom - top + 1 };
  const cropped = Uint8Array.from({ length: size.width * size.height }, (_, i) => {
    return data[(top + Math.floor(i / size.width)) * width + left + (i % size.width)];
  });
  return { ...size, data: cropped };
}

/** The picture made smaller, by averaging squares, until it is at most so wide. */
export function shrinkPicture(picture: GreyPicture, mostWidth: number): GreyPicture {
  const step = Math.ceil(picture.width / mostWidth);
  if (step <= 1) return picture;
  const [width, height] = [Math.floor(picture.width / step), Math.floor(picture.height / step)];
  const data = Uint8Array.from({ length: width * height }, (_, i) => {
    const [left, top] = [(i % width) * step, Math.floor(i / width) * step];
    let sum = 0;
    for (let y = top; y < top + step; y++) {
      for (let x = left; x < left + step; x++) sum += picture.data[y * picture.width + x];
    }
    return sum / (step * step);
  });
  return { width, height, data };
}

/** Lines of text of one visible width. */
export interface Block {
  readonly width: number;
  readonly lines: readonly string[];
}

export const gap = 2;

/** Blocks next to one another, aligned at their tops. */
export function sideBySide(blocks: readonly Block[]): string[] {
  const height = Math.max(0, ...blocks.map(({ lines }) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    blocks
      .map(({ lines, width }) => lines[row] ?? " ".repeat(width))
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}
