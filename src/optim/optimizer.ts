/** What optimizers share: the parameters, their slots, and the step. */

import { ArgumentError, StateDictError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { currentTrace, guard, withTrace } from "../graph/context.js";
import { evaluateTensors, flushStates } from "../graph/lazy.js";
import { pipelineOf } from "../graph/pipeline.js";
import { type Parameter, State } from "../graph/state.js";
import type { Tensor } from "../graph/tensor.js";
import { tensorOver, zeros } from "../ops/create.js";
import { add, mul } from "../ops/elementwise/arithmetic.js";
import { varyingNumber } from "../ops/tensors.js";
import { clipScale } from "./clipping.js";
import { checkRange, type Group, type GroupSettings, type Trainable, toGroups } from "./groups.js";

/** A parameter and how the loss changes with it. */
export interface Slope {
  readonly parameter: Parameter;
  readonly gradient: Tensor;
}

/** A saved slot or number of an optimizer. */
export interface OptimizerState {
  readonly slots: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  readonly numbers: Readonly<Record<string, number>>;
}

const averageSlot = "average";
/** Of gradients that `accumulate` has added up. */
const gradientSlot = "gradient";

/** Outside `compile`, this many steps may be on their way before `await optimizer.step()` waits. */
const stepsAhead = 2;

/** Base class of optimizers. */
export abstract class Optimizer {
  readonly parameters: readonly Parameter[];
  /** Those that were given without a group, if any, and then the groups. */
  readonly groups: readonly Group[];
  /** Steps made so far. */
  steps = 0;
  #learningRate: number;
  readonly #slots = new Map<string, Map<Parameter, State>>();
  /** Of the average of the weights, if one is kept. */
  #averageDecay: number | undefined;
  /** Steps that are in it. */
  #averaged = 0;
  #largestNorm: number | undefined;

  /** @param parameters of a model: `model.parameters()`, or groups of them */
  constructor(parameters: Trainable, learningRate: number) {
    this.groups = toGroups(new.target.name, parameters);
    this.parameters = this.groups.flatMap((group) => group.parameters);
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
    const { device, slopes } = this.#slopes("step");
    const largestNorm = this.structural(() => this.#largestNorm);
    const norm = largestNorm === undefined ? undefined : varyingNumber(() => this.#largestNorm ?? 0, device);
    const scale = norm && clipScale([...slopes.values()], norm);
    // Counted when the step is run, before any group needs the number.
    let counted = false;
    for (const group of this.groups) {
      const own = group.parameters.flatMap((parameter) => {
        const gradient = slopes.get(parameter);
        return gradient === undefined
          ? []
          : [{ parameter, gradient: scale ? (mul(gradient, scale) as Tensor) : gradient }];
      });
      if (own.length === 0) continue;
      this.update(own, group, !counted);
      counted = true;
    }
    for (const [parameter, gathered] of this.#slots.get(gradientSlot) ?? [])
      gathered.assign(zeros(parameter.shape, { device }));
    const decay = this.structural(() => this.#averageDecay);
    if (decay !== undefined) this.#average([...slopes.keys()], decay);
    return flushed(device);
  }

  /**
   * Puts the gradients by, added to those that were, for the next `step()` to use together with its own: a step can then
   * be made for more samples than fit into memory. Losses that are means are to be divided by the number of parts. What is
   * put by belongs to the optimizer's state, and therefore to checkpoints.
   *
   * @example
   * crossEntropy(model(first), labels1).mul(0.5).backward();
   * await optimizer.accumulate();
   * crossEntropy(model(second), labels2).mul(0.5).backward();
   * await optimizer.step();
   */
  accumulate(): Promise<void> {
    // There before they are read, so that a compiled function need not be recorded again when they are.
    for (const parameter of this.parameters)
      if (parameter.requiresGrad && parameter.grad !== null) this.slot(gradientSlot, parameter);
    const { device, slopes } = this.#slopes("accumulate");
    for (const [parameter, gradient] of slopes) this.slot(gradientSlot, parameter).assign(gradient);
    return flushed(device);
  }

  /** Takes the gradients, and adds to each what has been put by of it. */
  #slopes(method: string): { readonly device: Parameter["device"]; readonly slopes: ReadonlyMap<Parameter, Tensor> } {
    const gathered = this.#slots.get(gradientSlot);
    this.structural(() => this.#slots.get(gradientSlot)?.size);
    const trained = this.parameters.filter(({ requiresGrad }) => requiresGrad);
    const first = trained.find(({ grad }) => grad !== null);
    if (first === undefined) {
      throw new ArgumentError(
        `${this.constructor.name}.${method}(): no parameter has a gradient. Fix: call loss.backward() first, on a loss that depends on these parameters.`,
      );
    }
    const slopes = new Map<Parameter, Tensor>();
    for (const parameter of trained) {
      const before = gathered?.get(parameter)?.value;
      const { grad } = parameter;
      const gradient = before !== undefined && grad !== null ? (add(before, grad) as Tensor) : (grad ?? before);
      if (gradient !== undefined) slopes.set(parameter, gradient);
      parameter.grad = null;
    }
    return { device: first.device, slopes };
  }

  /**
   * Shrinks the gradients of each step, all of them by the same factor, so that their norm (the root of the sum of all
   * their squares) is at most `largestNorm`: one bad batch then cannot throw the weights far away (Pascanu, Mikolov &
   * Bengio 2013; PyTorch's clip_grad_norm_). Of gradients put by, their sum is meant.
   *
   * @param largestNorm above 0
   * @example const optimizer = new SGD(model.parameters(), { lr: 0.1 }).clipGradients(1);
   */
  clipGradients(largestNorm: number): this {
    if (!(largestNorm > 0) || !Number.isFinite(largestNorm))
      throw new ArgumentError(
        `${this.constructor.name}: the largest norm of gradients is ${largestNorm}. Expected a number above 0, such as 1.`,
      );
    this.#largestNorm = largestNorm;
    return this;
  }

  /**
   * Keeps an exponential moving average of the weights from the next step on, which often does better than the last
   * weights: average ← decay · average + (1 − decay) · weight after each step. It is part of the optimizer's state, and
   * therefore of checkpoints; `withAverage`, and every evaluation of a `Trainer`, use it.
   *
   * @param decay 0 … 1; about the last 1 / (1 − decay) steps count
   * @example const optimizer = new SGD(model.parameters(), { lr: 0.1 }).averageWeights(0.99);
   */
  averageWeights(decay = 0.999): this {
    this.#averageDecay = checkRange(this.constructor.name, "decay", decay, 0, 1);
    return this;
  }

  /** Whether an average of the weights is kept. */
  get averages(): boolean {
    return this.#averageDecay !== undefined;
  }

  /**
   * Does something with the average in place of the weights, such as saving the model; no step may be made meanwhile.
   * Without an average, or before the first step, the weights stay as they are.
   *
   * @example await optimizer.withAverage(() => saveWeights(model, "averaged.safetensors"));
   */
  async withAverage<T>(work: () => Promise<T>): Promise<T> {
    if (this.#averageDecay === undefined) return await work();
    this.exchangeAverage();
    try {
      return await work();
    } finally {
      this.exchangeAverage();
    }
  }

  /** Puts the average in the place of the weights, and the weights in that of the average. @internal */
  exchangeAverage(): void {
    // Before the first step there is none.
    if (this.#averaged === 0) return;
    for (const [parameter, average] of this.#slots.get(averageSlot) ?? []) {
      const [weight, mean] = [parameter.value, average.value];
      parameter.assign(mean);
      average.assign(weight);
    }
    // At once: if other weights were loaded next, what the average is to hold would be gone.
    flushStates(this.parameters[0].device);
  }

  #average(parameters: readonly Parameter[], decay: number): void {
    const { device } = parameters[0];
    let kept = 0;
    const keep = varyingNumber(() => {
      // There is nothing to keep of what there was before the first step.
      kept = this.#averaged === 0 ? 0 : decay;
      this.#averaged++;
      return kept;
    }, device);
    const take = varyingNumber(() => 1 - kept, device);
    for (const parameter of parameters) {
      const average = this.slot(averageSlot, parameter);
      average.assign(add(mul(average, keep), mul(parameter, take)) as Tensor);
    }
  }

  /** Forgets gradients that `backward()` has left. Only needed to discard them: `step()` uses them up. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = null;
  }

  /**
   * Assigns new values to parameters of one group.
   *
   * @param counts whether `steps` is to grow by one when the recorded step is run
   */
  protected abstract update(slopes: readonly Slope[], group: GroupSettings, counts: boolean): void;

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
    return {
      slots: Object.fromEntries(slots),
      numbers: { lr: this.lr, steps: this.steps, ...(this.averages && { averaged: this.#averaged }) },
    };
  }

  /** Goes on from saved state. @throws StateDictError when it is another optimizer's, or for other parameters */
  loadState({ slots, numbers }: OptimizerState): void {
    // What is not in it had not begun.
    for (const [kind, kept] of this.#slots) {
      for (const [parameter, slot] of kept) {
        if (`${kind}.${this.parameters.indexOf(parameter)}` in slots) continue;
        slot.assign(zeros(parameter.shape, { device: parameter.device }));
      }
    }
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
    this.#averaged = numbers.averaged ?? this.#averaged;
  }
}

/** Outside `compile`, runs what is recorded. */
function flushed(device: Parameter["device"]): Promise<void> {
  if (currentTrace() !== null) return Promise.resolve();
  flushStates(device);
  return pipelineOf(device).room(stepsAhead);
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
