/**
 * The messages of ONNX files, with the numbers that onnx.proto gives their fields. What Fovea makes no use of (training
 * information, sharding) is left out: it is passed over when read. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

import {
  bytes,
  float,
  int64,
  integer,
  MessageType,
  message,
  optional,
  type Packed,
  packed,
  repeated,
  text,
  WireType,
  withDefault,
} from "../../formats/protobuf.js";

type Bytes = Uint8Array<ArrayBuffer>;

export interface ModelProto {
  irVersion: number;
  opsetImport: readonly OperatorSetIdProto[];
  producerName: string;
  producerVersion: string;
  domain: string;
  modelVersion: number;
  docString: string;
  graph: GraphProto | undefined;
  metadataProps: readonly StringStringEntryProto[];
  functions: readonly FunctionProto[];
}

export interface OperatorSetIdProto {
  domain: string;
  version: number;
}

export interface StringStringEntryProto {
  key: string;
  value: string;
}

export interface GraphProto {
  node: readonly NodeProto[];
  name: string;
  initializer: readonly TensorProto[];
  docString: string;
  input: readonly ValueInfoProto[];
  output: readonly ValueInfoProto[];
  valueInfo: readonly ValueInfoProto[];
  sparseInitializer: readonly SparseTensorProto[];
}

export interface NodeProto {
  input: readonly string[];
  output: readonly string[];
  name: string;
  opType: string;
  attribute: readonly AttributeProto[];
  docString: string;
  domain: string;
  overload: string;
}

/** `AttributeProto.type` */
export const attributeTypes = {
  undefined: 0,
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparseTensor: 11,
  sparseTensors: 12,
  typeProto: 13,
  typeProtos: 14,
} as const;

export interface AttributeProto {
  name: string;
  f: number | undefined;
  i: bigint | undefined;
  s: Bytes | undefined;
  t: TensorProto | undefined;
  g: GraphProto | undefined;
  floats: readonly number[];
  ints: readonly bigint[];
  strings: readonly Bytes[];
  tensors: readonly TensorProto[];
  graphs: readonly GraphProto[];
  docString: string;
  tp: TypeProto | undefined;
  type: number;
  refAttrName: string;
  sparseTensor: SparseTensorProto | undefined;
}

/** `TensorProto.data_type` */
export const dataTypes = {
  undefined: 0,
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
} as const;

export interface TensorProto {
  dims: readonly number[];
  dataType: number;
  /** Little-endian. */
  floatData: Packed;
  /** Varints; also holds bool, int8, uint8, int16, uint16, and the bits of float16 and bfloat16. */
  int32Data: Packed;
  stringData: readonly Bytes[];
  /** Varints. */
  int64Data: Packed;
  name: string;
  /** The elements in order, little-endian. */
  rawData: Bytes | undefined;
  /** Little-endian. */
  doubleData: Packed;
  /** Varints; also holds uint32. */
  uint64Data: Packed;
  docString: string;
  externalData: readonly StringStringEntryProto[];
  /** 1 when the elements are in another file. */
  dataLocation: number;
}

export interface SparseTensorProto {
  values: TensorProto | undefined;
  indices: TensorProto | undefined;
  dims: readonly number[];
}

export interface ValueInfoProto {
  name: string;
  type: TypeProto | undefined;
  docString: string;
}

/** Of a value: exactly one is there. */
export interface TypeProto {
  tensorType: TensorTypeProto | undefined;
  sequenceType: ElementTypeProto | undefined;
  optionalType: ElementTypeProto | undefined;
}

export interface TensorTypeProto {
  elemType: number;
  /** Absent where not even the number of axes is known. */
  shape: TensorShapeProto | undefined;
}

export interface ElementTypeProto {
  elemType: TypeProto | undefined;
}

export interface TensorShapeProto {
  dim: readonly DimensionProto[];
}

/** A length, or its name; neither when it is unknown. */
export interface DimensionProto {
  dimValue: number | undefined;
  dimParam: string | undefined;
}

export interface FunctionProto {
  name: string;
  input: readonly string[];
  output: readonly string[];
  attribute: readonly string[];
  node: readonly NodeProto[];
  docString: string;
  opsetImport: readonly OperatorSetIdProto[];
  domain: string;
  attributeProto: readonly AttributeProto[];
  overload: string;
}

export const ModelProto: MessageType<ModelProto> = new MessageType("ModelProto", () => ({
  irVersion: withDefault(1, integer, 0),
  producerName: withDefault(2, text, ""),
  producerVersion: withDefault(3, text, ""),
  domain: withDefault(4, text, ""),
  modelVersion: withDefault(5, integer, 0),
  docString: withDefault(6, text, ""),
  graph: optional(7, message(GraphProto)),
  opsetImport: repeated(8, message(OperatorSetIdProto)),
  metadataProps: repeated(14, message(StringStringEntryProto)),
  functions: repeated(25, message(FunctionProto)),
}));

export const OperatorSetIdProto: MessageType<OperatorSetIdProto> = new MessageType("OperatorSetIdProto", () => ({
  domain: withDefault(1, text, ""),
  version: withDefault(2, integer, 0),
}));

