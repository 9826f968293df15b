/** Winograd's algorithm for 3×3 convolutions of stride 1 (kernels/winograd.c): where it pays, and how the work is cut. */

import { sizeOf } from "../../../core/shape.js";
import type { Operand } from "../../backend.js";
import { epilogue, i32, input, output, row, scratch } from "../fields.js";
import type { Lowering, Machine } from "../lowering.js";
import type { Problem } from "./convolution.js";
import { ceilDiv, enoughUnits, panelWidth, roundUp, ScratchLayout } from "./panels.js";

const pair = row(2);

export const winogradSteps = {
  /** Transforms the weights for tiles of `tile`²; for an input gradient, turned around and with channels exchanged. */
  winogradWeights: {
    weight: input,
    output,
    scratch,
    scratchFloats: i32,
    groups: i32,
    sourceChannels: i32,
    targetChannels: i32,
    gradient: i32,
    tile: i32,
  },
  /**
   * Channels are counted per group; `padding` above and on the left; `tiles` along both axes of the target. Units of
   * work are chunks of `chunkStrips` rows of tiles and groups of `panelGroup` panels of target channels.
   * Distances are those of the positions in a transformed tile.
   */
  winograd: {
    source: input,
    weights: input,
    output,
    scratch,
    scratchFloats: i32,
    productsAt: i32,
    haloAt: i32,
    stageAt: i32,
    offsetsAt: i32,
    inputDistance: i32,
    productDistance: i32,
    batch: i32,
    groups: i32,
    sourceChannels: i32,
    targetChannels: i32,
    sourceSize: pair,
    targetSize: pair,
    padding: pair,
    tile: i32,
    tiles: pair,
    chunkStrips: i32,
    panelGroup: i32,
    epilogue,
  },
} as const;

/** Tiles of a chunk: enough that reading the transformed weights does not count. */
const chunkTiles = 96;
/** Floats of the products of one unit of work, which stay in the second-level cache. */
const productFloats = 1 << 18;
/** WINOGRAD_DEPTH and PACKED_KERNELS in C. */
const depthBlock = 256;
const packedKernels = 16;

/*
 * Costs, in vector multiply-adds: of a vector of weights, which comes from memory; and of a vector of a transformed tile.
 */
const weightCost = 10;
const transformCost = 8;

/** The side of the tiles that cost least; 0 where the convolution itself costs less or is none of 3×3 and stride 1. */
export function winogradTile(problem: Problem, machine: Machine): 0 | 2 | 4 {
  const { axes, kernel, sourceChannels, targetChannels, batch, isPlain } = problem;
  const [y, x] = axes;
  if (!isPlain || kernel[0] !== 3 || kernel[1] !== 3 || sizeOf([batch, y.target, x.target]) === 0) return 0;
  const width = machine.vectorWidth;
  if (sourceChannels < 2 * width || targetChannels < 2 * width) return 0;
  const vectors = ceilDiv(targetChannels, width);
  const direct = 9 * batch * y.target * x.target * sourceChannels * vectors + 9 * sourceChannels * vectors * weightCost;
  const cost = (tile: 2 | 4) => {
    const positions = (tile + 2) ** 2;
    const tiles = batch * ceilDiv(y.target, tile) * ceilDiv(x.target, tile);
    const transforms = tiles * positions * (ceilDiv(sourceChannels, width) + vectors) * transformCost;
    return positions * sourceChannels * vectors * (tiles + weightCost) + transforms;
  };
  const [two, four] = [cost(2), cost(4)];
  if (Math.min(two, four) > 0.9 * direct) return 0;
  return four <= two ? 4 : 2;
}

export function lowerWinograd(
  problem: Problem,
  tile: 2 | 4,
  source: Operand,
  weight: Operand,
  output: Operand,
  to: Lowering,
): void {
  const { batch, groups, sourceChannels, targetChannels, axes, gradient } = problem;
  const [y, x] = axes;
  const { vectorWidth: width, threads } = to.machine;
  const positions = (tile + 2) ** 2;
  const channels = { groups, sourceChannels, targetChannels, tile };
  const panel = panelWidth(to.machine);
  const weights = to.temporary(4 * groups * positions * sourceChannels * roundUp(targetChannels, width));
  const packed = 9 * packedKernels * panel;
  to.prepare("winogradWeights", {
    weight: weight.buffer,
    output: weights,
    scratch: to.temporary(4 * packed * threads),
    scratchFloats: packed,
    gradient: gradient ? 1 : 0,
    ...channels,
  });

  const tiles = [ceilDiv(y.target, tile), ceilDiv(x.target, tile)];
  const strips = batch * tiles[0];
  const chunkStrips = Math.min(strips, Math.max(1, Math.round(chunkTiles / tiles[1])));
  const chunks = ceilDiv(strips, chunkStrips);
  const mostTiles = ceilDiv(strips, chunks) * tiles[1];
  const panels = ceilDiv(ceilDiv(targetChannels, width), panel / width);
  let panelGroup = Math.max(1, Math.min(panels, Math.floor(productFloats / (positions * mostTiles * panel))));
  while (panelGroup > 1 && groups * chunks * ceilDiv(panels, panelGroup) < enoughUnits) panelGroup--;
  // Positions whose distance is a multiple of a page would push each other out of the cache.
  const inputDistance = mostTiles * roundUp(sourceChannels, width) + 16;
  const productDistance = mostTiles * panelGroup * panel + 16;
  const layout = new ScratchLayout();
  layout.place(positions * inputDistance);
  const productsAt = layout.place(positions * productDistance);
  const haloAt = layout.place((tile + 2) * (tiles[1] * tile + 2) * width + width);
  const stageAt = layout.place(tile * tiles[1] * tile * width);
  const offsetsAt = layout.place(depthBlock);
  to.step("winograd", {
    source: source.buffer,
    weights,
    output: output.buffer,
    scratch: to.temporary(4 * layout.floats * threads),
    scratchFloats: layout.floats,
    ...{ productsAt, haloAt, stageAt, offsetsAt, inputDistance, productDistance },
    batch,
    ...channels,
    sourceSize: [y.source, x.source],
    targetSize: [y.target, x.target],
    padding: [-y.origin - Math.floor(y.shift / y.phases), -x.origin - Math.floor(x.shift / x.phases)],
    tiles,
    chunkStrips,
    panelGroup,
    epilogue: to.epilogue,
  });
}
