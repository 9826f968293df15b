/**
 * Declaring the ops of ONNX: for each its attributes and how it is built from the functions of tensors. The table that
 * they form is also what is checked against when a model is loaded, and what docs/onnx.md is made from.
 */

import type { Call } from "./call.js";
import type { GraphPlan, NodePlan } from "./graph.js";
import type { HostArray } from "./tensorProto.js";
import type { TensorValue, Value } from "./value.js";

/** The values of an attribute, by its kind. */
export interface AttributeValues {
  int: number;
  float: number;
  string: string;
  tensor: HostArray;
  graph: GraphPlan;
  ints: readonly number[];
  floats: readonly number[];
  strings: readonly string[];
}

export type AttributeKind = keyof AttributeValues;

/** An attribute, and its value where a node does not give it; `undefined` for those that may be missing. */
export interface Attribute<T> {
  readonly kind: AttributeKind;
  readonly fallback: T;
  readonly required: boolean;
}

const attribute = <K extends AttributeKind>(kind: K) => {
  type Of = AttributeValues[K];
  function declare(): Attribute<Of | undefined>;
  function declare(fallback: Of): Attribute<Of>;
  function declare(fallback?: Of): Attribute<Of | undefined> {
    return { kind, fallback, required: false };
  }
  return declare;
};

export const int = attribute("int");
export const float = attribute("float");
export const string = attribute("string");
export const ints = attribute("ints");
export const floats = attribute("floats");
export const strings = attribute("strings");
export const tensor = attribute("tensor");
export const graph = attribute("graph");

/** An attribute that a node must give. */
export function required<T>({ kind }: Attribute<T | undefined>): Attribute<T> {
  // The fallback is never used.
  return { kind, fallback: undefined as T, required: true };
}

export type Attributes = Readonly<Record<string, Attribute<unknown>>>;
export type ValuesOf<A extends Attributes> = {
  readonly [Name in keyof A]: A[Name] extends Attribute<infer T> ? T : never;
};

/** A value that must be known while recording: its numbers are what `yield` gives. */
export interface Request {
  readonly value: TensorValue;
  /** The node that needs it. */
  readonly node: NodePlan;
}

/** Work that may have to wait for values: each `yield` of a request resumes with its numbers. */
export type Steps<T> = Generator<Request, T, Float64Array<ArrayBuffer>>;

export type Outputs = Value | readonly (Value | undefined)[];

export interface Definition<A extends Attributes = Attributes> {
  /** The first opset whose form of the op this is; it holds until another form's. */
  readonly since: number;
  readonly attributes?: A;
  /** Inputs that must be known while recording, such as a shape. An initializer that such an input depends on is no parameter. */
  readonly known?: readonly number[];
  /** Inputs that hold statistics: states, but no parameters. */
  readonly statistics?: readonly number[];
  /** What attributes ask for that is not there; undefined if nothing. */
  readonly refuse?: (attributes: ValuesOf<A>) => string | undefined;
  /** How far the op goes, for the documentation. */
  readonly note?: string;
  readonly build: (call: Call, attributes: ValuesOf<A>) => Outputs | Steps<Outputs>;
}

/** The forms of each op, oldest first. */
export type OpTable = Readonly<Record<string, readonly Definition[]>>;

/** One form of an op. */
export function define<A extends Attributes = Record<never, never>>(definition: Definition<A>): Definition {
  const { build, refuse, ...rest } = definition;
  return {
    ...rest,
    refuse: (attributes) => refuse?.(attributes as ValuesOf<A>),
    build: (call, attributes) => build(call, attributes as ValuesOf<A>),
  };
}
