/** Pickles that no pickler would write: instructions in any order, with arguments that fit and others that do not. */

import type { RandomStream } from "../../src/core/philox.js";

const names = [
  ["collections", "OrderedDict"],
  ["torch._utils", "_rebuild_tensor_v2"],
  ["torch._utils", "_rebuild_parameter"],
  ["torch", "FloatStorage"],
  ["torch", "Size"],
  ["numpy", "dtype"],
  ["numpy.core.multiarray", "scalar"],
  ["_codecs", "encode"],
  // Forbidden: what a pickle could do harm with.
  ["os", "system"],
  ["builtins", "eval"],
  ["posix", "system"],
  ["__builtin__", "getattr"],
  ["torch", "load"],
  ["toString", "constructor"],
  ["__proto__", "constructor"],
] as const;

const words = ["storage", "0", "cpu", "a.weight", "latin1", "f8", "__proto__", "constructor", ""];

type Instruction = (random: RandomStream) => readonly number[];

const ascii = (text: string) => [...text].map((character) => character.charCodeAt(0));
const code = (letter: string, ...rest: readonly number[]) => [letter.charCodeAt(0), ...rest];
const some = <T>(random: RandomStream, list: readonly T[]): T => list[random.integer(list.length)];
const byte = (random: RandomStream) => random.integer(random.integer(2) === 0 ? 4 : 256);
const word = (random: RandomStream) => [byte(random), 0, 0, random.integer(16) === 0 ? byte(random) : 0];

const instructions: readonly Instruction[] = [
  ...[..."N)}](tluseadR0123bQ"].map((letter) => () => code(letter)),
  ...[0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8f, 0x90, 0x91, 0x93, 0x94].map((number) => () => [number]),
  (random) => code("K", byte(random)),
  (random) => code("J", ...word(random)),
  (random) => code("h", byte(random)),
  (random) => code("q", byte(random)),
  (random) => code("r", ...word(random)),
  (random) => code("j", ...word(random)),
  (random) => [0x8a, 1 + random.integer(9), ...Array.from({ length: 9 }, () => byte(random))],
  (random) => {
    const text = ascii(some(random, words));
    return [0x8c, text.length, ...text];
  },
  (random) => {
    const text = ascii(some(random, words));
    return code("X", text.length, 0, 0, 0, ...text);
  },
  (random) => code("C", 2, byte(random), byte(random)),
  (random) => {
    const [module, name] = some(random, names);
    return code("c", ...ascii(`${module}\n${name}\n`));
  },
  // A storage, as a tensor begins with; then arguments.
  () => [
    ...ascii("("),
    ...code("X", 7, 0, 0, 0, ...ascii("storage")),
    ...ascii("ctorch\nFloatStorage\n"),
    ...code("X", 1, 0, 0, 0, ...ascii("0")),
    ...code("X", 3, 0, 0, 0, ...ascii("cpu")),
    ...code("K", 12),
    ...ascii("tQ"),
  ],
  (random) => [
    ...code("K", byte(random)),
    ...code("K", byte(random)),
    ...code("K", byte(random)),
    0x86,
    ...code("K", byte(random)),
    ...code("K", byte(random)),
    0x86,
    0x89,
    ...code("}"),
  ],
];

export function randomPickle(random: RandomStream): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [0x80, 2];
  for (let length = 1 + random.integer(60); length > 0; length--) bytes.push(...some(random, instructions)(random));
  if (random.integer(8) > 0) bytes.push(0x2e);
  return Uint8Array.from(bytes);
}
