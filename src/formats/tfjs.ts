/**
 * Weights of TensorFlow.js models: a manifest in JSON that lists groups of tensors, and for each group some files
 * ("shards") in which their values follow one another, whole or quantised.
 * https://www.tensorflow.org/js/guide/save_load
 */

import { FormatError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { float16Value } from "./convert.js";
import { isRecord } from "./json.js";

/** Tensors whose values lie in `paths`, one after another. */
export interface TfjsWeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly TfjsWeight[];
}

interface TfjsWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly encoding: Encoding;
}

/** How a value is stored: as it is, or as an integer that stands for `scale` · integer + `min`. */
interface Encoding {
  readonly stored: keyof typeof widths;
  readonly scale: number;
  readonly min: number;
}

/** Bytes of a stored value. */
const widths = { float32: 4, int32: 4, float16: 2, uint16: 2, uint8: 1, bool: 1 } as const;

export interface TfjsTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

const mend = "Fix: convert the model again, or download it again.";

/** Reads the manifest, the value of `weightsManifest` in model.json. @throws FormatError naming what is wrong in it */
export function parseTfjsManifest(manifest: unknown, file: string): TfjsWeightGroup[] {
  if (!Array.isArray(manifest)) {
    throw new FormatError(
      `${file}: weightsManifest is ${shown(manifest)}. Expected a list of groups of weights. ${mend}`,
    );
  }
  return manifest.map((group: unknown, index) => {
    const { paths, weights } = isRecord(group) ? group : {};
    if (!Array.isArray(paths) || !Array.isArray(weights) || !paths.every(isInside)) {
      throw new FormatError(
        `${file}: group ${index} of weightsManifest has the paths ${shown(paths)}. Expected names of files beside model.json, and a list of weights. ${mend}`,
      );
    }
    return { paths, weights: weights.map((weight: unknown) => parseWeight(weight, file)) };
  });
}

/** A relative path that stays in the model's folder. */
function isInside(path: unknown): path is string {
  return typeof path === "string" && path !== "" && !/^[a-z]+:|^[\\/]|(^|[\\/])\.\.([\\/]|$)/i.test(path);
}

function parseWeight(weight: unknown, file: string): TfjsWeight {
  const { name, shape, dtype, quantization } = isRecord(weight) ? weight : {};
  const what = `${file}: weight ${shown(name)}`;
  if (typeof name !== "string" || !isSizes(shape)) {
    throw new FormatError(`${what} has the shape ${shown(shape)}. Expected a name and a list of sizes. ${mend}`);
  }
  if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool" && dtype !== "float16") {
    throw new FormatError(`${what} has the dtype ${shown(dtype)}. Expected float32, float16, int32 or bool. ${mend}`);
  }
  if (quantization === undefined) return { name, shape, encoding: { stored: dtype, scale: 1, min: 0 } };
  const { dtype: stored, scale, min } = isRecord(quantization) ? quantization : {};
  if (stored === "float16") return { name, shape, encoding: { stored, scale: 1, min: 0 } };
  if ((stored !== "uint8" && stored !== "uint16") || !Number.isFinite(scale) || !Number.isFinite(min)) {
    throw new FormatError(
      `${what} has the quantization ${shown(quantization)}. Expected the dtype uint8 or uint16 with scale and min, or float16. ${mend}`,
    );
  }
  return { name, shape, encoding: { stored, scale: Number(scale), min: Number(min) } };
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/**
 * The tensors of a group as float32, by name.
 *
 * @param shards the bytes of its files, in the order of `paths`
 * @throws FormatError when there are fewer or more bytes than the tensors need
 */
export function readTfjsWeights(
  { paths, weights }: TfjsWeightGroup,
  shards: readonly Uint8Array[],
  file: string,
): Map<string, TfjsTensor> {
  const available = shards.reduce((sum, shard) => sum + shard.length, 0);
  const needed = weights.reduce((sum, { shape, encoding }) => sum + sizeOf(shape) * widths[encoding.stored], 0);
  if (needed !== available) {
    throw new FormatError(
      `${file}: the weights of ${paths.join(", ")} need ${needed} bytes, but there are ${available}. ` +
        "Fix: a file is cut short or of another model; copy or download the files again.",
    );
  }
  const bytes = new Uint8Array(available);
  let at = 0;
  for (const shard of shards) {
    bytes.set(shard, at);
    at += shard.length;
  }
  const tensors = new Map<string, TfjsTensor>();
  at = 0;
  for (const { name, shape, encoding } of weights) {
    if (tensors.has(name)) throw new FormatError(`${file}: the weight ${shown(name)} is there twice. ${mend}`);
    const length = sizeOf(shape) * widths[encoding.stored];
    tensors.set(name, {
      shape,
      data: decode(new DataView(bytes.buffer, at, length), encoding, `${name} ${formatShape(shape)}`, file),
    });
    at += length;
  }
  return tensors;
}

function decode(
  view: DataView,
  { stored, scale, min }: Encoding,
  what: string,
  file: string,
): Float32Array<ArrayBuffer> {
  const width = widths[stored];
  const read = readers[stored];
  const data = new Float32Array(view.byteLength / width);
  for (let i = 0; i < data.length; i++) {
    data[i] = read(view, i * width) * scale + min;
    if (Number.isFinite(data[i])) continue;
    throw new FormatError(`${file}: ${what} holds ${data[i]} at index ${i}. Expected finite weights. ${mend}`);
  }
  return data;
}

const readers: Readonly<Record<keyof typeof widths, (view: DataView, offset: number) => number>> = {
  float32: (view, offset) => view.getFloat32(offset, true),
  int32: (view, offset) => view.getInt32(offset, true),
  float16: (view, offset) => float16Value(view.getUint16(offset, true)),
  uint16: (view, offset) => view.getUint16(offset, true),
  uint8: (view, offset) => view.getUint8(offset),
  bool: (view, offset) => view.getUint8(offset),
};

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 80);
}
