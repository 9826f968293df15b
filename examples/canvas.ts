/** Pictures with drawn digits here and there, and the windows of them from which a network learns what a digit is. */

import { ArgumentError, ImageDataset, type RandomStream } from "fovea";

/** A digit, and the pixel in the middle of its own picture. */
export interface Placed {
  readonly digit: number;
  readonly row: number;
  readonly column: number;
}

/** Bytes from 0 for paper to 255 for ink, row by row. */
export interface Canvas {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly placed: readonly Placed[];
}

/** Pixels between the middles of digits, down or across: no ink overlaps. */
const apart = 24;
/** A window shows a digit when its middle is at most so many pixels off, and none from so many on. */
const [near, far] = [2, 7];

const distance = (a: Omit<Placed, "digit">, b: Omit<Placed, "digit">) =>
  Math.max(Math.abs(a.row - b.row), Math.abs(a.column - b.column));

/** Puts digits of `data`, from number `first` on, where there is room. @throws ArgumentError where there is none */
export function drawCanvas(
  data: ImageDataset,
  [first, count]: readonly [first: number, count: number],
  [height, width]: readonly [height: number, width: number],
  random: RandomStream,
): Canvas {
  const [, rows, columns] = data.shape;
  const pixels = new Uint8Array(height * width);
  const placed: Placed[] = [];
  for (let attempt = 0; placed.length < count; attempt++) {
    if (attempt === 10_000) {
      throw new ArgumentError(
        `${count} digits of ${rows}×${columns} do not fit on ${height}×${width} pixels at random: there was room for ${placed.length}. Fix: fewer, or more pixels.`,
      );
    }
    const [top, left] = [random.integer(height - rows + 1), random.integer(width - columns + 1)];
    const { image, label } = data.get(first + placed.length);
    const candidate = { digit: label, row: top + rows / 2, column: left + columns / 2 };
    if (placed.some((other) => distance(other, candidate) < apart)) continue;
    placed.push(candidate);
    for (let i = 0; i < image.length; i++) {
      const at = (top + Math.floor(i / columns)) * width + left + (i % columns);
      pixels[at] = Math.max(pixels[at], image[i]);
    }
  }
  return { height, width, pixels, placed };
}

/**
 * Windows to learn from, cut out of canvases with the digits of `data`: around each digit two, a little off, labelled with the
 * digit; and as many between digits, with pieces of them or without, labelled `numClasses` of `data`: nothing.
 */
export function cutWindows(data: ImageDataset, random: RandomStream): ImageDataset {
  const [, rows, columns] = data.shape;
  const perCanvas = 20;
  const nothing = data.classNames.length;
  const images: Uint8Array[] = [];
  const labels: number[] = [];
  const cut = ({ pixels, width }: Canvas, row: number, column: number, label: number) => {
    const image = new Uint8Array(rows * columns);
    const [top, left] = [row - rows / 2, column - columns / 2];
    for (let y = 0; y < rows; y++) {
      const from = (top + y) * width + left;
      image.set(pixels.subarray(from, from + columns), y * columns);
    }
    images.push(image);
    labels.push(label);
  };
  for (let first = 0; first + perCanvas <= data.size; first += perCanvas) {
    const canvas = drawCanvas(data, [first, perCanvas], [8 * rows, 8 * columns], random);
    const within = (value: number, side: number, length: number) =>
      Math.min(length - side / 2, Math.max(side / 2, value));
    const off = () => random.integer(2 * near + 1) - near;
    for (const { digit, row, column } of canvas.placed) {
      for (let i = 0; i < 2; i++) {
        cut(canvas, within(row + off(), rows, canvas.height), within(column + off(), columns, canvas.width), digit);
      }
    }
    for (let found = 0; found < 2 * perCanvas; ) {
      const row = rows / 2 + random.integer(canvas.height - rows + 1);
      const column = columns / 2 + random.integer(canvas.width - columns + 1);
      if (canvas.placed.some((other) => distance(other, { row, column }) < far)) continue;
      cut(canvas, row, column, nothing);
      found++;
    }
  }
  return new ImageDataset({
    name: "windows",
    split: data.split,
    images: new Uint8Array(Buffer.concat(images)),
    labels: Uint8Array.from(labels),
    shape: data.shape,
    classNames: [...data.classNames, "nothing"],
  });
}
