import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FormatError } from "../core/errors.js";
import { parseNpy, writeNpy } from "./npy.js";

/** What numpy.save writes for an array of this type, order and shape. */
function numpyFile(
  descr: string,
  fortran: boolean,
  shape: string,
  body: ArrayBuffer,
  version = 1,
): Uint8Array<ArrayBuffer> {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${shape}, }`;
  const lengthBytes = version === 1 ? 2 : 4;
  const start = Math.ceil((8 + lengthBytes + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + body.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), version, 0]);
  new DataView(bytes.buffer).setUint16(8, start - 8 - lengthBytes, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(start - 9 - lengthBytes)}\n`), 8 + lengthBytes);
  bytes.set(new Uint8Array(body), start);
  return bytes;
}

describe("npy", () => {
  it("reads what it wrote, of every type and rank", () => {
    const arrays = [
      { dtype: "float32", shape: [2, 3], data: Float32Array.of(1, -2, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 0) },
      { dtype: "int32", shape: [2], data: Int32Array.of(-5, 2 ** 31 - 1) },
      { dtype: "uint8", shape: [1, 1, 3], data: Uint8Array.of(0, 128, 255) },
      { dtype: "bool", shape: [], data: Uint8Array.of(1) },
      { dtype: "float32", shape: [0, 4], data: new Float32Array(0) },
    ] as const;
    for (const array of arrays) {
      const bytes = writeNpy(array);
      assert.equal((bytes.length - array.data.byteLength) % 64, 0);
      const { dtype, shape, data } = parseNpy(bytes);
      assert.deepEqual({ dtype, shape, data }, { ...array, shape: [...array.shape] });
    }
  });

  it("reads columns first, other byte orders and versions, and types that tensors do not have", () => {
    const columns = parseNpy(numpyFile("<f4", true, "(2, 3)", Float32Array.of(1, 4, 2, 5, 3, 6).buffer));
    assert.deepEqual([...columns.data], [1, 2, 3, 4, 5, 6]);
    const big = parseNpy(numpyFile(">i2", false, "(2,)", Uint8Array.of(1, 0, 255, 254).buffer, 2));
    assert.deepEqual([big.dtype, ...big.data], ["int16", 256, -2]);
    const wide = parseNpy(numpyFile("<f8", false, "()", Float64Array.of(0.1).buffer));
    assert.deepEqual([wide.dtype, wide.shape, ...wide.data], ["float64", [], 0.1]);
    assert.deepEqual([...parseNpy(numpyFile("<i8", false, "(1,)", BigInt64Array.of(-7n).buffer)).data], [-7n]);
  });

  it("refuses what is damaged or cannot be read, and says why", () => {
    const good = writeNpy({ dtype: "float32", shape: [4], data: new Float32Array(4) });
    for (let length = 0; length < good.length; length++) {
      assert.throws(() => parseNpy(good.slice(0, length), "a.npy"), FormatError, `${length} bytes`);
    }
    const body = new ArrayBuffer(8);
    const mistakes: [Uint8Array<ArrayBuffer>, RegExp][] = [
      [new TextEncoder().encode("no array at all"), /does not begin as \.npy files do/],
      [numpyFile("<c8", false, "(1,)", body), /type '<c8'.*astype/],
      [numpyFile("|O", false, "(1,)", body), /type '\|O'/],
      [numpyFile("<f4", false, "(99999999999999, 99999999999999)", body), /too large/],
      [numpyFile("<f4", false, "(-2,)", body), /Expected descr, fortran_order and shape/],
      [
        numpyFile("|b1", false, "(8,)", Uint8Array.of(0, 1, 2, 0, 0, 0, 0, 0).buffer),
        /holds the byte 2 as element 2\. Expected 0 or 1/,
      ],
      [numpyFile("<f4", false, "(2,)", body, 9), /version 9/],
    ];
    for (const [bytes, message] of mistakes) assert.throws(() => parseNpy(bytes, "a.npy"), message);
  });
});
