import "../../device.js";
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { encodePicture, noPictures, writeFiles } from "../../../test/support/pictures.js";
import { ArgumentError, DataError, FileError, FormatError } from "../../core/errors.js";
import { onWarning } from "../../core/warnings.js";
import { zipPieces } from "../../formats/zip-writer.js";
import { imageFolder } from "./folder.js";
import { type ImageTableOptions, imageTable } from "./table.js";
import { imageZip } from "./zip.js";

const folder = await mkdtemp(join(tmpdir(), "fovea-tables-"));
after(() => rm(folder, { recursive: true }));
const warnings: string[] = [];
onWarning((message) => warnings.push(message));

const picture = noPictures ? Buffer.alloc(0) : await encodePicture([10, 200, 30]);
await writeFiles(folder, { "pictures/1.png": picture, "pictures/2.png": picture, "pictures/3.png": picture });
await writeFiles(folder, { "elsewhere/1.png": picture });
const none = new Uint8Array();
let tables = 0;

/** Writes a table and reads its pictures. */
async function read(text: string | Uint8Array, options: Partial<ImageTableOptions> = {}, name = "table.csv") {
  const path = join(folder, "pictures", `${tables++}-${name}`);
  await writeFile(path, text);
  return imageTable(path, { file: "path", labels: "class", size: 4, ...options });
}

const attributes = 'path,smile,"age, in years",gender\n1.png,yes,10,f\n2.png,no,9,\n3.png,yes,100,m\n';

