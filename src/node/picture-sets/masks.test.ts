/** Pictures with masks in two folders: pairs, classes, and what is wrong with them. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { onWarning } from "../../core/warnings.js";
import type { PixelImage } from "../../data/pixels.js";
import { writePng } from "../image.js";
import { imageMasks } from "./masks.js";

const root = mkdtempSync(join(tmpdir(), "fovea-masks-"));
after(() => rmSync(root, { recursive: true }));

function picture(width: number, height: number, colours: readonly number[]): PixelImage {
  const data = Uint8Array.from(colours.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return { width, height, channels: 3, data };
}

/** A folder with these pictures and masks, 2×1 pixels each. */
async function folder(name: string, masks: Readonly<Record<string, readonly number[]>>, images = Object.keys(masks)) {
  const path = join(root, name);
  mkdirSync(join(path, "image"), { recursive: true });
  mkdirSync(join(path, "label"));
  for (const [i, each] of images.entries())
    await writePng(join(path, "image", `${each}.png`), picture(2, 1, [0x010101 * i, 0x646464]));
  for (const [each, colours] of Object.entries(masks))
    await writePng(join(path, "label", `${each}.png`), picture(colours.length, 1, colours));
  return path;
}

describe("imageMasks", () => {
  it("pairs files by name, in the order of their numbers, and finds the classes", async () => {
    const path = await folder("plain", { 10: [0, 0], 2: [0xffffff, 0], 1: [0xffffff, 0xffffff] });
    const { pictures, annotations } = await imageMasks(path);
    assert.deepEqual([...annotations.masks], [1, 1, 1, 0, 0, 0]);
    assert.deepEqual(pictures.shape, [1, 1, 2]);
    assert.deepEqual(pictures.classNames, ["grey 0", "grey 255"]);
    assert.deepEqual([...pictures.labels], [1, 0, 0]);
    const named = await imageMasks(path, { classes: { cell: 255 }, ignore: 0, channels: 3, size: [2, 4] });
    assert.deepEqual(named.pictures.shape, [3, 2, 4]);
    assert.deepEqual([...named.annotations.masks.subarray(8, 16)], [0, 0, 255, 255, 0, 0, 255, 255]);
  });

  it("warns of what is left out", async () => {
    const path = await folder("more", { a: [0, 0], b: [0, 0] }, ["a"]);
    await writeFile(join(path, "image", "notes.txt"), "");
    const warnings: string[] = [];
    onWarning((message) => warnings.push(message));
    assert.equal((await imageMasks(path)).size, 1);
    assert.match(warnings[0], /image: 1 of 2 files skipped, whose names do not end as a picture's: notes\.txt\./);
    assert.match(warnings[1], /label: 1 of 2 masks skipped, for there are no pictures of their names/);
  });

  it("says which file is wrong, and how", async () => {
    const path = await folder("colours", { a: [0, 0x804080] });
    await assert.rejects(imageMasks(path, { classes: { sky: 0 } }), /a\.png: .*row 0, column 1 has #804080, .*Fix/s);
    await assert.rejects(imageMasks(path, { classes: { sky: "blue" } }), /"blue" is no colour/);
    await assert.rejects(imageMasks(path, { masks: "truth" }), /has no folder truth/);
    await assert.rejects(
      imageMasks(await folder("alone", { a: [0, 0] }, ["a", "b"])),
      /no masks for 1 of 2 pictures: b/,
    );
    const twice = await folder("twice", { a: [0, 0] });
    await rename(join(twice, "label", "a.png"), join(twice, "label", "a.PNG"));
    await writePng(join(twice, "label", "a.webp"), picture(2, 1, [0, 0]));
    await assert.rejects(imageMasks(twice), /label has both a\.(PNG|webp) and a\.(PNG|webp)\. Expected one/);
    const linked = await folder("linked", { a: [0, 0], b: [0, 0] });
    await rm(join(linked, "image", "b.png"));
    await symlink(join(path, "image", "a.png"), join(linked, "image", "b.png"));
    await assert.rejects(imageMasks(linked), /b\.png is a symbolic link out of the folder, to .*colours.*Fix: copy/);
    await assert.rejects(imageMasks(await folder("sizes", { a: [0, 0, 0] })), /1×3 pixels, but its picture .* 1×2/);
  });
});
