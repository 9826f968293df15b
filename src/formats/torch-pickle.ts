/** What PyTorch's pickles may name: tensors, their storages and types, and the plain containers around them. */

import { formatShape, sizeOf } from "../core/shape.js";
import { PickleArguments, PickleFunction, PickleObject, PickleTuple, type PickleValue } from "./pickle.js";
import type { StorageDType } from "./storage.js";
import { lastOf, type Strides } from "./strided.js";

/** A type of storage, such as torch.FloatStorage. */
class StorageType extends PickleObject {
  constructor(readonly dtype: StorageDType) {
    super();
  }
}

/** Elements that lie outside the pickle, under a key. Several tensors may be views of one. */
export class TorchStorage extends PickleObject {
  constructor(
    readonly key: string,
    readonly dtype: StorageDType,
    /** Elements that there are in all under the key. */
    readonly length: number,
    /** Of its first element under the key: old files have storages that are parts of others. */
    readonly offset: number,
  ) {
    super();
  }
}

/** A tensor: a view of a storage. */
export class TorchTensor extends PickleObject {
  constructor(
    readonly storage: TorchStorage,
    readonly layout: Strides,
  ) {
    super();
  }
}

/** One of NumPy's types, of numbers that were saved beside the tensors. */
class NumpyType extends PickleObject {
  #littleEndian = true;

  constructor(readonly code: string) {
    super();
  }

  override setState(state: PickleValue): boolean {
    this.#littleEndian = !(state instanceof PickleTuple && state.items[1] === ">");
    return true;
  }

  read(bytes: Uint8Array<ArrayBuffer>): number | bigint | boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const read = numpyReaders[this.code];
    if (read === undefined || bytes.length !== Number(this.code.slice(1))) {
      throw new PickleArguments(`${bytes.length} bytes of NumPy's type ${this.code}`);
    }
    return read(view, this.#littleEndian);
  }
}

const numpyReaders: Readonly<Record<string, (view: DataView, little: boolean) => number | bigint | boolean>> = {
  b1: (view) => view.getUint8(0) !== 0,
  u1: (view) => view.getUint8(0),
  i1: (view) => view.getInt8(0),
  i2: (view, little) => view.getInt16(0, little),
  i4: (view, little) => view.getInt32(0, little),
  i8: (view, little) => view.getBigInt64(0, little),
  f4: (view, little) => view.getFloat32(0, little),
  f8: (view, little) => view.getFloat64(0, little),
};

const storageTypes = new Map<string, StorageType>(
  Object.entries({
    Double: "float64",
    Float: "float32",
    Half: "float16",
    BFloat16: "bfloat16",
    Long: "int64",
    Int: "int32",
    Short: "int16",
    Char: "int8",
    Byte: "uint8",
    Bool: "bool",
  } as const).map(([name, dtype]) => [`${name}Storage`, new StorageType(dtype)]),
);

/** PyTorch's name of the storages of a type; undefined where it has none. */
export function storageTypeName(dtype: StorageDType): string | undefined {
  return [...storageTypes].find(([, type]) => type.dtype === dtype)?.[0];
}

/** Types of elements that hyperparameters name; as texts, for nobody computes with them here. */
const elementTypes = new Set([
  ...["float64", "double", "float32", "float", "float16", "half", "bfloat16"],
  ...["int64", "long", "int32", "int", "int16", "short", "int8", "uint8", "bool"],
]);

/** A tensor may show an element of its storage many times over, which must not fill the memory. */
const MAX_REPEATED = 2 ** 20;
/** PyTorch's own limit on axes. */
const MAX_RANK = 64;

type Call = (args: readonly PickleValue[]) => PickleValue;

const calls: Readonly<Record<string, Call>> = {
  "collections.OrderedDict": (args) => entries(args[0]),
  "collections.Counter": (args) => entries(args[0]),
  "torch.Size": ([sizes]) => new PickleTuple(countsOf(sizes) ?? wrong("no list of sizes")),
  "torch.device": ([kind]) => (typeof kind === "string" ? kind : wrong("no text")),
  "torch._utils._rebuild_tensor": (args) => tensorOf(args),
  "torch._utils._rebuild_tensor_v2": (args) => tensorOf(args),
  "torch._utils._rebuild_parameter": (args) => tensorIn(args),
  "torch._utils._rebuild_parameter_with_state": (args) => tensorIn(args),
  "torch.nn.parameter.Parameter": (args) => tensorIn(args),
  "numpy.dtype": ([code]) => (typeof code === "string" ? new NumpyType(code) : wrong("no text")),
  "numpy.core.multiarray.scalar": (args) => numpyScalar(args),
  "numpy._core.multiarray.scalar": (args) => numpyScalar(args),
  "_codecs.encode": ([text, encoding]) => encodeLatin1(text, encoding),
};

