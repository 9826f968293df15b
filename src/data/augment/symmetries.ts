/** The eight symmetries of the square: pictures mirrored and turned by quarters, without loss, and back. */

/** How planes are looked at. First each side is mirrored or not, then rows become columns or stay. */
export interface Symmetry {
  /** Whether the first row becomes the last. */
  readonly flipRows: boolean;
  /** Whether the first column becomes the last. */
  readonly flipColumns: boolean;
  /** Whether rows become columns: H×W then becomes W×H. */
  readonly transpose: boolean;
}

const asIs: Symmetry = { flipRows: false, flipColumns: false, transpose: false };

/** A picture as it is, and its mirror image. */
export const flipSymmetries: readonly Symmetry[] = [asIs, { ...asIs, flipColumns: true }];

/** All eight, the picture as it is first. */
export const allSymmetries: readonly Symmetry[] = [false, true].flatMap((transpose) =>
  [false, true].flatMap((flipRows) =>
    [false, true].map((flipColumns): Symmetry => ({ flipRows, flipColumns, transpose })),
  ),
);

/** Where the pixels of a plane come to lie: at start + y · down + x · across. */
function placing({ flipRows, flipColumns, transpose }: Symmetry, height: number, width: number) {
  const [down, across] = transpose ? [1, height] : [width, 1];
  return {
    start: (flipRows ? (height - 1) * down : 0) + (flipColumns ? (width - 1) * across : 0),
    down: flipRows ? -down : down,
    across: flipColumns ? -across : across,
  };
}

/** Calls back for each pixel of planes of H×W: where it is, and where it comes to lie. */
function eachPixel(
  length: number,
  [height, width]: readonly [number, number],
  symmetry: Symmetry,
  move: (from: number, to: number) => void,
): void {
  const { start, down, across } = placing(symmetry, height, width);
  let from = 0;
  for (let plane = 0; plane < length; plane += height * width) {
    for (let y = 0; y < height; y++) {
      let to = plane + start + y * down;
      for (let x = 0; x < width; x++, to += across) move(from++, to);
    }
  }
}

/** Planes of H×W bytes as a symmetry shows them. */
export function turnPlanes(
  planes: Uint8Array,
  size: readonly [height: number, width: number],
  symmetry: Symmetry,
): Uint8Array<ArrayBuffer> {
  const turned = new Uint8Array(planes.length);
  eachPixel(planes.length, size, symmetry, (from, to) => {
    turned[to] = planes[from];
  });
  return turned;
}

/** Turns what was said of turned planes back, and adds it to `sums`, whose planes have H×W values. */
export function addTurnedBack(
  sums: Float64Array,
  turned: Float32Array,
  size: readonly [height: number, width: number],
  symmetry: Symmetry,
): void {
  eachPixel(sums.length, size, symmetry, (from, to) => {
    sums[from] += turned[to];
  });
}

/** Height and width as a symmetry shows them. */
export function turnedSize(
  [height, width]: readonly [height: number, width: number],
  { transpose }: Symmetry,
): readonly [height: number, width: number] {
  return transpose ? [width, height] : [height, width];
}