export const StringStringEntryProto: MessageType<StringStringEntryProto> = new MessageType(
  "StringStringEntryProto",
  () => ({
    key: withDefault(1, text, ""),
    value: withDefault(2, text, ""),
  }),
);

export const GraphProto: MessageType<GraphProto> = new MessageType("GraphProto", () => ({
  node: repeated(1, message(NodeProto)),
  name: withDefault(2, text, ""),
  initializer: repeated(5, message(TensorProto)),
  docString: withDefault(10, text, ""),
  input: repeated(11, message(ValueInfoProto)),
  output: repeated(12, message(ValueInfoProto)),
  valueInfo: repeated(13, message(ValueInfoProto)),
  sparseInitializer: repeated(15, message(SparseTensorProto)),
}));

export const NodeProto: MessageType<NodeProto> = new MessageType("NodeProto", () => ({
  input: repeated(1, text),
  output: repeated(2, text),
  name: withDefault(3, text, ""),
  opType: withDefault(4, text, ""),
  attribute: repeated(5, message(AttributeProto)),
  docString: withDefault(6, text, ""),
  domain: withDefault(7, text, ""),
  overload: withDefault(8, text, ""),
}));

export const AttributeProto: MessageType<AttributeProto> = new MessageType("AttributeProto", () => ({
  name: withDefault(1, text, ""),
  f: optional(2, float),
  i: optional(3, int64),
  s: optional(4, bytes),
  t: optional(5, message(TensorProto)),
  g: optional(6, message(GraphProto)),
  floats: repeated(7, float),
  ints: repeated(8, int64),
  strings: repeated(9, bytes),
  tensors: repeated(10, message(TensorProto)),
  graphs: repeated(11, message(GraphProto)),
  docString: withDefault(13, text, ""),
  tp: optional(14, message(TypeProto)),
  type: withDefault(20, integer, attributeTypes.undefined),
  refAttrName: withDefault(21, text, ""),
  sparseTensor: optional(22, message(SparseTensorProto)),
}));

export const TensorProto: MessageType<TensorProto> = new MessageType("TensorProto", () => ({
  dims: repeated(1, integer),
  dataType: withDefault(2, integer, dataTypes.undefined),
  floatData: packed(4, WireType.Bit32),
  int32Data: packed(5, WireType.Varint),
  stringData: repeated(6, bytes),
  int64Data: packed(7, WireType.Varint),
  name: withDefault(8, text, ""),
  rawData: optional(9, bytes),
  doubleData: packed(10, WireType.Bit64),
  uint64Data: packed(11, WireType.Varint),
  docString: withDefault(12, text, ""),
  externalData: repeated(13, message(StringStringEntryProto)),
  dataLocation: withDefault(14, integer, 0),
}));

export const SparseTensorProto: MessageType<SparseTensorProto> = new MessageType("SparseTensorProto", () => ({
  values: optional(1, message(TensorProto)),
  indices: optional(2, message(TensorProto)),
  dims: repeated(3, integer),
}));

export const ValueInfoProto: MessageType<ValueInfoProto> = new MessageType("ValueInfoProto", () => ({
  name: withDefault(1, text, ""),
  type: optional(2, message(TypeProto)),
  docString: withDefault(3, text, ""),
}));

export const TypeProto: MessageType<TypeProto> = new MessageType("TypeProto", () => ({
  tensorType: optional(1, message(TensorTypeProto)),
  sequenceType: optional(4, message(ElementTypeProto)),
  optionalType: optional(9, message(ElementTypeProto)),
}));

export const TensorTypeProto: MessageType<TensorTypeProto> = new MessageType("TypeProto.Tensor", () => ({
  elemType: withDefault(1, integer, dataTypes.undefined),
  shape: optional(2, message(TensorShapeProto)),
}));

/** Of `TypeProto.Sequence` and `TypeProto.Optional`, which look alike. */
export const ElementTypeProto: MessageType<ElementTypeProto> = new MessageType("TypeProto.Sequence", () => ({
  elemType: optional(1, message(TypeProto)),
}));

export const TensorShapeProto: MessageType<TensorShapeProto> = new MessageType("TensorShapeProto", () => ({
  dim: repeated(1, message(DimensionProto)),
}));

export const DimensionProto: MessageType<DimensionProto> = new MessageType("TensorShapeProto.Dimension", () => ({
  dimValue: optional(1, integer),
  dimParam: optional(2, text),
}));

export const FunctionProto: MessageType<FunctionProto> = new MessageType("FunctionProto", () => ({
  name: withDefault(1, text, ""),
  input: repeated(4, text),
  output: repeated(5, text),
  attribute: repeated(6, text),
  node: repeated(7, message(NodeProto)),
  docString: withDefault(8, text, ""),
  opsetImport: repeated(9, message(OperatorSetIdProto)),
  domain: withDefault(10, text, ""),
  attributeProto: repeated(11, message(AttributeProto)),
  overload: withDefault(13, text, ""),
}));
