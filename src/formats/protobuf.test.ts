import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../core/errors.js";
import {
  bytes,
  float,
  int64,
  integer,
  joinBytes,
  MessageType,
  message,
  messagePieces,
  optional,
  type Packed,
  packed,
  readMessage,
  repeated,
  text,
  varints,
  WireType,
  withDefault,
  writeMessage,
} from "./protobuf.js";

interface Tree {
  name: string;
  count: number | undefined;
  weights: readonly number[];
  large: readonly bigint[];
  data: Uint8Array<ArrayBuffer> | undefined;
  ids: Packed;
  children: readonly Tree[];
}

const Tree: MessageType<Tree> = new MessageType("Tree", () => ({
  name: withDefault(1, text, ""),
  count: optional(2, integer),
  weights: repeated(3, float),
  large: repeated(4, int64),
  data: optional(5, bytes),
  ids: packed(6, WireType.Varint),
  children: repeated(7, message(Tree)),
}));

const leaf = Tree.create({ name: "ä leaf", count: 0, weights: [0.5, -2], large: [-1n, 2n ** 62n] });
const tree = Tree.create({ name: "root", data: new Uint8Array(10_000).fill(7), children: [leaf, Tree.create({})] });
const read = (input: Uint8Array<ArrayBuffer>) => readMessage(Tree, input, "a tree");
const fails = (pattern: RegExp) => (error: unknown) => error instanceof FormatError && pattern.test(error.message);

test("what was written is read again", () => {
  assert.deepEqual(read(writeMessage(Tree, tree)), tree);
});

test("long bytes are neither copied when written nor when read", () => {
  const pieces = messagePieces(Tree, tree);
  assert.ok(pieces.some((piece) => piece === tree.data));
  const all = joinBytes(pieces);
  assert.equal(read(all).data?.buffer, all.buffer);
});

test("numbers are read packed and one by one; fields that nobody knows are passed over", () => {
  // Field 3 twice, then packed; field 4 packed; field 6 alone and packed; fields 9 of every wire type.
  const parts = [
    [0x1d, 0, 0, 0, 0x3f, 0x1a, 4, 0, 0, 0, 0xc0],
    [0x22, 11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 5],
    [0x30, 0x96, 1, 0x32, 2, 1, 2],
    [0x48, 1, 0x49, 1, 2, 3, 4, 5, 6, 7, 8, 0x4a, 1, 9, 0x4b, 0x08, 1, 0x4c, 0x4d, 1, 2, 3, 4],
  ];
  const found = read(Uint8Array.from(parts.flat()));
  assert.deepEqual(found.weights, [0.5, -2]);
  assert.deepEqual(found.large, [-1n, 5n]);
  assert.deepEqual([...varints(found.ids, "ids")], [150n, 1n, 2n]);
});

test("damaged bytes are refused with their place", () => {
  const whole = writeMessage(Tree, tree);
  assert.throws(() => read(whole.subarray(0, 200)), fails(/^a tree: at byte 9: .*10000 bytes, but 191 are left.*Fix:/));
  assert.throws(() => read(Uint8Array.of(0x0a, 2, 0xc3, 0x28)), fails(/not UTF-8/));
  assert.throws(() => read(Uint8Array.of(0x08, 1)), fails(/wire type 0. Expected 2/));
  assert.throws(() => read(Uint8Array.of(0x3a, 1, 0x0a, 0)), fails(/left of what contains it|ends inside a value/));
  assert.throws(() => read(Uint8Array.of(0x22, 1, 0xff, 1)), fails(/packed numbers end inside/));
  assert.throws(() => read(Uint8Array.of(0x10, ...new Uint8Array(10).fill(255), 0x7f)), fails(/Fix:/));
  assert.throws(() => read(Uint8Array.of(0x10, ...new Uint8Array(8).fill(255), 0x7f)), fails(/is too large/));
  for (let length = 0; length < 60; length++) {
    try {
      read(writeMessage(Tree, leaf).subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }
});

test("messages within messages without end, and millions of them, are refused before they fill the memory", () => {
  let nested = Tree.create({});
  for (let i = 0; i < 63; i++) nested = Tree.create({ children: [nested] });
  assert.deepEqual(read(writeMessage(Tree, nested)), nested);
  assert.throws(() => read(writeMessage(Tree, Tree.create({ children: [nested] }))), fails(/nested more than 64 deep/));
  const groups = new Uint8Array(100_000).fill(0x4b);
  assert.throws(() => read(groups), fails(/maximum recursion depth/));
  const many = new Uint8Array(4_000_000);
  for (let i = 0; i < many.length; i += 2) many[i] = 0x3a;
  const before = process.memoryUsage();
  assert.throws(() => read(many), fails(/so many small pieces/));
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  assert.ok(grown < 64 * 2 ** 20 + 2 * many.length, `grew by ${grown}`);
});
