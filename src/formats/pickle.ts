/**
 * Python's pickles (protocols 2 to 5), read without running anything: numbers, texts, bytes, lists, tuples and
 * dictionaries are built here; what else a pickle names is looked up in a table that the caller gives, and refused if it
 * is not there. https://docs.python.org/3/library/pickletools.html
 */

import { FormatError } from "../core/errors.js";

/** What a pickle can hold. Dictionaries are Maps, lists are arrays; sets are lists too. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array<ArrayBuffer>
  | PickleValue[]
  | PickleTuple
  | Map<PickleValue, PickleValue>
  | PickleObject
  | PickleFunction;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** Something that a function of the caller's has made. */
export abstract class PickleObject {
  /** Takes what Python would put into the object's fields; by default nothing is known of them. */
  setState(_state: PickleValue): boolean {
    return false;
  }
}

/** Something that a pickle names, and may call. */
export class PickleFunction {
  constructor(
    readonly name: string,
    readonly call: (args: readonly PickleValue[]) => PickleValue,
  ) {}
}

export interface PickleOptions {
  /** What errors call the pickle. */
  readonly name: string;
  /** What a name of a Python module stands for; undefined refuses it. */
  find(module: string, name: string): PickleValue | undefined;
  /** What a reference to something outside the pickle stands for. */
  persistent(id: PickleValue): PickleValue;
}

/**
 * Roughly the memory that values take, in bytes, and how much of it a pickle may take beside its own length: a few bytes
 * must not fill it.
 */
const costs = {
  reference: 8,
  number: 16,
  text: 48,
  list: 48,
  growth: 160,
  tuple: 96,
  map: 208,
  entry: 64,
  object: 192,
  /** A place on the stack, which is copied when it grows. */
  place: 24,
};
const allowedMemory = 32_000_000;

const longestInteger = 32;

/** The data ended where a pickle goes on. */
export class PickleEnd extends FormatError {}

/**
 * Reads one pickle; `end` is where it ends.
 *
 * @throws PickleEnd where the bytes end first; FormatError for everything that is not there, or not allowed
 */
export function readPickle(
  bytes: Uint8Array<ArrayBuffer>,
  options: PickleOptions,
): { readonly value: PickleValue; readonly end: number } {
  return new Unpickler(bytes, options).run();
}

class Unpickler {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #options: PickleOptions;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #memo = new Map<number, PickleValue>();
  #stack: PickleValue[] = [];
  /** The stacks below each open mark. */
  readonly #marks: PickleValue[][] = [];
  #at = 0;
  #memory = 0;
  /** Values on all stacks, now and at most. */
  #depth = 0;
  #deepest = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>, options: PickleOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#options = options;
  }

  run(): { readonly value: PickleValue; readonly end: number } {
    for (;;) {
      const offset = this.#at;
      const code = this.#byte();
      if (code === 0x2e) return { value: this.#pop(), end: this.#at };
      const instruction = instructions.get(code);
      if (instruction === undefined) {
        throw this.error(
          `the instruction 0x${code.toString(16).padStart(2, "0")} at offset ${offset} is none of protocols 2 to 5`,
        );
      }
      instruction(this.machine);
    }
  }

  /** What instructions may do. */
  readonly machine: Machine = {
    byte: () => this.#byte(),
    word: () => this.#view.getUint16(this.#skip(2), true),
    unsigned: () => this.#view.getUint32(this.#skip(4), true),
    signed: () => this.#view.getInt32(this.#skip(4), true),
    double: () => this.#view.getFloat64(this.#skip(8), false),
    length: () => {
      const at = this.#skip(8);
      return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
    },
    bytes: (length) => {
      const at = this.#skip(length);
      return this.#bytes.subarray(at, at + length);
    },
    text: (length) => {
      const at = this.#skip(length);
      try {
        return this.#decoder.decode(this.#bytes.subarray(at, at + length));
      } catch (cause) {
        throw this.error(`the text at offset ${at} is not UTF-8`, cause);
      }
    },
    line: () => {
      const end = this.#bytes.indexOf(0x0a, this.#at);
      if (end === -1) throw this.#ended();
      const text = this.machine.text(end - this.#at);
      this.#at = end + 1;
      return text;
    },
    push: (value) => this.#push(value),
    make: (value, cost) => {
      this.#spend(cost);
      this.#push(value);
    },
    spend: (bytes) => this.#spend(bytes),
    pop: () => this.#pop(),
    top: () => {
      const value = this.#pop();
      this.#push(value);
      return value;
    },
    mark: () => {
      this.#spend(costs.list);
      this.#marks.push(this.#stack);
      this.#stack = [];
    },
    popMark: () => {
      const items = this.#stack;
      const below = this.#marks.pop();
      if (below === undefined) throw this.error("a mark is missing");
      this.#stack = below;
      this.#depth -= items.length;
      return items;
    },
    remember: (index) => {
      if (!this.#memo.has(index)) this.#spend(costs.entry);
      this.#memo.set(index, this.machine.top());
    },
    recall: (index) => {
      const value = this.#memo.get(index);
      if (value === undefined) throw this.error(`nothing is remembered as number ${index}`);
      this.#push(value);
    },
    remembered: () => this.#memo.size,
    find: (module, name) => {
      const found = this.#options.find(module, name);
      if (found === undefined) throw this.error(`it asks for ${module}.${name}, which is not part of any state dict`);
      return found;
    },
    call: (what, function_) => {
      try {
        return function_();
      } catch (error) {
        if (error instanceof PickleArguments) throw this.error(`${what} ${error.message}`);
        throw error;
      }
    },
    persistent: (id) => this.machine.call("it holds", () => this.#options.persistent(id)),
    fail: (what) => this.error(what),
  };

  error(what: string, cause?: unknown): FormatError {
    return new FormatError(
      `${this.#options.name}: the pickle cannot be read: ${what} (before offset ${this.#at}). ` +
        "Only tensors, numbers, texts, lists and dictionaries are read, and nothing is run. " +
        "Fix: save model.state_dict() alone with torch.save; or the file is damaged.",
      { cause },
    );
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
    if (++this.#depth <= this.#deepest) return;
    this.#deepest = this.#depth;
    this.#spend(costs.place);
  }

  #spend(bytes: number): void {
    this.#memory += bytes;
    if (this.#memory <= allowedMemory + this.#bytes.length) return;
    throw this.error(`its values take more than ${allowedMemory + this.#bytes.length} bytes of memory`);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) throw this.error("a value is missing");
    this.#depth--;
    return value;
  }

  #byte(): number {
    return this.#bytes[this.#skip(1)];
  }

  /** Steps over `length` bytes, and says where they begin. */
  #skip(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw this.#ended();
    this.#at = at + length;
    return at;
  }

  #ended(): PickleEnd {
    return new PickleEnd(
      `${this.#options.name}: the pickle goes on after the last of ${this.#bytes.length} bytes. ` +
        "Fix: the file is cut short or damaged; write or download it again.",
    );
  }
}

