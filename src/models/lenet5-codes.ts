/** The output of LeNet-5's paper: units that measure how far what they are given is from the code of their class. */

import type { Shape } from "../core/shape.js";
import { State } from "../graph/state.js";
import type { Tensor } from "../graph/tensor.js";
import { Module } from "../nn/module.js";
import { tensor } from "../ops/create.js";
import { mul, sub } from "../ops/elementwise/arithmetic.js";
import { less } from "../ops/elementwise/comparison.js";
import { where } from "../ops/elementwise/select.js";
import { uniform } from "../ops/random/random.js";
import { sum } from "../ops/reduce/sum.js";
import { unsqueeze } from "../ops/shape/reshape.js";

/** The digits 0 to 9 as pictures of 12 rows and 7 columns, side by side. Drawn anew in the manner of the paper's figure 3. */
const pictures = [
  "....... ....... ....... ....... ....... ....... ....... ....... ....... .......",
  "..###.. ...##.. .#####. .#####. ....##. ####### ..####. ####### .#####. .#####.",
  ".##.##. .####.. ##...## ##...## ...###. ##..... .##.... .....## ##...## ##...##",
  "##...## ...##.. .....## .....## ..####. ##..... ##..... .....## ##...## ##...##",
  "##...## ...##.. .....## .....## .##.##. ##..... ##..... ....##. ##...## ##...##",
  "##...## ...##.. ....##. ..####. ##..##. ######. ######. ....##. .#####. ##...##",
  "##...## ...##.. ...##.. .....## ##..##. .....## ##...## ...##.. ##...## .######",
  "##...## ...##.. ..##... .....## ####### .....## ##...## ...##.. ##...## .....##",
  "##...## ...##.. .##.... .....## ....##. .....## ##...## ..##... ##...## .....##",
  ".##.##. ...##.. ##..... ##...## ....##. ##...## ##...## ..##... ##...## ....##.",
  "..###.. .###### ####### .#####. ....##. .#####. .#####. ..##... .#####. .####..",
  "....... ....... ....... ....... ....... ....... ....... ....... ....... .......",
];

/** Units in the layer before: one for each pixel of a code. */
const pixels = 12 * 7;

/** 1 where a digit's picture has ink, else −1; row by row. */
function codeOfDigit(digit: number): number[] {
  return pictures.flatMap((row) => [...row.split(" ")[digit]].map((pixel) => (pixel === "#" ? 1 : -1)));
}

/**
 * Euclidean radial basis functions: N×`inFeatures` → N×`numClasses` scores, the negative squared distances from fixed codes
 * of ±1. Ten classes of 84 features have the pictures of digits as their codes; otherwise the codes are drawn at random, as
 * the paper suggests.
 */
export class RadialBasis extends Module {
  /** The codes, `numClasses`×`inFeatures`; saved, but not trained. */
  weight: State;

  constructor(
    readonly inFeatures: number,
    readonly numClasses: number,
  ) {
    super();
    const shape: Shape = [numClasses, inFeatures];
    const drawn = numClasses === 10 && inFeatures === pixels;
    const codes = drawn
      ? tensor(Array.from({ length: numClasses }, (_, digit) => codeOfDigit(digit)))
      : where(less(uniform(shape), 0.5), -1, 1);
    this.weight = new State<Shape>(codes);
  }

  override forward(x: Tensor): Tensor {
    const difference = sub(unsqueeze(x, -2), this.weight);
    return mul(sum(mul(difference, difference), -1), -1);
  }
}
