/** ONNX's element types, and what tensors hold in their place. */

import type { DType } from "../../core/dtype.js";
import { dataTypes } from "./proto.js";

/** Types of elements as reported to users; float64 is ONNX's `double`. */
export type ElementType =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool";

/** What tensors compute in where the model says `type`. */
const computed = {
  float32: "float32",
  float64: "float32",
  float16: "float32",
  bfloat16: "float32",
  int64: "int32",
  int32: "int32",
  int16: "int32",
  int8: "int32",
  uint64: "int32",
  uint32: "int32",
  uint16: "int32",
  uint8: "uint8",
  bool: "bool",
} as const satisfies Record<ElementType, DType>;

export function dtypeOf(type: ElementType): DType {
  return computed[type];
}

export function isFloat(type: ElementType): boolean {
  return computed[type] === "float32";
}

export function isInteger(type: ElementType): boolean {
  return type !== "bool" && !isFloat(type);
}

/** The type that stands for what a tensor computes in. */
export function elementTypeOf(dtype: DType): ElementType {
  return dtype;
}

/** Least and greatest values of the integer types; of the 64-bit ones, of those that numbers count exactly. */
export const ranges = {
  int64: [-(2 ** 63), 2 ** 63],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int8: [-128, 127],
  uint64: [0, 2 ** 64],
  uint32: [0, 2 ** 32 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint8: [0, 255],
  bool: [0, 1],
} as const satisfies Partial<Record<ElementType, readonly [number, number]>>;

const byNumber = new Map<number, ElementType>([
  [dataTypes.float, "float32"],
  [dataTypes.double, "float64"],
  [dataTypes.float16, "float16"],
  [dataTypes.bfloat16, "bfloat16"],
  [dataTypes.int64, "int64"],
  [dataTypes.int32, "int32"],
  [dataTypes.int16, "int16"],
  [dataTypes.int8, "int8"],
  [dataTypes.uint64, "uint64"],
  [dataTypes.uint32, "uint32"],
  [dataTypes.uint16, "uint16"],
  [dataTypes.uint8, "uint8"],
  [dataTypes.bool, "bool"],
]);

/** The type with a number in the format; undefined for those that Fovea has no values for (text, complex, 8-bit floats). */
export function elementTypeFrom(number: number): ElementType | undefined {
  return byNumber.get(number);
}

const names = new Map<number, string>(Object.entries(dataTypes).map(([name, number]) => [number, name]));

/** The name of a type's number, for errors. */
export function describeDataType(number: number): string {
  return names.get(number) ?? `data type ${number}`;
}
