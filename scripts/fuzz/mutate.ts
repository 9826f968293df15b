/** Damage to files, of the kinds that happen and those that somebody thinks of. */

import type { RandomStream } from "../../src/core/philox.js";

type Bytes = Uint8Array<ArrayBuffer>;
type Mutation = (bytes: Bytes, random: RandomStream, other: Bytes) => Bytes;

/** Numbers that lengths, counts and offsets are seldom prepared for. */
const numbers: readonly bigint[] = [0n, 1n, 2n, 63n, 127n, 128n, 255n, 256n, 32767n, 65535n, 65536n].concat(
  [20n, 24n, 31n, 32n, 52n, 53n, 62n, 63n, 64n].flatMap((power) => [2n ** power - 1n, 2n ** power]),
);

const texts = [
  "-1",
  "0",
  "99999999",
  "9007199254740993",
  "1e308",
  "0x10",
  "1.5",
  '"',
  "]",
  "[[[[",
  "{",
  "null",
  ",",
  "\\u0000",
];

function pick<T>(random: RandomStream, list: readonly T[]): T {
  return list[random.integer(list.length)];
}

/** A stretch of at most `most` bytes. */
function range(bytes: Bytes, random: RandomStream, most = bytes.length): [start: number, end: number] {
  const start = random.integer(bytes.length + 1);
  return [start, Math.min(bytes.length, start + random.integer(most + 1))];
}

function joined(...parts: readonly Uint8Array[]): Bytes {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function replaced(bytes: Bytes, start: number, end: number, by: Uint8Array): Bytes {
  return joined(bytes.subarray(0, start), by, bytes.subarray(end));
}

function randomBytes(random: RandomStream, length: number): Bytes {
  return Uint8Array.from({ length }, () => random.bits() & 255);
}

/** A copy with a number written over a random place. */
function withNumber(bytes: Bytes, random: RandomStream, value: bigint): Bytes {
  const width = pick(random, [1, 2, 4, 8]);
  if (bytes.length < width) return bytes.slice();
  const result = bytes.slice();
  const at = random.integer(bytes.length - width + 1);
  const little = random.integer(4) > 0;
  for (let i = 0; i < width; i++) {
    result[at + (little ? i : width - 1 - i)] = Number((value >> BigInt(8 * i)) & 255n);
  }
  return result;
}

const mutations: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const result = bytes.slice();
    if (result.length > 0) result[random.integer(result.length)] ^= 1 << random.integer(8);
    return result;
  },
  function setByte(bytes, random) {
    const result = bytes.slice();
    if (result.length > 0) result[random.integer(result.length)] = random.bits() & 255;
    return result;
  },
  (bytes, random) => withNumber(bytes, random, pick(random, numbers)),
  (bytes, random) => withNumber(bytes, random, BigInt(bytes.length + random.integer(65) - 32)),
  function countOn(bytes, random) {
    const result = bytes.slice();
    if (result.length > 0) result[random.integer(result.length)] += random.integer(9) - 4;
    return result;
  },
  function cut(bytes, random) {
    return bytes.slice(0, random.integer(bytes.length + 1));
  },
  function cutStart(bytes, random) {
    return bytes.slice(random.integer(Math.min(bytes.length, 64) + 1));
  },
  function remove(bytes, random) {
    return replaced(bytes, ...range(bytes, random, 64), new Uint8Array(0));
  },
  function repeat(bytes, random) {
    const [start, end] = range(bytes, random, 64);
    const times = random.integer(8) === 0 ? random.integer(500) : random.integer(4);
    return replaced(bytes, start, end, joined(...Array.from({ length: times }, () => bytes.subarray(start, end))));
  },
  function insert(bytes, random) {
    const [start] = range(bytes, random);
    return replaced(bytes, start, start, randomBytes(random, random.integer(16)));
  },
  function append(bytes, random) {
    return joined(bytes, randomBytes(random, random.integer(100)));
  },
  function overwrite(bytes, random, other) {
    const [from, to] = range(other, random, 64);
    const [start] = range(bytes, random);
    return replaced(bytes, start, Math.min(bytes.length, start + to - from), other.subarray(from, to));
  },
  function splice(bytes, random, other) {
    return joined(bytes.subarray(0, range(bytes, random)[0]), other.subarray(range(other, random)[0]));
  },
  function move(bytes, random) {
    const [start, end] = range(bytes, random, 64);
    const rest = replaced(bytes, start, end, new Uint8Array(0));
    const [to] = range(rest, random);
    return replaced(rest, to, to, bytes.slice(start, end));
  },
  function clear(bytes, random) {
    const [start, end] = range(bytes, random, 64);
    return bytes.slice().fill(pick(random, [0, 255, 0x5d, 0x28]), start, end);
  },
  function replaceDigits(bytes, random) {
    const places: [number, number][] = [];
    for (let i = 0; i < Math.min(bytes.length, 4096); i++) {
      if (bytes[i] < 0x30 || bytes[i] > 0x39) continue;
      const start = i;
      while (bytes[i + 1] >= 0x30 && bytes[i + 1] <= 0x39) i++;
      places.push([start, i + 1]);
    }
    if (places.length === 0) return bytes.slice();
    return replaced(bytes, ...pick(random, places), new TextEncoder().encode(pick(random, texts)));
  },
];

/** A file with one to four damages; `other` is another file of the kind. */
export function mutate(bytes: Bytes, random: RandomStream, other: Bytes): Bytes {
  let result = bytes;
  for (let times = 1 + random.integer(4); times > 0; times--) result = pick(random, mutations)(result, random, other);
  return result;
}
