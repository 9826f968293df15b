/** Published weights by name: found in the cache, or downloaded into it. */

import { join } from "node:path";
import { ArgumentError, FileError } from "../core/errors.js";
import { closestName } from "../core/suggest.js";
import type { PictureInput } from "../data/resize.js";
import { cacheFolder } from "./cache.js";
import { isFile } from "./data-files.js";
import { type DownloadOptions, download, reasonOf } from "./download.js";
import { makeFolder } from "./files.js";
import { type TorchvisionWeights, torchvisionUrl, torchvisionWeights } from "./torchvision-weights.js";

export interface PretrainedOptions extends DownloadOptions {
  /**
   * Where the files are, instead of the usual place: a mirror with the same paths. Default: the environment variable
   * `FOVEA_TORCHVISION_URL` for weights of torchvision and `HF_ENDPOINT` for those of the hub, where they are set.
   */
  readonly baseUrl?: string;
  /** Whether files that the cache lacks may be downloaded; true unless told. */
  readonly download?: boolean;
}

/** A file of published weights, and what is known of it. */
export interface PretrainedWeights {
  /** Where it lies on this machine. */
  readonly path: string;
  /** The network that they are of; undefined where only the hub knows. */
  readonly model?: string;
  /** How pictures are to be resized for them, where that is known. */
  readonly resizing?: NonNullable<PictureInput["resizing"]>;
}

/** Whether a text names published weights, and not a file. */
export function isPretrainedName(text: string): boolean {
  return /^(torchvision\/|hf:)/.test(text);
}

/** The weights that torchvision publishes for networks of Fovea: names for `pretrainedWeights`, with their accuracy. */
export function listPretrained(): readonly (TorchvisionWeights & { readonly name: string })[] {
  return torchvisionWeights.map((entry) => ({ ...entry, name: `torchvision/${entry.model}:${entry.weights}` }));
}

/**
 * Published weights as a file on this machine, downloaded when the cache does not have it yet: with its checksum verified, and
 * there only when it is complete.
 *
 * @param name `torchvision/resnet18`, `torchvision/resnet50:IMAGENET1K_V1`; or on the Hugging Face hub `hf:owner/model`,
 *   `hf:owner/model@revision`, `hf:owner/model/file.safetensors` (without a file: `model.safetensors`, else
 *   `pytorch_model.bin`)
 * @throws ArgumentError for names that mean nothing; FileError where the file cannot be had, with where to put it by hand
 * @example
 * const { path } = await pretrainedWeights("torchvision/resnet18");
 */
export async function pretrainedWeights(name: string, options: PretrainedOptions = {}): Promise<PretrainedWeights> {
  return name.startsWith("hf:") ? fromHub(name, options) : fromTorchvision(name, options);
}

async function fromTorchvision(name: string, options: PretrainedOptions): Promise<PretrainedWeights> {
  const [, model, weights] = /^torchvision\/([^:]+)(?::(.+))?$/.exec(name) ?? [];
  const ofModel = torchvisionWeights.filter((entry) => entry.model === model);
  const entry = ofModel.find((each) =>
    weights === undefined || weights === "DEFAULT" ? each.isDefault : each.weights === weights,
  );
  if (entry === undefined) throw unknownName(name, model, ofModel);
  const path = join(cacheFolder(), "weights", "torchvision", entry.file);
  const base = options.baseUrl ?? process.env.FOVEA_TORCHVISION_URL ?? torchvisionUrl;
  const url = address(base, entry.file);
  await fetchTo(path, { name: entry.file, url, sha256: entry.sha256 }, name, options);
  return { path, model: entry.model, resizing: entry.resizing };
}

function unknownName(name: string, model: string | undefined, ofModel: readonly TorchvisionWeights[]): ArgumentError {
  if (ofModel.length > 0) {
    const names = ofModel.map((entry) => `torchvision/${entry.model}:${entry.weights}`).join(", ");
    return new ArgumentError(`there are no weights ${name}. Expected ${names}.`);
  }
  const models = [...new Set(torchvisionWeights.map((entry) => entry.model))];
  const meant = closestName(model ?? "", models);
  const suggestion = meant === undefined ? "" : ` Did you mean torchvision/${meant}?`;
  return new ArgumentError(
    `there are no weights ${name}.${suggestion} Expected torchvision/ and one of ${models.join(", ")}; or hf:owner/model.`,
  );
}