describe("a table of pictures", { skip: noPictures }, () => {
  it("has a class and attributes for each picture", async () => {
    const faces = await read(attributes, { labels: ["smile", "age, in years"] });
    assert.deepEqual([faces.classNames, [...faces.labels], faces.size], [["no", "yes"], [1, 0, 1], 3]);
    const age = faces.attributes["age, in years"];
    assert.deepEqual(
      [age.classNames, [...age.labels]],
      [
        ["9", "10", "100"],
        [1, 0, 2],
      ],
    );
    assert.deepEqual([...faces.subset([2, 0]).attributes["age, in years"].labels], [2, 1]);
    assert.deepEqual(faces.attributeValues().smile, ["yes", "no", "yes"]);
    assert.deepEqual((await faces.get(0)).image.length, 48);
  });

  it("is read with a byte order mark, semicolons, tabs, quotes and Windows' ends of lines", async () => {
    const windows = await read('\ufeffpath;class\r\n"1.png";"a;b"\r\n2.png;c\r\n');
    assert.deepEqual(windows.classNames, ["a;b", "c"]);
    const tabs = await read("path\tclass\n1.png\ta,b\n2.png\tc\n", {}, "table.tsv");
    assert.deepEqual(tabs.classNames, ["a,b", "c"]);
    const rows = await read("path,class,split\n1.png,a,train\n2.png,b,train\n3.png,a,test\n", {
      where: { split: "train" },
    });
    assert.deepEqual([rows.size, rows.split, rows.classNames], [2, "train", ["a", "b"]]);
  });

  it("refuses labels that are missing, or leaves them out when told to", async () => {
    for (const value of ["", "NaN", "nan", "N/A", "null"]) {
      await assert.rejects(
        read(`path,class\n1.png,a\n\n2.png,${value}\n`),
        (error) =>
          error instanceof DataError &&
          /table\.csv, line 4: the label in "class" is .*Fix: put it in/.test(error.message),
      );
    }
    const some = await read(attributes, { labels: ["gender", "smile"], missing: "skip" });
    assert.deepEqual([some.classNames, some.size], [["f", "m"], 2]);
    assert.deepEqual(some.skipped, [{ file: "2.png", reason: 'the label in "gender" is empty' }]);
    const kept = await read(attributes, { labels: ["smile", "gender"], missing: "keep" });
    assert.deepEqual([...kept.attributes.gender.labels], [0, -1, 1]);
    assert.deepEqual(kept.attributeValues().gender, ["f", undefined, "m"]);
    await assert.rejects(
      read(attributes, { labels: ["gender"], missing: "keep" }),
      /the column to learn must be complete/,
    );
  });

  it("warns of classes that are probably one", async () => {
    const capitals = await read("path,class\n1.png,cat\n2.png,Cat\n3.png,cat\n");
    assert.deepEqual(capitals.classNames, ["Cat", "cat"]);
    assert.match(warnings.at(-1) ?? "", /table\.csv: the classes "Cat" and "cat" differ only in capitals.*Fix: write/);
    const numbers = await read("path,class\n1.png,1\n2.png,1.0\n3.png,2\n");
    assert.equal(numbers.classNames.length, 3);
    assert.match(warnings.at(-1) ?? "", /the classes "1" and "1\.0" are the same number/);
    const said = warnings.length;
    await read("path,class\n1.png,1\n2.png,one\n3.png,2\n");
    assert.equal(warnings.length, said);
  });

  it("warns of pictures in several rows, and refuses those of several classes", async () => {
    const twice = await read("path,class\n1.png,a\n2.png,b\n1.png,a\n");
    assert.equal(twice.size, 3);
    assert.match(warnings.at(-1) ?? "", /table\.csv: a picture is in another row already: .*1\.png \(lines 2 and 4\)/);
    await assert.rejects(
      read("path,class\n1.png,a\n2.png,b\n./1.png,b\n"),
      (error) =>
        error instanceof DataError &&
        /table\.csv, lines 2 and 4: .*1\.png is of the class "a" and of "b"\. .*Fix: remove one/.test(error.message),
    );
  });

  it("refuses columns that do not exist, and tables that are none", async () => {
    const refused = (text: string | Uint8Array, message: RegExp, options: Partial<ImageTableOptions> = {}) =>
      assert.rejects(read(text, options), (error) => {
        assert.match(String(error), message);
        return error instanceof ArgumentError || error instanceof DataError || error instanceof FormatError;
      });
    await refused(attributes, /has no column "smiles"\. Did you mean "smile"\? Expected one of path, smile/, {
      labels: "smiles",
    });
    await refused(attributes, /has no column "file"/, { file: "file", labels: "smile" });
    await refused(attributes, /has no column "split"/, { labels: "smile", where: { split: "x" } });
    await refused(attributes, /labels names no column/, { labels: [] });
    await refused("path,class\n1.png,a,b\n", /Invalid Record Length.*line 2/);
    await refused('path,class\n1.png,"a\n', /Quote Not Closed/);
    await refused("path,class\n", /has no rows/);
    await refused("", /has no rows/);
    await refused("path,class,class\n1.png,a,b\n", /two columns are named "class"/);
    await refused(Uint8Array.of(0x70, 0xff, 0xfe, 0x0a), /is not UTF-8 text/);
    await refused("path,class\n1.png,a\n", /the class "a" is none of those expected: b, c/, { classNames: ["b", "c"] });
    await assert.rejects(imageTable(join(folder, "none.csv"), { file: "a", labels: "b", size: 4 }), FileError);
  });

  it("leaves out files that are not there, or not in the folder", async () => {
    const text = `path,class\n1.png,a\nnone.png,a\n../elsewhere/1.png,a\n${join(folder, "elsewhere", "1.png")},a\n,a\nnotes.txt,a\n2.png,b\n`;
    const set = await read(text);
    assert.equal(set.size, 2);
    assert.deepEqual(
      set.skipped.map(({ reason }) => reason.replace(/ the folder .*/, "")),
      [
        "there is no such file",
        "it leads out of",
        "it leads out of",
        "there is no path",
        "its name does not end as a picture's, such as .jpg or .png",
      ],
    );
    const other = await read("path,class\npictures/1.png,a\nelsewhere/1.png,b\n", { folder });
    assert.deepEqual([other.size, other.skipped.length], [2, 0]);
    await assert.rejects(
      read("path,class\nnone.png,a\n"),
      /there are no pictures that can be used\. 1 of 1 files skipped/,
    );
  });
});

