import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile as readPlain, rm, writeFile as writePlain } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AbortedError, FileError } from "../core/errors.js";
import { fileError, openFile, readFile, writeFile } from "./files.js";

const folder = await mkdtemp(join(tmpdir(), "fovea-files-"));
after(() => rm(folder, { recursive: true }));

const fails = (message: RegExp) => (error: unknown) => error instanceof FileError && message.test(error.message);
const bytes = Uint8Array.from({ length: 700_000 }, (_, i) => i % 251);

test("a file is written whole and read again, and nothing else is left behind", async () => {
  const path = join(folder, "whole.bin");
  await writeFile(path, Uint8Array.of(1));
  await writeFile(path, bytes);
  const read = await readFile(path);
  assert.deepEqual(read, bytes);
  assert.equal(read.byteOffset, 0);
  assert.equal(read.buffer.byteLength, bytes.length);
  await writeFile(join(folder, "text.txt"), "größe");
  assert.equal(await readPlain(join(folder, "text.txt"), "utf8"), "größe");
  assert.deepEqual((await readdir(folder)).sort(), ["text.txt", "whole.bin"]);
});

test("pieces are written in order, and read in order", async () => {
  const path = join(folder, "pieces.bin");
  async function* pieces() {
    yield bytes.subarray(0, 300_000);
    yield bytes.subarray(300_000);
  }
  await writeFile(path, pieces());
  await writeFile(path, [bytes.subarray(0, 5), bytes.subarray(5)]);
  const { size, chunks } = await openFile(path);
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks()) parts.push(chunk);
  assert.equal(size, bytes.length);
  assert.ok(parts.length > 1);
  assert.ok(Buffer.from(bytes).equals(Buffer.concat(parts)));
});

test("a failed write leaves the old file and no other", async () => {
  const path = join(folder, "old.bin");
  await writeFile(path, Uint8Array.of(1, 2, 3));
  const before = (await readdir(folder)).sort();
  async function* failing() {
    yield bytes;
    throw new RangeError("the source broke");
  }
  await assert.rejects(writeFile(path, failing()), /^RangeError: the source broke/);
  await assert.rejects(writeFile(path, bytes, { signal: AbortSignal.abort() }), AbortedError);
  assert.deepEqual((await readdir(folder)).sort(), before);
  assert.deepEqual(await readFile(path), Uint8Array.of(1, 2, 3));
});

test("errors of the system say what to do", async () => {
  await assert.rejects(readFile(join(folder, "none")), fails(/cannot read .*none: there is no such file.*Fix: check/));
  await assert.rejects(readFile(folder), fails(/it is a folder/));
  await assert.rejects(readFile("/dev/null"), fails(/not a regular file/));
  await assert.rejects(writeFile(join(folder, "no", "file"), bytes), fails(/create the folder .*no\./));
  await assert.rejects(writeFile(folder, bytes), fails(/it is a folder/));
  await writePlain(join(folder, "plain"), "");
  await assert.rejects(writeFile(join(folder, "plain", "file"), bytes), fails(/a part of the path is a file/));
  await assert.rejects(writeFile(join(folder, "x".repeat(300)), bytes), fails(/the name is too long/));
  await assert.rejects(
    readFile(join(folder, "whole.bin"), { maxBytes: 10 }),
    fails(/has 700000 bytes. Expected at most 10/),
  );
  assert.match(fileError("write", "/a", { code: "ENOSPC" }).message, /cannot write \/a: the disk is full. Fix: free/);
  assert.match(fileError("read", "/a", { code: "ELOOP" }).message, /symbolic links lead round in a circle. Fix: check/);
  assert.match(fileError("read", "/a", { code: "EWEIRD" }).message, /error EWEIRD/);
});

test("permissions", { skip: process.getuid?.() === 0 && "root may do everything" }, async () => {
  const locked = join(folder, "locked");
  await mkdir(locked);
  await chmod(locked, 0o500);
  await assert.rejects(writeFile(join(locked, "file"), bytes), fails(/permission denied/));
});
