/** What single positions see, and how often pixels are used: the details behind a summary. */

import { ArgumentError } from "../core/errors.js";
import { closestName } from "../core/suggest.js";
import { dependenceOf, type Fields, outputFields } from "./dependence.js";
import type { Layer } from "./layer.js";
import { layersOf } from "./layers.js";
import { type Sight, sightOf, useAlong } from "./receptiveField.js";
import { type Inputs, type Model, parseInputs, record, withMode } from "./record.js";

export interface LayerOptions {
  /** The layer's name, as in a summary. Default: what the model returns. */
  readonly layer?: string;
  /** Which of its calls. Default 1. */
  readonly call?: number;
}

/**
 * How many places of a layer's output see each pixel of the input, along each axis of places: pixel (y, x) is used
 * `rows[y] · columns[x]` times by each map of the output. Without padding the border is used less than the middle.
 *
 * Where paths of different shapes meet (a 1×7 beside a 7×1 window) their common rectangle is counted.
 *
 * @returns [rows, columns] for N×C×H×W
 * @example
 * const [rows, columns] = pixelUse(new nn.Conv2d(1, 1, 3), [1, 1, 5, 5]);
 * rows; // [1, 2, 3, 2, 1]
 */
export function pixelUse(model: Model, inputs: Inputs, options: LayerOptions = {}): readonly (readonly number[])[] {
  return fieldsOf(model, inputs, options).map(useAlong);
}

/**
 * The pixels of the input that one position of a layer's output can depend on, borders considered: what a receptive field
 * is at that place.
 *
 * @param position [row, column] in the layer's output
 * @returns of each axis of places the first and last pixel, and how many of those between are seen
 */
export function seenFrom(
  model: Model,
  inputs: Inputs,
  position: readonly number[],
  options: LayerOptions = {},
): readonly Sight[] {
  return sightOf(fieldsOf(model, inputs, options), position);
}

function fieldsOf(model: Model, inputs: Inputs, { layer: name, call = 1 }: LayerOptions): Fields {
  const recording = withMode(model, false, () => record(model, parseInputs(inputs)));
  const { root, leaves } = layersOf(model, recording);
  const all = [root, ...branchesOf(root), ...leaves];
  const layer = name === undefined ? root : all.find((each) => each.name === name && each.call === call);
  if (layer === undefined) {
    const closest = closestName(
      name ?? "",
      all.map((each) => each.name),
    );
    throw new ArgumentError(
      `there is no call ${call} of a layer named "${name}". ${closest === undefined ? "Expected a name of summarize(…).layers" : `Did you mean "${closest}"?`}`,
    );
  }
  const [output] = layer.outputs;
  const fields = output && outputFields(recording, dependenceOf(recording), output);
  if (fields === undefined || fields.length === 0) {
    throw new ArgumentError(
      `${layer.name}: its output depends on no places of the input. Expected an input N×C×… with axes of places, and a layer that is called.`,
    );
  }
  return fields;
}

function branchesOf(layer: Layer): Layer[] {
  return layer.children.flatMap((child) => [child, ...branchesOf(child)]);
}
