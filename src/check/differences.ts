/** Finite differences, and telling the corners of a function from wrong gradients. */

/** How one element of an input turned out. */
export interface Comparison {
  /** Position in the input, in row-major order. */
  readonly at: number;
  readonly gradient: number;
  /** The central difference. */
  readonly difference: number;
  /**
   * |gradient − difference| as a share of the larger of the two; of a hundredth of the largest in its input, or of a
   * thousandth of the function's value or of 1, where these are more.
   */
  readonly error: number;
  /** The function has a corner here: it falls or rises otherwise on one side than on the other. */
  readonly kink: boolean;
}

interface Slopes {
  readonly central: number;
  /** How much the slopes on both sides differ. */
  readonly jump: number;
}

export interface DifferenceSettings {
  readonly step: number;
  readonly tolerance: number;
}

/** How much smaller the second step is, with which what looks wrong is looked at again. */
const closer = 16;

/**
 * Compares gradients with differences of `f` at the elements `positions` of `data`, one after another.
 *
 * @param f computes the function with `data` as it is then
 */
export async function compareWithDifferences(
  data: Float64Array,
  gradients: ArrayLike<number>,
  positions: readonly number[],
  f: () => number,
  { step, tolerance }: DifferenceSettings,
  pause: () => Promise<void>,
): Promise<Comparison[]> {
  const middle = f();
  // Below, differences are made of rounding errors.
  const least = 1e-3 * Math.max(1, Math.abs(middle));
  const slopesAt = (at: number, width: number): Slopes => {
    const value = data[at];
    const distance = width * Math.max(1, Math.abs(value));
    data[at] = value + distance;
    const above = f();
    data[at] = value - distance;
    const below = f();
    data[at] = value;
    return {
      central: (above - below) / (2 * distance),
      jump: Math.abs(above - 2 * middle + below) / distance,
    };
  };

  const slopes: Slopes[] = [];
  for (const at of positions) {
    slopes.push(slopesAt(at, step));
    await pause();
  }
  let largest = 0;
  positions.forEach((at, i) => {
    for (const value of [slopes[i].central, gradients[at]])
      if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  });
  const errorOf = (gradient: number, difference: number): number => {
    if (gradient === difference) return 0;
    const error =
      Math.abs(gradient - difference) / Math.max(Math.abs(gradient), Math.abs(difference), largest / 100, least);
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  };
  const compared = positions.map((at, i): Comparison => {
    const gradient = gradients[at];
    const { central, jump } = slopes[i];
    const error = errorOf(gradient, central);
    if (error <= tolerance || !Number.isFinite(error)) return { at, gradient, difference: central, error, kink: false };
    // A corner nearby is left behind by a smaller step; at a corner the slopes of both sides keep apart, while those of a
    // smooth function, however curved, come together.
    const near = slopesAt(at, step / closer);
    const nearError = errorOf(gradient, near.central);
    const kink = nearError > tolerance && near.jump > jump / 4 && near.jump > tolerance * largest;
    return { at, gradient, difference: near.central, error: nearError, kink };
  });
  f();
  return compared;
}
