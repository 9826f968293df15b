/** Networks by name. */

import { ArgumentError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import { closestName } from "../core/suggest.js";
import type { Network } from "../nn/network.js";

export type { Normalization };

export interface ModelOptions {
  /** Number of classes that the head tells apart. Default: the network's own. */
  readonly numClasses?: number;
  /** Channels of the input. Default: the network's own. */
  readonly inChannels?: number;
  /** Share of units that dropout drops, where the network has dropout. Default: the network's own. */
  readonly dropout?: number;
  /** Multiplies the channels of all layers but the last: 0.25 for a quarter. Default 1. */
  readonly width?: number;
}

/** Where a network was published. */
export interface Paper {
  readonly title: string;
  readonly authors: string;
  readonly year: number;
  readonly url?: string;
}

/** How pictures are brought to a network's size: the short side to `resize`, then the middle `crop` × `crop`. */
export interface Resizing {
  readonly resize: number;
  readonly crop: number;
  readonly interpolation: "bilinear" | "bicubic";
}

/** A network that can be built by name. */
export interface ModelEntry {
  readonly name: string;
  readonly description: string;
  /** Undefined for designs of a lecture. */
  readonly paper?: Paper;
  /** Default: a class for each picture. */
  readonly task?: "classification" | "segmentation";
  /** C×H×W of one input, as the network was published. */
  readonly inputShape: readonly [channels: number, height: number, width: number];
  /** The smallest side of a picture where the network takes any from there on. Default: only `inputShape` will do. */
  readonly minimumSize?: number;
  readonly numClasses: number;
  readonly normalization: Normalization;
  /** Default: pictures are scaled to `inputShape`, whatever their proportions. */
  readonly resizing?: Resizing;
  /** The classes that published weights tell apart: their names are in `fovea/classes`. */
  readonly classes?: "imagenet" | "cifar10" | "tinyvgg";
  create(options?: ModelOptions): Network;
}

/** Finds a network among `entries`. @throws ArgumentError that names the network that was probably meant, or all */
export function findModel(entries: readonly ModelEntry[], name: string): ModelEntry {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    const names = entries.map((each) => each.name);
    const meant = closestName(name, names);
    const suggestion = meant === undefined ? "" : ` Did you mean ${meant}?`;
    throw new ArgumentError(`there is no model named "${name}".${suggestion} Expected one of: ${names.join(", ")}.`);
  }
  return entry;
}

/** @throws ArgumentError unless `width` is above 0 */
export function checkWidth(width: number): void {
  if (!(width > 0 && Number.isFinite(width)))
    throw new ArgumentError(`width is ${width}. Expected a number above 0, which multiplies the channels.`);
}

/** Numbers of channels times `width`, at least 1 each. @throws ArgumentError unless `width` is above 0 */
export function scaleWidths<const Widths extends readonly number[]>(
  widths: Widths,
  width: number,
): { [I in keyof Widths]: number } {
  checkWidth(width);
  return widths.map((channels) => Math.max(1, Math.round(channels * width))) as { [I in keyof Widths]: number };
}
