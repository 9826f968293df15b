/** docs/arithmetic.md says what the networks are. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { arithmeticFile, withTables } from "../../scripts/arithmetic-tables.js";

it("the tables of docs/arithmetic.md are what `npm run docs:tables` writes", () => {
  const page = readFileSync(arithmeticFile, "utf8");
  assert.equal(page, withTables(page), "out of date. Fix: npm run docs:tables");
  // What the lectures say otherwise, and the text explains.
  assert.match(page, /\| conv1 +\| 64×112×112 +\| +\| 9,408 /);
  assert.match(page, /\| convolutions, max pooling, fully connected layers +\| 15,087,080 +\| 60\.3 MB/);
});
