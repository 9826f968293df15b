/**
 * How people write the ten digits: control points of pen strokes, drawn by hand for this file.
 *
 * A stroke is a list of points `x,y` that the pen passes through in writing order, on a sheet where a digit is about 100
 * tall, x grows to the right and y grows downwards. The curve is smooth at every point except at those marked `!`,
 * where the pen turns a corner. A letterform lists one or more extremes of one way to write a digit, all with the same
 * strokes and the same number of points: a writer's own shape lies somewhere between them.
 */

export interface Letterform {
  readonly name: string;
  /** How often people write the digit this way, relative to its other letterforms. */
  readonly weight: number;
  /** The extremes: for each, its strokes. */
  readonly between: readonly (readonly string[])[];
}
