/** Learning-rate schedules: each changes its optimizer's `lr` when its `step()` is called. */

import { checkCount } from "../core/check.js";
import { ArgumentError } from "../core/errors.js";
import type { Optimizer } from "./optimizer.js";

/** What a schedule needs to go on after a break. */
export type ScheduleState = Readonly<Record<string, number>>;

/** Changes an optimizer's learning rate over time. */
export interface Schedule {
  /** Goes on by one step; some schedules look at a measure of progress, such as the test loss. */
  step(measure?: number): void;
  state(): ScheduleState;
  loadState(state: ScheduleState): void;
}

/** Schedules whose rate is a function of the number of steps. */
abstract class TimedSchedule implements Schedule {
  readonly #base: number;
  #position = 0;

  constructor(protected readonly optimizer: Optimizer) {
    this.#base = optimizer.lr;
  }

  /** The rate after `position` steps, relative to the first. */
  protected abstract factor(position: number): number;

  step(): void {
    this.#position++;
    this.apply();
  }

  /** Gives the optimizer the rate of the present position. */
  protected apply(): void {
    this.optimizer.lr = this.#base * this.factor(this.#position);
  }

  state(): ScheduleState {
    return { position: this.#position };
  }

  loadState({ position = 0 }: ScheduleState): void {
    this.#position = position;
    this.apply();
  }
}

/** The same rate always. */
export class ConstantLR extends TimedSchedule {
  protected override factor(): number {
    return 1;
  }
}

/** Multiplies the rate by `gamma` every `stepSize` steps. */
export class StepLR extends TimedSchedule {
  readonly stepSize: number;
  readonly gamma: number;

  constructor(optimizer: Optimizer, { stepSize, gamma = 0.1 }: { readonly stepSize: number; readonly gamma?: number }) {
    super(optimizer);
    this.stepSize = checkCount("StepLR", "stepSize", stepSize);
    this.gamma = gamma;
  }

  protected override factor(position: number): number {
    return this.gamma ** Math.floor(position / this.stepSize);
  }
}

/** Lets the rate fall along half a cosine to `minimum` times the first, in `steps` steps (Loshchilov & Hutter 2017). */
export class CosineLR extends TimedSchedule {
  readonly steps: number;
  readonly minimum: number;

  constructor(optimizer: Optimizer, { steps, minimum = 0 }: { readonly steps: number; readonly minimum?: number }) {
    super(optimizer);
    this.steps = checkCount("CosineLR", "steps", steps);
    this.minimum = minimum;
  }

  protected override factor(position: number): number {
    const progress = Math.min(position / this.steps, 1);
    return this.minimum + ((1 - this.minimum) * (1 + Math.cos(Math.PI * progress))) / 2;
  }
}

export interface OneCycleOptions {
  /** In which the rate rises and falls; after them it stays where it has come to. */
  readonly steps: number;
  /** Share of them in which it rises. Default 0.3. */
  readonly rise?: number;
  /** The first rate is the highest divided by this. Default 25. */
  readonly divide?: number;
  /** The last rate is the first divided by this. Default 10,000. */
  readonly finalDivide?: number;
}

/**
 * Raises the rate to the optimizer's own along half a cosine, and lets it fall almost to nothing along another
 * (Smith & Topin 2018). Momentum stays as it is.
 *
 * @example new OneCycleLR(new SGD(parameters, { lr: 0.4, momentum: 0.9 }), { steps: epochs * batches })
 */
export class OneCycleLR extends TimedSchedule {
  readonly steps: number;
  readonly rise: number;
  readonly divide: number;
  readonly finalDivide: number;

  constructor(optimizer: Optimizer, { steps, rise = 0.3, divide = 25, finalDivide = 1e4 }: OneCycleOptions) {
    super(optimizer);
    this.steps = checkCount("OneCycleLR", "steps", steps);
    if (!(rise > 0 && rise < 1)) throw new ArgumentError(`OneCycleLR: rise is ${rise}. Expected 0 < rise < 1.`);
    for (const [name, value] of Object.entries({ divide, finalDivide })) {
      if (!(value >= 1 && Number.isFinite(value)))
        throw new ArgumentError(`OneCycleLR: ${name} is ${value}. Expected a number of 1 or more.`);
    }
    this.rise = rise;
    this.divide = divide;
    this.finalDivide = finalDivide;
    this.apply();
  }

