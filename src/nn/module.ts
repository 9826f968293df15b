/**
 * Modules: layers and networks. A module is a function of tensors with parameters: fields that are parameters, states,
 * modules, or arrays and plain objects of them belong to it under the field's name.
 */

import { platform } from "#platform";
import { FoveaError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { currentFrame, currentTrace, type Frame, guard, type ModuleCall, withFrame } from "../graph/context.js";
import { evaluateTensors } from "../graph/lazy.js";
import { type AnyState, Parameter, State } from "../graph/state.js";
import { type AnyTensor, tensorsMade } from "../graph/tensor.js";
import { checkFit, type LoadReport } from "./fit.js";
import type { LoadWeightsOptions, WeightsReport, WeightsSource } from "./loading.js";
import type { SaveWeightsOptions } from "./saving.js";
import { checkSaved, isCounter, type SavedTensor, type StateDict } from "./state-dict.js";

/** Everything about modules but the type of calling them: layers declare a signature of their own. */
export abstract class ModuleBase {
  /** True while training: dropout drops and batch normalization uses the batch. Set by `train()` and `eval()`. */
  declare training: boolean;
  /** Set by `freeze()` and `unfreeze()`: batch normalization then keeps its running statistics and uses them while training, too. */
  declare frozen: boolean;

  constructor() {
    // A function whose prototype is the class's: fields, methods, private names and instanceof work as on any object.
    const self = (...inputs: unknown[]) => callModule(module, inputs);
    const module = Object.setPrototypeOf(self, new.target.prototype) as this;
    for (const name of ["name", "length"] as const) Reflect.deleteProperty(self, name);
    module.training = true;
    module.frozen = false;
    register(module);
    // biome-ignore lint/correctness/noConstructorReturn: a class can only become callable by returning a function
    return module;
  }

  /** Whether the sizes inside were published and are as they are: then no advice is given on them. */
  get isReadyMade(): boolean {
    return false;
  }

  /** Computes the module's outputs; call the module itself instead, which adds its name to errors. */
  abstract forward(...inputs: never[]): unknown;

  /** Switches this module and all inside it to training, or with `false` to evaluation. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  /** Switches this module and all inside it to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Stops training of this module and all inside it: no gradients are computed for the parameters, optimizers leave them alone,
   * and batch normalization goes on with the running statistics that it has, as when evaluating. Dropout still drops.
   *
   * @example network.layer1.freeze();
   */
  freeze(): this {
    setFrozen(this, true);
    return this;
  }

  /** Undoes `freeze()`. */
  unfreeze(): this {
    setFrozen(this, false);
    return this;
  }

  /** The modules directly inside, by name. */
  *namedChildren(): Generator<[name: string, module: ModuleBase]> {
    for (const [name, value] of fieldsOf(this)) if (value instanceof ModuleBase) yield [name, value];
  }

  /** This module (named "") and all inside it, at any depth, each once. */
  *namedModules(): Generator<[name: string, module: ModuleBase]> {
    yield* walkModules(this, "", new Set());
  }

  /** Parameters and other states at any depth; one that is used under several names appears under each. */
  *namedStates(): Generator<[name: string, state: AnyState]> {
    for (const [path, module] of walkModules(this, "", undefined)) {
      for (const [name, value] of fieldsOf(module)) if (value instanceof State) yield [join(path, name), value];
    }
  }

  /** Parameters at any depth, each once, by their first name. */
  *namedParameters(): Generator<[name: string, parameter: Parameter]> {
    const seen = new Set<AnyState>();
    for (const [name, state] of this.namedStates()) {
      if (state instanceof Parameter && !seen.has(state)) {
        seen.add(state);
        yield [name, state];
      }
    }
  }

  /** Parameters at any depth, each once. */
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** Number of trainable and frozen weights. */
  parameterCount(): number {
    return this.parameters().reduce((sum, parameter) => sum + parameter.shape.reduce((a, b) => a * b, 1), 0);
  }

  /** All states' values, read from the device, under PyTorch's names. */
  async stateDict(): Promise<StateDict> {
    const states = [...this.namedStates()];
    evaluateTensors(states.map(([, state]) => state.value));
    const entries = states.map(async ([name, state]): Promise<[string, SavedTensor]> => {
      const value: AnyTensor = state.value;
      return [savedName(name), { dtype: state.dtype, shape: state.shape, data: await value.data() }];
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /**
   * Takes over saved values. Nothing changes if it throws.
   *
   * @param strict false loads what fits and leaves the rest as it is; the report says what. Default true.
   * @throws StateDictError naming every missing, unexpected and misshaped entry
   */
  loadStateDict(saved: StateDict, { strict = true }: { readonly strict?: boolean } = {}): LoadReport {
    const states = statesByName(this);
    const found = new Map(Object.entries(saved).filter(([name]) => !isCounter(name)));
    for (const [name, value] of found) checkSaved(name, value);
    const report = checkFit(this.constructor.name, states, found, { strict });
    for (const [name, { data }] of found) {
      const state = states.get(name);
      if (state === undefined || report.misshaped.includes(name)) continue;
      state.adopt(state.device.upload(data));
    }
    return report;
  }

  /**
   * Writes the weights to a file in the format that its name ends in: `.safetensors`, `.npz` (NumPy), or `.pth`, `.pt`, `.th`,
   * `.bin` (PyTorch 1.6 and newer). Written beside and renamed into place.
   *
   * @throws ArgumentError for another ending; DataError for weights that `dtype` cannot hold
   * @example
   * await model.save("lenet.safetensors");
   * await model.save("half.pth", { dtype: "float16" }); // in PyTorch: torch.load("half.pth", weights_only=True)
   */
  async save(path: string, options: SaveWeightsOptions = {}): Promise<void> {
    const { writeStateDict } = await import("./saving.js");
    await platform.files.write(path, writeStateDict(await this.stateDict(), path, options));
  }

  /** The weights as the bytes of a safetensors file. */
  async serialize(): Promise<Uint8Array<ArrayBuffer>> {
    const { writeWeights } = await import("./weights.js");
    return writeWeights(await this.stateDict());
  }

  /**
   * Loads weights: safetensors, a checkpoint, PyTorch's files of both layouts, NumPy's .npz. What the file holds tells its
   * format. Other types of elements are converted, where that loses no more than float32 rounds. Nothing changes when it
   * fails.
   *
   * @throws StateDictError naming what is missing, unexpected or misshaped, unless `strict` is false; FormatError for
   *   damaged files; DataError for values that do not fit the model's type
   * @example
   * const report = await model.load("resnet18.pth");
   * await backbone.load(file, { prefix: "encoder.", strict: false });
   */
  async load(source: WeightsSource, options: LoadWeightsOptions = {}): Promise<WeightsReport> {
    // A page that loads nothing need not download the readers.
    const { loadInto } = await import("./loading.js");
    return loadInto(
      { name: this.constructor.name, states: statesByName(this), open: platform.files.open },
      source,
      options,
    );
  }

  /** What `toString` writes between the parentheses after the class's name. */
  describe(): string {
    return "";
  }

  /** The module and all inside it as an indented list, as PyTorch prints it. */
  toString(): string {
    const children = [...this.namedChildren()].map(([name, child]) => {
      return `  (${name}): ${child.toString().replaceAll("\n", "\n  ")}`;
    });
    const inside = children.length === 0 ? this.describe() : `\n${children.join("\n")}\n`;
    return `${this.constructor.name}(${inside})`;
  }

  /** What `console.log` shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function setFrozen(root: ModuleBase, frozen: boolean): void {
  for (const parameter of root.parameters()) parameter.requiresGrad = !frozen;
  for (const [, module] of root.namedModules()) module.frozen = frozen;
}

/** Fields that hold something of a module's, with arrays and plain objects opened up: `layers.0`. */
function* fieldsOf(container: object): Generator<[name: string, value: unknown]> {
  for (const [name, value] of Object.entries(container)) {
    if (Array.isArray(value) || isPlainObject(value)) {
      for (const [inner, item] of fieldsOf(value)) yield [`${name}.${inner}`, item];
    } else {
      yield [name, value];
    }
  }
}

function isPlainObject(value: unknown): value is object {
  return value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
}

function* walkModules(
  module: ModuleBase,
  path: string,
  seen: Set<ModuleBase> | undefined,
): Generator<[string, ModuleBase]> {
  if (seen?.has(module)) return;
  seen?.add(module);
  yield [path, module];
  for (const [name, child] of module.namedChildren()) yield* walkModules(child, join(path, name), seen);
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** PyTorch's spelling: `runningMean` is saved as `running_mean`; names that begin with a capital letter, as `AuxLogits`, stay. */
export function savedName(name: string): string {
  const respell = (part: string) =>
    /^[A-Z]/.test(part) ? part : part.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return name.split(".").map(respell).join(".");
}

/** All states by the names that they are saved under. */
export function statesByName(module: ModuleBase): Map<string, AnyState> {
  return new Map([...module.namedStates()].map(([name, state]) => [savedName(name), state]));
}

/** Runs a module's forward. */
function callModule(module: ModuleBase, inputs: unknown[]): unknown {
  const forward = module.forward as (...inputs: unknown[]) => unknown;
  return callWithin(module, () => forward.apply(module, inputs));
}

/** Runs a method of a module as a call of it: errors inside it name it, and a recording notices when it is changed later. */
export function callWithin<T>(module: ModuleBase, method: () => T): T {
  const parent = currentFrame();
  let name: string | undefined;
  const frame: Frame = {
    parent,
    module,
    name: () => {
      name ??= parent === null || !(parent.module instanceof ModuleBase) ? "" : nameWithin(parent.module, module);
      return name;
    },
    parametersRead: parent === null ? new Set() : parent.parametersRead,
    ...((parent?.quiet || module.isReadyMade) && { quiet: true }),
  };
  const trace = currentTrace();
  if (parent === null && trace !== null) guard(unchangedSince(module));
  const call: ModuleCall = { frame, begin: tensorsMade(), output: undefined };
  trace?.calls?.push(call);
  const result = withFrame(frame, method);
  call.output = result;
  if (module === awaited) throw new Answer(result);
  if (parent === null) checkNamed(module, frame.parametersRead);
  return result;
}

/** The module that `callUntil` waits for. */
let awaited: ModuleBase | null = null;

/** Thrown to leave the calls around the module that is waited for. */
class Answer {
  constructor(readonly result: unknown) {}
}

/**
 * Runs `method` only until the module `wanted` has answered: nothing behind it is recorded.
 *
 * @returns its first answer; undefined where it was not called
 */
export function callUntil(wanted: ModuleBase, method: () => unknown): { readonly result: unknown } | undefined {
  const outer = awaited;
  awaited = wanted;
  try {
    method();
    return undefined;
  } catch (error) {
    if (error instanceof Answer) return error;
    throw error;
  } finally {
    awaited = outer;
  }
}

function nameWithin(parent: ModuleBase, module: ModuleBase): string {
  // Nearly always a child, for which not all inside it need to be looked at.
  for (const [name, child] of parent.namedChildren()) if (child === module) return name;
  for (const [name, candidate] of parent.namedModules()) if (candidate === module) return name;
  return module.constructor.name;
}

/** A check that no setting, child or state of `root` or of a module inside it has been replaced. */
function unchangedSince(root: ModuleBase): () => boolean {
  const owners: Fields[] = [];
  const keysOf: (readonly string[])[] = [];
  const valuesOf: (readonly unknown[])[] = [];
  const remember = (module: object) => {
    const owner = module as Fields;
    const keys = Object.keys(owner);
    const values = keys.map((key) => owner[key]);
    owners.push(owner);
    keysOf.push(keys);
    valuesOf.push(values);
    for (const value of values) if (Array.isArray(value) || isPlainObject(value)) remember(value);
  };
  for (const [, module] of root.namedModules()) remember(module);
  // Every run of a network waits for this: plain loops take half as long as `every`.
  return () => {
    for (let i = 0; i < owners.length; i++) {
      const [owner, keys, values] = [owners[i], keysOf[i], valuesOf[i]];
      for (let j = 0; j < keys.length; j++) if (!Object.is(owner[keys[j]], values[j])) return false;
      if (Object.keys(owner).length !== keys.length) return false;
    }
    return true;
  };
}

type Fields = Readonly<Record<string, unknown>>;

const allModules = new Set<WeakRef<ModuleBase>>();
const forget = new FinalizationRegistry<WeakRef<ModuleBase>>((reference) => allModules.delete(reference));
const named = new WeakSet<AnyState>();

function register(module: ModuleBase): void {
  const reference = new WeakRef(module);
  allModules.add(reference);
  forget.register(module, reference);
}

/**
 * Throws if `forward` used a parameter that no module has a field for: optimizers and files would miss it. Looked up
 * once per parameter, in the called module first.
 */
function checkNamed(module: ModuleBase, parameters: ReadonlySet<AnyState>): void {
  const unknown = [...parameters].filter((parameter) => !named.has(parameter));
  if (unknown.length === 0) return;
  const remember = (owner: ModuleBase) => {
    for (const [, state] of owner.namedStates()) named.add(state);
  };
  remember(module);
  if (unknown.every((parameter) => named.has(parameter))) return;
  for (const reference of allModules) {
    const other = reference.deref();
    if (other !== undefined) remember(other);
  }
  const lost = unknown.find((parameter) => !named.has(parameter));
  if (lost === undefined) return;
  throw new FoveaError(
    "FOVEA_ARGUMENT",
    `${module.constructor.name} used a parameter (${formatShape(lost.shape)}) that no field of a module names, so it would be neither trained nor saved. ` +
      "Parameters are found in public fields, and in arrays and plain objects there; not in private fields, Maps or Sets. Fix: keep it in such a field.",
  );
}

/** A module is called like the function that `forward` defines. */
export interface Module {
  (...inputs: Parameters<this["forward"]>): ReturnType<this["forward"]>;
}

/**
 * Base class of networks and of your own layers.
 *
 * @example
 * class Net extends nn.Module {
 *   fc = new nn.Linear(784, 10);
 *   forward(x: Tensor) {
 *     return this.fc(flatten(x));
 *   }
 * }
 * const net = new Net();
 * const logits = net(images);
 */
export abstract class Module extends ModuleBase {}
