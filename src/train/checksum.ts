/** MurmurHash3 (x86, 32 bits; Austin Appleby, public domain): finds damage, fast enough to run over large weights. */

export class Checksum {
  #hash = 0;
  #length = 0;

  /** Adds bytes; cutting them up differently gives another checksum. */
  add(bytes: Uint8Array<ArrayBuffer>): this {
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
    let hash = this.#hash;
    for (let i = 0; i < words.length; i++) {
      hash ^= scramble(words[i]);
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    }
    let tail = 0;
    for (let i = aligned.length - 1; i >= words.length * 4; i--) tail = (tail << 8) | aligned[i];
    this.#hash = hash ^ scramble(tail);
    this.#length += bytes.length;
    return this;
  }

  /** Adds the UTF-8 bytes of a text. */
  addText(text: string): this {
    return this.add(new TextEncoder().encode(text));
  }

  /** Eight hexadecimal digits. */
  toString(): string {
    let hash = this.#hash ^ this.#length;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0).toString(16).padStart(8, "0");
  }
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}
