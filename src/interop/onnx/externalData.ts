/** Tensors that a model keeps in files beside it. Nothing outside the model's folder is read. */

import { platform } from "#platform";
import { FormatError } from "../../core/errors.js";
import type { GraphProto, TensorProto } from "./proto.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** Where a model's other files are: given, or in the folder of a path. */
export type Surroundings = { readonly files: Readonly<Record<string, Bytes>> } | { readonly beside: string };

/** `TensorProto.data_location` */
const EXTERNAL = 1;

/** Reads the files that a graph's tensors are kept in; gives a tensor's bytes, undefined for those in the model itself. */
export async function externalReader(
  graph: GraphProto,
  file: string,
  surroundings: Surroundings,
): Promise<(tensor: TensorProto, what: string) => Bytes | undefined> {
  const files = new Map<string, Bytes>();
  for (const tensor of tensorsOf(graph)) {
    if (tensor.dataLocation !== EXTERNAL) continue;
    const location = locationOf(tensor, `${file}: tensor ${JSON.stringify(tensor.name)}`);
    if (!files.has(location)) files.set(location, await readBeside(location, file, surroundings));
  }
  return (tensor, what) => {
    if (tensor.dataLocation !== EXTERNAL) return undefined;
    const whole = files.get(locationOf(tensor, what));
    return whole === undefined ? undefined : part(whole, tensor, what);
  };
}

/** All tensors of a graph and of the graphs in it. */
function* tensorsOf(graph: GraphProto): Generator<TensorProto, void, undefined> {
  yield* graph.initializer;
  for (const { attribute } of graph.node) {
    for (const { t, g, tensors, graphs } of attribute) {
      if (t !== undefined) yield t;
      yield* tensors;
      for (const inner of g === undefined ? graphs : [g, ...graphs]) yield* tensorsOf(inner);
    }
  }
}

function entry(tensor: TensorProto, key: string): string | undefined {
  return tensor.externalData.find((each) => each.key === key)?.value;
}

/** The file's name, which must stay inside the model's folder. */
function locationOf(tensor: TensorProto, what: string): string {
  const location = entry(tensor, "location");
  if (location === undefined || location === "")
    throw new FormatError(`${what} is kept in another file, but the model does not say in which.`);
  const parts = location.split("/");
  const unsafe = /[\\\0:]/.test(location) || parts.some((part) => part === "" || part === "." || part === "..");
  if (unsafe) {
    throw new FormatError(
      `${what} is kept in ${JSON.stringify(location)}. Expected a file in the model's own folder. Fix: this model may be made to do harm; if not, export it again.`,
    );
  }
  return location;
}

async function readBeside(location: string, file: string, surroundings: Surroundings): Promise<Bytes> {
  if ("beside" in surroundings) return platform.files.readBeside(surroundings.beside, location);
  const found = Object.hasOwn(surroundings.files, location) ? surroundings.files[location] : undefined;
  if (found !== undefined) return found;
  throw new FormatError(
    `${file}: it keeps tensors in another file, ${JSON.stringify(location)}. Fix: load the model by its path, or pass { externalData: { ${JSON.stringify(location)}: bytes } }.`,
  );
}

function part(whole: Bytes, tensor: TensorProto, what: string): Bytes {
  const offset = size(tensor, "offset", what) ?? 0;
  const length = size(tensor, "length", what) ?? whole.length - offset;
  if (length < 0 || offset + length > whole.length) {
    throw new FormatError(
      `${what} is kept at bytes ${offset} to ${offset + length} of ${JSON.stringify(entry(tensor, "location"))}, which has ${whole.length}. Fix: that file is cut short, or belongs to another model.`,
    );
  }
  return whole.subarray(offset, offset + length);
}

function size(tensor: TensorProto, key: "offset" | "length", what: string): number | undefined {
  const text = entry(tensor, key);
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new FormatError(`${what}: the ${key} of its values is ${JSON.stringify(text)}.`);
  return value;
}