const functions = new Map(Object.entries(calls).map(([name, call]) => [name, new PickleFunction(name, call)]));

/** What a name in a pickle of PyTorch's stands for; undefined for everything that is not data. */
export function findTorchName(module: string, name: string): PickleValue | undefined {
  if (module === "torch" || module === "torch.cuda") {
    const type = storageTypes.get(name);
    if (type !== undefined) return type;
    if (module === "torch" && elementTypes.has(name)) return `torch.${name}`;
  }
  return functions.get(`${module}.${name}`);
}

/** What a reference out of the pickle stands for: ("storage", type, key, device, length[, part of another]). */
export function torchStorage(id: PickleValue): TorchStorage {
  const [kind, type, key, , length, view] = id instanceof PickleTuple ? id.items : [];
  if (kind !== "storage" || !(type instanceof StorageType) || typeof key !== "string" || !isCount(length)) {
    throw new PickleArguments("a reference to something that is no storage of numbers");
  }
  if (view === undefined || view === null) return new TorchStorage(key, type.dtype, length, 0);
  const [, offset, viewLength] = view instanceof PickleTuple ? view.items : [];
  if (!isCount(offset) || !isCount(viewLength) || offset + viewLength > length) {
    throw new PickleArguments(`a part of storage ${key} that is not in it`);
  }
  return new TorchStorage(key, type.dtype, length, offset);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function wrong(what: string): never {
  throw new PickleArguments(what);
}

function tensorIn([data]: readonly PickleValue[]): TorchTensor {
  return data instanceof TorchTensor ? data : wrong("no tensor");
}

/** (storage, offset, sizes, strides[, requires_grad, hooks, metadata]) */
function tensorOf(args: readonly PickleValue[]): TorchTensor {
  const [storage, start, sizes, steps, , , metadata] = args;
  if (!(storage instanceof TorchStorage) || !isCount(start)) return wrong("no storage, or no offset in it");
  const [shape, strides] = [countsOf(sizes), countsOf(steps)];
  if (shape === undefined || strides === undefined || shape.length !== strides.length || shape.length > MAX_RANK) {
    return wrong("sizes and strides that do not fit together");
  }
  // Values that would have to be negated or conjugated first.
  if (metadata instanceof Map && [...metadata.values()].some((value) => value === true)) {
    return wrong("a tensor whose values are to be changed when they are read");
  }
  const layout = { shape, strides, offset: storage.offset + start };
  const last = lastOf(layout);
  const most = Math.max(storage.length, MAX_REPEATED);
  if (last >= storage.length || !(sizeOf(shape) <= most)) {
    const reach = `reaches element ${last} of the ${storage.length} in storage ${storage.key}`;
    return wrong(
      `a tensor of ${formatShape(shape)} with strides ${strides.join(", ")} from ${start} on, which ${reach}`,
    );
  }
  return new TorchTensor(storage, layout);
}

function countsOf(value: PickleValue | undefined): readonly number[] | undefined {
  const items = value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : undefined;
  return items?.every(isCount) ? items : undefined;
}

/** A dictionary from another, or from a list of pairs. */
function entries(given: PickleValue | undefined): Map<PickleValue, PickleValue> {
  if (given === undefined) return new Map();
  if (given instanceof Map) return new Map(given);
  const pairs = Array.isArray(given) ? given : wrong("no list of pairs");
  return new Map(
    pairs.map((pair): [PickleValue, PickleValue] => {
      const items = pair instanceof PickleTuple ? pair.items : Array.isArray(pair) ? pair : [];
      return items.length === 2 ? [items[0], items[1]] : wrong("no list of pairs");
    }),
  );
}

function numpyScalar([type, bytes]: readonly PickleValue[]): PickleValue {
  if (!(type instanceof NumpyType) || !(bytes instanceof Uint8Array)) return wrong("no number of NumPy's");
  return type.read(bytes);
}

/** How Python 3 writes bytes into pickles that Python 2 can read. */
function encodeLatin1(text: PickleValue | undefined, encoding: PickleValue | undefined): PickleValue {
  if (typeof text !== "string" || (encoding !== "latin1" && encoding !== "latin-1")) return wrong("no text as Latin-1");
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return [...text].every((character) => character.charCodeAt(0) < 256) ? bytes : wrong("no text as Latin-1");
}
