import assert from "node:assert/strict";
import { test } from "node:test";
import { DataError } from "../core/errors.js";
import { convertArray, convertStorage, float16Bits, float16Value } from "./convert.js";
import type { StorageArray } from "./storage.js";

const fails = (message: RegExp) => (error: unknown) => error instanceof DataError && message.test(error.message);

test("half precision: normal, subnormal and special values", () => {
  const cases: [number, number][] = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x8000, -0],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e01, Number.NaN],
    [0x3555, 0.333251953125],
  ];
  for (const [bits, value] of cases) assert.ok(Object.is(float16Value(bits), value), bits.toString(16));
});

test("floating point becomes float32 and integers int32, unless told", () => {
  assert.deepEqual(convertArray({ dtype: "float16", shape: [2], data: Uint16Array.of(0x3c00, 0x8000) }, "h"), {
    dtype: "float32",
    shape: [2],
    data: Float32Array.of(1, -0),
  });
  const brain: StorageArray = { dtype: "bfloat16", shape: [3], data: Uint16Array.of(0x3f80, 0xff80, 0x4049) };
  assert.deepEqual([...convertArray(brain, "b").data], [1, Number.NEGATIVE_INFINITY, 3.140625]);
  const double: StorageArray = { dtype: "float64", shape: [2], data: Float64Array.of(0.1, Number.NaN) };
  assert.deepEqual([...convertArray(double, "d").data], [Math.fround(0.1), Number.NaN]);
  const long: StorageArray = { dtype: "int64", shape: [2], data: BigInt64Array.of(-5n, 2n ** 31n - 1n) };
  assert.deepEqual(convertArray(long, "l"), { dtype: "int32", shape: [2], data: Int32Array.of(-5, 2147483647) });
  assert.throws(() => convertArray(long, "l", "float32"), fails(/2147483647 at index 1 does not fit float32/));
  assert.deepEqual(
    [...convertArray({ ...long, data: BigInt64Array.of(-5n, 2n ** 40n) }, "l", "float32").data],
    [-5, 2 ** 40],
  );
  const short: StorageArray = { dtype: "uint16", shape: [1], data: Uint16Array.of(65535) };
  assert.deepEqual([...convertArray(short, "s").data], [65535]);
  const same: StorageArray = { dtype: "uint8", shape: [1], data: Uint8Array.of(3) };
  assert.equal(convertArray(same, "u"), same);
});

test("a value that would change is refused, with its place", () => {
  const long = (...values: bigint[]): StorageArray => ({
    dtype: "int64",
    shape: [values.length],
    data: BigInt64Array.from(values),
  });
  assert.throws(
    () => convertArray(long(1n, 2n ** 31n), "step"),
    fails(/^step: the int64 value 2147483648 at index 1 does not fit int32. Expected an integer from -2147483648/),
  );
  assert.throws(() => convertArray(long(2n ** 53n + 1n), "n", "float32"), fails(/9007199254740993/));
  assert.throws(() => convertArray(long(2n ** 24n + 1n), "n", "float32"), fails(/16777217/));
  const real: StorageArray = { dtype: "float64", shape: [2], data: Float64Array.of(3, 1e300) };
  assert.throws(() => convertArray(real, "w"), fails(/float64 value 1e\+300 at index 1 does not fit float32/));
  assert.deepEqual([...convertArray({ ...real, data: Float64Array.of(3, -2) }, "w", "int32").data], [3, -2]);
  assert.throws(() => convertArray({ ...real, data: Float64Array.of(3, 1.5) }, "w", "int32"), fails(/1.5 at index 1/));
  assert.throws(() => convertArray({ ...real, data: Float64Array.of(0, 2) }, "w", "bool"), fails(/Expected 0 or 1/));
});

test("every half is written as it was read, and numbers between two become the nearer, ties the even one", () => {
  for (let bits = 0; bits < 65536; bits++) {
    const value = float16Value(bits);
    assert.equal(float16Bits(value), Number.isNaN(value) ? 0x7e00 : bits);
  }
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [float16Value(bits), float16Value(bits + 1)];
    const middle = (low + high) / 2;
    assert.equal(float16Bits(middle), bits % 2 === 0 ? bits : bits + 1, `between ${low} and ${high}`);
    assert.equal(float16Bits(middle - (high - low) / 1e6), bits);
    assert.equal(float16Bits(-middle - (high - low) / 1e6), (bits + 1) | 0x8000);
  }
  assert.deepEqual([65519.99, 65520].map(float16Bits), [0x7bff, 0x7c00]);
});

test("narrower floating point is rounded, and refused beyond its range", () => {
  const real: StorageArray = { dtype: "float32", shape: [4], data: Float32Array.of(0.1, -3, Number.NaN, -0) };
  assert.deepEqual([...convertStorage(real, "w", "float16").data], [0x2e66, 0xc200, 0x7e00, 0x8000]);
  // In PyTorch: torch.tensor([0.1, -3, nan, -0.0]).bfloat16().view(torch.int16)
  assert.deepEqual([...convertStorage(real, "w", "bfloat16").data], [0x3dcd, 0xc040, 0x7fc0, 0x8000]);
  assert.deepEqual([...convertStorage(real, "w", "float64").data], [Math.fround(0.1), -3, Number.NaN, -0]);
  const large: StorageArray = { dtype: "float32", shape: [2], data: Float32Array.of(1, 70000) };
  assert.throws(
    () => convertStorage(large, "w", "float16"),
    fails(/float32 value 70000 at index 1 does not fit float16/),
  );
  const most: StorageArray = { dtype: "float32", shape: [1], data: Float32Array.of(3.4e38) };
  assert.throws(() => convertStorage(most, "w", "bfloat16"), fails(/does not fit bfloat16/));
  const infinite: StorageArray = { dtype: "float32", shape: [1], data: Float32Array.of(Number.POSITIVE_INFINITY) };
  assert.deepEqual([...convertStorage(infinite, "w", "float16").data], [0x7c00]);
});

test("integers become other integers, and floating point, only where they stay the same", () => {
  const small: StorageArray = { dtype: "int32", shape: [3], data: Int32Array.of(-128, 0, 127) };
  assert.deepEqual([...convertStorage(small, "n", "int8").data], [-128, 0, 127]);
  assert.deepEqual([...convertStorage(small, "n", "int64").data], [-128n, 0n, 127n]);
  assert.throws(() => convertStorage(small, "n", "uint16"), fails(/-128 at index 0 does not fit uint16/));
  const odd: StorageArray = { dtype: "int32", shape: [1], data: Int32Array.of(2049) };
  assert.throws(() => convertStorage(odd, "n", "float16"), fails(/2049 at index 0 does not fit float16/));
  assert.throws(
    () => convertStorage({ dtype: "float64", shape: [1], data: Float64Array.of(0.5) }, "n", "int64"),
    fails(/0.5/),
  );
});
