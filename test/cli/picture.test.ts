/** Pictures in the terminal: cropped, made smaller, drawn in characters or in shades, side by side. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  cropPicture,
  drawPicture,
  meanBrightness,
  type Picture,
  shrinkPicture,
  sideBySide,
  toPicture,
} from "../../src/cli/picture.js";

/** A picture of rows of digits: 0 is black, 9 white. */
function picture(...rows: readonly string[]): Picture {
  const data = Uint8Array.from(rows.join(""), (digit) => Math.round((Number(digit) / 9) * 255));
  return { width: rows[0].length, height: rows.length, channels: 1, data };
}

describe("pictures", () => {
  it("are drawn with two pixels to a character, in characters of growing density", () => {
    assert.deepEqual(drawPicture(picture("0099", "0909"), "none"), [" ==@"]);
    assert.deepEqual(drawPicture(picture("999", "999", "999"), "none"), ["@@@", "==="], "below the last row is black");
  });

  it("or in shades of grey, reset at the end of each line", () => {
    const control = "\u001b";
    assert.deepEqual(drawPicture(picture("09", "90"), "256"), [
      `${control}[38;5;16m${control}[48;5;231m▀${control}[38;5;231m${control}[48;5;16m▀${control}[0m`,
    ]);
  });

  it("or in colours: the nearest of 256, or as they are", () => {
    const control = "\u001b";
    const red: Picture = { width: 1, height: 2, channels: 3, data: Uint8Array.of(200, 10, 60, 7, 7, 7) };
    assert.deepEqual(drawPicture(red, "256"), [`${control}[38;5;161m${control}[48;5;232m▀${control}[0m`]);
    assert.deepEqual(drawPicture(red, "true"), [`${control}[38;2;200;10;60m${control}[48;2;7;7;7m▀${control}[0m`]);
    assert.equal(drawPicture(red, "none").length, 1);
    assert.deepEqual(drawPicture({ ...red, height: 1, data: red.data.subarray(0, 3) }, "true"), [
      `${control}[38;2;200;10;60m${control}[48;2;0;0;0m▀${control}[0m`,
    ]);
    assert.ok(Math.abs(meanBrightness(red) - (0.299 * 200 + 0.587 * 10 + 0.114 * 60 + 7) / 2) < 1e-9);
  });

  it("lose their black margins, but not what is inside", () => {
    const cropped = cropPicture(picture("0000", "0090", "0500", "0000", "0010"));
    assert.deepEqual(
      { ...cropped, data: Array.from(cropped.data) },
      { ...picture("09", "50", "00", "01"), data: [0, 255, 142, 0, 0, 0, 0, 28] },
    );
    const black = picture("00", "00");
    assert.equal(cropPicture(black), black);
  });

  it("are averaged until they fit", () => {
    const large = picture("0099", "0099", "9900", "9900");
    assert.deepEqual(Array.from(shrinkPicture(large, 2).data), [0, 255, 255, 0]);
    assert.equal(shrinkPicture(large, 3).width, 2);
    assert.equal(shrinkPicture(large, 4).width, 4);
  });

  it("are made of planes; those of two channels are grey", () => {
    const planes = Uint8Array.of(0, 30, 60, 30, 120, 31);
    assert.deepEqual(toPicture(planes, [3, 1, 2]), {
      ...{ width: 2, height: 1, channels: 3 },
      data: Uint8Array.of(0, 60, 120, 30, 30, 31),
    });
    const grey = toPicture(planes.subarray(0, 4), [2, 1, 2]);
    assert.deepEqual(grey, { width: 2, height: 1, channels: 1, data: Uint8Array.of(30, 30) });
    const large = toPicture(
      Uint8Array.from({ length: 12 }, (_, i) => 10 * i),
      [3, 2, 2],
    );
    assert.deepEqual(shrinkPicture(large, 1).data, Uint8Array.of(15, 55, 95));
    const inside = toPicture(Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 7), [3, 2, 2]);
    assert.deepEqual(cropPicture(inside), { width: 1, height: 1, channels: 3, data: Uint8Array.of(9, 8, 7) });
  });

  it("stand side by side though one is taller", () => {
    const blocks = [
      { width: 2, lines: ["ab"] },
      { width: 1, lines: ["c", "d"] },
    ];
    assert.deepEqual(sideBySide(blocks), ["ab  c", "    d"]);
  });
});
