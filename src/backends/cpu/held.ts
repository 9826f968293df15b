/**
 * What tensors hold on a device, told to JavaScript's garbage collector: it sees only small objects, and would let
 * gigabytes of garbage stand behind them.
 */

/** So many changes lie between two reports. */
const window = 32;

export class HeldMemory {
  #held = 0;
  #told = 0;
  #least = 0;
  #changes = 0;

  constructor(
    private readonly limit: number,
    /** Called with all that is held. */
    private readonly tell: (bytes: number) => void,
  ) {}

  /**
   * Not of every upload that is freed in the same step: the collector would run all the time. It hears of the least that
   * was held in a while, and of much at once.
   */
  change(bytes: number): void {
    this.#held += bytes;
    this.#least = Math.min(this.#least, this.#held);
    const urgent = this.#held - this.#told > this.limit / 8;
    if (++this.#changes < window && !urgent) return;
    // What was asked for in vain is held by nobody.
    const told = Math.min(urgent ? this.#held : this.#least, this.limit);
    if (told !== this.#told) this.tell(told);
    this.#told = told;
    this.#least = this.#held;
    this.#changes = 0;
  }
}
