/** Pictures in the terminal: cropped, made smaller, drawn in characters or in shades, side by side. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  cropPicture,
  drawPicture,
  type GreyPicture,
  greyPicture,
  shrinkPicture,
  sideBySide,
} from "../../src/cli/picture.js";

/** A picture of rows of digits: 0 is black, 9 white. */
function picture(...rows: readonly string[]): GreyPicture {
  const data = Uint8Array.from(rows.join(""), (digit) => Math.round((Number(digit) / 9) * 255));
  return { width: rows[0].length, height: rows.length, data };
}

describe("pictures", () => {
  it("are drawn with two pixels to a character, in characters of growing density", () => {
    assert.deepEqual(drawPicture(picture("0099", "0909"), false), [" ==@"]);
    assert.deepEqual(drawPicture(picture("999", "999", "999"), false), ["@@@", "==="], "below the last row is black");
  });

  it("or in shades of grey, reset at the end of each line", () => {
    const control = "\u001b";
    assert.deepEqual(drawPicture(picture("09", "90"), true), [
      `${control}[38;5;16m${control}[48;5;231m▀${control}[38;5;231m${control}[48;5;16m▀${control}[0m`,
    ]);
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

  it("with colours become grey by their mean", () => {
    const grey = greyPicture(Uint8Array.of(0, 30, 60, 30, 120, 30), [3, 1, 2]);
    assert.deepEqual({ ...grey, data: Array.from(grey.data) }, { width: 2, height: 1, data: [60, 30] });
  });

  it("stand side by side though one is taller", () => {
    const blocks = [
      { width: 2, lines: ["ab"] },
      { width: 1, lines: ["c", "d"] },
    ];
    assert.deepEqual(sideBySide(blocks), ["ab  c", "    d"]);
  });
});
