import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FormatError } from "../core/errors.js";
import { PickleTuple, type PickleValue, readPickle } from "./pickle.js";
import { findTorchName, TorchStorage, TorchTensor, torchStorage } from "./torch-pickle.js";

const ascii = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const options = { name: "a.pth", find: findTorchName, persistent: torchStorage };
const read = (text: string) => readPickle(ascii(text), options).value;
const fails = (message: RegExp) => (error: unknown) => error instanceof FormatError && message.test(error.message);
const plain = (value: PickleValue): unknown => {
  if (value instanceof PickleTuple) return { tuple: value.items.map(plain) };
  if (value instanceof Map) return [...value].map(([key, item]) => [plain(key), plain(item)]);
  return Array.isArray(value) ? value.map(plain) : value;
};

describe("pickles", () => {
  // import pickle; value = {"a": [1, -2, 300, 70000, 2**40, 2**70, 0.5, None, True], "b": (1, ("x", b"y"), {3}), "é": {}}
  // print({p: pickle.dumps(value, p) for p in (2, 3, 4, 5)})
  const written = {
    2: "\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\t\x00\x00\x00\x00\x00\x00\x00\x00@G?\xe0\x00\x00\x00\x00\x00\x00N\x88eX\x01\x00\x00\x00bq\x03K\x01X\x01\x00\x00\x00xq\x04c_codecs\nencode\nq\x05X\x01\x00\x00\x00yq\x06X\x06\x00\x00\x00latin1q\x07\x86q\x08Rq\t\x86q\nc__builtin__\nset\nq\x0b]q\x0cK\x03a\x85q\rRq\x0e\x87q\x0fX\x02\x00\x00\x00\xc3\xa9q\x10}q\x11u.",
    4: "\x80\x04\x95Y\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\t\x00\x00\x00\x00\x00\x00\x00\x00@G?\xe0\x00\x00\x00\x00\x00\x00N\x88e\x8c\x01b\x94K\x01\x8c\x01x\x94C\x01y\x94\x86\x94\x8f\x94(K\x03\x90\x87\x94\x8c\x02\xc3\xa9\x94}\x94u.",
  };
  it("of Python are read: numbers of every size, texts, bytes, lists, tuples, sets, dictionaries", () => {
    const expected = [
      ["a", [1, -2, 300, 70000, 2 ** 40, 2n ** 70n, 0.5, null, true]],
      ["b", { tuple: [1, { tuple: ["x", ascii("y")] }, [3]] }],
      ["é", []],
    ];
    assert.deepEqual(plain(read(written[4])), expected);
    // Sets are functions in older protocols, and not among those that are known.
    assert.throws(() => read(written[2]), fails(/it asks for __builtin__\.set/));
  });

  it("end where they end, and what follows is not looked at", () => {
    assert.deepEqual(readPickle(ascii("\x80\x02K\x07.rest"), options), { value: 7, end: 5 });
  });

  it("may hold themselves", () => {
    const list = read("\x80\x02]q\x00h\x00a.");
    assert.ok(Array.isArray(list) && list[0] === list);
  });

  const refused: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    [
      "functions",
      "cos\nsystem\n(X\x02\x00\x00\x00lstR.",
      /it asks for os\.system, which is not part of any state dict/,
    ],
    ["functions by text", "\x8c\x08builtins\x8c\x04eval\x93.", /it asks for builtins\.eval/],
    ["names of JavaScript's", "cconstructor\nconstructor\n.", /it asks for constructor\.constructor/],
    ["PyTorch's own that are no data", "ctorch\nload\n.", /it asks for torch\.load/],
    ["calls of what is no function", "K\x01)R.", /it calls what is no function/],
    ["old protocols", "I42\n.", /the instruction 0x49 at offset 0 is none of protocols 2 to 5/],
    ["newer protocols", "\x80\x06N.", /it is of protocol 6/],
    ["an end too soon", "]", /goes on after the last of 1 bytes/],
    ["a length beyond the end", "X\xff\xff\xff\x7fa.", /goes on after the last/],
    ["a missing value", ".", /a value is missing/],
    ["a missing mark", "t.", /a mark is missing/],
    ["a number nobody remembers", "h\x07.", /nothing is remembered as number 7/],
    ["texts that are none", "U\x01\xff.", /not UTF-8/],
    ["entries of what is no dictionary", "]NNs.", /entries are put into what is no dictionary/],
    ["items of what is no list", "}Na.", /items are appended to what is no list/],
    ["integers beyond reason", `\x8a\x21${"\x01".repeat(33)}.`, /an integer has 33 bytes/],
    ["fields", "]}b.", /sets fields of something that has none/],
    ["other references", "(X\x06\x00\x00\x00moduletQ.", /a reference to something that is no storage/],
  ];
  for (const [what, text, message] of refused) {
    it(`refused: ${what}`, () => assert.throws(() => read(text), fails(message)));
  }
});

describe("tensors in pickles", () => {
  const text = (value: string) => `X${String.fromCharCode(value.length)}\x00\x00\x00${value}`;
  const counts = (...values: readonly number[]) =>
    `(${values.map((value) => `K${String.fromCharCode(value)}`).join("")}t`;
  const storage = (length: number) =>
    `(${text("storage")}ctorch\nFloatStorage\n${text("0")}${text("cpu")}K${String.fromCharCode(length)}tQ`;
  const tensor = (length: number, offset: number, shape: string, strides: string, rest = "\x89NN") => {
    return read(
      `ctorch._utils\n_rebuild_tensor_v2\n(${storage(length)}K${String.fromCharCode(offset)}${shape}${strides}${rest}tR.`,
    );
  };

  it("are views of a storage", () => {
    const found = tensor(12, 1, counts(3, 2), counts(2, 5));
    assert.ok(found instanceof TorchTensor && found.storage instanceof TorchStorage);
    assert.deepEqual(found.layout, { shape: [3, 2], strides: [2, 5], offset: 1 });
    assert.deepEqual([found.storage.key, found.storage.dtype, found.storage.length], ["0", "float32", 12]);
    assert.ok(tensor(0, 0, counts(0, 3), counts(3, 1)) instanceof TorchTensor);
  });

  it("must lie in their storage, and may repeat it only so far", () => {
    assert.throws(
      () => tensor(12, 1, counts(3, 4), counts(4, 1)),
      fails(/3×4 with strides 4, 1 from 1 on, which reaches element 12 of the 12/),
    );
    assert.throws(
      () => tensor(1, 0, `(${"J\x00\x00\x01\x00".repeat(3)}t`, counts(0, 0, 0)),
      fails(/65536×65536×65536/),
    );
    assert.throws(() => tensor(12, 0, counts(3), counts(1, 1)), fails(/sizes and strides that do not fit/));
    assert.throws(() => tensor(12, 0, "(J\xff\xff\xff\xfft", counts(1)), fails(/sizes and strides that do not fit/));
    assert.throws(
      () => tensor(12, 0, counts(3), counts(1), `\x89N}${text("neg")}\x88s`),
      fails(/to be changed when they are read/),
    );
  });
});
