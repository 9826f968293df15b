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
    this.optimizer.lr = this.#base * this.factor(this.#position);
  }

  state(): ScheduleState {
    return { position: this.#position };
  }

  loadState({ position = 0 }: ScheduleState): void {
    this.#position = position;
    this.optimizer.lr = this.#base * this.factor(position);
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
