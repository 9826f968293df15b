/**
 * The binary version of CIFAR: records of one label byte (CIFAR-100: the coarse, then the fine label) and 3,072 bytes of
 * picture, 3×32×32: all of red, then green, then blue. https://www.cs.toronto.edu/~kriz/cifar.html
 */

import { FormatError } from "../core/errors.js";
import type { ByteChunks } from "./array.js";
import { decompress } from "./gzip.js";

/** Bytes of a picture. */
const PICTURE = 3 * 32 * 32;

/** Photographs hardly compress: a file that claims more than this over its size is no batch of pictures. */
const MAX_RATIO = 16;
const MAX_UNASKED = 2 ** 26;

/** What a record holds before its picture: a name for each label byte, and how many classes it tells apart. */
export type CifarLabels = readonly { readonly name: string; readonly classes: number }[];

export interface CifarSource {
  /** What error messages call it. */
  readonly name: string;
  /** Compressed with gzip or not. */
  readonly bytes: Uint8Array<ArrayBuffer> | ByteChunks;
  /** Bytes that chunks hold together. */
  readonly size?: number;
}

export interface CifarPictures {
  /** N×3×32×32. */
  readonly images: Uint8Array<ArrayBuffer>;
  /** For each label byte of a record one list, with a label for each picture. */
  readonly labels: readonly Uint8Array<ArrayBuffer>[];
}

/** Reads the pictures of one file after another. @throws FormatError for files of another layout, cut short or damaged */
export async function readCifarRecords(
  sources: Iterable<CifarSource> | AsyncIterable<CifarSource>,
  labels: CifarLabels,
): Promise<CifarPictures> {
  const records = new Records(labels);
  for await (const source of sources) await records.read(source);
  return records.finish();
}

/** Records one after another, in an array that grows. */
class Records {
  readonly #labels: CifarLabels;
  /** Of a record, label bytes included. */
  readonly #length: number;
  #bytes = new Uint8Array(0);
  #filled = 0;

  constructor(labels: CifarLabels) {
    this.#labels = labels;
    this.#length = labels.length + PICTURE;
  }

  async read({ name, bytes, size = bytes instanceof Uint8Array ? bytes.length : undefined }: CifarSource) {
    const begin = this.#filled;
    const { compressed, chunks } = await decompress(bytes, name);
    const limit = compressed && size !== undefined ? MAX_UNASKED + MAX_RATIO * size : 2 ** 32;
    if (!compressed && size !== undefined) this.#reserve(size);
    for await (const chunk of chunks) {
      if (this.#filled - begin + chunk.length > limit) {
        throw new FormatError(
          `${name}: its ${size} bytes decompress to more than ${limit}, as no pictures do. ` +
            "Fix: the file is not what its name says; copy or download it again.",
        );
      }
      this.#reserve(chunk.length);
      this.#bytes.set(chunk, this.#filled);
      this.#filled += chunk.length;
      this.#check(begin, chunk.length, name);
    }
    const rest = (this.#filled - begin) % this.#length;
    if (rest !== 0 || this.#filled === begin) throw this.#cutShort(name, this.#filled - begin, rest);
  }

  finish(): CifarPictures {
    const count = this.#filled / this.#length;
    const before = this.#labels.length;
    const labels = this.#labels.map(() => new Uint8Array(count));
    for (let i = 0; i < count; i++) {
      const at = i * this.#length;
      for (let j = 0; j < before; j++) labels[j][i] = this.#bytes[at + j];
      // Pictures only move towards the front, over what has been read.
      this.#bytes.copyWithin(i * PICTURE, at + before, at + this.#length);
    }
    return { images: this.#bytes.subarray(0, count * PICTURE), labels };
  }

  #reserve(more: number): void {
    const needed = this.#filled + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, Math.min(2 * this.#bytes.length, this.#filled + 2 ** 27)));
    grown.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = grown;
  }

  /** Looks at the labels among the last `added` bytes. */
  #check(begin: number, added: number, name: string): void {
    const from = this.#filled - added - begin;
    for (let record = Math.floor(from / this.#length); begin + record * this.#length < this.#filled; record++) {
      for (const [j, { name: kind, classes }] of this.#labels.entries()) {
        const at = begin + record * this.#length + j;
        if (at >= this.#filled || this.#bytes[at] < classes) continue;
        throw new FormatError(
          `${name}: the ${kind} at offset ${at - begin}, of picture ${record}, is ${this.#bytes[at]}. Expected 0 to ${classes - 1}, ` +
            `and then ${PICTURE} bytes of picture. ${this.#mend()}`,
        );
      }
    }
  }

  #cutShort(name: string, bytes: number, rest: number): FormatError {
    const whole = Math.floor(bytes / this.#length);
    const found = bytes === 0 ? "there are no bytes" : `${rest} bytes are left over after ${whole} pictures`;
    return new FormatError(
      `${name}: ${found}. Expected records of ${this.#length} bytes: ${this.#labels.map(({ name }) => `the ${name}`).join(", ")}, ` +
        `then ${PICTURE} bytes of picture. Fix: the file is cut short, or ${this.#mend(false)}`,
    );
  }

  #mend(begins = true): string {
    const other = this.#labels.length === 1 ? "CIFAR-100 has two labels a picture" : "CIFAR-10 has one label a picture";
    return `${begins ? "Fix: the file is" : "is"} damaged or of another layout (${other}); copy or download it again.`;
  }
}
