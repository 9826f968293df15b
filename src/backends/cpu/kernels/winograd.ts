/** Winograd's algorithm for 3×3 and 5×5 convolutions of stride 1 (kernels/winograd.c): where it pays, and how the work is cut. */

import { currentPrecision } from "../../../core/precision.js";
import { sizeOf } from "../../../core/shape.js";
import type { Operand } from "../../backend.js";
import { epilogue, i32, input, makeLocal, output, row, scratch } from "../fields.js";
import type { Lowering, Machine } from "../lowering.js";
import type { WinogradTile } from "./algorithm.js";
import type { Problem } from "./convolutionProblem.js";
import { ceilDiv, countPanels, enoughUnits, panelWidth, roundUp, ScratchLayout } from "./panels.js";
import type { WeightGradientProblem } from "./weightGradient.js";
import { plainSizes } from "./windows.js";

const pair = row(2);

export const winogradSteps = {
  /**
   * Transforms weights of `kernel`² for tiles of `tile`²; for an input gradient, turned around and with channels exchanged. With
   * a `stride`, source channels are its phases, of kernels of `size`².
   */
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
    kernel: i32,
    stride: i32,
    size: i32,
  },
  /**
   * Channels are counted per group; `padding` above and on the left; `tiles` along both axes of the target. Units of
   * work are `chunks` of the rows of tiles and groups of `panelGroup` panels of target channels. `raw`: the weights
   * are as they were given (for an input gradient where `gradient`), and every unit, which has one panel, transforms its own.
   * With a `stride`, source channels are its phases and `kernel` is the side of theirs. Distances are those of the positions in a transformed tile. `sourceLast`, `targetLast`: channels lie side by side.
   * `pooled`: the output has the largest of each 2×2 pixels of the target, of which a strip at a time is at `blockAt` of a thread's
   * scratch; for the epilogue it is in the local slot.
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
    factorsAt: i32,
    packedAt: i32,
    inputDistance: i32,
    productDistance: i32,
    batch: i32,
    groups: i32,
    sourceChannels: i32,
    targetChannels: i32,
    raw: i32,
    gradient: i32,
    sourceSize: pair,
    targetSize: pair,
    padding: pair,
    tile: i32,
    kernel: i32,
    stride: i32,
    tiles: pair,
    chunks: i32,
    panelGroup: i32,
    sourceLast: i32,
    targetLast: i32,
    pooled: i32,
    blockAt: i32,
    epilogue,
  },
  /**
   * The weight gradient. Units of work are blocks of input and of output channels, `inputBlocks` and `outputBlocks` a
   * group, and `parts` parts of the rows of tiles, whose results lie `partialSize` floats apart. `inputLast`,
   * `upstreamLast`: channels lie side by side. An output in the local slot is for the epilogue only: each thread has room for
   * a vector of output channels at `blockAt` of its scratch.
   */
  winogradGradient: {
    upstream: input,
    input,
    output,
    scratch,
    scratchFloats: i32,
    upstreamAt: i32,
    productsAt: i32,
    stripAt: i32,
    stageAt: i32,
    blockAt: i32,
    offsetsAt: i32,
    inputDistance: i32,
    upstreamDistance: i32,
    productDistance: i32,
    batch: i32,
    groups: i32,
    inputChannels: i32,
    outputChannels: i32,
    inputSize: pair,
    upstreamSize: pair,
    padding: pair,
    tile: i32,
    tiles: pair,
    chunkStrips: i32,
    inputBlocks: i32,
    outputBlocks: i32,
    parts: i32,
    partialSize: i32,
    inputLast: i32,
    upstreamLast: i32,
    epilogue,
  },
} as const;

/**
 * Tiles of a chunk: enough that reading the transformed weights does not count; half of them where threads otherwise share a
 * few large units of a network that only predicts, and fewer where weights are so few floats that they stay in the second-level cache beside the tiles.
 */
const chunkTiles = 96;
const fewUnits = 2 * enoughUnits;
const smallChunkTiles = 32;
const smallWeights = 1 << 18;
/** Floats of the products of one unit of work, which stay in the second-level cache. */
const productFloats = 1 << 18;
/** WINOGRAD_DEPTH (less in WebAssembly), PACKED_KERNELS and TILE_GAP in C. */
const depthBlock = 256;
const packedKernels = 16;
const tileGap = 16;

/**
 * Where transformed weights are not kept, and are more floats than that or few chunks share them, every unit of work transforms
 * its own: that costs less than their way through memory.
 */
const largeWeights = 10 << 18;
const fewChunks = 2;

/*
 * Costs, in vector multiply-adds: of a vector of weights, which comes from memory; of a vector of a transformed tile; and of
 * starting and storing a sum, which counts where few channels are summed.
 */
const weightCost = 10;
const transformCost = 8;
const sumCost = 5;

