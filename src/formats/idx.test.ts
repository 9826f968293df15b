import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { FormatError } from "../core/errors.js";
import { RandomStream } from "../core/philox.js";
import type { ByteChunks, StoredArray } from "./array.js";
import { parseIdx, readIdx, writeIdx } from "./idx.js";

const bytes = (...values: number[]) => Uint8Array.from(values);
const fails = (message: RegExp) => (error: unknown) => error instanceof FormatError && message.test(error.message);

async function* inPieces(data: Uint8Array, size: number): ByteChunks {
  for (let i = 0; i < data.length; i += size) yield Uint8Array.from(data.subarray(i, i + size));
}

const arrays: StoredArray[] = [
  { dtype: "uint8", shape: [2, 3], data: bytes(0, 1, 2, 253, 254, 255) },
  { dtype: "int32", shape: [3], data: Int32Array.of(-2147483648, 0, 2147483647) },
  { dtype: "float32", shape: [1, 2, 2], data: Float32Array.of(-0.5, 1e-40, Number.POSITIVE_INFINITY, 3.25) },
  { dtype: "uint8", shape: [0, 4], data: bytes() },
  { dtype: "uint8", shape: [], data: bytes(7) },
];

test("what is written is read again, whole, in pieces and compressed", async () => {
  for (const array of arrays) {
    const file = writeIdx(array);
    assert.deepEqual(parseIdx(file), array);
    for (const size of [1, 3, 1000]) {
      assert.deepEqual(await readIdx(inPieces(file, size)), array);
      assert.deepEqual(await readIdx(inPieces(gzipSync(file), size)), array);
    }
    assert.deepEqual(await readIdx(Uint8Array.from(gzipSync(file))), array);
  }
});

test("bytes are those of the format: big-endian", () => {
  assert.deepEqual(
    writeIdx({ dtype: "int32", shape: [2], data: Int32Array.of(1, -2) }),
    bytes(0, 0, 0x0c, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe),
  );
  assert.deepEqual(writeIdx({ dtype: "bool", shape: [2], data: bytes(0, 1) }), bytes(0, 0, 8, 1, 0, 0, 0, 2, 0, 1));
});

test("8- and 16-bit signed integers are widened", () => {
  const int8 = parseIdx(bytes(0, 0, 9, 1, 0, 0, 0, 3, 0x80, 0xff, 5));
  assert.deepEqual(int8, { dtype: "int32", shape: [3], data: Int32Array.of(-128, -1, 5) });
  const int16 = parseIdx(bytes(0, 0, 0x0b, 1, 0, 0, 0, 2, 0x80, 0, 1, 2));
  assert.deepEqual(int16, { dtype: "int32", shape: [2], data: Int32Array.of(-32768, 258) });
});

test("a file that is not IDX says what it begins with", () => {
  assert.throws(() => parseIdx(bytes(0x89, 0x50, 0x4e, 0x47)), fails(/begins with the bytes 89 50 4e 47 at offset 0/));
  assert.throws(() => parseIdx(bytes(0, 0, 8)), fails(/ends after 3 bytes, inside the header/));
  assert.throws(() => parseIdx(bytes(0, 0, 8, 2, 0, 0)), fails(/ends after 6 bytes, inside the header/));
  assert.throws(() => parseIdx(bytes(0, 0, 0x0e, 0, 0)), fails(/float64 \(0x0e\)/));
  assert.throws(() => parseIdx(bytes(0, 0, 0x0a, 0, 0)), fails(/unknown code 0x0a/));
});

test("too few or too many bytes are refused, with the numbers", async () => {
  const file = writeIdx(arrays[0]);
  assert.throws(() => parseIdx(file.slice(0, -1), { name: "a.idx" }), fails(/^a\.idx: .*promises 2×3 uint8, 6 bytes/));
  await assert.rejects(readIdx(inPieces(file.slice(0, -1), 4)), fails(/only 5 bytes of values follow/));
  assert.throws(() => parseIdx(bytes(...file, 9)), fails(/bytes after the values, from offset 18 on/));
  await assert.rejects(readIdx(inPieces(gzipSync(bytes(...file, 9)), 10)), fails(/after the values/));
});

test("a header that promises more than the data can hold allocates nothing", async () => {
  const header = bytes(0, 0, 8, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 16);
  assert.throws(() => parseIdx(header), fails(/no more than 16 bytes/));
  await assert.rejects(readIdx(Uint8Array.from(gzipSync(header))), fails(/no more than/));
  await assert.rejects(readIdx(inPieces(header, 5)), fails(/no more than 2147483648 bytes/));
  const huge = bytes(0, 0, 8, 3, ...new Array<number>(12).fill(0xff));
  assert.throws(() => parseIdx(huge), fails(/more values than any file/));
});

test("damaged gzip data is a format error, and a failing source keeps its own", async () => {
  const compressed = Uint8Array.from(gzipSync(writeIdx(arrays[0])));
  assert.throws(() => parseIdx(compressed), fails(/gzip-compressed/));
  await assert.rejects(readIdx(compressed.slice(0, -9)), fails(/damaged or cut short/));
  const wrong = compressed.slice();
  wrong[wrong.length - 6] ^= 0xff;
  await assert.rejects(readIdx(wrong), fails(/damaged or cut short/));
  async function* broken(): ByteChunks {
    yield compressed.slice(0, 12);
    throw new RangeError("the disk is on fire");
  }
  await assert.rejects(readIdx(broken()), RangeError);
});

test("a reader that fails stops the source", async () => {
  let closed = false;
  async function* source(): ByteChunks {
    try {
      for (;;) yield bytes(1, 2, 3, 4);
    } finally {
      closed = true;
    }
  }
  await assert.rejects(readIdx(source()), fails(/not an IDX file/));
  assert.equal(closed, true);
});

test("random damage is always a format error or a valid array", () => {
  const random = new RandomStream(5);
  const file = writeIdx(arrays[1]);
  for (let trial = 0; trial < 2000; trial++) {
    const damaged = file.slice(0, random.integer(file.length + 1));
    for (let i = 0; i < 3 && damaged.length > 0; i++) damaged[random.integer(damaged.length)] = random.bits() & 0xff;
    try {
      const { shape, data } = parseIdx(damaged);
      assert.equal(
        shape.reduce((product, length) => product * length, 1),
        data.length,
      );
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }
});

test("writing checks the number of values", () => {
  assert.throws(
    () => writeIdx({ dtype: "uint8", shape: [3], data: bytes(1) }),
    fails(/1 values cannot be written as 3/),
  );
});
