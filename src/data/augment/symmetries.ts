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

/** Where each pixel of a plane of H×W comes to lie. */
function placesOf(
  { flipRows, flipColumns, transpose }: Symmetry,
  [height, width]: readonly [number, number],
): Uint32Array {
  const [down, across] = transpose ? [1, height] : [width, 1];
  const places = new Uint32Array(height * width);
  let i = 0;
  for (let y = 0; y < height; y++) {
    const row = (flipRows ? height - 1 - y : y) * down;
    for (let x = 0; x < width; x++) places[i++] = row + (flipColumns ? width - 1 - x : x) * across;
  }
  return places;
}

/** Planes of H×W bytes as a symmetry shows them. */
export function turnPlanes(
  planes: Uint8Array,
  size: readonly [height: number, width: number],
  symmetry: Symmetry,
): Uint8Array<ArrayBuffer> {
  const turned = new Uint8Array(planes.length);
  const places = placesOf(symmetry, size);
  for (let plane = 0; plane < planes.length; plane += places.length)
    for (let i = 0; i < places.length; i++) turned[plane + places[i]] = planes[plane + i];
  return turned;
}

/** Turns what was said of turned planes back, and adds it to `sums`, whose planes have H×W values. */
export function addTurnedBack(
  sums: Float64Array,
  turned: Float32Array,
  size: readonly [height: number, width: number],
  symmetry: Symmetry,
): void {
  const places = placesOf(symmetry, size);
  for (let plane = 0; plane < sums.length; plane += places.length)
    for (let i = 0; i < places.length; i++) sums[plane + i] += turned[plane + places[i]];
}

/** Height and width as a symmetry shows them. */
export function turnedSize(
  [height, width]: readonly [height: number, width: number],
  { transpose }: Symmetry,
): readonly [height: number, width: number] {
  return transpose ? [width, height] : [height, width];
}
