/** What optimizers share: the parameters, their slots, and the step. */

import { ArgumentError, StateDictError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { currentTrace, guard, withTrace } from "../graph/context.js";
import { evaluateTensors, flushStates } from "../graph/lazy.js";
import { pipelineOf } from "../graph/pipeline.js";
import { type Parameter, State } from "../graph/state.js";
import type { Tensor } from "../graph/tensor.js";
import { tensorOver, zeros } from "../ops/create.js";

/** A saved slot or number of an optimizer. */
export interface OptimizerState {
  readonly slots: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  readonly numbers: Readonly<Record<string, number>>;
}

/** Outside `compile`, this many steps may be on their way before `await optimizer.step()` waits. */
const stepsAhead = 2;

/** Base class of optimizers. */
export abstract class Optimizer {
  readonly parameters: readonly Parameter[];
  /** Steps made so far. */
  steps = 0;
  #learningRate: number;
  readonly #slots = new Map<string, Map<Parameter, State>>();

  /** @param parameters of a model: `model.parameters()` */
  constructor(parameters: Iterable<Parameter>, learningRate: number) {
    this.parameters = [...new Set(parameters)];
    if (this.parameters.length === 0) {
      throw new ArgumentError(`${new.target.name}: there are no parameters to train. Expected model.parameters().`);
    }
    this.#learningRate = checkRate(new.target.name, learningRate);
  }

  /** The learning rate: may be changed at any time, also between calls of a compiled step. */
  get lr(): number {
    return this.#learningRate;
  }

  set lr(value: number) {
    this.#learningRate = checkRate(this.constructor.name, value);
  }

  /**
   * Changes every parameter that has a gradient, and uses the gradients up.
   *
   * Outside `compile` this runs everything recorded so far. The promise resolves when the device has caught up; awaiting
   * it keeps a long loop from running ahead of the device.
   */
  step(): Promise<void> {
    const ready = this.parameters.filter((parameter) => parameter.requiresGrad && parameter.grad !== null);
    if (ready.length === 0) {
      throw new ArgumentError(
        `${this.constructor.name}.step(): no parameter has a gradient. Fix: call loss.backward() first, on a loss that depends on these parameters.`,
      );
    }
    this.update(ready.map((parameter) => ({ parameter, gradient: parameter.grad as Tensor })));
    for (const parameter of ready) parameter.grad = null;
    if (currentTrace() !== null) return Promise.resolve();
    const { device } = ready[0];
    flushStates(device);
    return pipelineOf(device).room(stepsAhead);
  }

  /** Forgets gradients that `backward()` has left. Only needed to discard them: `step()` uses them up. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = null;
  }

  /** Assigns new values to the parameters. */
  protected abstract update(pairs: readonly { readonly parameter: Parameter; readonly gradient: Tensor }[]): void;

  /** A state of the parameter's shape that starts at zero: momentum and the like. */
  protected slot(name: string, parameter: Parameter): State {
    let slots = this.#slots.get(name);
    if (slots === undefined) {
      slots = new Map();
      this.#slots.set(name, slots);
    }
    let slot = slots.get(parameter);
    if (slot === undefined) {
      // Made outside whatever is being recorded: it outlives it.
      slot = withTrace(null, () => new State(zeros(parameter.shape, { device: parameter.device })));
      slots.set(parameter, slot);
    }
    return slot;
  }

  /** A setting that changes which ops a step consists of: a compiled step is recorded anew when it changes. */
  protected structural<T>(read: () => T): T {
    const now = read();
    guard(() => Object.is(read(), now));
    return now;
  }

  /** Everything that training goes on from: slots by name and position of their parameter, and counters. */
  async state(): Promise<OptimizerState> {
    const entries = [...this.#slots].flatMap(([name, slots]) =>
      [...slots].map(([parameter, slot]) => [`${name}.${this.parameters.indexOf(parameter)}`, slot] as const),
    );
    evaluateTensors(entries.map(([, slot]) => slot.value));
    const slots = await Promise.all(entries.map(async ([name, slot]) => [name, await slot.value.data()] as const));
    return { slots: Object.fromEntries(slots), numbers: { lr: this.lr, steps: this.steps } };
  }

  /** Goes on from saved state. @throws StateDictError when it is another optimizer's, or for other parameters */
  loadState({ slots, numbers }: OptimizerState): void {
    for (const [name, data] of Object.entries(slots)) {
      const [kind, position] = splitName(name);
      const parameter = this.parameters[position];
      if (parameter === undefined || parameter.shape.reduce((a, b) => a * b, 1) !== data.length) {
        const expected = parameter === undefined ? "no parameter" : formatShape(parameter.shape);
        throw new StateDictError(
          `${this.constructor.name}: the saved ${name} has ${data.length} values for ${expected}. Expected the state of this optimizer, for this model.`,
        );
      }
      const slot = this.slot(kind, parameter);
      const value = tensorOver(data.slice(), parameter.shape, "float32", parameter.device);
      if (sameShape(slot.shape, value.shape)) slot.assign(value);
    }
    this.lr = numbers.lr ?? this.lr;
    this.steps = numbers.steps ?? this.steps;
  }
}

function splitName(name: string): [kind: string, position: number] {
  const dot = name.lastIndexOf(".");
  return [name.slice(0, dot), Number(name.slice(dot + 1))];
}

function checkRate(what: string, rate: number): number {
  if (!(rate >= 0) || !Number.isFinite(rate)) {
    throw new ArgumentError(`${what}: the learning rate is ${rate}. Expected a number of 0 or more, such as 0.01.`);
  }
  return rate;
}

/** Throws unless low ≤ value < high. */
export function checkRange(what: string, name: string, value: number, low: number, high: number): number {
  if (!(value >= low && value < high))
    throw new ArgumentError(`${what}: ${name} is ${value}. Expected ${low} ≤ ${name} < ${high}.`);
  return value;
}