/** Writes an archive of files. */
async function archive(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const path = join(folder, name);
  const entries = Object.entries(files).map(([name, bytes]) => ({
    name,
    size: bytes.length,
    pieces: () => [new Uint8Array(bytes)],
  }));
  await writeFile(path, zipPieces(entries));
  return path;
}

describe("a zip archive of pictures", { skip: noPictures }, () => {
  it("is read as the folder that it was made of, which may be packed itself", async () => {
    const other = await encodePicture([200, 0, 0], { format: "jpeg" });
    const files = { "a/1.png": picture, "a/in/2.png": picture, "b/1.jpg": other, "b/cut.png": picture.subarray(0, 60) };
    const path = await writeFiles(join(folder, "unpacked"), files);
    const unpacked = await imageFolder(path, { size: 4 });
    const wrapped = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`photos/${name}`, bytes]));
    const extras = { ...wrapped, "__MACOSX/photos/a/._1.png": picture, "photos/.DS_Store": picture };
    for (const zip of [await archive("a.zip", files), await archive("b.zip", extras)]) {
      const packed = await imageZip(zip, { size: 4 });
      assert.deepEqual(
        [packed.classNames, [...packed.labels]],
        [
          ["a", "b"],
          [0, 0, 1],
        ],
      );
      assert.equal(packed.fingerprint(), unpacked.fingerprint());
      assert.match(packed.skipped[0].file, /[ab]\.zip: (photos\/)?b\/cut\.png/);
    }
    const splits = await archive("c.zip", { "train/a/1.png": picture, "train/b/1.png": picture });
    assert.equal((await imageZip(splits, { size: 4, split: "train" })).size, 2);
  });

  it("tells of folders that are packed empty, and of what unpacks to more than a picture", async () => {
    const pictures = { "a/1.png": picture, "b/1.png": picture };
    const empty = await archive("g.zip", { ...pictures, "a/": none, "b/": none, "c/": none });
    await assert.rejects(imageZip(empty, { size: 4 }), /g\.zip: the folder c has no pictures.*Fix/);
    const wrapped = Object.entries({ "": none, ...pictures, "c/in/": none });
    const packed = await archive("h.zip", Object.fromEntries(wrapped.map(([name, bytes]) => [`set/${name}`, bytes])));
    await assert.rejects(imageZip(packed, { size: 4 }), /h\.zip: the folder c has no pictures/);
    const full = await archive("i.zip", { ...pictures, "a/": none, "a/in/": none, "__MACOSX/": none });
    assert.deepEqual((await imageZip(full, { size: 4 })).classCounts(), [1, 1]);
    // A bomb: in the directory, which is last, it is deflated and unpacks to more than 256 MiB.
    const bomb = await archive("j.zip", { ...pictures, "b/2.png": new Uint8Array(300_000) });
    const bytes = await readFile(bomb);
    const at = bytes.lastIndexOf("PK\x01\x02", bytes.lastIndexOf("b/2.png"), "latin1");
    bytes.writeUInt16LE(8, at + 10);
    bytes.writeUInt32LE(2 ** 28 + 1, at + 24);
    await writeFile(bomb, bytes);
    const rest = await imageZip(bomb, { size: 4, memory: 2 ** 34 });
    assert.deepEqual([rest.size, rest.skipped[0].reason], [2, "it unpacks to 268435457 bytes"]);
  });

  it("is refused where it is none, and its entries where they lead out of it", async () => {
    const path = await archive("d.zip", { "a/1.png": picture, "../b/1.png": picture, "/c/1.png": picture });
    const set = await imageZip(path, { size: 4 });
    assert.deepEqual([set.classNames, set.size], [["a"], 1]);
    assert.deepEqual(
      set.skipped.map(({ reason }) => reason),
      ["its path leads out of the archive", "its path leads out of the archive"],
    );
    await writeFile(join(folder, "e.zip"), "PK no archive");
    await assert.rejects(imageZip(join(folder, "e.zip"), { size: 4 }), FormatError);
    await assert.rejects(imageZip(join(folder, "none.zip"), { size: 4 }), FileError);
    await assert.rejects(imageZip(await archive("f.zip", {}), { size: 4 }), /has no folders of classes/);
  });
});
