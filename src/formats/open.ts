/** Opening files of tensors of any format. */

import { FormatError } from "../core/errors.js";
import { isSafetensors, openSafetensors } from "./safetensors.js";
import { anyOrder, type ByteSource, readRange } from "./source.js";
import type { TensorFile } from "./tensor-file.js";
import { isZip } from "./zip.js";

/** Bytes from which every format can be told. */
const HEAD = 262;

/**
 * Opens a file of tensors; what it holds tells its format, whatever its name. Takes over the source: it is closed with
 * the file, or at once when this throws.
 *
 * @throws FormatError where the format is unknown, or the file damaged
 */
export async function openTensorFile(source: ByteSource): Promise<TensorFile> {
  let open = source;
  try {
    const head = await readRange(source, 0, Math.min(HEAD, source.size));
    if (isSafetensors(head)) return await openSafetensors(source);
    const kind = isZip(head) ? "zip" : head[0] === 0x80 ? "pickle" : undefined;
    if (kind === undefined) throw unknownFormat(source.name, head, weights);
    open = await anyOrder(source);
    return kind === "zip" ? await openArchive(open) : await openPickle(open);
  } catch (error) {
    await open.close();
    throw error;
  }
}

async function openArchive(source: ByteSource): Promise<TensorFile> {
  const [{ openZip }, torch] = await Promise.all([import("./zip.js"), import("./torch.js")]);
  const entries = await openZip(source);
  if (torch.isTorchArchive(entries)) return torch.openTorchArchive(source, entries);
  const npz = await import("./npz.js");
  if (npz.isNpz(entries)) return npz.openNpz(source, entries);
  throw new FormatError(
    `${source.name} is a zip archive without tensors: it holds ${[...entries.keys()].slice(0, 3).join(", ") || "nothing"}. ` +
      "Expected a .pth file (with data.pkl) or an .npz file (with .npy arrays). Fix: unpack it, and pass what is in it.",
  );
}

async function openPickle(source: ByteSource): Promise<TensorFile> {
  const { openLegacyTorch } = await import("./torch.js");
  return openLegacyTorch(source);
}

/** Formats that people try, by their first bytes. */
const strangers: readonly { readonly at: number; readonly bytes: string; readonly what: string }[] = [
  { at: 0, bytes: "\x1f\x8b", what: "is compressed with gzip. Fix: decompress it first." },
  {
    at: 0,
    bytes: "\x93NUMPY",
    what: "is a single array. Fix: fromNpy() reads it; numpy.savez writes several by name.",
  },
  {
    at: 0,
    bytes: "\x89HDF",
    what: "is an HDF5 file, as Keras writes. Fix: save what is in it as .npz, or weights as safetensors.",
  },
  {
    at: 257,
    bytes: "ustar",
    what: "is a tar archive, which PyTorch wrote before version 0.2. Fix: load it in PyTorch and save it again.",
  },
];

const weights = {
  what: "file of weights that is known",
  expected: "safetensors, PyTorch's .pth (new or old layout) or NumPy's .npz",
};

/** What a file is, by its first bytes, instead of what was expected. */
export function unknownFormat(
  name: string,
  head: Uint8Array,
  { what, expected }: { readonly what: string; readonly expected: string },
): FormatError {
  const stranger = strangers.find(({ at, bytes }) =>
    [...bytes].every((byte, i) => head[at + i] === byte.charCodeAt(0)),
  );
  if (stranger !== undefined) return new FormatError(`${name} ${stranger.what}`);
  const start = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new FormatError(
    `${name}: this is no ${what}: it ${start === "" ? "is empty" : `begins with the bytes ${start}`}. ` +
      `Expected ${expected}. Fix: check that it was downloaded whole.`,
  );
}
