/** An imported model. */

import { ArgumentError, DataError, DTypeError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import { type CompiledFunction, compile } from "../../graph/compile.js";
import { type AnyState, Parameter, State } from "../../graph/state.js";
import type { AnyTensor, Tensor } from "../../graph/tensor.js";
import { Module } from "../../nn/module.js";
import { tensorOver } from "../../ops/create.js";
import { cast } from "../../ops/elementwise/select.js";
import { evaluate } from "../../ops/evaluate.js";
import { type AnyTensorLike, asTensor } from "../../ops/tensors.js";
import { checkFits, constantTensor, fits, markInput } from "./constants.js";
import { dtypeOf, type ElementType, ranges } from "./elementTypes.js";
import { NotYetKnown, now, runGraph, waiting } from "./execute.js";
import type { GraphPlan, ValueInfo } from "./graph.js";
import { rounded } from "./ops/conversion.js";
import { OverflowChecks } from "./overflow.js";
import { rolesOf } from "./roles.js";
import { tensorValue, type Value } from "./value.js";

/** An input or output of an imported model. */
export interface OnnxValue {
  readonly name: string;
  /**
   * Its lengths; a name, such as "batch", for those that every call may choose (the same wherever the name is), "?" for
   * those without a name. Undefined where the file does not even say how many axes there are.
   */
  readonly shape: readonly (number | string)[] | undefined;
  /** What the file says. Tensors hold float32 for all floating point, and int32 for all integers but uint8. */
  readonly dtype: ElementType;
}

/** Tensors by the names of a model's inputs or outputs. */
export type NamedTensors = Readonly<Record<string, AnyTensor>>;

/** Outputs, and the number by which `OverflowChecks` knows the first node whose result did not fit, if any may not. */
type Computed = { readonly outputs: Record<string, AnyTensor>; readonly overflow: readonly Tensor<[]>[] };

/**
 * A model that `load` has read. It is a module: its floating-point initializers are parameters under their own names, which
 * can be trained, saved and loaded. After `train()` batch normalization and dropout behave as while training.
 */
export class OnnxModel extends Module {
  readonly #plan: GraphPlan;
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #inputs: readonly OnnxValue[];
  readonly #outputs: readonly OnnxValue[];
  /** Initializers that are inputs as well: their values are defaults. */
  readonly #defaults: ReadonlySet<string>;
  readonly #states = new Map<string, { readonly state: AnyState; readonly type: ElementType }>();
  readonly #constants = new Map<string, Value>();
  readonly #compiled: CompiledFunction<[NamedTensors], Computed>;
  readonly #overflow = new OverflowChecks();
  /** Whether sizes depend on values, so that the graph cannot be one program. */
  #waits = false;

  /** @internal */
  constructor(plan: GraphPlan, metadata: Readonly<Record<string, string>>) {
    super();
    this.#plan = plan;
    this.#metadata = metadata;
    this.#defaults = new Set(plan.inputs.map(({ name }) => name).filter((name) => plan.initializers.has(name)));
    this.#inputs = plan.inputs.filter(({ name }) => !plan.initializers.has(name)).map(described);
    this.#outputs = plan.outputs.map(described);
    const roles = rolesOf(plan);
    for (const [name, array] of plan.initializers) {
      const role = roles(name, array.type);
      const tensor = constantTensor(array);
      if (role === "constant" || !fits(tensor)) {
        this.#constants.set(name, tensorValue(array.type, tensor));
        continue;
      }
      const state =
        tensor.dtype === "float32" && role === "parameter" ? new Parameter(tensor as Tensor) : new State(tensor);
      this.#states.set(name, { state, type: array.type });
      Object.defineProperty(this, fieldName(this, name), {
        value: state,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    this.#compiled = compile((inputs: NamedTensors) =>
      this.#computed(now(runGraph(this.#plan, this.#values(inputs), this.training, this.#overflow.begin()))),
    );
    this.eval();
  }

  /** What `run` takes. */
  get inputs(): readonly OnnxValue[] {
    return this.#inputs;
  }

  /** What `run` gives. */
  get outputs(): readonly OnnxValue[] {
    return this.#outputs;
  }

  /** What the file says beside the graph, such as the names of classes. */
  get metadata(): Readonly<Record<string, string>> {
    return this.#metadata;
  }

  /**
   * Computes the outputs. Each combination of input shapes is compiled once.
   *
   * @param inputs a tensor for each of `inputs`
   * @returns a tensor for each of `outputs`
   * @throws ArgumentError for names that are missing or unknown; ShapeError and DTypeError for tensors that do not fit;
   * DataError, naming the node, where integers become larger than int32
   * @example const { logits } = await model.run({ image });
   */
  async run(inputs: Readonly<Record<string, AnyTensorLike>>): Promise<Record<string, AnyTensor>> {
    const tensors = await this.#prepare(inputs);
    if (!this.#waits) {
      try {
        return await this.#checked(await this.#compiled(tensors));
      } catch (error) {
        if (!(error instanceof NotYetKnown)) throw error;
        this.#waits = true;
      }
    }
    const steps = runGraph(this.#plan, this.#values(tensors), this.training, this.#overflow.begin());
    const computed = this.#computed(await waiting(steps));
    await evaluate(...Object.values(computed.outputs), ...computed.overflow);
    return this.#checked(computed);
  }

  /** Records the outputs without computing them: for training, or within `compile`. */
  record(inputs: NamedTensors): Record<string, AnyTensor> {
    return this.#named(now(runGraph(this.#plan, this.#values(inputs), this.training)));
  }

  /**
   * The first output for tensors in the order of `inputs`.
   *
   * @example const loss = crossEntropy(model(images), labels);
   */
  forward(...inputs: AnyTensorLike[]): Tensor {
    if (inputs.length !== this.#inputs.length) {
      const names = this.#inputs.map(({ name }) => name).join(", ");
      throw new ArgumentError(`the model takes ${this.#inputs.length} inputs (${names}), but got ${inputs.length}.`);
    }
    const tensors = inputs.map((input, i) => [
      this.#inputs[i].name,
      asTensor<Shape, Tensor["dtype"]>("model", input as Tensor),
    ]);
    const outputs = this.record(checkInputs(this.#inputs, this.#defaults, Object.fromEntries(tensors)));
    return outputs[this.#outputs[0].name] as Tensor;
  }

  override describe(): string {
    const list = (values: readonly OnnxValue[]) =>
      values.map(({ name, shape, dtype }) => `${name}: ${shape?.join("×") ?? "?"} ${dtype}`).join(", ");
    return `${list(this.#inputs)} → ${list(this.#outputs)}`;
  }

  #named(values: readonly Value[]): Record<string, AnyTensor> {
    const outputs = values.map((value, i): [string, AnyTensor] => {
      const { name } = this.#plan.outputs[i];
      if (value.kind !== "tensor")
        throw new DTypeError(
          `the output ${JSON.stringify(name)} is ${value.kind === "sequence" ? "a list" : "nothing"}. Expected a tensor.`,
        );
      return [name, value.tensor];
    });
    checkFits(outputs.map(([, tensor]) => tensor));
    return Object.fromEntries(outputs);
  }

  /** Outputs of short floating-point types are rounded to what these hold: only at the end, for it has no gradient. */
  #computed(values: readonly Value[]): Computed {
    const outputs = this.#named(values);
    for (const { name, dtype } of this.#outputs) outputs[name] = rounded(outputs[name], dtype);
    const { first } = this.#overflow;
    return { outputs, overflow: first === undefined ? [] : [first] };
  }

  async #checked({ outputs, overflow }: Computed): Promise<Record<string, AnyTensor>> {
    for (const first of overflow) this.#overflow.check(await first.item());
    return outputs;
  }

  #values(inputs: NamedTensors): ReadonlyMap<string, Value> {
    const values = new Map<string, Value>(this.#constants);
    for (const [name, { state, type }] of this.#states) {
      const tensor: AnyTensor = state.value;
      values.set(name, { kind: "tensor", type, tensor, state });
    }
    for (const { name, type } of this.#plan.inputs) {
      const tensor = inputs[name];
      if (tensor === undefined) continue;
      markInput(tensor);
      values.set(name, tensorValue(type ?? tensor.dtype, tensor));
    }
    return values;
  }

  /** The inputs as tensors of the types in which they are computed. */
  async #prepare(inputs: Readonly<Record<string, AnyTensorLike>>): Promise<NamedTensors> {
    const tensors: Record<string, AnyTensor> = {};
    for (const [name, value] of Object.entries(inputs)) {
      const input: AnyTensor = asTensor("run", value as Tensor);
      const type = this.#plan.inputs.find((info) => info.name === name)?.type;
      tensors[name] = type === undefined ? input : await converted(name, input, type);
    }
    return checkInputs(this.#inputs, this.#defaults, tensors);
  }
}

function described({ name, shape, type }: ValueInfo): OnnxValue {
  return { name, shape, dtype: type ?? "float32" };
}

/** A field for the state `name`: that name, unless modules already mean something by it. */
function fieldName(model: OnnxModel, name: string): string {
  let field = name;
  while (field in model) field = `${field}_`;
  return field;
}

/** Integers of one kind as those of another, where their values fit. */
async function converted(name: string, input: AnyTensor, type: ElementType): Promise<AnyTensor> {
  const dtype = dtypeOf(type);
  if (dtype === "float32" || input.dtype === "float32" || (input.dtype === dtype && !(type in narrow))) return input;
  if (dtype === "int32" && !(type in narrow)) return cast(input, "int32");
  const [low, high] = ranges[type as keyof typeof ranges];
  const values = await input.data();
  const wrong = values.find((value) => value < low || value > high);
  if (wrong !== undefined)
    throw new DataError(`run: the input ${JSON.stringify(name)} holds ${wrong}. Expected ${type}: ${low} to ${high}.`);
  if (input.dtype === dtype) return input;
  return dtype === "int32"
    ? cast(input, "int32")
    : tensorOver(Uint8Array.from(values), input.shape, dtype, input.device);
}

/** Types whose range is smaller than that of the tensors that hold them. */
const narrow: Readonly<Partial<Record<ElementType, true>>> = {
  int8: true,
  int16: true,
  uint16: true,
  uint32: true,
  uint64: true,
};

/** Throws unless there is a fitting tensor for each input. */
function checkInputs(expected: readonly OnnxValue[], defaults: ReadonlySet<string>, given: NamedTensors): NamedTensors {
  const names = expected.map(({ name }) => name);
  const list = (values: readonly string[]) => values.map((name) => JSON.stringify(name)).join(", ");
  const missing = names.filter((name) => given[name] === undefined);
  const unknown = Object.keys(given).filter((name) => !names.includes(name) && !defaults.has(name));
  if (missing.length > 0 || unknown.length > 0) {
    const faults = [
      missing.length > 0 ? `${list(missing)} missing` : "",
      unknown.length > 0 ? `${list(unknown)} unknown` : "",
    ].filter((fault) => fault !== "");
    throw new ArgumentError(`run: inputs ${faults.join(" and ")}. Expected ${list(names) || "none"}.`);
  }
  const lengths = new Map<string, { readonly length: number; readonly name: string }>();
  for (const { name, shape, dtype } of expected) {
    const tensor = given[name];
    const wanted = dtypeOf(dtype);
    if (tensor.dtype !== wanted) {
      throw new DTypeError(
        `run: the input ${JSON.stringify(name)} is ${tensor.dtype}. Expected ${wanted}${wanted === dtype ? "" : ` (for ${dtype})`}. Fix: .to("${wanted}").`,
      );
    }
    checkLengths(name, shape, tensor.shape, lengths);
  }
  return given;
}

function checkLengths(
  input: string,
  expected: OnnxValue["shape"],
  found: Shape,
  lengths: Map<string, { readonly length: number; readonly name: string }>,
): void {
  if (expected === undefined) return;
  const fits =
    expected.length === found.length &&
    expected.every((length, i) => typeof length === "string" || length === found[i]);
  if (!fits) {
    throw new ShapeError(
      `run: the input ${JSON.stringify(input)} is ${formatShape(found)}. Expected ${expected.length === 0 ? "scalar" : expected.join("×")}.`,
    );
  }
  for (const [axis, length] of expected.entries()) {
    if (typeof length === "number" || length === "?") continue;
    const before = lengths.get(length);
    if (before === undefined) lengths.set(length, { length: found[axis], name: input });
    else if (before.length !== found[axis]) {
      throw new ShapeError(
        `run: ${JSON.stringify(length)} is ${before.length} in the input ${JSON.stringify(before.name)} but ${found[axis]} in ${JSON.stringify(input)}. Expected the same.`,
      );
    }
  }
}