/** 0 for none: the sums of the definition. */
type Tile = 0 | WinogradTile;

/** Source channels that tiles for kernels of five rows sum, whose seven points lose more to rounding than others. */
const mostFiveChannels = 64;

/** Source channels of a strided convolution, which are few in a network's first layer: planes, as pictures are given. */
const mostStridedChannels = 4;

/** Whether the phases of a stride, as channels, leave a convolution with kernels of 3×3. */
function takesPhases(problem: Problem, { vectorWidth: width }: Machine): boolean {
  const { axes, kernel, sourceChannels: channels, targetChannels, gradient } = problem;
  const [{ stride }] = axes;
  const isDense = axes.every((axis, i) => axis.span === kernel[i] && axis.phases === 1 && axis.stride === stride);
  const isSquare = kernel[0] === kernel[1] && ceilDiv(kernel[0], stride) === 3;
  const arePlanes = channels > 0 && channels <= mostStridedChannels && channels % width !== 0;
  return !gradient && stride > 1 && isDense && isSquare && arePlanes && targetChannels >= 2 * width;
}

/** The tiles with which the algorithm is for such a convolution. */
export function convolutionTiles(problem: Problem, machine: Machine): readonly WinogradTile[] {
  const { axes, batch, sourceChannels, targetChannels } = problem;
  if (!takesPhases(problem, machine)) return winogradTiles(problem, [sourceChannels, targetChannels], machine);
  return sizeOf([batch, axes[0].target, axes[1].target]) === 0 ? [] : [4];
}

/** The tiles with which it is for one of stride 1, with channels for two vectors. */
function winogradTiles(
  { axes, kernel, batch, isPlain }: Shapes,
  channels: readonly [number, number],
  { vectorWidth: width }: Machine,
): readonly WinogradTile[] {
  const [rows, columns] = kernel;
  const isEmpty = sizeOf([batch, axes[0].target, axes[1].target]) === 0;
  if (!isPlain || rows !== columns || isEmpty || channels.some((count) => count < 2 * width)) return [];
  return rows === 3 ? [4, 2] : rows === 5 && channels[0] <= mostFiveChannels ? [3] : [];
}

type Shapes = Pick<Problem, "axes" | "kernel" | "batch" | "isPlain">;

function countTiles({ axes: [y, x], batch }: Shapes, tile: WinogradTile): number {
  return batch * ceilDiv(y.target, tile) * ceilDiv(x.target, tile);
}

/** The tile that costs least, if it is worth its transforms. */
function cheapest(tiles: readonly WinogradTile[], cost: (tile: WinogradTile) => number, direct: number): Tile {
  let [best, least]: [Tile, number] = [0, 0.9 * direct];
  for (const tile of tiles) {
    const each = cost(tile);
    if (each <= least && (best === 0 || each < least)) [best, least] = [tile, each];
  }
  return best;
}

/**
 * The side of the tiles that a convolution or its input gradient costs least with.
 * @param columns what it costs to transform columns only
 */
export function winogradTile(problem: Problem, columns: number, machine: Machine): Tile {
  const { axes, targetChannels, batch, kernel } = problem;
  const [y, x] = axes;
  const width = machine.vectorWidth;
  const possible = convolutionTiles(problem, machine);
  if (currentPrecision() !== "fast" || possible.length === 0) return 0;
  const phases = y.stride * x.stride;
  const channels = problem.sourceChannels * phases;
  const vectors = ceilDiv(targetChannels, width);
  const direct = 9 * channels * vectors * (batch * y.target * x.target + weightCost);
  return cheapest(
    possible,
    (tile) => {
      const positions = (tile + ceilDiv(kernel[0], y.stride) - 1) ** 2;
      const tiles = countTiles(problem, tile);
      const transforms = tiles * positions * (ceilDiv(channels, width) + vectors) * transformCost;
      const sums = phases > 1 ? tiles * positions * vectors * sumCost : 0;
      return positions * channels * vectors * (tiles + weightCost) + sums + transforms;
    },
    kernel[0] === 3 ? direct : columns,
  );
}

