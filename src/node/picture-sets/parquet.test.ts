/** Pictures in Parquet files, which another package has written. */

// Tensors are made where pictures are read.
import "../../device.js";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { parquetWriteBuffer } from "hyparquet-writer";
import { encodePicture, noPictures } from "../../../test/support/pictures.js";
import { ArgumentError, DataError, FileError, FormatError } from "../../core/errors.js";
import { onWarning } from "../../core/warnings.js";
import { type ImageParquetOptions, imageParquet } from "./parquet.js";

const folder = await mkdtemp(join(tmpdir(), "fovea-parquet-"));
after(() => rm(folder, { recursive: true }));
onWarning(() => undefined);

type Options = Parameters<typeof parquetWriteBuffer>[0];
let files = 0;

async function write(columnData: Options["columnData"], options: Omit<Options, "columnData"> = {}): Promise<string> {
  const path = join(folder, `${files++}.parquet`);
  await writeFile(path, new Uint8Array(parquetWriteBuffer({ columnData, ...options })));
  return path;
}

const read = (path: string | readonly string[], options: Partial<ImageParquetOptions> = {}) =>
  imageParquet(path, { size: 2, ...options });

/** Ten pictures of one colour each. */
const pictures = noPictures
  ? []
  : await Promise.all(Array.from({ length: 10 }, (_, i) => encodePicture([20 * i, 0, 0])));
const image = { name: "image", data: pictures, type: "BYTE_ARRAY" } as const;
const numbers = { name: "label", data: pictures.map((_, i) => i % 3), type: "INT32" } as const;

describe("a Parquet file of pictures", { skip: noPictures }, () => {
  it("has a picture and labels in each row, also out of many row groups", async () => {
    const colour = {
      name: "colour",
      data: pictures.map((_, i) => (i < 5 ? "dark" : "bright")),
      type: "STRING",
    } as const;
    const path = await write([image, numbers, colour], { rowGroupSize: 4 });
    // The least memory there is: every picture is decoded anew.
    const set = await read(path, { label: ["label", "colour"], memory: 2 ** 20 });
    assert.deepEqual(
      [set.size, set.classNames, [...set.labels]],
      [10, ["0", "1", "2"], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]],
    );
    assert.deepEqual(set.attributeValues().colour, colour.data);
    for (const i of [9, 0, 5, 3, 8]) {
      const { image, label } = await set.get(i);
      assert.deepEqual([label, image[0], image.length], [i % 3, 20 * i, 12]);
    }
    assert.equal(set.file(4), `${path}, row 5`);
    const both = await read([path, path]);
    assert.equal(both.size, 20);
    assert.equal((await both.get(19)).image[0], 180);
  });

  it("may be one of the Hugging Face hub: structures with bytes, and names of classes", async () => {
    const features = { label: { names: ["cat", "dog", "owl"], _type: "ClassLabel" }, image: { _type: "Image" } };
    const schema: Options["schema"] = [
      { name: "schema", num_children: 2 },
      { name: "image", num_children: 2, repetition_type: "OPTIONAL" },
      { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
      { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      { name: "label", type: "INT64", repetition_type: "OPTIONAL" },
    ];
    const path = await write(
      [
        { name: "image", data: pictures.map((bytes, i) => ({ bytes, path: `${i}.png` })) },
        { name: "label", data: pictures.map((_, i) => BigInt(i % 2)) },
      ],
      { schema, kvMetadata: [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }] },
    );
    const set = await read(path);
    assert.deepEqual(
      [set.classNames, [...set.labels.slice(0, 4)]],
      [
        ["cat", "dog", "owl"],
        [0, 1, 0, 1],
      ],
    );
    assert.equal((await set.get(7)).image[0], 140);
  });

  it("leaves out rows without a picture, and refuses what it has no use for", async () => {
    const broken = pictures.map((bytes, i) => (i === 3 ? bytes.subarray(0, 20) : i === 4 ? null : bytes));
    const nullable = { ...image, data: broken, nullable: true };
    const set = await read(await write([nullable, numbers]));
    assert.equal(set.size, 8);
    assert.deepEqual(
      set.skipped.map(({ file }) => file.replace(/.*, /, "")),
      ["row 4", "row 5"],
    );
    assert.match(set.skipped[1].reason, /it has no picture's bytes/);

    const path = await write([image, numbers]);
    await assert.rejects(read(path, { label: "labels" }), ArgumentError);
    await assert.rejects(
      read(path, { label: "labels" }),
      /has no column "labels"\. Did you mean "label"\? Expected one of/,
    );
    await assert.rejects(read(path, { image: "photo" }), /has no column "photo"/);
    const texts = { name: "label", data: pictures.map((_, i) => (i === 6 ? "NaN" : "a")), type: "STRING" } as const;
    const missing = await write([image, texts]);
    await assert.rejects(read(missing), DataError);
    await assert.rejects(read(missing), /row 7: the label in "label" is NaN\. Expected a number or a text/);
    await assert.rejects(read(path, { classNames: ["0", "1"] }), /the class "2" is none of those expected: 0, 1/);

    await assert.rejects(read(join(folder, "none.parquet")), FileError);
    await writeFile(join(folder, "text.parquet"), "no Parquet at all, though it has some bytes");
    await assert.rejects(read(join(folder, "text.parquet")), FormatError);
    await assert.rejects(read(join(folder, "text.parquet")), /cannot be read as Parquet: .*Expected a whole file/);
    await writeFile(join(folder, "empty.parquet"), "");
    await assert.rejects(read(join(folder, "empty.parquet")), /cannot be read as Parquet: it has 0 bytes\. Expected/);
  });
});
