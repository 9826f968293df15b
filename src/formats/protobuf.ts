/**
 * Protocol Buffers: messages declared as tables of fields, read and written in the wire format. Bytes come out as views
 * of what was read, and go in uncopied. https://protobuf.dev/programming-guides/encoding
 */

import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ArgumentError, FormatError } from "../core/errors.js";

export { WireType };

type Bytes = Uint8Array<ArrayBuffer>;

/** How one field of a message is read and written. */
export interface Field<T> {
  readonly number: number;
  /** What it is in a message that does not mention it. */
  readonly absent: T;
  /** The field's value after one more occurrence. */
  readonly read: (input: Input, wire: WireType, before: T) => T;
  readonly write: (output: Output, value: T) => void;
}

export type Fields<M extends object> = { readonly [K in keyof M]-?: Field<M[K]> };

/** A type of message. */
export class MessageType<M extends object> {
  readonly name: string;
  readonly #declare: () => Fields<M>;
  #fields: Fields<M> | undefined;
  #byNumber: ReadonlyMap<number, keyof M> | undefined;

  /** `fields` is called when the first message is read or written, so that types may contain one another. */
  constructor(name: string, fields: () => Fields<M>) {
    this.name = name;
    this.#declare = fields;
  }

  get fields(): Fields<M> {
    this.#fields ??= this.#declare();
    return this.#fields;
  }

  keys(): (keyof M)[] {
    return Object.keys(this.fields) as (keyof M)[];
  }

  /** The field that has a number in the format. */
  key(number: number): keyof M | undefined {
    this.#byNumber ??= new Map(this.keys().map((key) => [this.fields[key].number, key]));
    return this.#byNumber.get(number);
  }

  /** A message with the given fields; the others are absent. */
  create(values: Partial<M>): M {
    const message: Partial<M> = {};
    for (const key of this.keys()) message[key] = values[key] ?? this.fields[key].absent;
    return message as M;
  }
}

/** Messages within messages, at most. */
const maxDepth = 64;

/**
 * Small pieces make more memory than bytes, so a file made only of these is refused: what is read may need this much
 * and once the file's size. Bytes and packed fields need nothing, being views.
 */
const freeBytes = 48 * 2 ** 20;

/** What objects need in memory, roughly. */
const sizes = { view: 160, list: 160, element: 8, integer: 24, text: 24, message: 32 };

/** Bytes that are being read. */
export class Input {
  readonly file: string;
  readonly reader: BinaryReader;
  readonly #bytes: Bytes;
  #end: number;
  #depth = 0;
  #left: number;

  constructor(bytes: Bytes, file: string) {
    this.file = file;
    this.#bytes = bytes;
    this.reader = new BinaryReader(bytes);
    this.#end = bytes.length;
    this.#left = freeBytes + bytes.length;
  }

  /** Counts memory that a piece of the message takes. */
  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) {
      throw this.error(
        `the ${this.#bytes.length} bytes hold so many small pieces that they would need more than ` +
          `${freeBytes + this.#bytes.length} bytes of memory. Fix: the file is damaged, or made to do harm`,
      );
    }
  }

  /** The bytes of a length-delimited value, not copied. */
  bytes(): Bytes {
    const length = this.reader.uint32();
    const start = this.reader.pos;
    if (length > this.#end - start) {
      throw this.error(
        `a value is said to have ${length} bytes, but ${this.#end - start} are left of what contains it. ` +
          "Fix: the file is cut short, damaged or of another kind",
      );
    }
    this.reader.pos += length;
    return this.#bytes.subarray(start, start + length);
  }

  /** The bytes of a value of any kind, without their length. */
  raw(wire: WireType): Bytes {
    if (wire === WireType.LengthDelimited) return this.bytes();
    const start = this.reader.pos;
    this.reader.skip(wire);
    return this.#bytes.subarray(start, this.reader.pos);
  }

  /** A nested message. */
  message<M extends object>(type: MessageType<M>): M {
    const outer = this.#end;
    const length = this.bytes().length;
    this.#end = this.reader.pos;
    this.reader.pos -= length;
    const result = this.body(type);
    this.#end = outer;
    return result;
  }

  body<M extends object>(type: MessageType<M>): M {
    if (++this.#depth > maxDepth) {
      throw this.error(
        `messages are nested more than ${maxDepth} deep. Fix: the file is damaged; write or download it again`,
      );
    }
    const message = type.create({});
    this.take(sizes.message + type.keys().length * sizes.element);
    while (this.reader.pos < this.#end) {
      const [number, wire] = this.reader.tag();
      const key = type.key(number);
      if (key !== undefined) readField(this, type.fields[key], message, key, wire);
      else if (wire === WireType.LengthDelimited) this.bytes();
      else this.reader.skip(wire, number);
    }
    if (this.reader.pos > this.#end) {
      throw this.error(`a ${type.name} ends inside a value. Fix: the file is damaged; write or download it again`);
    }
    this.#depth--;
    return message;
  }

  /** An error at the place where reading has come to. */
  error(fault: string, options?: ErrorOptions): FormatError {
    return new FormatError(`${this.file}: at byte ${this.reader.pos}: ${fault}.`, options);
  }

  expect(wire: WireType, expected: WireType): void {
    if (wire === expected) return;
    throw this.error(
      `a value has the wire type ${wire}. Expected ${expected}. Fix: the file is of another kind, or damaged`,
    );
  }
}

