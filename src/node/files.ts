/** Files: read whole or in pieces, and written so that a crash or a full disk never leaves half of one. */

import { randomBytes } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { type FileHandle, mkdir, open, realpath, rename, rm, stat, writeFile as writeInto } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { AbortedError, FileError, FoveaError } from "../core/errors.js";
import type { ByteChunks } from "../formats/array.js";

/** A typed array's limit in V8 is above this; a file beyond it is no weights or data file of ours. */
const MAX_BYTES = 2 ** 32;

export interface ReadOptions {
  /** Larger files are refused before anything is read. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** All bytes of a file, at offset 0 of a buffer of their own. */
export async function readFile(path: string, options: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const file = await openFile(path, options.maxBytes ?? MAX_BYTES);
  const bytes = new Uint8Array(file.size);
  let filled = 0;
  for await (const chunk of file.chunks(options.signal)) {
    if (filled + chunk.length > bytes.length) throw changed(path);
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled !== bytes.length) throw changed(path);
  return bytes;
}

/** All bytes of a file in the folder of another, or in one inside that; symbolic links must not lead out of it. */
export async function readBeside(path: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const named = join(dirname(path), name);
  const [folder, file] = await Promise.all([realpath(dirname(path)), realpath(named)]).catch((error) => {
    throw fileError("read", named, error);
  });
  if (!file.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
    throw new FileError(
      `cannot read ${named}: it leads to ${file}, outside of ${folder}. Fix: keep the files of a model in one folder.`,
    );
  }
  return readFile(file);
}

/** A file's size, and its bytes in pieces: memory holds one piece at a time. */
export async function openFile(
  path: string,
  maxBytes = MAX_BYTES,
): Promise<{ size: number; chunks: (signal?: AbortSignal) => ByteChunks }> {
  const status = await stat(path).catch((error) => {
    throw fileError("read", path, error);
  });
  checkIsFile(path, status);
  if (status.size > maxBytes) {
    throw new FileError(
      `cannot read ${path}: it has ${status.size} bytes. Expected at most ${maxBytes}. ` +
        "Fix: check that this is the file you mean.",
    );
  }
  return { size: status.size, chunks: (signal) => chunksOf(path, signal) };
}

/** Throws unless a path leads to a plain file. */
export function checkIsFile(path: string, status: Stats): void {
  if (!status.isFile()) throw fileError("read", path, { code: status.isDirectory() ? "EISDIR" : "ENOTREG" });
}

async function* chunksOf(path: string, signal?: AbortSignal): ByteChunks {
  try {
    for await (const chunk of createReadStream(path, { signal, highWaterMark: 2 ** 18 })) yield chunk;
  } catch (error) {
    throw fileError("read", path, error);
  }
}

/**
 * Writes a file by writing a new one beside it, forcing it to disk and renaming it: readers see the old file or the
 * whole new one. When anything fails the new file is removed and the old one is as it was; an error of `contents`
 * itself comes out as it is.
 */
export async function writeFile(
  path: string,
  contents: Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const status = await stat(path).catch(() => undefined);
  if (status?.isDirectory()) throw fileError("write", path, { code: "EISDIR" });
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);
  const source: { error?: unknown } = {};
  const pieces = typeof contents === "string" || contents instanceof Uint8Array ? contents : watched(contents, source);
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, "wx");
    await writeInto(handle, pieces, { signal: options.signal });
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(temporary, path);
  } catch (error) {
    await handle?.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
    throw source.error ?? fileError("write", path, error);
  }
  await syncFolder(folder);
}

/** Passes pieces on, and notes an error of their source, which is not the file's fault. */
async function* watched(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  source: { error?: unknown },
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* pieces;
  } catch (error) {
    source.error = error;
    throw error;
  }
}

/** Makes a rename last through a power failure, where the file system allows it (Windows does not). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}

/**
 * Makes a folder, and those above it that are not there. Not `mkdir`'s own recursion: it never ends where the system has no
 * place for a folder though the one above is there, as in /proc.
 *
 * @throws FileError
 */
export async function makeFolder(path: string): Promise<void> {
  const isFolder = async (place: string) => (await stat(place).catch(() => undefined))?.isDirectory() ?? false;
  const above = dirname(path);
  if (above !== path && !(await isFolder(above))) await makeFolder(above);
  try {
    await mkdir(path);
  } catch (error) {
    if (!(await isFolder(path))) throw fileError("write", path, error);
  }
}

const mends: Readonly<Record<string, (path: string, action: "read" | "write") => string>> = {
  ENOENT: (path, action) =>
    action === "read"
      ? "there is no such file. Fix: check the path."
      : `there is no such file or folder. Fix: check the path, or create the folder ${dirname(path)}.`,
  EEXIST: () => "there is a file of that name. Fix: choose another name.",
  ENOTDIR: () => "a part of the path is a file, not a folder. Fix: check the path.",
  ELOOP: () => "symbolic links lead round in a circle. Fix: check where they lead.",
  EISDIR: () => "it is a folder. Fix: pass the path of a file.",
  ENOTREG: () => "it is not a regular file. Fix: pass the path of a file.",
  EACCES: () => "permission denied. Fix: change the permissions of the file or its folder, or choose another place.",
  EPERM: () => "the system does not allow it. Fix: check whether the file is open elsewhere or marked read-only.",
  EROFS: () => "the disk is mounted read-only. Fix: choose another place.",
  ENOSPC: () => "the disk is full. Fix: free some space, or choose another place.",
  EDQUOT: () => "your disk quota is used up. Fix: free some space, or choose another place.",
  EFBIG: () =>
    "the file system, or a limit of this process, does not allow a file as large. Fix: choose another place.",
  ENAMETOOLONG: () => "the name is too long. Fix: choose a shorter one.",
  EMFILE: () => "too many files are open. Fix: close some, or raise the limit (ulimit -n).",
  EBUSY: () => "another program is using it. Fix: close that program.",
};

/** The error of the system as a `FileError` that says how to mend it. */
export function fileError(action: "read" | "write", path: string, error: unknown): FoveaError {
  if (error instanceof FoveaError) return error;
  if (error instanceof Error && error.name === "AbortError") return new AbortedError();
  const code = errorCode(error);
  const mend = code === undefined ? undefined : mends[code];
  const reason = mend?.(path, action) ?? (error instanceof Error ? error.message : `error ${code ?? String(error)}`);
  return new FileError(`cannot ${action} ${path}: ${reason}`, { cause: error });
}

/** The system's code of an error, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function changed(path: string): FileError {
  return new FileError(`cannot read ${path}: its size changed while it was read. Fix: try again when it is complete.`);
}
