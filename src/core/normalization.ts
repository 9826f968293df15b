/** What happens to pixels before a network sees them. */

/** How pixels, scaled to 0 … 1, become a network's input: (x − mean) / std, and then the matrix where there is one. */
export interface Normalization {
  /** One number for all values; or one for each channel; or one for each of the C·H·W values. */
  readonly mean: readonly number[];
  /** As many. */
  readonly std: readonly number[];
  /** Mixes all values of a picture: whitening. */
  readonly matrix?: NormalizationMatrix | undefined;
}

/** A matrix of `rows` × C·H·W: what it makes is a picture again where it has as many rows, else `rows` values. */
export interface NormalizationMatrix {
  readonly rows: number;
  /** Row by row. */
  readonly values: Float64Array<ArrayBuffer>;
}