function readField<M extends object, K extends keyof M>(
  input: Input,
  field: Field<M[K]>,
  message: M,
  key: K,
  wire: WireType,
): void {
  message[key] = field.read(input, wire, message[key]);
}

/**
 * Reads a message; `name` is what errors call the file. Bytes and packed fields are views of `bytes`.
 *
 * @throws FormatError for bytes that are not such a message, and for those that would need far more memory than their size
 */
export function readMessage<M extends object>(type: MessageType<M>, bytes: Bytes, name: string): M {
  const input = new Input(bytes, name);
  try {
    return input.body(type);
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw input.error(`${reason}. Fix: the file is cut short, damaged or of another kind`, { cause });
  }
}

/** Bytes of at least this many are written as they lie, without copying them. */
const uncopied = 4096;

/** Bytes that are being written, as a list of pieces. */
export class Output {
  readonly #done: Bytes[] = [];
  #length = 0;
  readonly writer = new BinaryWriter();

  field(number: number, wire: WireType): BinaryWriter {
    return this.writer.tag(number, wire);
  }

  bytes(number: number, pieces: readonly Bytes[]): void {
    this.field(number, WireType.LengthDelimited).uint32(pieces.reduce((sum, piece) => sum + piece.length, 0));
    for (const piece of pieces) this.#append(piece);
  }

  message<M extends object>(number: number, type: MessageType<M>, value: M): void {
    const inner = new Output();
    inner.body(type, value);
    this.bytes(number, inner.finish());
  }

  body<M extends object>(type: MessageType<M>, value: M): void {
    for (const key of type.keys()) type.fields[key].write(this, value[key]);
  }

  finish(): Bytes[] {
    this.#flush();
    return this.#done;
  }

  #append(piece: Bytes): void {
    if (piece.length < uncopied) {
      this.writer.raw(piece);
    } else {
      this.#flush();
      this.#push(piece);
    }
  }

  #flush(): void {
    const bytes = this.writer.finish();
    if (bytes.length > 0) this.#push(bytes);
  }

  #push(piece: Bytes): void {
    this.#length += piece.length;
    if (this.#length > maxBytes) {
      throw new ArgumentError(
        `a protobuf message cannot have more than ${maxBytes} bytes. Fix: keep large tensors in files of their own.`,
      );
    }
    this.#done.push(piece);
  }
}

/** The format's limit. */
const maxBytes = 2 ** 31 - 1;

/** The bytes of a message in pieces, of which long ones are the arrays that the message holds. */
export function messagePieces<M extends object>(type: MessageType<M>, message: M): Bytes[] {
  const output = new Output();
  output.body(type, message);
  return output.finish();
}

/** The bytes of a message in one array. */
export function writeMessage<M extends object>(type: MessageType<M>, message: M): Bytes {
  return joinBytes(messagePieces(type, message));
}

/** Pieces in one array. */
export function joinBytes(pieces: readonly Bytes[]): Bytes {
  if (pieces.length === 1) return pieces[0];
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** A value of one kind: how it is read after its tag, and written with it. */
interface Kind<T> {
  readonly wire: WireType;
  readonly read: (input: Input) => T;
  readonly write: (output: Output, number: number, value: T) => void;
}

export const text: Kind<string> = {
  wire: WireType.LengthDelimited,
  read(input) {
    const bytes = input.bytes();
    input.take(sizes.text + 2 * bytes.length);
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw input.error("a text is not UTF-8. Fix: the file is damaged; write or download it again", { cause });
    }
  },
  write: (output, number, value) => void output.field(number, WireType.LengthDelimited).string(value),
};

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const bytes: Kind<Bytes> = {
  wire: WireType.LengthDelimited,
  read(input) {
    input.take(sizes.view);
    return input.bytes();
  },
  write: (output, number, value) => output.bytes(number, [value]),
};

