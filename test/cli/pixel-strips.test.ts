/** Pictures beside what became of them: which are kept, and what is said of them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FirstPictures, WorstPictures } from "../../src/cli/pixel-strips.js";

const shape = [1, 2, 2] as const;
const bytes = (...values: readonly number[]) => Uint8Array.from(values);
const cleaned = (index: number, ...picture: readonly number[]) => ({
  ...{ index, shape, image: bytes(9, 9, 9, 9), picture: bytes(...picture), clean: bytes(0, 100, 100, 200) },
});
const segmented = (index: number, truth: readonly number[], mask: readonly number[]) => ({
  ...{ index, shape, image: bytes(1, 2, 3, 4), truth: bytes(...truth), mask: bytes(...mask) },
  probabilities: new Float32Array(12),
});

describe("strips of pictures", () => {
  it("are kept of the worst, in order, and of the first", () => {
    const [worst, first, none] = [new WorstPictures(2), new FirstPictures(2), new WorstPictures(0)];
    const pictures = [
      [0, 100, 100, 190],
      [0, 0, 0, 0],
      [0, 100, 100, 200],
      [0, 100, 50, 200],
    ] as const;
    for (const [index, picture] of pictures.entries())
      for (const album of [worst, first, none]) album.addClean(cleaned(index, ...picture));
    const named = (album: typeof worst | typeof first) => album.strips.map(({ caption }) => caption.split(":")[0]);
    assert.deepEqual(named(worst), ["Picture 1", "Picture 3"]);
    assert.deepEqual(named(first), ["Picture 0", "Picture 1"]);
    assert.deepEqual(named(none), []);
  });

  it("show what is wrong, and count no pixels that do not count", () => {
    const album = new WorstPictures(3);
    album.addMask(segmented(0, [0, 1, 1, 255], [0, 1, 2, 2]));
    album.addMask(segmented(1, [255, 255, 255, 255], [0, 1, 2, 2]));
    assert.match(album.strips[0].caption, /^Picture 0: 66\.67 % of the pixels right\.$/);
    assert.match(album.strips[1].caption, /^Picture 1: 100\.00 % of/);
    const drawn = album.strips[0].pictures.map(({ what, picture }) => [what, [...picture.data]]);
    assert.deepEqual(drawn[0], ["picture", [1, 2, 3, 4]]);
    assert.deepEqual(drawn[3], ["wrong", [0, 0, 255, 128]]);
    assert.deepEqual(
      drawn.slice(1, 3).map(([what]) => what),
      ["truth", "found"],
    );
  });

  it("show how far pictures are from those without noise, which may be nothing", () => {
    const album = new FirstPictures(2);
    album.addClean(cleaned(0, 0, 90, 130, 200));
    album.addClean(cleaned(1, 0, 100, 100, 200));
    const [{ caption, pictures }, same] = album.strips;
    // 255² over the mean of 0, 100, 900 and 0.
    assert.match(caption, /after\.$/);
    assert.ok(caption.includes(`${(10 * Math.log10(255 ** 2 / 250)).toFixed(2)} dB after`), caption);
    assert.deepEqual([...pictures[3].picture.data], [0, 10, 30, 0]);
    assert.match(same.caption, /, 58\.92 dB after/);
  });

  it("of large pictures are small", () => {
    const album = new FirstPictures(1);
    const side = 1000;
    const mask = new Uint8Array(side * side);
    album.addMask({ ...segmented(0, [], []), shape: [1, side, side], image: mask, truth: mask, mask });
    for (const { picture } of album.strips[0].pictures) assert.deepEqual([picture.width, picture.height], [250, 250]);
  });
});
