/** Matrix products (kernels/matmul.c): which blocks they are cut into, and how B is read. */

import type { MatmulParams } from "../../../ops/linear/matmul.js";
import type { Buffer, Operand } from "../../backend.js";
import { epilogue, i32, input, makeLocal, output, scratch } from "../fields.js";
import type { Lower, Lowering, Machine } from "../lowering.js";
import { ceilDiv, enoughUnits, panelWidth, roundUp, ScratchLayout, smallestUnit } from "./panels.js";

export const matmulSteps = {
  /**
   * `batch` products of rows × depth and depth × columns; `batchStrideA` and `batchStrideB` are 0 for an operand that
   * all share. Units of work are rowBlock × columnBlock; panels of B are packed over depthBlock terms at a time. An
   * output in the local slot is for the epilogue only: each thread has room for a unit of it at `blockAt` of its scratch.
   */
  matmul: {
    a: input,
    b: input,
    output,
    scratch,
    scratchFloats: i32,
    stageAt: i32,
    termsAt: i32,
    offsetsAt: i32,
    blockAt: i32,
    batch: i32,
    rows: i32,
    columns: i32,
    depth: i32,
    batchStrideA: i32,
    batchStrideB: i32,
    transposeA: i32,
    transposeB: i32,
    method: i32,
    packA: i32,
    rowBlock: i32,
    columnBlock: i32,
    depthBlock: i32,
    epilogue,
  },
  /** Packs a B of columns × depth, or its transpose, for the method `prepared`. */
  matmulWeights: { b: input, output, columns: i32, depth: i32, transposeB: i32, columnBlock: i32 },
} as const;

/** How B is read: `MATMUL_PACKED` … in C. */
const methods = { packed: 0, direct: 1, dots: 2, prepared: 3 } as const;

/** Terms whose sum is kept in registers: `MATMUL_DEPTH` in C. */
const depthInRegisters = 256;

/** Floats of packed panels that stay in the second-level cache. */
const packedFloats = 1 << 17;

/** Floats of packed panels that are worth keeping beside the weights that they are made of. */
const preparedFloats = 1 << 20;

/** Floats of a unit's output that are still in the second-level cache when the epilogue reads them, and of one of its rows. */
const blockFloats = 1 << 16;
const blockColumns = 1 << 11;

/** Columns so few that all of them make one block. */
const narrow = 256;

/** One product, or a batch of them, of matrices that lie in `a` and `b`. */
export interface Product extends MatmulParams {
  readonly a: Buffer;
  readonly b: Buffer;
  readonly output: Buffer;
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly batchStrideA: number;
  readonly batchStrideB: number;
}

function methodFor({ b, batch, rows, columns, depth, transposeA, transposeB }: Product, to: Lowering): number {
  const width = to.machine.vectorWidth;
  if (!transposeA && transposeB && (rows <= 6 || columns <= 4) && depth >= 4 * width) return methods.dots;
  if (!transposeB && rows <= 12) return methods.direct;
  return batch === 1 && depth * roundUp(columns, width) <= preparedFloats && to.isKeptState(b)
    ? methods.prepared
    : methods.packed;
}

function packWeights({ b, columns, depth, transposeB }: Product, columnBlock: number, to: Lowering): Buffer {
  const output = to.temporary(4 * depth * roundUp(columns, to.machine.vectorWidth));
  to.prepare("matmulWeights", { b, output, columns, depth, transposeB: transposeB ? 1 : 0, columnBlock });
  return output;
}