interface Machine {
  byte(): number;
  word(): number;
  unsigned(): number;
  signed(): number;
  double(): number;
  /** A number of eight bytes; beyond 2^53 not exact, but too large in any case. */
  length(): number;
  bytes(length: number): Uint8Array<ArrayBuffer>;
  text(length: number): string;
  /** A text up to the end of its line. */
  line(): string;
  /** Puts a value on the stack that is there already; `make` one that is new and takes memory. */
  push(value: PickleValue): void;
  make(value: PickleValue, cost: number): void;
  spend(bytes: number): void;
  pop(): PickleValue;
  top(): PickleValue;
  mark(): void;
  /** What lies above the latest mark. */
  popMark(): PickleValue[];
  /** The memo: values by number, to be used again. */
  remember(index: number): void;
  recall(index: number): void;
  remembered(): number;
  find(module: string, name: string): PickleValue;
  persistent(id: PickleValue): PickleValue;
  /** Runs a function of the caller's; `what` begins the error where it cannot use what it is given. */
  call(what: string, function_: () => PickleValue): PickleValue;
  fail(what: string): FormatError;
}

type Instruction = (machine: Machine) => void;

const instructions = new Map<number, Instruction>();

/** `code` is the instruction's letter, or its number where it has none. */
function define(code: string | number, instruction: Instruction): void {
  instructions.set(typeof code === "number" ? code : code.charCodeAt(0), instruction);
}

// Frames and the protocol's number only help those who read from a stream.
define(0x80, (m) => {
  const protocol = m.byte();
  if (protocol > 5) throw m.fail(`it is of protocol ${protocol}, and those up to 5 are known`);
});
define(0x95, (m) => void m.length());

// Constants and numbers.
define("N", (m) => m.push(null));
define(0x88, (m) => m.push(true));
define(0x89, (m) => m.push(false));
define("J", (m) => m.make(m.signed(), costs.number));
define("K", (m) => m.push(m.byte()));
define("M", (m) => m.push(m.word()));
define("G", (m) => m.make(m.double(), costs.number));
define(0x8a, (m) => m.make(integer(m, m.byte()), costs.text));
define(0x8b, (m) => m.make(integer(m, m.unsigned()), costs.text));

