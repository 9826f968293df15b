import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { serve } from "../../test/support/server.js";
import { AbortedError } from "../core/errors.js";
import { type DownloadProgress, download } from "./download.js";

const folder = await mkdtemp(join(tmpdir(), "fovea-download-"));
after(() => rm(folder, { recursive: true }));
const path = join(folder, "file");

const content = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) % 251));
const sha256 = createHash("sha256").update(content).digest("hex");

/** Sends `step` bytes and breaks the connection, every time; goes on where it is asked to. */
function breaking(step: number, ranges: (string | undefined)[], tag: (request: number) => string | undefined) {
  return (request: IncomingMessage, response: ServerResponse) => {
    const { range } = request.headers;
    const current = tag(ranges.length);
    ranges.push(range);
    const asked = request.headers["if-range"];
    const from = range === undefined || (asked !== undefined && asked !== current) ? 0 : Number(/\d+/.exec(range)?.[0]);
    response.writeHead(from === 0 ? 200 : 206, {
      ...(current !== undefined && { etag: current }),
      ...(from > 0 && { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
      "content-length": content.length - from,
    });
    const part = content.subarray(from, from + step);
    response.write(part, () =>
      from + step < content.length ? setTimeout(() => response.destroy(), 30) : response.end(),
    );
  };
}

test("a connection that breaks is taken up where it broke", async () => {
  const ranges: (string | undefined)[] = [];
  const url = await serve(breaking(60_000, ranges, () => '"a"'));
  const progress: DownloadProgress[] = [];
  await download({ name: "file", urls: [url], sha256 }, path, { onProgress: (each) => progress.push(each) });
  assert.deepEqual(await readFile(path), content);
  assert.deepEqual(ranges, [undefined, "bytes=60000-", "bytes=120000-", "bytes=180000-"]);
  assert.deepEqual(progress.at(-1), { file: "file", received: 200_000, total: 200_000 });
});

test("but not when it breaks all the time, or when nothing tells that it is the same file", async () => {
  const rejects = (wanted: { sha256?: string }, url: string, message: RegExp) =>
    assert.rejects(download({ name: "file", urls: [url], ...wanted }, join(folder, "broken")), message);
  const often: (string | undefined)[] = [];
  await rejects({ sha256 }, await serve(breaking(20_000, often, () => '"a"')), /cannot download file:\n.*/);
  assert.equal(often.length, 6);
  const unknown: (string | undefined)[] = [];
  await rejects({}, await serve(breaking(60_000, unknown, () => undefined)), /cannot download/);
  assert.equal(unknown.length, 1);
  const changing: (string | undefined)[] = [];
  const url = await serve(breaking(60_000, changing, (request) => `"${request}"`));
  await rejects({ sha256 }, url, /the connection broke, and the server cannot go on/);
  assert.equal(changing.length, 2);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name !== "file"),
    [],
  );
});

test("what is known of a file is checked: its size, and as much of its checksum as there is", async () => {
  const url = await serve((_, response) => response.end(content));
  const target = join(folder, "checked");
  await download({ name: "file", urls: [url], sha256: sha256.slice(0, 8) }, target);
  await rm(target);
  const wrong = sha256.startsWith("0") ? "1" : "0";
  await assert.rejects(download({ name: "f", urls: [url], sha256: wrong + sha256.slice(1, 8) }, target), /SHA-256/);
  await assert.rejects(download({ name: "f", urls: [url], bytes: 199_999 }, target), /more than the expected 199999/);
  await download({ name: "file", urls: [url] }, target);
  assert.deepEqual(await readFile(target), content);
});

test("a place may send a file on, compressed on its way, slowly, or never", async () => {
  const target = join(folder, "sent");
  const packed = await serve((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(content));
  });
  const moved = await serve((_, response) => response.writeHead(302, { location: `${packed}elsewhere` }).end());
  const progress: DownloadProgress[] = [];
  await download({ name: "file", urls: [moved], sha256 }, target, { onProgress: (each) => progress.push(each) });
  assert.deepEqual(await readFile(target), content);
  assert.equal(progress.at(-1)?.total, undefined);

  const slow = await serve((_, response) => {
    let at = 0;
    const timer = setInterval(() => {
      response.write(content.subarray(at, at + 50_000));
      at += 50_000;
      if (at < content.length) return;
      clearInterval(timer);
      response.end();
    }, 60);
  });
  // Longer in all than the limit on silence.
  await download({ name: "file", urls: [slow], sha256 }, target, { idleMilliseconds: 200 });
  const silent = await serve((_, response) => response.write("x"));
  await assert.rejects(
    download({ name: "f", urls: [silent] }, target, { idleMilliseconds: 200 }),
    /nothing came for 0\.2 seconds/,
  );
  const circle = await serve((_, response) => response.writeHead(302, { location: "/" }).end());
  await assert.rejects(download({ name: "f", urls: [circle] }, target), /redirect/);
});

test("a download that is stopped leaves the old file as it was, and nothing else", async () => {
  const stop = new AbortController();
  const url = await serve((_, response) => {
    response.write(content.subarray(0, 1000), () => setTimeout(() => stop.abort(), 50));
  });
  const before = await readdir(folder);
  await assert.rejects(download({ name: "f", urls: [url] }, path, { signal: stop.signal }), AbortedError);
  assert.deepEqual(await readdir(folder), before);
  assert.deepEqual(await readFile(path), content);
});
