/** The values of a `TensorProto`. */

import { DataError, FormatError } from "../../core/errors.js";
import { formatShape, sizeOf } from "../../core/shape.js";
import { bfloat16Value, float16Value } from "../../formats/convert.js";
import { joinBytes, type Packed, varints } from "../../formats/protobuf.js";
import { describeDataType, type ElementType, elementTypeFrom } from "./elementTypes.js";
import type { TensorProto } from "./proto.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** Values in JavaScript memory: floating point as float32 (a view of the file where it lies evenly), others as they are. */
export interface HostArray {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: HostData;
}

export type HostData =
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

const bytesOf: Readonly<Record<ElementType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
};

const mend = "Fix: the file is damaged, or was made by a faulty program; export or download it again.";

/**
 * Reads a tensor's values.
 *
 * @param what begins errors: the file and the tensor's name
 * @param external the tensor's bytes, where it keeps them in another file
 * @throws FormatError when there are more or fewer values than its shape has; DataError for those that float32 cannot hold
 */
export function readTensor(tensor: TensorProto, what: string, external?: Bytes): HostArray {
  const type = elementTypeFrom(tensor.dataType);
  if (type === undefined) {
    throw new FormatError(
      `${what} is of type ${describeDataType(tensor.dataType)}. Expected numbers or truth values of at least 8 bits. Fix: export the model with float32 weights.`,
    );
  }
  const { dims } = tensor;
  if (dims.some((length) => length < 0) || !Number.isSafeInteger(sizeOf(dims)))
    throw new FormatError(`${what} has the shape [${dims.join(", ")}]. Expected lengths of 0 or more. ${mend}`);
  const raw = external ?? tensor.rawData;
  const data = raw === undefined ? fromFields(tensor, type, what) : fromBytes(raw, type, dims, what);
  return { type, shape: dims, data };
}

function fromBytes(raw: Bytes, type: ElementType, dims: readonly number[], what: string): HostData {
  const each = bytesOf[type];
  const count = sizeOf(dims);
  if (raw.length !== count * each) {
    throw new FormatError(
      `${what} has ${raw.length} bytes of values. Expected ${count * each}, for ${formatShape(dims)} of ${type}. ${mend}`,
    );
  }
  const { buffer, byteOffset } = raw.byteOffset % each === 0 ? raw : raw.slice();
  switch (type) {
    case "float32":
      return new Float32Array(buffer, byteOffset, count);
    case "float64":
      return roundDoubles(new Float64Array(buffer, byteOffset, count), what);
    case "float16":
      return Float32Array.from(new Uint16Array(buffer, byteOffset, count), float16Value);
    case "bfloat16":
      return Float32Array.from(new Uint16Array(buffer, byteOffset, count), bfloat16Value);
    case "int64":
      return new BigInt64Array(buffer, byteOffset, count);
    case "int32":
      return new Int32Array(buffer, byteOffset, count);
    case "int16":
      return new Int16Array(buffer, byteOffset, count);
    case "int8":
      return new Int8Array(buffer, byteOffset, count);
    case "uint64":
      return new BigUint64Array(buffer, byteOffset, count);
    case "uint32":
      return new Uint32Array(buffer, byteOffset, count);
    case "uint16":
      return new Uint16Array(buffer, byteOffset, count);
    case "uint8":
      return new Uint8Array(buffer, byteOffset, count);
    case "bool":
      return raw.every((value) => value <= 1) ? raw : raw.map((value) => (value === 0 ? 0 : 1));
  }
}

function roundDoubles(values: Float64Array, what: string): Float32Array<ArrayBuffer> {
  const rounded = Float32Array.from(values);
  const wrong = rounded.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(values[i]));
  if (wrong >= 0) {
    throw new DataError(
      `${what}: the double ${values[wrong]} at index ${wrong} is beyond float32, in which Fovea computes. Fix: export the model with float32 weights.`,
    );
  }
  return rounded;
}

/** Values in the fields for their type instead of in one run of bytes. */
function fromFields(tensor: TensorProto, type: ElementType, what: string): HostData {
  const { dims, int32Data, int64Data, uint64Data } = tensor;
  const count = sizeOf(dims);
  switch (type) {
    case "float32":
      return fromBytes(joinBytes(tensor.floatData), type, dims, what);
    case "float64":
      return fromBytes(joinBytes(tensor.doubleData), type, dims, what);
    case "int64":
      return fill(int64Data, count, what, (length) => new BigInt64Array(length), BigInt);
    case "uint64":
      return fill(uint64Data, count, what, (length) => new BigUint64Array(length), BigInt);
    case "uint32":
      return fill(uint64Data, count, what, (length) => new Uint32Array(length), Number);
    case "int32":
      return fill(int32Data, count, what, (length) => new Int32Array(length), Number);
    case "int16":
      return fill(int32Data, count, what, (length) => new Int16Array(length), Number);
    case "int8":
      return fill(int32Data, count, what, (length) => new Int8Array(length), Number);
    case "uint16":
      return fill(int32Data, count, what, (length) => new Uint16Array(length), Number);
    case "uint8":
      return fill(int32Data, count, what, (length) => new Uint8Array(length), Number);
    case "bool":
      return fill(
        int32Data,
        count,
        what,
        (length) => new Uint8Array(length),
        (value) => Number(value !== 0n),
      );
    case "float16":
      return fill(
        int32Data,
        count,
        what,
        (length) => new Float32Array(length),
        (bits) => float16Value(Number(bits)),
      );
    case "bfloat16":
      return fill(
        int32Data,
        count,
        what,
        (length) => new Float32Array(length),
        (bits) => bfloat16Value(Number(bits)),
      );
  }
}

interface Fillable<T> {
  [index: number]: T;
}

/** The integers of a field as an array, which is made only once there are enough bytes to fill it. */
function fill<T extends number | bigint, A extends Fillable<T>>(
  pieces: Packed,
  count: number,
  what: string,
  make: (length: number) => A,
  convert: (value: bigint) => T,
): A {
  const wrong = (found: string) =>
    new FormatError(`${what} has ${found} values. Expected ${count}, as its shape says. ${mend}`);
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (bytes < count) throw wrong(`at most ${bytes}`);
  const values = make(count);
  let at = 0;
  for (const value of varints(pieces, what)) {
    if (at === count) throw wrong(`more than ${count}`);
    values[at++] = convert(value);
  }
  if (at < count) throw wrong(String(at));
  return values;
}
