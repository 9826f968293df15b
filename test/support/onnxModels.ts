/** ONNX models of a single node, for tests. */

import { writeMessage } from "../../src/formats/protobuf.js";
import type { AttributeValues } from "../../src/interop/onnx/definition.js";
import type { ElementType } from "../../src/interop/onnx/elementTypes.js";
import { find } from "../../src/interop/onnx/ops/index.js";
import {
  AttributeProto,
  attributeTypes,
  dataTypes,
  GraphProto,
  ModelProto,
  NodeProto,
  OperatorSetIdProto,
  TensorProto,
  TensorShapeProto,
  TensorTypeProto,
  TypeProto,
  ValueInfoProto,
} from "../../src/interop/onnx/proto.js";
import type { HostArray, HostData } from "../../src/interop/onnx/tensorProto.js";

export type Bytes = Uint8Array<ArrayBuffer>;

/** A value of a node's attribute; what kind it is, the op's declaration says. */
export type AttributeValue = number | string | readonly number[] | readonly string[] | HostArray | GraphProto;

export interface NodeCase {
  readonly op: string;
  readonly opset: number;
  /** Undefined for inputs that are left out; constants are initializers. */
  readonly inputs: readonly (HostArray | { readonly constant: HostArray } | undefined)[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Types of the outputs; undefined for those that nobody wants. */
  readonly outputs: readonly (ElementType | undefined)[];
}

/** The number of a type in the format. */
export function dataType(type: ElementType): number {
  if (type === "float32") return dataTypes.float;
  return type === "float64" ? dataTypes.double : dataTypes[type];
}

/** An array as a message; float16 and float64 are not written. */
export function tensorProto(name: string, { type, shape, data }: HostArray): TensorProto {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return TensorProto.create({ name, dims: shape, dataType: dataType(type), rawData });
}

export function valueInfo(name: string, type: ElementType, shape?: readonly (number | string)[]): ValueInfoProto {
  const dim = shape?.map((length) =>
    typeof length === "number" ? { dimValue: length, dimParam: undefined } : { dimValue: undefined, dimParam: length },
  );
  const tensorType = TensorTypeProto.create({
    elemType: dataType(type),
    ...(dim === undefined ? {} : { shape: TensorShapeProto.create({ dim }) }),
  });
  return ValueInfoProto.create({ name, type: TypeProto.create({ tensorType }) });
}

const text = (value: string): Bytes => new TextEncoder().encode(value);

/** An attribute of a kind. */
export function attribute(name: string, kind: keyof AttributeValues, value: AttributeValue): AttributeProto {
  const base = { name, type: attributeTypes[kind] };
  if (kind === "int") return AttributeProto.create({ ...base, i: BigInt(value as number) });
  if (kind === "float") return AttributeProto.create({ ...base, f: value as number });
  if (kind === "string") return AttributeProto.create({ ...base, s: text(value as string) });
  if (kind === "ints") return AttributeProto.create({ ...base, ints: (value as readonly number[]).map(BigInt) });
  if (kind === "floats") return AttributeProto.create({ ...base, floats: value as readonly number[] });
  if (kind === "strings") return AttributeProto.create({ ...base, strings: (value as readonly string[]).map(text) });
  if (kind === "graph") return AttributeProto.create({ ...base, g: value as GraphProto });
  return AttributeProto.create({ ...base, t: tensorProto("", value as HostArray) });
}

/** A node; attributes are of the kinds that the op declares in this opset. */
export function node(
  op: string,
  opset: number,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): NodeProto {
  const declared = find(op, opset)?.attributes ?? {};
  return NodeProto.create({
    opType: op,
    name: `the ${op}`,
    input,
    output,
    attribute: Object.entries(attributes).map(([name, value]) => {
      const kind = declared[name]?.kind;
      if (kind === undefined) throw new Error(`${op} has no attribute ${name} in opset ${opset}`);
      return attribute(name, kind, value);
    }),
  });
}

export function model(graph: Partial<GraphProto>, opset: number): Bytes {
  const opsetImport = [OperatorSetIdProto.create({ version: opset })];
  return writeMessage(
    ModelProto,
    ModelProto.create({ irVersion: 8, opsetImport, graph: GraphProto.create({ name: "test", ...graph }) }),
  );
}

/** The bytes of a model whose inputs are x0, x1 … and its outputs y0, y1 …. */
export function modelOf({ op, opset, inputs, attributes, outputs }: NodeCase): Bytes {
  const graphInputs: ValueInfoProto[] = [];
  const initializer: TensorProto[] = [];
  const names = inputs.map((input, i) => {
    if (input === undefined) return "";
    if ("constant" in input) initializer.push(tensorProto(`x${i}`, input.constant));
    else graphInputs.push(valueInfo(`x${i}`, input.type, input.shape));
    return `x${i}`;
  });
  const results = outputs.map((type, i) => (type === undefined ? "" : `y${i}`));
  const output = outputs.flatMap((type, i) => (type === undefined ? [] : [valueInfo(`y${i}`, type)]));
  return model({ node: [node(op, opset, names, results, attributes)], input: graphInputs, initializer, output }, opset);
}

/** Arrays from numbers. */
export function array(type: ElementType, shape: readonly number[], values: readonly number[]): HostArray {
  const makers: Readonly<Partial<Record<ElementType, () => HostData>>> = {
    float32: () => Float32Array.from(values),
    int64: () => BigInt64Array.from(values, BigInt),
    int32: () => Int32Array.from(values),
    int16: () => Int16Array.from(values),
    uint16: () => Uint16Array.from(values),
    int8: () => Int8Array.from(values),
    uint8: () => Uint8Array.from(values),
    bool: () => Uint8Array.from(values),
  };
  const make = makers[type];
  if (make === undefined) throw new Error(`no arrays of ${type} are made here`);
  return { type, shape, data: make() };
}

export const int64s = (...values: number[]): HostArray => array("int64", [values.length], values);
export const floats = (...values: number[]): HostArray => array("float32", [values.length], values);
export const scalar = (type: ElementType, value: number): HostArray => array(type, [], [value]);
