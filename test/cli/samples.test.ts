/** `fovea samples`, and the drawn sets as data of other commands. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readPixels } from "../../src/node/image.js";
import { jsonLines, run, skipCommand, temporaryFolder } from "./command.js";

describe("fovea samples", { skip: skipCommand }, () => {
  it("draws a sheet, with masks below each row, and says what is on it", async () => {
    const out = join(await temporaryFolder(), "sheet.png");
    const given = ["shapes", "--count", "7", "--columns", "4", "--scale", "1", "--out", out, "--json"];
    const result = await run(["samples", ...given]);
    assert.equal(result.status, 0, result.stderr);
    const [{ pictures, ...rest }] = jsonLines(result);
    assert.deepEqual(rest, { file: out, data: "shapes", split: "train", seed: 0 });
    assert.equal(Array.isArray(pictures) && pictures.length, 7);
    const { width, height, data } = await readPixels(out);
    assert.deepEqual([width, height], [2 + 4 * 34, 2 + 4 * 34]);
    // The second row is of masks: the background's black and the three colours of the kinds.
    const row = data.subarray(3 * width * 36, 3 * width * 68);
    const colours = new Set(Array.from({ length: row.length / 3 }, (_, i) => row.subarray(3 * i, 3 * i + 3).join()));
    assert.ok(colours.size >= 3 && colours.size <= 4, [...colours].join(" "));
  });

  it("names the sets when there is none of that name", async () => {
    const { status, stderr } = await run(["samples", "series"]);
    assert.equal(status, 2);
    assert.match(stderr, /digits, shapes, faces, faces-lecture, noisy/);
  });
});
