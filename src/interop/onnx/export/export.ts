/** Models as ONNX files, which ONNX Runtime, browsers and many other programs run. */

import type { Device } from "../../../backends/backend.js";
import { kindOf } from "../../../core/check.js";
import type { DType } from "../../../core/dtype.js";
import { ArgumentError } from "../../../core/errors.js";
import { checkShape, type Shape } from "../../../core/shape.js";
import { writeMessage } from "../../../formats/protobuf.js";
import { withTrace } from "../../../graph/context.js";
import { defaultDevice } from "../../../graph/device.js";
import { evaluateTensors } from "../../../graph/lazy.js";
import type { AnyState } from "../../../graph/state.js";
import { type AnyTensor, Tensor } from "../../../graph/tensor.js";
import { ModuleBase, savedName } from "../../../nn/module.js";
import { withComposites } from "../../../ops/composites.js";
import { version } from "../../../version.js";
import { dtypeOf } from "../elementTypes.js";
import { OnnxModel } from "../model.js";
import { GraphProto, ModelProto, TypeProto, ValueInfoProto } from "../proto.js";
import { elementTypes, GraphBuilder, type Length } from "./builder.js";
import { type Batches, Emitter, type Recorded } from "./emitter.js";

/** An input of the exported graph. */
export interface ExportInput {
  /** Default `input`, or `input_1` and so on where there are several. */
  readonly name?: string;
  /** As the model is called with it, batch included: `[1, 3, 224, 224]`. */
  readonly shape: Shape;
  /** Default `float32`. */
  readonly dtype?: DType;
}

export interface ExportOptions {
  /**
   * The shape of the model's input, or its inputs one by one. Default, for a model that was read from an ONNX file: what
   * that file says.
   */
  readonly inputs?: Shape | readonly ExportInput[];
  /** Names of what the model returns. Default: the keys of an object, else `output`, or `output_1` and so on. */
  readonly outputNames?: readonly string[];
  /** Whether the graph takes any number of samples, whatever the first length of `inputs`. Default true. */
  readonly dynamicBatch?: boolean;
  /** Version of ONNX's operators, 17 to 21. Default 18. */
  readonly opset?: number;
  /** Goes into the file for whoever reads it, such as class names. */
  readonly metadata?: Readonly<Record<string, string>>;
}

type Model = ModuleBase | ((...inputs: never[]) => unknown);

const opsets = { first: 17, last: 21, usual: 18 };

/** Two numbers of samples to record with: unlike each other, and neither 1, which broadcasts. */
const batches: Batches = { first: 2, second: 3 };

/**
 * A model, as it evaluates, as the bytes of an ONNX file. Weights have the names of the state dict.
 *
 * @throws ArgumentError for what ONNX cannot say, naming the op and the module
 * @example
 * const bytes = await onnx.export(model, { inputs: [1, 3, 224, 224] });
 * await writeFile("model.onnx", bytes);
 */
export async function exportModel(model: Model, options: ExportOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const { dynamicBatch = true, opset = opsets.usual, metadata = {} } = options;
  if (!Number.isInteger(opset) || opset < opsets.first || opset > opsets.last)
    throw new ArgumentError(`onnx.export: opset is ${opset}. Expected ${opsets.first} to ${opsets.last}.`);
  const wanted = options.inputs ?? (model instanceof OnnxModel ? importedInputs(model) : undefined);
  const inputs = checkInputs(wanted, dynamicBatch);
  const device = deviceOf(model);

  const record = (batch: number | undefined) => recordCall(model, inputs, batch, device);
  const first = record(dynamicBatch ? batches.first : undefined);
  const second = dynamicBatch ? record(batches.second) : undefined;
  const outputNames = namesOf(first.outputs, options.outputNames);

  const builder = new GraphBuilder(dynamicBatch ? { input: inputs[0].name, axis: 0 } : undefined);
  for (const { name } of inputs) builder.unique(name);
  const stateNames = namesOfStates(model);
  const emitter = new Emitter(
    builder,
    opset,
    first,
    {
      inputs: new Map(first.placeholders.map((tensor, i) => [tensor, inputs[i].name])),
      stateName: (state) => stateNames.get(state),
    },
    second && { recorded: second, batches },
  );
  const reserved = outputNames.map((name) => builder.unique(name));
  const computed = new Set<string>();
  const renamed = new Map<string, string>();
  for (const [i, tensor] of first.tensors.entries()) {
    let value = emitter.emit(tensor);
    // What is an input, a weight or already another output gets a node of its own.
    const isNode = builder.nodes.some((node) => node.output.includes(value));
    if (!isNode || computed.has(value)) value = builder.node("", "Identity", [value]);
    computed.add(value);
    renamed.set(value, reserved[i]);
  }
  builder.rename(renamed);

  evaluateTensors(emitter.weights.map(({ tensor }) => tensor));
  for (const { name, tensor } of emitter.weights)
    builder.initializer(name, tensor.shape, tensor.dtype, await tensor.data());

  const graph = GraphProto.create({
    name: model instanceof ModuleBase ? model.constructor.name : model.name || "model",
    node: builder.nodes,
    initializer: builder.initializers,
    input: inputs.map(({ name, dtype }, i) => valueInfo(name, dtype, emitter.lengths(first.placeholders[i]))),
    output: first.tensors.map((tensor, i) => valueInfo(reserved[i], tensor.dtype, emitter.lengths(tensor))),
  });
  return writeMessage(
    ModelProto,
    ModelProto.create({
      irVersion: 8,
      opsetImport: [{ domain: "", version: opset }],
      producerName: "fovea",
      producerVersion: version,
      graph,
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    }),
  );
}

