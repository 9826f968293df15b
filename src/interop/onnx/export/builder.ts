/** Building an ONNX graph: nodes with unique names, constants, and lengths that vary with the batch. */

import type { DType, TypedArray } from "../../../core/dtype.js";
import * as proto from "../proto.js";
import { type AttributeProto, attributeTypes, dataTypes, type NodeProto, TensorProto } from "../proto.js";

/** An attribute's value, by its type. */
export type AttributeValue =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly tensor: TensorProto };

export type Attributes = Readonly<Record<string, AttributeValue>>;

export const int = (value: number | boolean): AttributeValue => ({ int: Number(value) });
export const ints = (values: readonly number[]): AttributeValue => ({ ints: values });
export const float = (value: number): AttributeValue => ({ float: value });
export const text = (value: string): AttributeValue => ({ text: value });

/** A length: a number, or so many times the batch's. */
export type Length = number | { readonly perSample: number };

/** ONNX's number of an element type. */
export const elementTypes: Readonly<Record<DType, number>> = {
  float32: dataTypes.float,
  int32: dataTypes.int32,
  uint8: dataTypes.uint8,
  bool: dataTypes.bool,
};

/** Ends of slices that reach to the end of an axis, whatever its length. */
export const toEnd = 2 ** 31 - 1;

export class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #names = new Set<string>();
  readonly #constants = new Map<string, string>();
  readonly #batchOf: { readonly input: string; readonly axis: number } | undefined;
  #batch: string | undefined;

  /** @param batchOf the input whose first axis is the batch; undefined when all lengths are fixed */
  constructor(batchOf: { readonly input: string; readonly axis: number } | undefined) {
    this.#batchOf = batchOf;
  }

  /** The name, or one like it that is not taken yet. */
  unique(name: string): string {
    let free = name;
    for (let i = 1; this.#names.has(free); i++) free = `${name}_${i}`;
    this.#names.add(free);
    return free;
  }

  /** Adds a node that gives one value, and returns the value's name. @param path of the module that it belongs to */
  node(path: string, opType: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodeWith(path, opType, inputs, attributes, 1)[0];
  }

  /** Adds a node that gives several values. */
  nodeWith(
    path: string,
    opType: string,
    inputs: readonly string[],
    attributes: Attributes,
    outputs: number,
  ): readonly string[] {
    const place = path === "" ? "" : `/${path.replaceAll(".", "/")}`.replaceAll(/\/{2,}/g, "/");
    // A node that was read from a file is called as it was there.
    const isNamed = new RegExp(`/${opType}(_\\d+)?$`).test(place);
    const name = this.unique(isNamed ? place : `${place}/${opType}`);
    const results = Array.from({ length: outputs }, (_, i) => this.unique(`${name}_output_${i}`));
    const attribute = Object.entries(attributes).map(([key, value]) => attributeProto(key, value));
    // Inputs that are left out at the end are not mentioned.
    const last = inputs.findLastIndex((input) => input !== "");
    this.nodes.push(
      proto.NodeProto.create({ name, opType, input: inputs.slice(0, last + 1), output: results, attribute }),
    );
    return results;
  }

  /** Adds a weight under its name. */
  initializer(name: string, dims: readonly number[], dtype: DType, data: TypedArray): void {
    this.initializers.push(tensorProto(name, dims, dtype, data));
  }

  /** The name of a tensor of constant values: no weight, so that nobody who reads the file trains it. */
  constant(dims: readonly number[], dtype: DType, data: TypedArray): string {
    return this.#constant(tensorProto("", dims, dtype, data));
  }

  /** The name of a constant list of whole numbers; a single number without axes where `dims` is empty. */
  integers(values: readonly number[], dims: readonly number[] = [values.length]): string {
    return this.#once(`${dims.length}:${values.join(",")}`, () => {
      const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
      return this.#constant(TensorProto.create({ dims, dataType: dataTypes.int64, rawData }));
    });
  }

  /** The name of a constant number without axes. */
  number(value: number, dtype: DType = "float32"): string {
    return this.filled(value, [], dtype);
  }

  /** The name of a constant tensor whose elements are all `value`. */
  filled(value: number, dims: readonly number[], dtype: DType = "float32"): string {
    return this.#once(`${dtype}[${dims.join(",")}] ${value}`, () => {
      const size = dims.reduce((a, b) => a * b, 1);
      const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, bool: Uint8Array } as const;
      return this.constant(dims, dtype, new arrays[dtype](size).fill(value));
    });
  }

  #constant(tensor: TensorProto): string {
    return this.node("", "Constant", [], { value: { tensor } });
  }

  #once(key: string, add: () => string): string {
    const name = this.#constants.get(key) ?? add();
    this.#constants.set(key, name);
    return name;
  }

  /** The name of a list of lengths, as `Expand` and `ConstantOfShape` take it. */
  lengths(lengths: readonly Length[]): string {
    const pieces: string[] = [];
    let fixed: number[] = [];
    const flush = () => {
      if (fixed.length > 0) pieces.push(this.integers(fixed));
      fixed = [];
    };
    for (const length of lengths) {
      if (typeof length === "number") fixed.push(length);
      else {
        flush();
        const batch = this.#batchLength();
        pieces.push(length.perSample === 1 ? batch : this.node("", "Mul", [batch, this.integers([length.perSample])]));
      }
    }
    flush();
    if (pieces.length === 0) return this.integers([]);
    return pieces.length === 1 ? pieces[0] : this.node("", "Concat", pieces, { axis: int(0) });
  }

  /** The number of samples, as a list of one. */
  #batchLength(): string {
    if (this.#batchOf === undefined) throw new Error("all lengths are fixed");
    const { input, axis } = this.#batchOf;
    this.#batch ??= this.node("", "Gather", [this.node("", "Shape", [input]), this.integers([axis])], { axis: int(0) });
    return this.#batch;
  }

  /** Gives values the names that users are to see: an output keeps its name whatever computes it. */
  rename(names: ReadonlyMap<string, string>): void {
    for (const node of this.nodes) {
      node.input = node.input.map((name) => names.get(name) ?? name);
      node.output = node.output.map((name) => names.get(name) ?? name);
    }
  }
}

function attributeProto(name: string, value: AttributeValue): AttributeProto {
  const { AttributeProto } = proto;
  if ("int" in value) return AttributeProto.create({ name, type: attributeTypes.int, i: BigInt(value.int) });
  if ("ints" in value) return AttributeProto.create({ name, type: attributeTypes.ints, ints: value.ints.map(BigInt) });
  if ("float" in value) return AttributeProto.create({ name, type: attributeTypes.float, f: value.float });
  if ("tensor" in value) return AttributeProto.create({ name, type: attributeTypes.tensor, t: value.tensor });
  return AttributeProto.create({ name, type: attributeTypes.string, s: new TextEncoder().encode(value.text) });
}

function tensorProto(name: string, dims: readonly number[], dtype: DType, data: TypedArray): TensorProto {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return TensorProto.create({ name, dims, dataType: elementTypes[dtype], rawData });
}
