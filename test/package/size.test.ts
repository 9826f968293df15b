/** What a page downloads to train LeNet-5. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { downloadParts, totalOf } from "../../scripts/size.js";

it("a page that trains LeNet-5 downloads at most 200 KB, compressed", async (context) => {
  const parts = await downloadParts();
  const { gzip, brotli } = totalOf(parts);
  context.diagnostic(`${gzip} bytes with gzip, ${brotli} with brotli`);
  assert.ok(gzip <= 200_000 && brotli <= gzip, `${gzip} bytes with gzip, ${brotli} with brotli`);
  // The library and one variant of the kernels are there.
  assert.ok(parts.some(({ name }) => name === "program and library"));
  assert.equal(parts.filter((part) => part.bytes > 20_000).length, 2);
});
