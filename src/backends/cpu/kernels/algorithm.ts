/** The ways to compute a convolution or one of its gradients, as tables and `fovea bench --explain` name them. */

export const algorithms = [
  "winograd-4x4",
  "winograd-3x3",
  "winograd-2x2",
  "winograd-columns",
  "direct-channels",
  "direct-pixels",
  "direct-folded",
] as const;

/**
 * `winograd-4x4`, `winograd-3x3`, `winograd-2x2`: Winograd's algorithm for tiles of so many pixels; `winograd-columns`: along columns only;
 * `direct-…`: the sums of the definition, with lanes of channels, of pixels, or of pairs of channel and column.
 */
export type Algorithm = (typeof algorithms)[number];

/** Side of Winograd's tiles of the target: of 2 or 4 pixels for kernels of three rows, of 3 for those of five. */
export type WinogradTile = 2 | 3 | 4;

const winogradAlgorithms = { 2: "winograd-2x2", 3: "winograd-3x3", 4: "winograd-4x4" } as const;

export function winogradAlgorithm(tile: WinogradTile): Algorithm {
  return winogradAlgorithms[tile];
}

/** The tile of such an algorithm, if it is one. */
export function tileOf(algorithm: Algorithm): WinogradTile | undefined {
  return ([2, 3, 4] as const).find((tile) => winogradAlgorithms[tile] === algorithm);
}