// Texts and bytes.
define("X", (m) => text(m, m.unsigned()));
define(0x8c, (m) => text(m, m.byte()));
define(0x8d, (m) => text(m, m.length()));
// The texts of Python 2.
define("T", (m) => text(m, m.unsigned()));
define("U", (m) => text(m, m.byte()));
define("B", (m) => m.make(m.bytes(m.unsigned()), costs.object));
define("C", (m) => m.make(m.bytes(m.byte()), costs.object));
define(0x8e, (m) => m.make(m.bytes(m.length()), costs.object));
define(0x96, (m) => m.make(m.bytes(m.length()), costs.object));

// Lists, sets and tuples.
define("]", (m) => m.make([], costs.list));
define("l", (m) => list(m));
define("a", (m) => append(m, [m.pop()]));
define("e", (m) => append(m, m.popMark()));
define(0x8f, (m) => m.make([], costs.list));
define(0x90, (m) => append(m, m.popMark()));
define(0x91, (m) => list(m));
define(")", (m) => m.make(new PickleTuple([]), costs.tuple));
define("t", (m) => {
  const items = m.popMark();
  m.make(new PickleTuple(items), costs.tuple + costs.reference * items.length);
});
for (const [code, length] of [
  [0x85, 1],
  [0x86, 2],
  [0x87, 3],
] as const) {
  define(code, (m) => {
    const items = Array.from({ length }, () => m.pop());
    m.make(new PickleTuple(items.reverse()), costs.tuple);
  });
}

// Dictionaries.
define("}", (m) => m.make(new Map(), costs.map));
define("d", (m) => {
  const items = m.popMark();
  const map = new Map<PickleValue, PickleValue>();
  m.make(map, costs.map);
  setItems(m, map, items);
});
define("s", (m) => {
  const [value, key] = [m.pop(), m.pop()];
  setItems(m, m.top(), [key, value]);
});
define("u", (m) => {
  const items = m.popMark();
  setItems(m, m.top(), items);
});

// The stack and the memo.
define("(", (m) => m.mark());
define("0", (m) => void m.pop());
define("1", (m) => void m.popMark());
define("2", (m) => m.push(m.top()));
define("q", (m) => m.remember(m.byte()));
define("r", (m) => m.remember(m.unsigned()));
define(0x94, (m) => m.remember(m.remembered()));
define("h", (m) => m.recall(m.byte()));
define("j", (m) => m.recall(m.unsigned()));

// What the caller knows of.
define("c", (m) => {
  const module = m.line();
  m.push(m.find(module, m.line()));
});
define(0x93, (m) => {
  const [name, module] = [m.pop(), m.pop()];
  if (typeof name !== "string" || typeof module !== "string") throw m.fail("a name is not a text");
  m.push(m.find(module, name));
});
define("Q", (m) => m.make(m.persistent(m.pop()), costs.object));
define("R", (m) => call(m));
define(0x81, (m) => call(m));
define("b", (m) => {
  const state = m.pop();
  const target = m.top();
  // State dicts carry version numbers of their modules as a field.
  if (target instanceof Map || (target instanceof PickleObject && target.setState(state))) return;
  throw m.fail("it sets fields of something that has none");
});

function text(m: Machine, length: number): void {
  m.make(m.text(length), costs.text + length);
}

function list(m: Machine): void {
  const items = m.popMark();
  m.make(items, costs.list + costs.reference * items.length);
}

function integer(m: Machine, length: number): number | bigint {
  if (length > longestInteger) throw m.fail(`an integer has ${length} bytes`);
  let value = 0n;
  for (const [i, byte] of m.bytes(length).entries()) value |= BigInt(byte) << BigInt(8 * i);
  const signed = BigInt.asIntN(8 * length, value);
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}

function append(m: Machine, items: readonly PickleValue[]): void {
  const list = m.top();
  if (!Array.isArray(list)) throw m.fail("items are appended to what is no list");
  if (list.length === 0) m.spend(costs.growth);
  m.spend(costs.reference * items.length);
  for (const item of items) list.push(item);
}

function setItems(m: Machine, map: PickleValue, items: readonly PickleValue[]): void {
  if (!(map instanceof Map) || items.length % 2 === 1) throw m.fail("entries are put into what is no dictionary");
  m.spend((costs.entry * items.length) / 2);
  for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
}

function call(m: Machine): void {
  const [args, target] = [m.pop(), m.pop()];
  if (!(target instanceof PickleFunction) || !(args instanceof PickleTuple))
    throw m.fail("it calls what is no function");
  const { name } = target;
  m.make(
    m.call(`${name} is called with`, () => target.call(args.items)),
    costs.object,
  );
}

/** Thrown by functions of the caller's for what they cannot use. */
export class PickleArguments extends Error {}
