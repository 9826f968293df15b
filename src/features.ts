/** Features of data sets on the disk, so that they are computed once for many heads. */

import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { FileError, FormatError } from "./core/errors.js";
import { warnOnce } from "./core/warnings.js";
import type { BatchAugmentation } from "./data/augment/augmentation.js";
import { FeatureDataset } from "./data/features.js";
import { DataLoader } from "./data/loader.js";
import { parseSafetensors } from "./formats/safetensors.js";
import { writeSafetensors } from "./formats/safetensors-writer.js";
import { defaultDevice } from "./graph/device.js";
import { splitClassifier } from "./nn/chop.js";
import type { Layer } from "./nn/layers/container.js";
import { Network } from "./nn/network.js";
import { cacheFolder } from "./node/cache.js";
import { makeFolder, readFile, writeFile } from "./node/files.js";
import { Checksum } from "./train/checksum.js";
import { type ExtractOptions, extractFeatures, type LabelledPictures } from "./train/features.js";
import { version } from "./version.js";

export interface CachedFeaturesOptions extends Omit<ExtractOptions, "augment"> {
  readonly augment?: BatchAugmentation | undefined;
  /** Where the files lie. Default: `features` in `cacheFolder()`. */
  readonly folder?: string | undefined;
  /** Bytes that the folder may hold, beyond which the oldest files are removed. Default 2e9. */
  readonly maxBytes?: number | undefined;
}

const formatName = "fovea-features";

/**
 * What `extractFeatures` gives, read from the disk where it has been computed before. Everything that it depends on decides: the
 * weights before the classifier, the layers, the pictures and labels, the normalization, the augmentation and its seed, the
 * device's kernels, Fovea's version. When any of it changes, and when a file is damaged, features are computed anew.
 *
 * @example const features = await cachedFeatures(network, photos, { normalization });
 */
export async function cachedFeatures(
  model: Layer,
  data: LabelledPictures,
  { folder = join(cacheFolder(), "features"), maxBytes = 2e9, ...options }: CachedFeaturesOptions = {},
): Promise<FeatureDataset> {
  const compute = () => extractFeatures(model, data, options);
  const key = await keyOf(model, data, options);
  // An augmentation of one's own does not say what it does.
  if (key === undefined) return compute();
  const path = join(folder, `${key}.safetensors`);
  const found = await readFeatures(path, key, data);
  if (found !== undefined) {
    options.onProgress?.(found.size, found.size);
    return found;
  }
  const features = await compute();
  try {
    await makeFolder(folder);
    await writeFile(path, fileOf(features, key));
    await prune(folder, maxBytes, path);
  } catch (error) {
    // As on a full disk: they were long in the making, and are needed only now.
    if (!(error instanceof FileError)) throw error;
    warnOnce(`the features are not kept for the next time: ${error.message}`);
  }
  return features;
}

type KeyOptions = Pick<CachedFeaturesOptions, "normalization" | "copies" | "augment" | "seed">;

/** 64 hexadecimal digits for all that features depend on. */
async function keyOf(
  model: Layer,
  data: LabelledPictures,
  { normalization, copies = 1, augment, seed = 0 }: KeyOptions,
): Promise<string | undefined> {
  const changes = copies === 1 ? null : augment?.description;
  if (changes === undefined) return undefined;
  // What two pictures come to tells what is computed, where layers and weights alone do not.
  const some = { size: Math.min(2, data.size), labels: data.labels, classNames: data.classNames };
  const batch: LabelledPictures["batch"] = (indices, context) => data.batch(indices, context);
  const probe = await extractFeatures(model, { ...some, batch }, { normalization });
  const body = model instanceof Network ? splitClassifier(model).body : model;
  const hash = createHash("sha256");
  const how = { version, variant: defaultDevice().variant, layers: String(body), normalization, copies, changes };
  hash.update(JSON.stringify({ ...how, seed: copies === 1 ? 0 : seed, classNames: data.classNames }));
  hash.update(probe.features);
  for (const [name, { shape, data }] of Object.entries(await body.stateDict())) {
    hash.update(`${name} ${shape.join("×")}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  if ("fingerprint" in data && typeof data.fingerprint === "function") hash.update(String(data.fingerprint()));
  else {
    for await (const { images, labels, shape } of new DataLoader(data, { batchSize: 256 }).epoch(0)) {
      hash.update(shape.join("×")).update(images).update(labels);
    }
  }
  return hash.digest("hex");
}

function fileOf({ features, labels, shape }: FeatureDataset, key: string): Uint8Array<ArrayBuffer> {
  return writeSafetensors(
    [
      ["features", { dtype: "float32", shape: [labels.length, ...shape], data: features }],
      ["labels", { dtype: "int32", shape: [labels.length], data: labels }],
    ],
    { format: formatName, key, checksum: checksumOf(features, labels) },
  );
}

function checksumOf(...arrays: readonly (Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>)[]): string {
  const checksum = new Checksum();
  for (const { buffer, byteOffset, byteLength } of arrays) checksum.add(new Uint8Array(buffer, byteOffset, byteLength));
  return checksum.toString();
}

/** The features in a file; undefined where there is none, or one that is damaged. */
async function readFeatures(path: string, key: string, data: LabelledPictures): Promise<FeatureDataset | undefined> {
  try {
    const { tensors, metadata } = parseSafetensors(await readFile(path), { name: path });
    const [features, labels] = [tensors.get("features"), tensors.get("labels")];
    if (metadata.format !== formatName || metadata.key !== key) return undefined;
    if (!(features?.data instanceof Float32Array) || !(labels?.data instanceof Int32Array)) return undefined;
    if (metadata.checksum !== checksumOf(features.data, labels.data)) return undefined;
    const { name = "features", split = "", classNames } = data;
    const shape = features.shape.slice(1);
    return new FeatureDataset({ name, split, features: features.data, labels: labels.data, shape, classNames });
  } catch (error) {
    if (error instanceof FileError || error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Removes the oldest files until the rest fits; the one just written stays. */
async function prune(folder: string, maxBytes: number, kept: string): Promise<void> {
  const paths = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}\.safetensors$/.test(name));
  const files = await Promise.all(
    paths.map(async (name) => {
      const path = join(folder, name);
      // Another process may have removed it.
      const status = await stat(path).catch(() => undefined);
      return { path, size: status?.size ?? 0, time: status?.mtimeMs ?? 0 };
    }),
  );
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.sort((a, b) => a.time - b.time)) {
    if (total <= maxBytes) return;
    if (path === kept) continue;
    await rm(path, { force: true });
    total -= size;
  }
}
