/** The modules of Inception v3: branches side by side, whose maps are put behind one another. */

import type { Tensor } from "../graph/tensor.js";
import { Module } from "../nn/module.js";
import { avgPool2d, maxPool2d } from "../ops/pooling/pool.js";
import { concat } from "../ops/shape/concat.js";
import { ConvNormReLU } from "./blocks.js";

/** Numbers of channels times the network's width. */
export type Widen = <const Widths extends readonly number[]>(...channels: Widths) => { [I in keyof Widths]: number };

/** Means of 3×3 windows around each pixel. */
function smooth(x: Tensor): Tensor {
  return avgPool2d(x, 3, { stride: 1, padding: 1 });
}

/** Modules of 35×35: 1×1, 5×5, two 3×3 one after the other, and pooling. */
export class InceptionA extends Module {
  branch1x1: ConvNormReLU;
  branch5x5_1: ConvNormReLU;
  branch5x5_2: ConvNormReLU;
  branch3x3dbl_1: ConvNormReLU;
  branch3x3dbl_2: ConvNormReLU;
  branch3x3dbl_3: ConvNormReLU;
  branchPool: ConvNormReLU;
  readonly outChannels: number;

  constructor(inChannels: number, poolChannels: number, widen: Widen) {
    super();
    const [one, reduce5, five, reduce3, three, pool] = widen(64, 48, 64, 64, 96, poolChannels);
    this.branch1x1 = new ConvNormReLU(inChannels, one, 1);
    this.branch5x5_1 = new ConvNormReLU(inChannels, reduce5, 1);
    this.branch5x5_2 = new ConvNormReLU(reduce5, five, 5, { padding: 2 });
    this.branch3x3dbl_1 = new ConvNormReLU(inChannels, reduce3, 1);
    this.branch3x3dbl_2 = new ConvNormReLU(reduce3, three, 3, { padding: 1 });
    this.branch3x3dbl_3 = new ConvNormReLU(three, three, 3, { padding: 1 });
    this.branchPool = new ConvNormReLU(inChannels, pool, 1);
    this.outChannels = one + five + three + pool;
  }

  override forward(x: Tensor): Tensor {
    const branch5x5 = this.branch5x5_2(this.branch5x5_1(x));
    const branch3x3dbl = this.branch3x3dbl_3(this.branch3x3dbl_2(this.branch3x3dbl_1(x)));
    return concat([this.branch1x1(x), branch5x5, branch3x3dbl, this.branchPool(smooth(x))], 1);
  }
}

/** 35×35 → 17×17: convolutions that stride beside pooling. */
export class InceptionB extends Module {
  branch3x3: ConvNormReLU;
  branch3x3dbl_1: ConvNormReLU;
  branch3x3dbl_2: ConvNormReLU;
  branch3x3dbl_3: ConvNormReLU;
  readonly outChannels: number;

  constructor(inChannels: number, widen: Widen) {
    super();
    const [three, reduce, double] = widen(384, 64, 96);
    this.branch3x3 = new ConvNormReLU(inChannels, three, 3, { stride: 2 });
    this.branch3x3dbl_1 = new ConvNormReLU(inChannels, reduce, 1);
    this.branch3x3dbl_2 = new ConvNormReLU(reduce, double, 3, { padding: 1 });
    this.branch3x3dbl_3 = new ConvNormReLU(double, double, 3, { stride: 2 });
    this.outChannels = three + double + inChannels;
  }

  override forward(x: Tensor): Tensor {
    const branch3x3dbl = this.branch3x3dbl_3(this.branch3x3dbl_2(this.branch3x3dbl_1(x)));
    return concat([this.branch3x3(x), branch3x3dbl, maxPool2d(x, 3, { stride: 2 })], 1);
  }
}

/** A row of 7 pixels, and a column. */
const row = { kernel: [1, 7], options: { padding: [0, 3] } } as const;
const column = { kernel: [7, 1], options: { padding: [3, 0] } } as const;

/** Modules of 17×17: 7×7 windows in two steps, and twice that in four. */
export class InceptionC extends Module {
  branch1x1: ConvNormReLU;
  branch7x7_1: ConvNormReLU;
  branch7x7_2: ConvNormReLU;
  branch7x7_3: ConvNormReLU;
  branch7x7dbl_1: ConvNormReLU;
  branch7x7dbl_2: ConvNormReLU;
  branch7x7dbl_3: ConvNormReLU;
  branch7x7dbl_4: ConvNormReLU;
  branch7x7dbl_5: ConvNormReLU;
  branchPool: ConvNormReLU;
  readonly outChannels: number;

