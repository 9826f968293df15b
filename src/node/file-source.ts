/** Files as sources of bytes that are read in pieces. */

import { type FileHandle, open, stat } from "node:fs/promises";
import { type ByteSource, checkRange } from "../formats/source.js";
import { checkIsFile, fileError } from "./files.js";

/** Smaller reads are answered from a piece of this size, so that many small tensors take few calls of the system. */
const PIECE = 2 ** 18;

/** Opens a file. */
export async function openFileSource(path: string): Promise<ByteSource> {
  let handle: FileHandle | undefined;
  try {
    // Before it is opened, for that waits where the other end of a pipe is not there.
    checkIsFile(path, await stat(path));
    handle = await open(path, "r");
    return new FileSource(path, (await handle.stat()).size, handle);
  } catch (error) {
    await handle?.close().catch(() => undefined);
    throw fileError("read", path, error);
  }
}

class FileSource implements ByteSource {
  #piece = new Uint8Array(0);
  #start = 0;

  constructor(
    readonly name: string,
    readonly size: number,
    private readonly handle: FileHandle,
  ) {}

  async read(target: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
    checkRange(this, offset, target.length);
    if (target.length >= PIECE) {
      await this.#fill(target, offset);
      return;
    }
    let at = offset - this.#start;
    if (at < 0 || at + target.length > this.#piece.length) {
      const piece = new Uint8Array(Math.min(PIECE, this.size - offset));
      await this.#fill(piece, offset);
      [this.#piece, this.#start, at] = [piece, offset, 0];
    }
    target.set(this.#piece.subarray(at, at + target.length));
  }

  async close(): Promise<void> {
    this.#piece = new Uint8Array(0);
    await this.handle.close();
  }

  async #fill(target: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
    try {
      for (let filled = 0; filled < target.length; ) {
        const { bytesRead } = await this.handle.read(target, filled, target.length - filled, offset + filled);
        if (bytesRead === 0) throw Object.assign(new Error("it became shorter while it was read"), { code: "SHORTER" });
        filled += bytesRead;
      }
    } catch (error) {
      throw fileError("read", this.name, error);
    }
  }
}
