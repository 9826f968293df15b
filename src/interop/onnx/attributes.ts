/** Reading a node's attributes as its op declares them. */

import { FormatError } from "../../core/errors.js";
import type { AttributeKind, Attributes, AttributeValues } from "./definition.js";
import { type AttributeProto, attributeTypes, type GraphProto, type TensorProto } from "./proto.js";

interface Reading {
  /** Begins errors. */
  readonly node: string;
  /** Told of attributes that the op does not have, or not of this kind. */
  readonly unsupported: (fault: string) => void;
  readonly tensor: (tensor: TensorProto, what: string) => AttributeValues["tensor"];
  readonly graph: (graph: GraphProto) => AttributeValues["graph"];
}

/** A hint to the memory planning of ONNX's first version, without meaning since. */
const ignored = new Set(["consumed_inputs"]);

export function readAttributes(
  declared: Attributes,
  given: readonly AttributeProto[],
  reading: Reading,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, { fallback }] of Object.entries(declared)) values[name] = fallback;
  const found = new Set<string>();
  for (const attribute of given) {
    const { name } = attribute;
    if (ignored.has(name)) continue;
    const declaration = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (declaration === undefined) {
      reading.unsupported(`attribute ${JSON.stringify(name)}`);
      continue;
    }
    if (found.has(name)) throw new FormatError(`${reading.node}: attribute ${JSON.stringify(name)} is there twice.`);
    found.add(name);
    values[name] = valueFor(attribute, declaration.kind, reading);
  }
  for (const [name, { required }] of Object.entries(declared)) {
    if (required && !found.has(name))
      throw new FormatError(
        `${reading.node}: attribute ${JSON.stringify(name)} is missing. Fix: export the model again.`,
      );
  }
  return values;
}

const numbers: Readonly<Record<AttributeKind, number>> = {
  int: attributeTypes.int,
  float: attributeTypes.float,
  string: attributeTypes.string,
  tensor: attributeTypes.tensor,
  graph: attributeTypes.graph,
  ints: attributeTypes.ints,
  floats: attributeTypes.floats,
  strings: attributeTypes.strings,
};

function valueFor(attribute: AttributeProto, kind: AttributeKind, reading: Reading): unknown {
  const what = `${reading.node}: attribute ${JSON.stringify(attribute.name)}`;
  // The first version of the format left the type out.
  if (attribute.type !== attributeTypes.undefined && attribute.type !== numbers[kind]) {
    throw new FormatError(`${what} is of type ${attribute.type}. Expected ${numbers[kind]} (${kind}).`);
  }
  switch (kind) {
    // Values of 0 and empty texts may have been left out.
    case "int":
      return toNumber(attribute.i ?? 0n, what);
    case "float":
      return attribute.f ?? 0;
    case "string":
      return toText(attribute.s ?? new Uint8Array(), what);
    case "ints":
      return attribute.ints.map((value) => toNumber(value, what));
    case "floats":
      return attribute.floats;
    case "strings":
      return attribute.strings.map((text) => toText(text, what));
    case "tensor":
      if (attribute.t === undefined) throw new FormatError(`${what} has no value.`);
      return reading.tensor(attribute.t, what);
    case "graph":
      if (attribute.g === undefined) throw new FormatError(`${what} has no value.`);
      return reading.graph(attribute.g);
  }
}

/** Ends "as far as there is" are written as the largest integer; nothing else is as large. */
function toNumber(value: bigint, what: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) || value >= 2n ** 62n || value <= -(2n ** 62n)) return number;
  throw new FormatError(`${what} is ${value}. Expected a smaller number.`);
}

function toText(bytes: Uint8Array<ArrayBuffer>, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`${what} is not UTF-8 text.`, { cause });
  }
}
