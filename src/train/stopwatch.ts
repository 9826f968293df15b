/** Adds up the time between `start` and `stop`. */
export class Stopwatch {
  #before = 0;
  #since: number | undefined;

  /** Never zero, so that rates are finite. */
  get seconds(): number {
    const running = this.#since === undefined ? 0 : (performance.now() - this.#since) / 1000;
    return Math.max(this.#before + running, 1e-9);
  }

  reset(seconds: number): void {
    this.#before = seconds;
    this.#since = undefined;
  }

  start(): void {
    this.#since = performance.now();
  }

  stop(): void {
    this.#before = this.seconds;
    this.#since = undefined;
  }
}