function checkInputs(inputs: ExportOptions["inputs"], dynamicBatch: boolean): readonly Required<ExportInput>[] {
  const list: readonly unknown[] = Array.isArray(inputs) ? inputs : [];
  const given = list.length > 0 && list.every((each) => typeof each === "number") ? [{ shape: list }] : list;
  if (given.length === 0) {
    throw new ArgumentError(
      `onnx.export: the inputs are ${kindOf(inputs)}. Expected a shape, such as [1, 3, 224, 224], or a list of { name, shape }.`,
    );
  }
  return given.map((each, i) => {
    const { name = given.length === 1 ? "input" : `input_${i + 1}`, shape, dtype = "float32" } = each as ExportInput;
    checkShape("onnx.export", shape);
    if (dynamicBatch && shape.length === 0)
      throw new ArgumentError(`onnx.export: ${name} has no axes, so no batch. Fix: { dynamicBatch: false }.`);
    return { name, shape, dtype };
  });
}

/** The inputs of an imported model, whose batch may be of any size. */
function importedInputs(model: OnnxModel): readonly ExportInput[] {
  return model.inputs.map(({ name, shape, dtype }) => {
    const lengths = shape?.map((length, axis) => (axis === 0 && typeof length === "string" ? 1 : length));
    if (lengths === undefined || lengths.some((length) => typeof length === "string")) {
      throw new ArgumentError(
        `onnx.export: the input ${name} is ${shape === undefined ? "of any shape" : shape.join("×")}, and only the batch may vary. Fix: give all lengths: { inputs: [{ name: ${JSON.stringify(name)}, shape: … }] }.`,
      );
    }
    return { name, shape: lengths.map(Number), dtype: dtypeOf(dtype) };
  });
}

function deviceOf(model: Model): Device {
  if (model instanceof ModuleBase) for (const [, state] of model.namedStates()) return state.device;
  return defaultDevice();
}

interface RecordedCall extends Recorded {
  readonly placeholders: readonly AnyTensor[];
  /** What the model returned. */
  readonly outputs: unknown;
}

/** Records a call with another number of samples, evaluating; nothing is computed. */
function recordCall(
  model: Model,
  inputs: readonly Required<ExportInput>[],
  batch: number | undefined,
  device: Device,
): RecordedCall {
  return evaluating(model, () =>
    withTrace({ states: new Map(), guards: [], gradients: new Set() }, () => {
      const placeholders = inputs.map(({ shape, dtype }) => {
        const lengths = batch === undefined ? shape : [batch, ...shape.slice(1)];
        return new Tensor<Shape, DType>(lengths, dtype, device, { kind: "argument" });
      });
      const call = model as (...inputs: readonly AnyTensor[]) => unknown;
      const { result, composites } = withComposites(() => {
        if (!(model instanceof OnnxModel)) return call(...placeholders);
        return model.record(Object.fromEntries(placeholders.map((tensor, i) => [inputs[i].name, tensor])));
      });
      return { placeholders, outputs: result, tensors: tensorsOf(result), composites };
    }),
  );
}

function evaluating<T>(model: Model, body: () => T): T {
  if (!(model instanceof ModuleBase)) return body();
  const training = [...model.namedModules()].filter(([, module]) => module.training).map(([, module]) => module);
  for (const module of training) module.training = false;
  try {
    return body();
  } finally {
    for (const module of training) module.training = true;
  }
}

function tensorsOf(result: unknown): readonly AnyTensor[] {
  const list = result instanceof Tensor ? [result] : Array.isArray(result) ? result : Object.values(result ?? {});
  if (list.length > 0 && list.every((each) => each instanceof Tensor)) return list;
  throw new ArgumentError(
    `onnx.export: the model returned ${kindOf(result)}. Expected a tensor, or an array or a plain object of tensors.`,
  );
}

function namesOf(outputs: unknown, wanted: readonly string[] | undefined): readonly string[] {
  const count = tensorsOf(outputs).length;
  if (wanted !== undefined) {
    if (wanted.length === count && new Set(wanted).size === count) return wanted;
    throw new ArgumentError(
      `onnx.export: there are ${count} outputs, but outputNames is ${JSON.stringify(wanted)}. Expected as many different names.`,
    );
  }
  if (outputs instanceof Tensor) return ["output"];
  return Array.isArray(outputs) ? outputs.map((_, i) => `output_${i + 1}`) : Object.keys(outputs ?? {});
}

function namesOfStates(model: Model): ReadonlyMap<AnyState, string> {
  const names = new Map<AnyState, string>();
  if (model instanceof ModuleBase)
    for (const [name, state] of model.namedStates()) if (!names.has(state)) names.set(state, savedName(name));
  return names;
}

function valueInfo(name: string, dtype: DType, lengths: readonly Length[]): ValueInfoProto {
  const dim = lengths.map((length) => {
    if (typeof length === "number") return { dimValue: length, dimParam: undefined };
    const dimParam = length.perSample === 1 ? "batch" : `${length.perSample}*batch`;
    return { dimValue: undefined, dimParam };
  });
  return ValueInfoProto.create({
    name,
    type: TypeProto.create({ tensorType: { elemType: elementTypes[dtype], shape: { dim } } }),
  });
}