  protected override factor(position: number): number {
    const first = 1 / this.divide;
    const last = first / this.finalDivide;
    // Steps are counted from 0: the top is reached in the last one of the rise, the end in the last one of all.
    const top = this.rise * this.steps - 1;
    const end = this.steps - 1;
    if (position < top) return between(first, 1, position / top);
    return between(1, last, end > top ? Math.min(1, (position - top) / (end - top)) : 1);
  }
}

/** On half a cosine from one value to another. */
function between(from: number, to: number, progress: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;
}

export interface WarmupOptions {
  /** In which the rate rises to the optimizer's own. */
  readonly steps: number;
  /** Share of the rate to begin with. Default 0. */
  readonly start?: number;
  /** What goes on from there; its own steps are counted from then. Default: the rate stays. */
  readonly next?: Schedule;
}

/**
 * Raises the rate along a straight line before another schedule takes over (Goyal et al. 2017).
 *
 * @example
 * const next = new CosineLR(optimizer, { steps: 9000 });
 * new WarmupLR(optimizer, { steps: 1000, next });
 */
export class WarmupLR implements Schedule {
  readonly steps: number;
  readonly start: number;
  readonly #optimizer: Optimizer;
  readonly #base: number;
  readonly #next: Schedule | undefined;
  #position = 0;

  constructor(optimizer: Optimizer, { steps, start = 0, next }: WarmupOptions) {
    this.steps = checkCount("WarmupLR", "steps", steps);
    if (!(start >= 0 && start <= 1)) throw new ArgumentError(`WarmupLR: start is ${start}. Expected 0 ≤ start ≤ 1.`);
    this.start = start;
    this.#optimizer = optimizer;
    this.#base = optimizer.lr;
    this.#next = next;
    this.#apply();
  }

  step(measure?: number): void {
    this.#position++;
    if (this.#position <= this.steps) this.#apply();
    else this.#next?.step(measure);
  }

  state(): ScheduleState {
    const next = Object.entries(this.#next?.state() ?? {}).map(([name, value]) => [`next.${name}`, value]);
    return { warmup: this.#position, ...Object.fromEntries(next) };
  }

  loadState({ warmup = 0, ...state }: ScheduleState): void {
    this.#position = warmup;
    const next = Object.entries(state).map(([name, value]) => [name.replace(/^next\./, ""), value]);
    this.#next?.loadState(Object.fromEntries(next));
    // What follows may have set the rate of its own first step.
    if (warmup <= this.steps) this.#apply();
  }

  #apply(): void {
    this.#optimizer.lr = this.#base * (this.start + (1 - this.start) * (this.#position / this.steps));
  }
}

export interface PlateauOptions {
  /** The rate is multiplied by this. Default 0.1. */
  readonly factor?: number;
  /** Steps without progress before that. Default 2. */
  readonly patience?: number;
  /** What counts as progress: the measure must fall by this share of the best. Default 1e-4. */
  readonly threshold?: number;
}

/** Divides the rate when a measure, such as the validation loss, has stopped falling. */
export class PlateauLR implements Schedule {
  readonly factor: number;
  readonly patience: number;
  readonly threshold: number;
  #best = Number.POSITIVE_INFINITY;
  #waited = 0;

  constructor(
    private readonly optimizer: Optimizer,
    { factor = 0.1, patience = 2, threshold = 1e-4 }: PlateauOptions = {},
  ) {
    this.factor = factor;
    this.patience = patience;
    this.threshold = threshold;
  }

  /** @param measure that should fall */
  step(measure?: number): void {
    if (measure === undefined) {
      throw new ArgumentError("PlateauLR.step() needs the measure that it watches, such as the validation loss.");
    }
    if (measure < this.#best * (1 - this.threshold)) {
      this.#best = measure;
      this.#waited = 0;
      return;
    }
    this.#waited++;
    if (this.#waited > this.patience) {
      this.optimizer.lr *= this.factor;
      this.#waited = 0;
    }
  }

  state(): ScheduleState {
    return { best: this.#best, waited: this.#waited };
  }

  loadState({ best = Number.POSITIVE_INFINITY, waited = 0 }: ScheduleState): void {
    this.#best = best;
    this.#waited = waited;
  }
}
