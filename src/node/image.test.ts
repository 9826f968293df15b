import "../device.js";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { crc32 } from "node:zlib";
import { ArgumentError, FileError, FormatError, FoveaError } from "../core/errors.js";
import { type PixelImage, toPlanar } from "../data/pixels.js";
import { fitPixels } from "../data/resize.js";
import { readFile } from "./files.js";
import { loadSharp, readPixels, writePng } from "./image.js";
import { readPicture } from "./pictures.js";

const folder = await mkdtemp(join(tmpdir(), "fovea-image-"));
after(() => rm(folder, { recursive: true }));

const installed = await loadSharp().then(
  () => true,
  () => false,
);
const skip = !installed && "sharp is not installed";

/** Two pixels wide and high: red, green / blue, half-transparent black. */
const colours: PixelImage = {
  width: 2,
  height: 2,
  channels: 4,
  data: Uint8Array.of(255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 0, 0, 0, 128),
};

test("PNG files keep every byte", { skip }, async () => {
  const path = join(folder, "colours.png");
  await writePng(path, colours);
  assert.deepEqual(await readPixels(path, { channels: 4 }), colours);
  const rgb: PixelImage = { width: 3, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) };
  await writePng(join(folder, "rgb.png"), rgb);
  assert.deepEqual(await readPixels(join(folder, "rgb.png")), rgb);
  const grey: PixelImage = { width: 3, height: 2, channels: 1, data: Uint8Array.of(0, 50, 100, 150, 200, 255) };
  await writePng(join(folder, "grey.png"), grey);
  assert.deepEqual(await readPixels(join(folder, "grey.png"), { channels: 1 }), grey);
  const spread = await readPixels(join(folder, "grey.png"), { channels: 3 });
  assert.deepEqual([...spread.data.subarray(3, 6)], [50, 50, 50]);
});

test("channels are made or dropped as asked", { skip }, async () => {
  const path = join(folder, "alpha.png");
  await writePng(path, colours);
  const white = await readPixels(path);
  assert.deepEqual([white.channels, ...white.data.subarray(9)], [3, 127, 127, 127]);
  const black = await readPixels(path, { background: "black" });
  assert.deepEqual([...black.data.subarray(9)], [0, 0, 0]);
  const grey = await readPixels(path, { channels: 1 });
  assert.equal(grey.data.length, 4);
  assert.ok(grey.data[1] > grey.data[0] && grey.data[0] > grey.data[2], "green is lighter than red, red than blue");
});

test("pictures are resized, keeping their proportions or not", { skip }, async () => {
  const path = join(folder, "wide.png");
  const data = Uint8Array.from({ length: 40 * 20 }, (_, i) => (i % 40 < 20 ? 0 : 255));
  await writePng(path, { width: 40, height: 20, channels: 1, data });
  const filled = await readPixels(path, { channels: 1, size: [8, 10], fit: "fill" });
  assert.deepEqual([filled.height, filled.width, filled.data[0], filled.data[9]], [8, 10, 0, 255]);
  const covered = await readPixels(path, { channels: 1, size: 10 });
  assert.deepEqual([covered.height, covered.width], [10, 10]);
});

test("what is no picture is refused by name", { skip }, async () => {
  const broken = join(folder, "broken.png");
  await writePng(broken, {
    width: 64,
    height: 64,
    channels: 3,
    data: new Uint8Array(64 * 64 * 3).map((_, i) => i * 7),
  });
  await writeFile(broken, (await readFile(broken)).subarray(0, 200));
  await writeFile(join(folder, "text.png"), "this is no picture");
  await writeFile(join(folder, "empty.png"), "");
  await writeFile(join(folder, "vector.png"), '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  for (const [name, message] of [
    ["broken.png", /cannot decode .*broken\.png/],
    ["text.png", /unsupported image format/],
    ["empty.png", /cannot decode .*empty\.png/],
    ["vector.png", /it is a svg file/],
  ] as const) {
    await assert.rejects(readPixels(join(folder, name)), (error) => {
      assert.ok(error instanceof FormatError, String(error));
      assert.match(error.message, message);
      assert.match(error.message, /Fix: open it in an image program/);
      return true;
    });
  }
  await assert.rejects(readPixels(join(folder, "none.png")), FileError);
  await assert.rejects(readPixels(folder), FileError);
});

test("a picture that claims to be enormous is refused before it is decoded", { skip }, async () => {
  const path = join(folder, "bomb.png");
  await writePng(path, { width: 1, height: 1, channels: 1, data: new Uint8Array(1) });
  // IHDR: its type at offset 12, then width and height, and its checksum at offset 29.
  const bytes = Buffer.from(await readFile(path));
  bytes.writeUInt32BE(100_000, 16);
  bytes.writeUInt32BE(100_000, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  await writeFile(path, bytes);
  await assert.rejects(readPixels(path), (error) => error instanceof FormatError && /pixel limit/.test(error.message));
});

test("without sharp the error says how to install it", async () => {
  const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
  await assert.rejects(
    loadSharp(() => Promise.reject(missing)),
    (error) =>
      error instanceof FoveaError && /sharp, which is not installed. Fix: npm install sharp/.test(error.message),
  );
  await assert.rejects(
    loadSharp(() => Promise.reject(new Error("wrong libc"))),
    /does not load \(wrong libc\)/,
  );
});

test("wrong options are refused before anything is read", async () => {
  await assert.rejects(readPixels("none.png", { size: 0 }), ArgumentError);
  await assert.rejects(readPixels("none.png", { size: [10, 1e6] }), /Expected pixels from 1 to 16384/);
  await assert.rejects(writePng("none.png", { ...colours, width: 3 }), ArgumentError);
});

test("a picture is read as a network expects it", { skip }, async () => {
  const path = join(folder, "photo.png");
  const data = Uint8Array.from({ length: 60 * 40 * 3 }, (_, i) => (i * 7) % 251);
  const photo: PixelImage = { width: 60, height: 40, channels: 3, data };
  await writePng(path, photo);
  const resizing = { resize: 30, crop: 28, interpolation: "bilinear" } as const;
  const picture = await readPicture(path, { inputShape: [3, 28, 28], resizing });
  assert.deepEqual([picture.shape, picture.dtype], [[3, 28, 28], "uint8"]);
  assert.deepEqual(await picture.data(), toPlanar(fitPixels(photo, { inputShape: [3, 28, 28], resizing })));
  assert.deepEqual((await readPicture(path, { inputShape: [1, 7, 9] })).shape, [1, 7, 9]);
});
