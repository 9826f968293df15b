import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tarBytes } from "../../test/support/cifar.js";
import { FormatError } from "../core/errors.js";
import { readTar } from "./tar.js";

const root = await mkdtemp(join(tmpdir(), "fovea-tar-"));
after(() => rm(root, { recursive: true }));

/** The bytes in pieces of `step`. */
async function* pieces(bytes: Uint8Array<ArrayBuffer>, step: number) {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

async function list(bytes: Uint8Array<ArrayBuffer>, step = 1000, reading: (path: string) => boolean = () => true) {
  const found: { path: string; size: number; isFile: boolean; read: number[] }[] = [];
  for await (const { contents, ...entry } of readTar(pieces(bytes, step), "a.tar")) {
    const read: number[] = [];
    if (reading(entry.path)) for await (const piece of contents) read.push(...piece);
    found.push({ ...entry, read });
  }
  return found;
}

const small = Uint8Array.from([1, 2, 3]);
const large = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
const files = [
  { path: "folder/", bytes: new Uint8Array(0), type: "5" },
  { path: "folder/small", bytes: small },
  { path: "empty", bytes: new Uint8Array(0) },
  { path: "folder/large", bytes: large },
];

test("files come in order with their bytes, whatever the pieces, and can be passed over", async () => {
  const archive = tarBytes(files);
  for (const step of [1, 7, 512, 1000, 1e6]) {
    const found = await list(archive, step);
    assert.deepEqual(
      found.map(({ path, isFile, read }) => [path, isFile, read]),
      files.map(({ path, bytes, type }) => [path, type === undefined, [...bytes]]),
    );
  }
  const last = await list(archive, 700, (path) => path === "folder/large");
  assert.deepEqual(last.at(-1)?.read, [...large]);
});

test("archives of the system's tar are read", async (t) => {
  const folder = join(root, "system");
  await mkdir(join(folder, "inner"), { recursive: true });
  await writeFile(join(folder, "inner", "large"), large);
  const path = `inner/${"long-name/".repeat(15)}`;
  await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, path, "small"), small);
  for (const format of ["gnu", "ustar", "posix"]) {
    let archive: Buffer;
    try {
      archive = execFileSync("tar", [`--format=${format}`, "-C", folder, "-cf", "-", "inner"], { maxBuffer: 2 ** 26 });
    } catch (error) {
      return t.skip(`there is no GNU tar: ${error}`);
    }
    const found = (await list(Uint8Array.from(archive))).filter(({ isFile }) => isFile);
    assert.deepEqual(found.find(({ path }) => path === "inner/large")?.read, [...large], format);
    if (format === "ustar") assert.deepEqual(found.find(({ read }) => read.length === 3)?.path, `${path}small`);
  }
});

test("what is cut short, damaged or no archive is refused", async () => {
  const archive = tarBytes(files);
  const rejects = (bytes: Uint8Array<ArrayBuffer>, message: RegExp) =>
    assert.rejects(list(bytes), (error) => error instanceof FormatError && message.test(error.message));
  await rejects(archive.slice(0, 700), /a\.tar: the header at byte 512 has 188 bytes\. Expected 512\. Fix:/);
  await rejects(
    archive.slice(0, 1025),
    /ends at byte 1025, inside "folder\/small"\. Expected it to go on to byte 1027/,
  );
  await rejects(Uint8Array.from(archive).fill(7, 600, 601), /the header at byte 512 has the checksum \d+\. Expected/);
  await rejects(new Uint8Array(600).fill(65), /header at byte 0 has the checksum of no number/);
  await rejects(
    tarBytes([{ path: "a", bytes: small, size: 8 ** 11 - 1 }]),
    /inside "a"\. Expected it to go on to byte 8589935103/,
  );
  const negative = tarBytes([{ path: "a", bytes: small }]);
  negative.fill(0xff, 124, 136);
  const sum = negative.subarray(0, 512).reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  negative.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  await rejects(negative, /has no size in octal digits/);
  assert.deepEqual(await list(new Uint8Array(0)), []);
});

test("damaged bytes never do more than fail", async () => {
  const archive = tarBytes(files);
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 500; round++) {
    const bytes = archive.slice(0, random(archive.length + 1));
    for (let i = 0; i < 3 && bytes.length > 0; i++) bytes[random(bytes.length)] = random(256);
    await list(bytes).catch((error) => assert.ok(error instanceof FormatError, String(error)));
  }
});
