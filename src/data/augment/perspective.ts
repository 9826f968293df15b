/** Pictures seen from aside. */

import { Augmentation, type ChanceOptions, type Picture, type PictureShape } from "./augmentation.js";
import { checkNames, checkNumber } from "./options.js";
import { checkWarp, newPlaces, type Places, type WarpOptions, type WarpSettings, warp, warpNames } from "./warp.js";

export interface PerspectiveOptions extends ChanceOptions, WarpOptions {
  /** How far corners may move inwards, as a share of half the size: 0 … 1. Default 0.5. */
  readonly distortion?: number;
  /** Default 0.5. */
  readonly probability?: number;
}

type Corner = readonly [x: number, y: number];

/** Where the corners of the picture come to lie: from the top left one clockwise, in pixels. */
export interface PerspectiveParameters {
  readonly corners: readonly [Corner, Corner, Corner, Corner];
}

/** Moves the four corners inwards, each by itself. @example augment.perspective({ distortion: 0.3 }) */
export function perspective(options: PerspectiveOptions = {}): Augmentation<PerspectiveParameters> {
  const name = "perspective";
  checkNames(name, options, ["distortion", "probability", ...warpNames]);
  const { distortion = 0.5, probability = 0.5 } = options;
  // At 1 all corners may meet, which no mapping undoes.
  checkNumber(name, "distortion", distortion, 0, 0.99);
  const settings = checkWarp(name, options);
  return new Augmentation<PerspectiveParameters>(
    {
      draw(random, [, height, width]) {
        const [mostX, mostY] = [(distortion * (width - 1)) / 2, (distortion * (height - 1)) / 2];
        const corner = (right: boolean, bottom: boolean): Corner => {
          const [x, y] = [random.uniform(0, mostX), random.uniform(0, mostY)];
          return [right ? width - 1 - x : x, bottom ? height - 1 - y : y];
        };
        return { corners: [corner(false, false), corner(true, false), corner(true, true), corner(false, true)] };
      },
      apply: (picture, parameters) => applyPerspective(picture, parameters, settings),
    },
    probability,
    { name, options },
  );
}

function applyPerspective(picture: Picture, { corners }: PerspectiveParameters, settings: WarpSettings): Picture {
  // With one row or column there is no quadrilateral.
  if (picture.shape[1] < 2 || picture.shape[2] < 2) return picture;
  return warp(picture, perspectivePlaces(picture.shape, corners), settings);
}

/** Places of the projective mapping (a x + b y + c, d x + e y + f) / (g x + h y + 1) that takes `corners` to the picture's. */
function perspectivePlaces([, height, width]: PictureShape, corners: PerspectiveParameters["corners"]): Places {
  const own: readonly Corner[] = [
    [0, 0],
    [width - 1, 0],
    [width - 1, height - 1],
    [0, height - 1],
  ];
  const rows = corners.flatMap(([x, y], i) => {
    const [u, v] = own[i];
    return [
      [x, y, 1, 0, 0, 0, -u * x, -u * y, u],
      [0, 0, 0, x, y, 1, -v * x, -v * y, v],
    ];
  });
  const [a, b, c, d, e, f, g, h] = solve(rows);
  const places = newPlaces(height * width);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const depth = g * x + h * y + 1;
      places.x[i] = (a * x + b * y + c) / depth;
      places.y[i] = (d * x + e * y + f) / depth;
    }
  }
  return places;
}

/** Solves linear equations, each with its right side last, by elimination with row exchanges. */
function solve(rows: number[][]): number[] {
  const count = rows.length;
  for (let column = 0; column < count; column++) {
    let pivot = column;
    for (let row = column; row < count; row++) {
      if (Math.abs(rows[row][column]) > Math.abs(rows[pivot][column])) pivot = row;
    }
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let row = 0; row < count; row++) {
      if (row === column) continue;
      const factor = rows[row][column] / rows[column][column];
      for (let k = column; k <= count; k++) rows[row][k] -= factor * rows[column][k];
    }
  }
  return rows.map((row, i) => row[count] / row[i]);
}
