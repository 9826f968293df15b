/**
 * Philox4x32-10: random numbers as a pure function of a key and a counter.
 * Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 * The kernels compute the same bits (kernels/random.c), so host and device draws agree.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of the product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // No sum reaches 2^32.
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const middle2 = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (middle2 >>> 16)) >>> 0;
}

/**
 * Ten rounds over the counter `(c0, c1, c2, c3)` with the key `(k0, k1)`; the four words are written to `out`.
 */
export function philox(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  out: Uint32Array<ArrayBuffer>,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0 >>> 0);
    const low0 = Math.imul(M0, c0) >>> 0;
    const high1 = mulHigh(M1, c2 >>> 0);
    const low1 = Math.imul(M1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The float32 in [0, 1) that the upper 24 bits of a random word stand for. */
export function unitFromBits(bits: number): number {
  return (bits >>> 8) * 2 ** -24;
}

/**
 * A sequential view of one Philox stream, for work on the host: shuffling, augmentation, drawing data.
 * Streams of different `(seed, ...stream)` are independent.
 *
 * @example
 * const random = new RandomStream(7, epoch, sample);
 * random.uniform(-10, 10);
 */
export class RandomStream {
  readonly #key: readonly [number, number];
  readonly #stream: readonly [number, number];
  readonly #words = new Uint32Array(4);
  #position = 0;
  #spare: number | undefined;

  constructor(seed: number, stream0 = 0, stream1 = 0) {
    this.#key = splitSeed(seed);
    this.#stream = [stream0 >>> 0, stream1 >>> 0];
  }

  /** Next 32 random bits as an unsigned integer. */
  bits(): number {
    const lane = this.#position & 3;
    if (lane === 0) {
      const block = this.#position / 4;
      const [s0, s1] = this.#stream;
      philox(block >>> 0, Math.floor(block / 2 ** 32), s0, s1, this.#key[0], this.#key[1], this.#words);
    }
    this.#position++;
    return this.#words[lane];
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * unitFromBits(this.bits());
  }

  /** Uniform integer in 0 … n-1. */
  integer(n: number): number {
    // The product method's bias is below n / 2^32: far under what any use here could notice.
    return Math.floor((this.bits() / 2 ** 32) * n);
  }

  /** Normal with the given mean and standard deviation (Box & Muller 1958). */
  normal(mean = 0, deviation = 1): number {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return mean + deviation * value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - unitFromBits(this.bits())));
    const angle = 2 * Math.PI * unitFromBits(this.bits());
    this.#spare = radius * Math.sin(angle);
    return mean + deviation * radius * Math.cos(angle);
  }

  /** The integers 0 … n-1 in random order (Fisher & Yates). */
  permutation(n: number): Uint32Array<ArrayBuffer> {
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = order[i];
      order[i] = order[j];
      order[j] = held;
    }
    return order;
  }
}

/** The two key words of a seed: any safe integer of 0 or more. */
export function splitSeed(seed: number): [number, number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}
