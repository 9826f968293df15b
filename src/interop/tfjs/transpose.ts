/** Values in another order of their axes. */

/** What `permute` is to tensors: axis `axes[i]` of `values` becomes axis i. */
export function transposeValues(
  values: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, length) => product * length, 1));
  const result = new Float32Array(values.length);
  let at = 0;
  const copy = (depth: number, from: number) => {
    const axis = axes[depth];
    for (let i = 0; i < shape[axis]; i++) {
      const offset = from + i * strides[axis];
      if (depth === axes.length - 1) result[at++] = values[offset];
      else copy(depth + 1, offset);
    }
  };
  copy(0, 0);
  return result;
}
