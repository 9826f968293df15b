/** Where a model's files come from: a folder, the web, or files that a page was given. */

import { platform } from "#platform";
import { FileError, FormatError } from "../../core/errors.js";
import { isRecord, parseStrictJson } from "../../formats/json.js";
import { parseTfjsManifest, readTfjsWeights, type TfjsTensor } from "../../formats/tfjs.js";
import { type LayerSpec, layersOf } from "./config.js";

/** A file as pages are given them (`File` is one). */
export interface NamedFile {
  readonly name: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * The path or address of a model.json, or of the folder that holds it; or the files themselves, one of which is a .json. In
 * pages a path is an address, too.
 */
export type TfjsSource = string | Iterable<NamedFile>;

/** What a model's files say. */
export interface TfjsContents {
  /** What errors call the model. */
  readonly file: string;
  readonly layers: readonly LayerSpec[];
  /** All weights by the names that they have in the manifest. */
  readonly tensors: Map<string, TfjsTensor>;
}

/** Topologies of real models are small; weights are elsewhere. */
const MAX_JSON = 2 ** 26;
/** Layers within models within models, each with settings. */
const MAX_DEPTH = 64;

/** Reads model.json and the weights that it names. @throws FileError, FormatError */
export async function readTfjs(source: TfjsSource): Promise<TfjsContents> {
  const { file, read } = open(source);
  const bytes = await read(undefined);
  if (bytes.length > MAX_JSON)
    throw new FormatError(`${file} has ${bytes.length} bytes. Expected a model.json of at most ${MAX_JSON}.`);
  const json = parseStrictJson(new TextDecoder().decode(bytes), file, MAX_DEPTH);
  if (!isRecord(json) || json.modelTopology === undefined) {
    throw new FormatError(`${file} has no modelTopology. Expected the model.json of a TensorFlow.js layers model.`);
  }
  const layers = layersOf(json.modelTopology, file);
  const tensors = new Map<string, TfjsTensor>();
  for (const group of parseTfjsManifest(json.weightsManifest, file)) {
    const shards: Uint8Array[] = [];
    for (const path of group.paths) shards.push(await read(path));
    for (const [name, tensor] of readTfjsWeights(group, shards, file)) {
      if (tensors.has(name)) throw new FormatError(`${file}: the weight ${JSON.stringify(name)} is there twice.`);
      tensors.set(name, tensor);
    }
  }
  return { file, layers, tensors };
}

interface Opened {
  readonly file: string;
  /** Reads a file beside model.json; undefined stands for model.json itself. */
  readonly read: (path: string | undefined) => Promise<Uint8Array>;
}

function open(source: TfjsSource): Opened {
  if (typeof source !== "string") return openFiles([...source]);
  const file = /\.json([?#].*)?$/.test(source) ? source : `${source.replace(/[\\/]$/, "")}/model.json`;
  if (/^https?:/.test(file)) {
    return { file, read: (path) => fetchBytes(path === undefined ? file : new URL(path, file).href) };
  }
  return {
    file,
    read: (path) => (path === undefined ? platform.files.read(file) : platform.files.readBeside(file, path)),
  };
}

function openFiles(files: readonly NamedFile[]): Opened {
  const model = files.find(({ name }) => name.endsWith(".json"));
  const names = files.map(({ name }) => name).join(", ");
  if (model === undefined) throw new FileError(`there is no model.json among ${names}. Fix: add it.`);
  return {
    file: model.name,
    async read(path) {
      const name = path?.slice(path.lastIndexOf("/") + 1);
      const found = name === undefined ? model : files.find((file) => file.name === name);
      if (found === undefined)
        throw new FileError(`${model.name} needs ${name}, which is not among ${names}. Fix: add it.`);
      return new Uint8Array(await found.arrayBuffer());
    },
  };
}

async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url).catch((cause) => {
    throw new FileError(`cannot read ${url}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  });
  if (!response.ok) throw new FileError(`cannot read ${url}: the server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}
