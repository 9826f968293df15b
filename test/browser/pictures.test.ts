/** Files, elements and a camera in Chromium. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import {
  bundle,
  callInBrowser,
  compiledTest,
  launch,
  noBrowser,
  pageFiles,
  type Server,
  serve,
} from "../support/browser.js";
import type { files, frames } from "./pictures-page.js";

describe("pictures in pages", { skip: noBrowser, timeout: 300_000 }, () => {
  let browser: Browser;
  let server: Server;

  before(async () => {
    const page = new Map([...pageFiles, ...(await bundle(compiledTest("browser/pictures-page.js")))]);
    // A camera that shows a moving picture, and nobody who is asked.
    const fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
    [browser, server] = await Promise.all([launch(fake), serve(page)]);
  });
  after(() => Promise.all([browser?.close(), server?.close()]));

  it("files are a data set to train with, elements are pixels", async () => {
    const found = await callInBrowser<Awaited<ReturnType<typeof files>>>(browser, server, "files");
    const { skipped, noClass, noSize, nothing, broken, ...rest } = found;
    assert.deepEqual(rest, {
      classNames: ["blue", "red"],
      labels: [1, 0, 1],
      first: [255, 0],
      files: ["red/1.png", "blue/1.png", "red/2.png"],
      count: 3,
      // Half of blue on white.
      element: [8, 127, 127, 255],
      grey: { shape: [1, 28, 28], value: 76 },
    });
    assert.deepEqual(skipped.length, 1);
    assert.match(skipped[0], /^red\/3\.png: red.3\.png cannot be decoded\. Expected a picture that browsers show/);
    assert.match(noClass, /nothing says which class .*1\.png is of\. Fix: classOf/);
    assert.match(noSize, /size is undefined, with no input\. Expected one of them/);
    assert.match(nothing, /none of 1 files can be used\. Expected pictures\. .*cannot be decoded/);
    assert.match(broken, /cannot be decoded/);
  });

  it("a camera gives frames as a network takes them, until it is closed", async () => {
    const { colours, off, ...found } = await callInBrowser<Awaited<ReturnType<typeof frames>>>(
      browser,
      server,
      "frames",
    );
    assert.deepEqual(found, { isCamera: true, shape: [3, 224, 224], frame: [320, 240, 3, 320 * 240 * 3] });
    assert.ok(colours > 2, `${colours} values in a frame`);
    assert.match(off, /the camera is off/);
  });

  it("a camera that there is not, is an error", async () => {
    const none = await launch(["--use-fake-ui-for-media-stream"]);
    try {
      const message = await callInBrowser<string>(none, server, "refused");
      assert.match(message, /the camera cannot be used: .*\. Fix: check that there is one/);
    } finally {
      await none.close();
    }
  });
});
