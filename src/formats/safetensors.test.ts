import assert from "node:assert/strict";
import { test } from "node:test";
import { ArgumentError, FormatError } from "../core/errors.js";
import { RandomStream } from "../core/philox.js";
import { parseSafetensors } from "./safetensors.js";
import { safetensorsPieces, writeSafetensors } from "./safetensors-writer.js";
import { bytesOf, type StorageArray } from "./storage.js";

const fails = (message: RegExp) => (error: unknown) => error instanceof FormatError && message.test(error.message);

/** A file with the given header text and data, whatever they say. */
function file(header: string, data: readonly number[] = []): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const tensors = new Map<string, StorageArray>([
  ["mask", { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ["pixels", { dtype: "uint8", shape: [1, 2], data: Uint8Array.of(7, 255) }],
  ["fc.weight", { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, -2.5, Number.NaN, 1e-45) }],
  ["fc.bias", { dtype: "float32", shape: [2], data: Float32Array.of(0, -0) }],
  ["step", { dtype: "int32", shape: [], data: Int32Array.of(-5) }],
  ["empty", { dtype: "float32", shape: [0, 3], data: new Float32Array(0) }],
]);

test("what is written is read again", () => {
  const { tensors: read, metadata } = parseSafetensors(writeSafetensors(tensors, { format: "fovea" }));
  assert.deepEqual(metadata, { format: "fovea" });
  assert.deepEqual(new Map([...read].sort()), new Map([...tensors].sort()));
});

// Golden: python -c "from safetensors.numpy import save; import numpy as np; print(save({
//   'b.weight': np.array([[1, -2.5]], np.float32), 'a': np.array([1, 2], np.int32), 'é': np.array([True, False]),
//   'z': np.array([9], np.uint8), 'a10': np.zeros((0, 3), np.float32)}, {'format': 'pt'}).hex())"   (safetensors 0.8.0)
const golden = [
  "40010000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074227d2c22613130223a7b226474",
  "797065223a22463332222c227368617065223a5b302c335d2c22646174615f6f666673657473223a5b302c305d7d2c22622e",
  "776569676874223a7b226474797065223a22463332222c227368617065223a5b312c325d2c22646174615f6f666673657473",
  "223a5b302c385d7d2c2261223a7b226474797065223a22493332222c227368617065223a5b325d2c22646174615f6f666673",
  "657473223a5b382c31365d7d2c227a223a7b226474797065223a225538222c227368617065223a5b315d2c22646174615f6f",
  "666673657473223a5b31362c31375d7d2c22c3a9223a7b226474797065223a22424f4f4c222c227368617065223a5b325d2c",
  "22646174615f6f666673657473223a5b31372c31395d7d7d202020200000803f000020c00100000002000000090100",
].join("");

test("the bytes are those of the official library", () => {
  const bytes = writeSafetensors(
    [
      ["z", { dtype: "uint8", shape: [1], data: Uint8Array.of(9) }],
      ["é", { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) }],
      ["a", { dtype: "int32", shape: [2], data: Int32Array.of(1, 2) }],
      ["b.weight", { dtype: "float32", shape: [1, 2], data: Float32Array.of(1, -2.5) }],
      ["a10", { dtype: "float32", shape: [0, 3], data: new Float32Array(0) }],
    ],
    { format: "pt" },
  );
  assert.equal(Buffer.from(bytes).toString("hex"), golden);
});

test("the order of tensors and metadata given does not matter, and the header is padded to 8 bytes", async () => {
  const bytes = writeSafetensors(tensors, { a: "1", b: "2" });
  assert.deepEqual(writeSafetensors([...tensors].reverse(), { b: "2", a: "1" }), bytes);
  assert.equal(new DataView(bytes.buffer).getUint32(0, true) % 8, 0);
  const written = [...tensors].map(([name, array]) => ({ name, ...array, pieces: () => [bytesOf(array)] }));
  const pieces: Uint8Array[] = [];
  for await (const piece of safetensorsPieces(written, { a: "1", b: "2" })) pieces.push(piece);
  assert.deepEqual(Buffer.concat(pieces), Buffer.from(bytes));
});

test("data are views where alignment allows, and copies elsewhere", () => {
  const bytes = writeSafetensors(tensors);
  assert.equal(parseSafetensors(bytes).tensors.get("fc.weight")?.data.buffer, bytes.buffer);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const read = parseSafetensors(shifted.subarray(1)).tensors;
  assert.notEqual(read.get("fc.weight")?.data.buffer, shifted.buffer);
  assert.equal(read.get("mask")?.data.buffer, shifted.buffer);
  assert.deepEqual(new Map([...read].sort()), new Map([...tensors].sort()));
});

test("the other types of the format are read as they are stored", () => {
  const header = `{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"l":{"dtype":"I64","shape":[1],"data_offsets":[4,12]}}`;
  const { tensors: read } = parseSafetensors(
    file(header, [0, 0x3c, 0, 0xc0, 0xfe, ...new Array<number>(7).fill(0xff)]),
  );
  assert.deepEqual(read.get("h"), { dtype: "float16", shape: [2], data: Uint16Array.of(0x3c00, 0xc000) });
  assert.deepEqual(read.get("l"), { dtype: "int64", shape: [1], data: BigInt64Array.of(-2n) });
});

