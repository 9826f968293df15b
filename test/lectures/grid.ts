/** Matrices as they are printed on slides. */

import assert from "node:assert/strict";
import { type Shape, type Tensor, tensor } from "../../src/index.js";

/** Numbers in rows, as text. */
function numbers(text: string): number[][] {
  const lines = text.trim().split("\n");
  return lines.map((line) => line.trim().split(/\s+/).map(Number));
}

/** A matrix, H×W. */
export function grid(text: string): Tensor {
  return tensor(numbers(text));
}

/** Channels from the first to the last, each a matrix: 1×C×H×W, a picture or one filter. */
export function volume(...channels: string[]): Tensor {
  return tensor([channels.map(numbers)]);
}

/** The values as a slide prints them. */
export async function assertGrid(found: Tensor<Shape, "float32" | "int32">, text: string): Promise<void> {
  const expected = numbers(text);
  assert.deepEqual(found.shape.slice(-2), [expected.length, expected[0].length]);
  assert.equal(found.size, expected.flat().length, "one matrix");
  // −0 is 0 on a slide.
  assert.deepEqual(
    Array.from(await found.data(), (value) => value + 0),
    expected.flat(),
  );
}
