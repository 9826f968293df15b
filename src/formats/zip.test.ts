import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deflateRawSync, crc32 as zlibCrc32 } from "node:zlib";
import { FormatError } from "../core/errors.js";
import { crc32 } from "./crc32.js";
import { memorySource } from "./source.js";
import { openZip, type ZipEntry } from "./zip.js";
import { zipPieces } from "./zip-writer.js";

type Bytes = Uint8Array<ArrayBuffer>;

const ascii = (text: string): Bytes => new TextEncoder().encode(text);
const open = (bytes: Bytes) => openZip(memorySource(bytes, "a.zip"));
const fails = (message: RegExp) => (error: unknown) => error instanceof FormatError && message.test(error.message);

async function contents(entry: ZipEntry | undefined): Promise<Bytes> {
  assert.ok(entry !== undefined);
  const bytes = new Uint8Array(entry.size);
  const reader = await entry.open();
  try {
    await reader.fill(bytes);
  } finally {
    await reader.close();
  }
  return bytes;
}

interface Entry {
  readonly name: string;
  readonly content: Bytes;
  readonly method?: number;
  /** What the directory says, where that is not so. */
  readonly claims?: { crc?: number; compressed?: number; size?: number; offset?: number; flags?: number };
  /** Sizes and place in the extension for large files. */
  readonly large?: true;
}

/** An archive by hand, with whatever its directory claims. */
function archive(entries: readonly Entry[], { large = false, comment = "" } = {}): Bytes {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  const numbers = (...fields: readonly (readonly [number | bigint, number])[]) => {
    const bytes = Buffer.alloc(fields.reduce((sum, [, width]) => sum + width, 0));
    let at = 0;
    for (const [value, width] of fields) {
      if (width === 8) bytes.writeBigUInt64LE(BigInt(value), at);
      else bytes.writeUIntLE(Number(value), at, width);
      at += width;
    }
    return bytes;
  };
  for (const { name, content, method = 0, claims = {}, large: isLarge } of entries) {
    const [key, packed] = [ascii(name), method === 8 ? deflateRawSync(content) : content];
    const { crc = crc32(content), compressed = packed.length, size = content.length, flags = 0 } = claims;
    const place = claims.offset ?? offset;
    const sizes = isLarge ? [0xffffffff, 0xffffffff] : [compressed, size];
    const extra = isLarge ? numbers([1, 2], [24, 2], [size, 8], [compressed, 8], [place, 8]) : Buffer.alloc(0);
    const common = numbers(
      [20, 2],
      [flags, 2],
      [method, 2],
      [0, 4],
      [crc, 4],
      [sizes[0], 4],
      [sizes[1], 4],
      [key.length, 2],
    );
    parts.push(ascii("PK\x03\x04"), common, numbers([0, 2]), key, packed);
    const rest = numbers([extra.length, 2], [0, 2], [0, 2], [0, 2], [0, 4], [isLarge ? 0xffffffff : place, 4]);
    directory.push(ascii("PK\x01\x02"), numbers([20, 2]), common, rest, key, extra);
    offset += 30 + key.length + packed.length;
  }
  const central = Buffer.concat(directory);
  const count = entries.length;
  if (large) {
    const record = numbers(
      [44, 8],
      [45, 2],
      [45, 2],
      [0, 4],
      [0, 4],
      [count, 8],
      [count, 8],
      [central.length, 8],
      [offset, 8],
    );
    const locator = numbers([0, 4], [offset + central.length, 8], [1, 4]);
    directory.push(ascii("PK\x06\x06"), record, ascii("PK\x06\x07"), locator);
  }
  const short = large ? [0xffff, 0xffffffff, 0xffffffff] : [count, central.length, offset];
  const end = numbers([0, 4], [short[0], 2], [short[0], 2], [short[1], 4], [short[2], 4], [comment.length, 2]);
  return new Uint8Array(Buffer.concat([...parts, ...directory, ascii("PK\x05\x06"), end, ascii(comment)]));
}