test("names that objects treat specially are ordinary names", () => {
  const odd: [string, StorageArray][] = ["__proto__", "constructor", "10", "9", "😀", "\uffee"].map((name) => [
    name,
    { dtype: "uint8", shape: [1], data: Uint8Array.of(name.length) },
  ]);
  const { tensors: read } = parseSafetensors(writeSafetensors(odd, { ["__proto__"]: "kept" }));
  assert.deepEqual([...read.keys()], ["10", "9", "__proto__", "constructor", "\uffee", "😀"]);
});

const entry = (dtype: string, shape: string, begin: number, end: number) =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

const faults: readonly [string, Uint8Array<ArrayBuffer>, RegExp][] = [
  ["too short", Uint8Array.of(1, 2, 3), /3 bytes are too few/],
  ["header longer than the file", Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0, 0x7b), /header length at offset 0 is 200/],
  ["header of 2^60 bytes", Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x10), /Expected at most 0/],
  ["empty header", file(""), /begins with ""/],
  ["header not an object", file("[1]"), /Expected a JSON object/],
  ["leading space", file(' {"a":1}'), /begins with " /],
  ["not UTF-8", Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), /not UTF-8/],
  ["not JSON", file('{"a":'), /not valid JSON/],
  ["nested deeply", file(`{"a":${"[".repeat(1e5)}`), /nested deeper than 3 levels/],
  ["duplicate name", file(`{"a":${entry("U8", "[1]", 0, 1)},"\\u0061" :${entry("U8", "[1]", 1, 2)}}`, [1, 2]), /twice/],
  [
    "duplicate field",
    file('{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}'),
    /key "dtype" is there twice/,
  ],
  ["entry not an object", file('{"a":7}'), /described by 7/],
  ["unknown dtype", file(`{"a":${entry("F8_E4M3", "[1]", 0, 1)}}`, [0]), /dtype "F8_E4M3". Expected one of BOOL/],
  ["missing dtype", file('{"a":{"shape":[1],"data_offsets":[0,1]}}', [0]), /dtype missing/],
  ["negative length", file(`{"a":${entry("U8", "[-1]", 0, 1)}}`, [0]), /shape \[-1\]/],
  ["fractional length", file(`{"a":${entry("U8", "[1.5]", 0, 1)}}`, [0]), /shape \[1.5\]/],
  [
    "huge shape",
    file(`{"a":${entry("F32", "[4294967296,4294967296]", 0, 4)}}`, [0, 0, 0, 0]),
    /Expected 73786976294838210000 bytes/,
  ],
  ["offsets reversed", file(`{"a":${entry("U8", "[1]", 1, 0)}}`, [0]), /begin ≤ end/],
  ["three offsets", file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}', [0]), /data_offsets \[0,1,1\]/],
  [
    "size against shape",
    file(`{"a":${entry("F32", "[2]", 0, 4)}}`, [0, 0, 0, 0]),
    /4 bytes. Expected 8 bytes, for 2 of F32/,
  ],
  ["hole", file(`{"a":${entry("U8", "[1]", 1, 2)}}`, [0, 0]), /leaves a gap before it. Expected 0/],
  ["overlap", file(`{"a":${entry("U8", "[2]", 0, 2)},"b":${entry("U8", "[2]", 1, 3)}}`, [0, 0, 0]), /shares bytes/],
  ["past the end", file(`{"a":${entry("U8", "[4]", 0, 4)}}`, [0, 0]), /need 4 bytes after the header, but there are 2/],
  [
    "bytes left over",
    file(`{"a":${entry("U8", "[1]", 0, 1)}}`, [0, 0]),
    /need 1 bytes after the header, but there are 2/,
  ],
  ["metadata not text", file('{"__metadata__":{"epoch":3}}'), /metadata entry "epoch" is 3/],
  ["metadata not an object", file('{"__metadata__":[]}'), /Expected only text/],
  ["a boolean of 2", file(`{"a":${entry("BOOL", "[2]", 0, 2)}}`, [1, 2]), /holds the byte 2 at offset \d+/],
];

for (const [name, bytes, message] of faults) {
  test(`refused: ${name}`, () => {
    assert.throws(() => parseSafetensors(bytes, { name: "m.safetensors" }), fails(message));
    assert.throws(() => parseSafetensors(bytes, { name: "m.safetensors" }), fails(/^m\.safetensors: /));
  });
}

test("random damage is always a format error or a valid file", () => {
  const random = new RandomStream(11);
  const whole = writeSafetensors(tensors, { format: "fovea" });
  for (let trial = 0; trial < 5000; trial++) {
    const damaged = whole.slice(0, trial % 3 === 0 ? random.integer(whole.length + 1) : whole.length);
    for (let i = 0; i <= trial % 4 && damaged.length > 0; i++)
      damaged[random.integer(damaged.length)] = random.bits() & 0xff;
    try {
      parseSafetensors(damaged);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }
});

test("writing refuses names and sizes that make no file", () => {
  const one: StorageArray = { dtype: "uint8", shape: [1], data: Uint8Array.of(1) };
  assert.throws(
    () =>
      writeSafetensors([
        ["a", one],
        ["a", one],
      ]),
    ArgumentError,
  );
  assert.throws(() => writeSafetensors([["__metadata__", one]]), ArgumentError);
  assert.throws(() => writeSafetensors([["\ud800", one]]), ArgumentError);
  assert.throws(() => writeSafetensors([["a", { ...one, shape: [2] }]]), /has 1 values. Expected 2, for 2/);
});
