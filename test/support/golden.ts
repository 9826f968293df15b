/** Files that test/goldens/make.py wrote. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DType, TypedArray } from "../../src/core/dtype.js";
import type { Shape } from "../../src/core/shape.js";
import { convertArray } from "../../src/formats/convert.js";
import { parseSafetensors } from "../../src/formats/safetensors.js";
import type { AnyTensor, Tensor } from "../../src/graph/tensor.js";
import { tensorOver } from "../../src/ops/create.js";

export interface GoldenTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** Compiled tests lie in dist/test; the goldens stay where they were written. */
function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../../../test/goldens/${name}.safetensors`, import.meta.url));
}

export class Golden<Case> {
  readonly cases: readonly Case[];
  readonly #tensors: ReadonlyMap<string, GoldenTensor>;

  /** @param path of the file; default: that of test/goldens */
  constructor(name: string, path = goldenPath(name)) {
    const { tensors, metadata } = parseSafetensors(new Uint8Array(readFileSync(path)), { name });
    this.cases = JSON.parse(metadata.cases);
    this.#tensors = new Map([...tensors].map(([key, array]) => [key, convertArray(array, key)]));
  }

  has(key: string): boolean {
    return this.#tensors.has(key);
  }

  get(key: string): GoldenTensor {
    const found = this.#tensors.get(key);
    assert.ok(found !== undefined, `the golden has no ${key}`);
    return found;
  }

  /** A float32 tensor on the default device. */
  tensor(key: string): Tensor {
    const { data, shape } = this.get(key);
    assert.ok(data instanceof Float32Array);
    return tensorOver(data.slice(), shape, "float32");
  }

  /** An int32 tensor on the default device. */
  labels(key: string): Tensor<Shape, "int32"> {
    const { data, shape } = this.get(key);
    assert.ok(data instanceof Int32Array);
    return tensorOver(data.slice(), shape, "int32");
  }

  /** A tensor of whatever type it is. */
  anyTensor(key: string): AnyTensor {
    const { data, shape, dtype } = this.get(key);
    return tensorOver<Shape, DType>(data.slice(), shape, dtype);
  }

  /** All entries whose names start with `prefix.`, without it. */
  under(prefix: string): Record<string, GoldenTensor> {
    const entries = [...this.#tensors].filter(([key]) => key.startsWith(`${prefix}.`));
    return Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length + 1), value]));
  }
}