describe("zip", () => {
  it("what is written is read again, at multiples of 64 bytes, with the checksums of zlib", async () => {
    const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * i) & 255);
    const entries = new Map([
      ["a.npy", content],
      ["folder/é", content.subarray(0, 7)],
      ["nothing", new Uint8Array(0)],
    ]);
    const pieces: Uint8Array[] = [];
    const written = [...entries].map(([name, bytes]) => {
      return { name, size: bytes.length, pieces: () => [bytes.subarray(0, 3), bytes.subarray(3)] };
    });
    for await (const piece of zipPieces(written)) pieces.push(piece);
    const bytes = new Uint8Array(Buffer.concat(pieces));
    const read = await open(bytes);
    assert.deepEqual([...read.keys()], [...entries.keys()]);
    for (const [name, expected] of entries) {
      assert.deepEqual(await contents(read.get(name)), expected);
      assert.equal(((await read.get(name)?.locate()) ?? 1) % 64, 0);
    }
    for (const length of [0, 1, 7, 8, 9, 15, 16, 17, 1000]) {
      const part = content.subarray(0, length);
      assert.equal(crc32(part), zlibCrc32(part));
      assert.equal(crc32(part.subarray(3), crc32(part.subarray(0, 3))), zlibCrc32(part));
    }
  });

  it("reads deflated entries, comments, folders, and the extension for large files", async () => {
    const entries: Entry[] = [
      { name: "stored", content: ascii("as it is") },
      { name: "folder/", content: new Uint8Array(0) },
      { name: "deflated", content: new Uint8Array(100_000), method: 8 },
      { name: "large", content: ascii("no, small"), large: true },
    ];
    for (const options of [{}, { comment: "PK\x05\x06 is no end here" }, { large: true }]) {
      const read = await open(archive(entries, options));
      assert.deepEqual([...read.keys()], ["stored", "deflated", "large"]);
      assert.deepEqual(await contents(read.get("stored")), ascii("as it is"));
      assert.deepEqual(await contents(read.get("deflated")), new Uint8Array(100_000));
      assert.deepEqual(await contents(read.get("large")), ascii("no, small"));
    }
    assert.equal((await open(archive([]))).size, 0);
  });

  const one = ascii("0123456789");
  const refused: readonly (readonly [what: string, bytes: Bytes, message: RegExp])[] = [
    ["bytes that are no archive", new Uint8Array(100), /ends with a directory, which is not there/],
    ["one that is cut", archive([{ name: "a", content: one }]).slice(0, -1), /directory, which is not there/],
    [
      "entries that overlap",
      archive([
        { name: "a", content: one },
        { name: "b", content: one, claims: { offset: 5 } },
      ]),
      /"a" is said to take 10 bytes from offset 0, where another entry begins at 5/,
    ],
    [
      "entries in one place",
      archive([
        { name: "a", content: one },
        { name: "b", content: one, claims: { offset: 0 } },
      ]),
      /another entry begins at 0/,
    ],
    [
      "a place behind the end",
      archive([{ name: "a", content: one, claims: { offset: 9999 } }]),
      /from offset 9999, where the directory begins/,
    ],
    [
      "a name that is there twice",
      archive([
        { name: "a", content: one },
        { name: "a", content: one },
      ]),
      /"a" is there twice/,
    ],
    ["encryption", archive([{ name: "a", content: one, claims: { flags: 1 } }]), /encrypted/],
    ["another method", archive([{ name: "a", content: one, method: 12 }]), /method 12/],
    [
      "a stored entry of two sizes",
      archive([{ name: "a", content: one, claims: { size: 11 } }]),
      /from 10 bytes to 11\. Expected as many/,
    ],
    [
      "more than DEFLATE can unpack",
      archive([{ name: "a", content: one, method: 8, claims: { size: 1e6 } }]),
      /from 12 bytes to 1000000\. Expected at most 12384/,
    ],
  ];
  for (const [what, bytes, message] of refused) {
    it(`refuses ${what}`, () => assert.rejects(open(bytes), fails(message)));
  }

  it("notices damaged contents: another checksum, too few or too many bytes", async () => {
    const damages: readonly (readonly [Entry, RegExp])[] = [
      [{ name: "a", content: one, claims: { crc: 1 } }, /does not have the checksum/],
      [{ name: "a", content: one, method: 8, claims: { crc: 1 } }, /does not have the checksum/],
      [{ name: "a", content: one, method: 8, claims: { size: 11 } }, /unpacks to fewer than 11/],
      [{ name: "a", content: one, method: 8, claims: { size: 9 } }, /unpacks to more than 9/],
    ];
    for (const [entry, message] of damages) {
      const read = await open(archive([entry]));
      await assert.rejects(contents(read.get("a")), fails(message));
    }
    const unchecked = await open(archive([{ name: "a", content: one, claims: { crc: 0 } }]));
    assert.deepEqual(await contents(unchecked.get("a")), one);
  });
});