/** A 64-bit integer. */
export const int64: Kind<bigint> = {
  wire: WireType.Varint,
  read(input) {
    input.take(sizes.integer);
    return BigInt(input.reader.int64());
  },
  write: (output, number, value) => void output.field(number, WireType.Varint).int64(value),
};

/** A 64-bit integer that a JavaScript number holds exactly; others are refused. */
export const integer: Kind<number> = {
  wire: WireType.Varint,
  read(input) {
    const value = input.reader.int64();
    if (Number.isSafeInteger(Number(value))) return Number(value);
    throw input.error(`the number ${value} is too large. Fix: the file is damaged; write or download it again`);
  },
  write: (output, number, value) => void output.field(number, WireType.Varint).int64(BigInt(value)),
};

export const float: Kind<number> = {
  wire: WireType.Bit32,
  read: (input) => input.reader.float(),
  write: (output, number, value) => void output.field(number, WireType.Bit32).float(value),
};

export const double: Kind<number> = {
  wire: WireType.Bit64,
  read: (input) => input.reader.double(),
  write: (output, number, value) => void output.field(number, WireType.Bit64).double(value),
};

export function message<M extends object>(type: MessageType<M>): Kind<M> {
  return {
    wire: WireType.LengthDelimited,
    read: (input) => input.message(type),
    write: (output, number, value) => output.message(number, type, value),
  };
}

/** A field that may be there once. */
export function optional<T>(number: number, kind: Kind<T>): Field<T | undefined> {
  return {
    number,
    absent: undefined,
    read(input, wire) {
      input.expect(wire, kind.wire);
      return kind.read(input);
    },
    write(output, value) {
      if (value !== undefined) kind.write(output, number, value);
    },
  };
}

/** A field that is `absent` unless it is there; that value is not written. */
export function withDefault<T>(number: number, kind: Kind<T>, absent: T): Field<T> {
  return {
    number,
    absent,
    read(input, wire) {
      input.expect(wire, kind.wire);
      return kind.read(input);
    },
    write(output, value) {
      if (value !== absent) kind.write(output, number, value);
    },
  };
}

const none: readonly never[] = Object.freeze([]);

/** A field that may be there many times; numbers also packed into one value. */
export function repeated<T>(number: number, kind: Kind<T>): Field<readonly T[]> {
  return {
    number,
    absent: none,
    read(input, wire, before) {
      // The list that this reading has begun: nobody else has seen it.
      const list = before === none ? [] : (before as T[]);
      if (before === none) input.take(sizes.list);
      const packed = wire === WireType.LengthDelimited && kind.wire !== WireType.LengthDelimited;
      if (!packed) input.expect(wire, kind.wire);
      const end = packed ? endOfPacked(input) : input.reader.pos + 1;
      while (input.reader.pos < end) {
        input.take(sizes.element);
        list.push(kind.read(input));
      }
      if (packed && input.reader.pos !== end) {
        throw input.error("packed numbers end inside a number. Fix: the file is damaged; write or download it again");
      }
      return list;
    },
    write(output, list) {
      for (const value of list) kind.write(output, number, value);
    },
  };
}

/** Goes to the first of some packed numbers, and tells where they end. */
function endOfPacked(input: Input): number {
  const length = input.bytes().length;
  const end = input.reader.pos;
  input.reader.pos -= length;
  return end;
}

/** The bytes of many numbers, in the pieces in which they came: little-endian, or one varint after another. */
export type Packed = readonly Bytes[];

/** A field of many numbers, kept as their bytes. */
export function packed(number: number, each: WireType): Field<Packed> {
  return {
    number,
    absent: none,
    read(input, wire, before) {
      const list = before === none ? [] : (before as Bytes[]);
      if (before === none) input.take(sizes.list);
      if (wire !== WireType.LengthDelimited) input.expect(wire, each);
      input.take(sizes.view);
      list.push(input.raw(wire));
      return list;
    },
    write(output, pieces) {
      if (pieces.length > 0) output.bytes(number, pieces);
    },
  };
}

/** The numbers of a packed field of varints, as their low 64 bits. */
export function* varints(pieces: Packed, name: string): Generator<bigint, void, undefined> {
  for (const piece of pieces) {
    const input = new Input(piece, name);
    while (input.reader.pos < piece.length) {
      try {
        yield BigInt(input.reader.int64());
      } catch (cause) {
        throw input.error("packed numbers end inside a number. Fix: the file is damaged; write it again", { cause });
      }
    }
  }
}
