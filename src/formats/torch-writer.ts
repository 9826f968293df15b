/** Writing PyTorch's zip archives (torch.ts): a state dict that `torch.load` reads, also with `weights_only`. */

import { ArgumentError } from "../core/errors.js";
import { sizeOf, stridesOf } from "../core/shape.js";
import type { StorageDType } from "./storage.js";
import { storedBytes, type WrittenTensor } from "./tensor-file.js";
import { storageTypeName } from "./torch-pickle.js";
import { type WrittenEntry, zipPieces } from "./zip-writer.js";

/** The type that a tensor is written in: PyTorch 1 has no uint16, all of whose values are int32's too. */
export function torchType(dtype: StorageDType): StorageDType {
  return dtype === "uint16" ? "int32" : dtype;
}

/** The bytes of an archive with a state dict, piece by piece. */
export function torchPieces(
  tensors: readonly WrittenTensor[],
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const small = (name: string, bytes: Uint8Array<ArrayBuffer>): WrittenEntry => {
    return { name, size: bytes.length, pieces: () => [bytes] };
  };
  return zipPieces([
    small("archive/data.pkl", pickleStateDict(tensors)),
    small("archive/byteorder", encode("little")),
    ...tensors.map((tensor, i) => ({
      name: `archive/data/${i}`,
      size: storedBytes(tensor),
      pieces: () => tensor.pieces(),
    })),
    small("archive/version", encode("3\n")),
  ]);
}

/** The state dict as a pickle of protocol 2, as PyTorch itself writes it; storages are named by the tensors' numbers. */
function pickleStateDict(tensors: readonly WrittenTensor[]): Uint8Array<ArrayBuffer> {
  const pickle = new Pickler();
  pickle.emptyDictionary().mark();
  for (const [i, tensor] of tensors.entries()) {
    const type = storageTypeName(tensor.dtype);
    if (type === undefined) throw new ArgumentError(`PyTorch has no ${tensor.dtype}, of which ${tensor.name} is.`);
    pickle.text(tensor.name).global("torch._utils", "_rebuild_tensor_v2").mark();
    pickle.mark().text("storage").global("torch", type).text(String(i)).text("cpu").integer(sizeOf(tensor.shape));
    pickle.code("t").code("Q").integer(0).tuple(tensor.shape).tuple(stridesOf(tensor.shape));
    // No gradient is wanted of it, and nothing is to be called when it has one.
    pickle.code(0x89).emptyDictionary().code("t").code("R");
  }
  return pickle.code("u").code(".").bytes();
}

class Pickler {
  readonly #pieces: Uint8Array[] = [Uint8Array.of(0x80, 2)];

  code(code: string | number): this {
    this.#pieces.push(Uint8Array.of(typeof code === "number" ? code : code.charCodeAt(0)));
    return this;
  }

  mark(): this {
    return this.code("(");
  }

  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    this.code("X").#word(bytes.length);
    this.#pieces.push(bytes);
    return this;
  }

  integer(value: number): this {
    if (value < 2 ** 31) return this.code("J").#word(value);
    const bytes = new Uint8Array(10);
    bytes.set([0x8a, 8]);
    new DataView(bytes.buffer).setBigUint64(2, BigInt(value), true);
    this.#pieces.push(bytes);
    return this;
  }

  tuple(values: readonly number[]): this {
    this.mark();
    for (const value of values) this.integer(value);
    return this.code("t");
  }

  global(module: string, name: string): this {
    this.#pieces.push(new TextEncoder().encode(`c${module}\n${name}\n`));
    return this;
  }

  emptyDictionary(): this {
    return this.global("collections", "OrderedDict").code(")").code("R");
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  #word(value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.#pieces.push(bytes);
    return this;
  }
}