const hubUrl = "https://huggingface.co/";
/** What weights are usually called there, the safer format first. */
const hubFiles = ["model.safetensors", "pytorch_model.bin"];

async function fromHub(name: string, options: PretrainedOptions): Promise<PretrainedWeights> {
  const parts = /^hf:([\w.-]+)\/([\w.-]+?)(?:@([\w.-]+))?((?:\/[\w.-]+)*)$/.exec(name);
  if (parts === null || parts.slice(1).some((part) => /(^|\/)\.\.?(\/|$)/.test(part ?? ""))) {
    throw new ArgumentError(
      `${JSON.stringify(name)} names nothing on the hub. Expected hf:owner/model, hf:owner/model@revision or hf:owner/model/file.`,
    );
  }
  const [, owner, model, revision = "main", inner] = parts;
  const files = inner === "" ? hubFiles : [inner.slice(1)];
  const folder = join(cacheFolder(), "weights", "hub", owner, model, revision);
  for (const file of files) {
    const path = join(folder, file);
    if (await isFile(path)) return { path };
  }
  const base = options.baseUrl ?? process.env.HF_ENDPOINT ?? hubUrl;
  const urlOf = (file: string) => address(base, `${owner}/${model}/resolve/${revision}/${file}`);
  let file = files[0];
  let known: Known | undefined;
  for (const candidate of files) {
    file = candidate;
    known = options.download === false ? {} : await lookUp(urlOf(file), options.signal);
    if (known !== undefined) break;
  }
  const path = join(folder, file);
  await fetchTo(path, { name: `${owner}/${model}/${file}`, url: urlOf(file), ...known }, name, options);
  return { path };
}

/** What can be known of a file before it comes. */
interface Known {
  readonly bytes?: number;
  readonly sha256?: string;
}

/**
 * What the hub says of a file before it sends us on to where its bytes are; undefined where it does not have it, nothing
 * where it cannot be asked: the download will tell why.
 */
async function lookUp(url: string, signal: AbortSignal | undefined): Promise<Known | undefined> {
  const limit = AbortSignal.any([AbortSignal.timeout(20_000), ...(signal ? [signal] : [])]);
  const response = await fetch(url, { method: "HEAD", redirect: "manual", signal: limit }).catch(() => undefined);
  if (response?.status === 404) return undefined;
  const checksum = /^"?([0-9a-f]{64})"?$/.exec(response?.headers.get("x-linked-etag") ?? "")?.[1];
  const size = Number(response?.headers.get("x-linked-size") ?? Number.NaN);
  return {
    ...(checksum !== undefined && { sha256: checksum }),
    ...(Number.isSafeInteger(size) && { bytes: size }),
  };
}

interface Published extends Known {
  /** What progress and errors call the file. */
  readonly name: string;
  readonly url: string;
}

/** Makes sure that a file is there. */
async function fetchTo(path: string, file: Published, asked: string, options: PretrainedOptions): Promise<void> {
  if (await isFile(path)) return;
  const mend = `Fix: where there is a network, download ${file.url} and put it there as ${path}; or name any file of weights instead of ${asked}.`;
  if (options.download === false) {
    throw new FileError(`${asked}: ${path} is not there and downloading is switched off. ${mend}`);
  }
  const folder = join(path, "..");
  await makeFolder(folder);
  try {
    await download({ ...file, urls: [file.url] }, path, options);
  } catch (error) {
    if (error instanceof FileError && error.message.startsWith("cannot download")) {
      throw new FileError(`${asked}: ${error.message}\n${mend}`, { cause: error });
    }
    throw error;
  }
}

function address(base: string, path: string): string {
  try {
    return new URL(path, base.endsWith("/") ? base : `${base}/`).href;
  } catch (error) {
    throw new ArgumentError(`${JSON.stringify(base)} is not the address of a place on the web: ${reasonOf(error)}.`);
  }
}