export function lowerWinograd(
  problem: Problem,
  tile: WinogradTile,
  source: Operand,
  weight: Operand,
  output: Operand,
  to: Lowering,
): void {
  const { batch, groups, targetChannels, axes, gradient } = problem;
  const [y, x] = axes;
  const { vectorWidth: width, threads } = to.machine;
  const stride = y.stride;
  const size = problem.kernel[0];
  const kernel = ceilDiv(size, stride);
  const sourceChannels = problem.sourceChannels * stride ** 2;
  const points = tile + kernel - 1;
  const positions = points ** 2;
  const channels = { groups, sourceChannels, targetChannels, tile, kernel, stride };
  const panel = panelWidth(to.machine);
  const panels = countPanels(targetChannels, to.machine);
  const weightFloats = groups * positions * sourceChannels * roundUp(targetChannels, width);
  const tiles = [ceilDiv(y.target, tile), ceilDiv(x.target, tile)];
  const strips = batch * tiles[0];
  const stripsOf = (together: number) => Math.min(strips, Math.max(1, Math.round(together / tiles[1])));
  const isKept = to.isKept(weight.buffer);
  const areFew = isKept && threads > 1 && groups * panels * ceilDiv(strips, stripsOf(chunkTiles)) < fewUnits;
  const chunkStrips = stripsOf(
    weightFloats <= smallWeights * groups ? smallChunkTiles : areFew ? chunkTiles / 2 : chunkTiles,
  );
  const leastChunks = ceilDiv(strips, chunkStrips);
  const isRaw = !isKept && stride === 1 && (weightFloats > largeWeights || leastChunks <= fewChunks);
  // Few units of work are to be as many for one thread as for another.
  const areUneven = leastChunks > 1 && groups * panels * leastChunks < enoughUnits;
  const chunks = areUneven ? Math.min(strips, roundUp(leastChunks, threads)) : leastChunks;
  const mostTiles = ceilDiv(strips, chunks) * tiles[1];
  const mostPanels = isRaw ? 1 : Math.min(panels, Math.floor(productFloats / (positions * mostTiles * panel)));
  let panelGroup = Math.max(1, mostPanels);
  while (panelGroup > 1 && groups * chunks * ceilDiv(panels, panelGroup) < enoughUnits) panelGroup--;
  // Positions whose distance is a multiple of a page would push each other out of the cache.
  const inputDistance = mostTiles * roundUp(sourceChannels, width) + 16;
  const productDistance = mostTiles * panelGroup * panel + 16;
  const layout = new ScratchLayout();
  layout.place(positions * inputDistance);
  const productsAt = layout.place(positions * productDistance);
  const sourceLast = source.layout === "channelsLast";
  const targetLast = output.layout === "channelsLast";
  const haloAt = layout.place(
    sourceLast
      ? positions * (sourceChannels + tileGap)
      : points * (tiles[1] * tile + kernel) * (stride > 1 ? roundUp(sourceChannels, width) : width),
  );
  const stageAt = layout.place(tile * tile * (targetLast ? panelGroup * panel : tiles[1] * width));
  const packed = kernel ** 2 * packedKernels * panel;
  const factorsAt = layout.place(isRaw ? positions * (Math.min(sourceChannels, depthBlock) * panel + 16) : 0);
  const packedAt = layout.place(isRaw ? packed : 0);
  const common = { ...channels, gradient: gradient ? 1 : 0 };
  const weights = isRaw ? weight.buffer : to.temporary(4 * weightFloats);
  if (!isRaw) {
    to.prepare("winogradWeights", {
      weight: weight.buffer,
      output: weights,
      scratch: to.temporary(4 * packed * threads),
      scratchFloats: packed,
      ...common,
      size,
    });
  }
  to.step("winograd", {
    source: source.buffer,
    weights,
    output: output.buffer,
    scratch: to.temporary(4 * layout.floats * threads),
    scratchFloats: layout.floats,
    ...{ productsAt, haloAt, stageAt, factorsAt, packedAt, inputDistance, productDistance },
    batch,
    ...common,
    raw: isRaw ? 1 : 0,
    ...plainSizes(axes),
    tiles,
    chunks,
    panelGroup,
    sourceLast: sourceLast ? 1 : 0,
    targetLast: targetLast ? 1 : 0,
    pooled: 0,
    blockAt: 0,
    epilogue: to.epilogue,
  });
}

/** The working memory of a thread of a `winograd` step, with room for a strip that is pooled. */
export function placeStrip(fields: {
  readonly scratchFloats: number;
  readonly tile: number;
  readonly targetSize: readonly number[];
  readonly groups: number;
  readonly targetChannels: number;
}): { readonly blockAt: number; readonly scratchFloats: number } {
  const { tile, targetSize, groups, targetChannels } = fields;
  const layout = new ScratchLayout();
  layout.place(fields.scratchFloats);
  const blockAt = layout.place(tile * targetSize[1] * groups * targetChannels);
  return { blockAt, scratchFloats: layout.floats };
}

/** Channels of a block of the weight gradient: enough that transforming tiles does not count. */
const gradientInputs = 64;
const gradientOutputs = 128;

/** The tiles with which the algorithm is for such a weight gradient: of 3×3 kernels. */
export function winogradGradientTiles(problem: WeightGradientProblem, machine: Machine): readonly WinogradTile[] {
  const tiles = winogradTiles(problem, [problem.inputChannels, problem.outputChannels], machine);
  return tiles.filter((tile) => tile !== 3);
}

