/** The ways to compute a convolution or one of its gradients, as tables and `fovea bench --explain` name them. */

export const algorithms = [
  "winograd-4x4",
  "winograd-2x2",
  "winograd-columns",
  "direct-channels",
  "direct-pixels",
  "direct-folded",
] as const;

/**
 * `winograd-4x4`, `winograd-2x2`: Winograd's algorithm for tiles of so many pixels; `winograd-columns`: along columns only;
 * `direct-…`: the sums of the definition, with lanes of channels, of pixels, or of pairs of channel and column.
 */
export type Algorithm = (typeof algorithms)[number];
