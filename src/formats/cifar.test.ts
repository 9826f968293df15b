import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { cifarBytes } from "../../test/support/cifar.js";
import { FormatError } from "../core/errors.js";
import { readCifarRecords } from "./cifar.js";

const ten = [{ name: "label", classes: 10 }];
const hundred = [
  { name: "coarse label", classes: 20 },
  { name: "fine label", classes: 100 },
];

async function* pieces(bytes: Uint8Array<ArrayBuffer>, step: number) {
  for (let at = 0; at < bytes.length; at += step) yield bytes.slice(at, at + step);
}

test("files follow one another, compressed or not, in pieces of any size", async () => {
  const first = cifarBytes(3, 9, 0);
  const second = cifarBytes(7);
  for (const step of [1000, 3073, 5000, 1e6]) {
    const { images, labels } = await readCifarRecords(
      [
        { name: "a", bytes: pieces(first, step), size: first.length },
        { name: "b", bytes: gzipSync(second) },
      ],
      ten,
    );
    assert.deepEqual(labels, [Uint8Array.from([3, 9, 0, 7])]);
    assert.equal(images.length, 4 * 3072);
    assert.deepEqual([...images.subarray(3072, 3075)], [1, 2, 3]);
    assert.deepEqual(images.subarray(3 * 3072), second.subarray(1));
  }
  const { labels } = await readCifarRecords([{ name: "c", bytes: cifarBytes([19, 99], [0, 5]) }], hundred);
  assert.deepEqual(labels, [Uint8Array.from([19, 0]), Uint8Array.from([99, 5])]);
});

test("files of another layout, cut short or damaged are refused by name", async () => {
  const rejects = (bytes: Uint8Array<ArrayBuffer>, message: RegExp, layout = ten) =>
    assert.rejects(
      readCifarRecords(
        [
          { name: "good", bytes: cifarBytes(layout.map(() => 1)) },
          { name: "x.bin", bytes },
        ],
        layout,
      ),
      (error) => {
        assert.ok(error instanceof FormatError, String(error));
        assert.match(error.message, message);
        return true;
      },
    );
  await rejects(
    cifarBytes(1, 2).slice(0, 5000),
    /x\.bin: 1927 bytes are left over after 1 pictures\. Expected records of 3073 bytes: the label, then 3072.* cut short/,
  );
  await rejects(new Uint8Array(0), /x\.bin: there are no bytes/);
  await rejects(
    cifarBytes(1, 10),
    /x\.bin: the label at offset 3073, of picture 1, is 10\. Expected 0 to 9.*CIFAR-100 has two labels/,
  );
  await rejects(cifarBytes([1, 2], [3, 4]), /x\.bin: /);
  await rejects(cifarBytes([1, 100]), /the fine label at offset 1, of picture 0, is 100\. Expected 0 to 99/, hundred);
  await rejects(cifarBytes([20, 1]), /the coarse label at offset 0/, hundred);
  await rejects(gzipSync(cifarBytes(1, 2)).subarray(0, -30), /x\.bin: the gzip data is damaged or cut short/);
  await rejects(
    gzipSync(new Uint8Array(2 ** 27)),
    /x\.bin: its \d+ bytes decompress to more than \d+, as no pictures do/,
  );
});