/** The side of the tiles that the weight gradient costs least with. */
export function winogradGradientTile(problem: WeightGradientProblem, machine: Machine): Tile {
  const { axes, inputChannels, outputChannels, batch } = problem;
  const [y, x] = axes;
  const width = machine.vectorWidth;
  const possible = winogradGradientTiles(problem, machine);
  if (currentPrecision() !== "fast" || possible.length === 0) return 0;
  const vectors = ceilDiv(outputChannels, width);
  const repeats = ceilDiv(inputChannels, gradientInputs) * vectors;
  const inputs = ceilDiv(outputChannels, gradientOutputs) * ceilDiv(inputChannels, width);
  const direct = 9 * batch * y.target * x.target * inputChannels * vectors;
  return cheapest(
    possible,
    (tile) => {
      const tiles = countTiles(problem, tile);
      const products = inputChannels * vectors * (tiles + weightCost);
      return (tile + 2) ** 2 * (products + tiles * (repeats + inputs) * transformCost);
    },
    direct,
  );
}

export function lowerWinogradGradient(
  problem: WeightGradientProblem,
  tile: WinogradTile,
  upstream: Operand,
  input: Operand,
  output: Operand,
  to: Lowering,
): void {
  const { batch, groups, inputChannels, outputChannels, axes } = problem;
  const [y, x] = axes;
  const { vectorWidth: width, threads } = to.machine;
  const positions = (tile + 2) ** 2;
  const tiles = [ceilDiv(y.target, tile), ceilDiv(x.target, tile)];
  const strips = batch * tiles[0];
  const chunkStrips = Math.max(1, Math.round(chunkTiles / tiles[1]));
  const inputBlocks = ceilDiv(inputChannels, gradientInputs);
  let outputBlocks = ceilDiv(outputChannels, gradientOutputs);
  // Smaller blocks that are enough units need no partial results.
  const halves = ceilDiv(outputChannels, gradientOutputs / 2);
  if (groups * inputBlocks * outputBlocks < enoughUnits && groups * inputBlocks * halves >= enoughUnits)
    outputBlocks = halves;
  const parts = Math.min(ceilDiv(strips, chunkStrips), ceilDiv(enoughUnits, groups * inputBlocks * outputBlocks));
  const mostTiles = Math.min(chunkStrips, strips) * tiles[1];
  const widest = (channels: number, blocks: number) => width * ceilDiv(ceilDiv(channels, width), blocks);
  const [inputWidth, outputWidth] = [widest(inputChannels, inputBlocks), widest(outputChannels, outputBlocks)];
  const inputDistance = mostTiles * inputWidth + 16;
  const upstreamDistance = mostTiles * outputWidth + 16;
  const productDistance = inputWidth * outputWidth + 16;
  const layout = new ScratchLayout();
  layout.place(positions * inputDistance);
  const upstreamAt = layout.place(positions * upstreamDistance);
  const productsAt = layout.place(positions * productDistance);
  const inputLast = input.layout === "channelsLast";
  const upstreamLast = upstream.layout === "channelsLast";
  const strip = (tile + 2) * (tiles[1] * tile + 2) * width;
  const copied = positions * (Math.max(inputWidth, outputWidth) + tileGap);
  const stripAt = layout.place((inputLast || upstreamLast ? Math.max(strip, copied) : strip) + width);
  const stageAt = layout.place(inputWidth * 9 * width);
  const size = sizeOf(output.shape);
  // The epilogue may read a vector beyond the last element.
  const block = parts > 1 ? 0 : inputWidth * 9 * width + width;
  const isLocal = block * threads < size && to.isForEpilogueOnly(output.buffer);
  if (isLocal) makeLocal(output.buffer);
  const blockAt = layout.place(isLocal ? block : 0);
  const offsetsAt = layout.place(mostTiles);
  const target = parts === 1 ? output.buffer : to.temporary(parts * size * 4);
  to.step("winogradGradient", {
    upstream: upstream.buffer,
    input: input.buffer,
    output: target,
    scratch: to.temporary(4 * layout.floats * threads),
    scratchFloats: layout.floats,
    ...{ upstreamAt, productsAt, stripAt, stageAt, blockAt, offsetsAt },
    ...{ inputDistance, upstreamDistance, productDistance },
    ...{ batch, groups, inputChannels, outputChannels, tile, tiles, chunkStrips, inputBlocks, outputBlocks, parts },
    inputSize: [y.source, x.source],
    upstreamSize: [y.target, x.target],
    padding: [-y.origin, -x.origin],
    partialSize: size,
    inputLast: inputLast ? 1 : 0,
    upstreamLast: upstreamLast ? 1 : 0,
    epilogue: parts === 1 ? to.epilogue : undefined,
  });
  if (parts > 1) {
    to.step("sumPartials", { partials: target, output: output.buffer, parts, count: size, epilogue: to.epilogue });
  }
}
