/** The changes of `npm run mutations` can be made, and the tests that should notice exist. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { mutations } from "../scripts/mutation-list.js";

const root = new URL("../../", import.meta.url);

describe("the changes that a test must notice", () => {
  for (const { what, file, from, to, tests } of mutations) {
    it(what, () => {
      const parts = readFileSync(new URL(file, root), "utf8").split(from);
      assert.equal(parts.length - 1, 1, `${from} occurs ${parts.length - 1} times in ${file}`);
      assert.notEqual(from, to);
      assert.ok(!from.includes("\n") && !to.includes("\n"), "one line is changed");
      for (const test of tests) assert.ok(existsSync(new URL(`test/${test}.test.ts`, root)), `test/${test}.test.ts`);
    });
  }

  it("are ten at least, most of them in kernels", () => {
    assert.ok(mutations.length >= 10);
    assert.ok(mutations.filter(({ file }) => file.startsWith("kernels/")).length >= 6);
  });
});