  constructor(inChannels: number, innerChannels: number, widen: Widen) {
    super();
    const [inner, out] = widen(innerChannels, 192);
    this.branch1x1 = new ConvNormReLU(inChannels, out, 1);
    this.branch7x7_1 = new ConvNormReLU(inChannels, inner, 1);
    this.branch7x7_2 = new ConvNormReLU(inner, inner, row.kernel, row.options);
    this.branch7x7_3 = new ConvNormReLU(inner, out, column.kernel, column.options);
    this.branch7x7dbl_1 = new ConvNormReLU(inChannels, inner, 1);
    this.branch7x7dbl_2 = new ConvNormReLU(inner, inner, column.kernel, column.options);
    this.branch7x7dbl_3 = new ConvNormReLU(inner, inner, row.kernel, row.options);
    this.branch7x7dbl_4 = new ConvNormReLU(inner, inner, column.kernel, column.options);
    this.branch7x7dbl_5 = new ConvNormReLU(inner, out, row.kernel, row.options);
    this.branchPool = new ConvNormReLU(inChannels, out, 1);
    this.outChannels = 4 * out;
  }

  override forward(x: Tensor): Tensor {
    const branch7x7 = this.branch7x7_3(this.branch7x7_2(this.branch7x7_1(x)));
    const half = this.branch7x7dbl_3(this.branch7x7dbl_2(this.branch7x7dbl_1(x)));
    const branch7x7dbl = this.branch7x7dbl_5(this.branch7x7dbl_4(half));
    return concat([this.branch1x1(x), branch7x7, branch7x7dbl, this.branchPool(smooth(x))], 1);
  }
}

/** 17×17 → 8×8. */
export class InceptionD extends Module {
  branch3x3_1: ConvNormReLU;
  branch3x3_2: ConvNormReLU;
  branch7x7x3_1: ConvNormReLU;
  branch7x7x3_2: ConvNormReLU;
  branch7x7x3_3: ConvNormReLU;
  branch7x7x3_4: ConvNormReLU;
  readonly outChannels: number;

  constructor(inChannels: number, widen: Widen) {
    super();
    const [inner, three] = widen(192, 320);
    this.branch3x3_1 = new ConvNormReLU(inChannels, inner, 1);
    this.branch3x3_2 = new ConvNormReLU(inner, three, 3, { stride: 2 });
    this.branch7x7x3_1 = new ConvNormReLU(inChannels, inner, 1);
    this.branch7x7x3_2 = new ConvNormReLU(inner, inner, row.kernel, row.options);
    this.branch7x7x3_3 = new ConvNormReLU(inner, inner, column.kernel, column.options);
    this.branch7x7x3_4 = new ConvNormReLU(inner, inner, 3, { stride: 2 });
    this.outChannels = three + inner + inChannels;
  }

  override forward(x: Tensor): Tensor {
    const branch3x3 = this.branch3x3_2(this.branch3x3_1(x));
    const half = this.branch7x7x3_2(this.branch7x7x3_1(x));
    const branch7x7x3 = this.branch7x7x3_4(this.branch7x7x3_3(half));
    return concat([branch3x3, branch7x7x3, maxPool2d(x, 3, { stride: 2 })], 1);
  }
}

/** Modules of 8×8: 3×3 windows as a row beside a column. */
export class InceptionE extends Module {
  branch1x1: ConvNormReLU;
  branch3x3_1: ConvNormReLU;
  branch3x3_2a: ConvNormReLU;
  branch3x3_2b: ConvNormReLU;
  branch3x3dbl_1: ConvNormReLU;
  branch3x3dbl_2: ConvNormReLU;
  branch3x3dbl_3a: ConvNormReLU;
  branch3x3dbl_3b: ConvNormReLU;
  branchPool: ConvNormReLU;
  readonly outChannels: number;

  constructor(inChannels: number, widen: Widen) {
    super();
    const [one, three, reduce, pool] = widen(320, 384, 448, 192);
    this.branch1x1 = new ConvNormReLU(inChannels, one, 1);
    this.branch3x3_1 = new ConvNormReLU(inChannels, three, 1);
    this.branch3x3_2a = new ConvNormReLU(three, three, [1, 3], { padding: [0, 1] });
    this.branch3x3_2b = new ConvNormReLU(three, three, [3, 1], { padding: [1, 0] });
    this.branch3x3dbl_1 = new ConvNormReLU(inChannels, reduce, 1);
    this.branch3x3dbl_2 = new ConvNormReLU(reduce, three, 3, { padding: 1 });
    this.branch3x3dbl_3a = new ConvNormReLU(three, three, [1, 3], { padding: [0, 1] });
    this.branch3x3dbl_3b = new ConvNormReLU(three, three, [3, 1], { padding: [1, 0] });
    this.branchPool = new ConvNormReLU(inChannels, pool, 1);
    this.outChannels = one + 4 * three + pool;
  }

  override forward(x: Tensor): Tensor {
    const branch3x3 = this.branch3x3_1(x);
    const branch3x3dbl = this.branch3x3dbl_2(this.branch3x3dbl_1(x));
    const branches = [
      this.branch1x1(x),
      this.branch3x3_2a(branch3x3),
      this.branch3x3_2b(branch3x3),
      this.branch3x3dbl_3a(branch3x3dbl),
      this.branch3x3dbl_3b(branch3x3dbl),
      this.branchPool(smooth(x)),
    ];
    return concat(branches, 1);
  }
}