/** @param isLocal whether each thread keeps its units of the output to itself */
function blocksFor(product: Product, method: number, machine: Machine, isLocal: boolean) {
  const { batch, rows, columns, depth } = product;
  const panel = method === methods.dots ? 16 : panelWidth(machine);
  let columnBlock = Math.max(panel, Math.floor(packedFloats / Math.max(1, depth) / panel) * panel);
  if (method === methods.direct) columnBlock = Math.max(columnBlock, roundUp(1024, panel));
  columnBlock = Math.min(columnBlock, roundUp(Math.max(1, columns), panel), isLocal ? blockColumns : columnBlock);
  const depthBlock = Math.max(
    depthInRegisters,
    Math.floor(packedFloats / columnBlock / depthInRegisters) * depthInRegisters,
  );
  let rowBlock = Math.min(depth <= depthBlock ? 144 : 512, Math.max(1, rows));
  if (isLocal) rowBlock = Math.min(rowBlock, blockFloats / blockColumns);
  const units = () => batch * ceilDiv(rows, rowBlock) * ceilDiv(columns, columnBlock);
  const wanted = Math.min(enoughUnits, Math.floor((batch * rows * columns * depth) / smallestUnit));
  // Rows of an output that lie one after the other are finished together.
  const keepsRows = columnBlock >= columns && columns <= narrow && rows >= 32;
  while (units() < wanted) {
    if (rowBlock >= (keepsRows ? 16 : 24)) rowBlock = ceilDiv(rowBlock, 2);
    else if (columnBlock > panel && !keepsRows) columnBlock = roundUp(columnBlock / 2, panel);
    else break;
  }
  return {
    rowBlock,
    columnBlock,
    depthBlock: Math.max(1, method === methods.prepared ? depth : Math.min(depthBlock, depth)),
  };
}

/** Emits the step for `product`, which finishes the op's output. */
export function lowerProduct(product: Product, to: Lowering): void {
  // Matrices that follow each other in A and share B are one matrix with more rows.
  if (product.batch > 1 && product.batchStrideB === 0 && !product.transposeA && product.batchStrideA > 0) {
    lowerProduct({ ...product, batch: 1, rows: product.batch * product.rows, batchStrideA: 0 }, to);
    return;
  }
  const { transposeA, transposeB, ...rest } = product;
  const isLocal = to.isForEpilogueOnly(product.output);
  const method = methodFor(product, to);
  const blocks = blocksFor(product, method, to.machine, isLocal);
  const b = method === methods.prepared ? packWeights(product, blocks.columnBlock, to) : product.b;
  const layout = new ScratchLayout();
  if (method === methods.packed) layout.place(blocks.columnBlock * blocks.depthBlock);
  if (method === methods.direct) layout.place(panelWidth(to.machine) * blocks.depthBlock);
  const stageAt = layout.place(blocks.rowBlock * panelWidth(to.machine));
  const packA = transposeA && product.rows > 256;
  const termsAt = layout.place(packA ? blocks.rowBlock * depthInRegisters : 0);
  const offsetsAt = layout.place(depthInRegisters);
  // The epilogue may read a vector beyond the last element.
  const blockAt = layout.place(isLocal ? blocks.rowBlock * blocks.columnBlock + to.machine.vectorWidth : 0);
  if (isLocal) makeLocal(product.output);
  to.step("matmul", {
    ...rest,
    b,
    scratch: to.temporary(layout.floats * 4 * to.machine.threads),
    scratchFloats: layout.floats,
    stageAt,
    termsAt,
    offsetsAt,
    blockAt,
    packA: packA ? 1 : 0,
    transposeA: transposeA ? 1 : 0,
    transposeB: transposeB ? 1 : 0,
    method,
    ...blocks,
    epilogue: to.epilogue,
  });
}

const matmul: Lower<"a" | "b", MatmulParams> = ({ inputs: { a, b }, params, output }, to) => {
  const matrices = ({ shape }: Operand) => (shape.length === 2 ? 1 : shape[0]);
  const [aRows, aColumns] = a.shape.slice(-2);
  const [rows, columns] = output.shape.slice(-2);
  const depth = params.transposeA ? aRows : aColumns;
  lowerProduct(
    {
      ...params,
      a: a.buffer,
      b: b.buffer,
      output: output.buffer,
      batch: matrices(output),
      rows,
      columns,
      depth,
      batchStrideA: matrices(a) === 1 ? 0 : rows * depth,
      batchStrideB: matrices(b) === 1 ? 0 : depth * columns,
    },
    to,
  );
};

export const matmulLowerings = { matmul } as const;
