/** TensorFlow.js layers models as modules, and their weights in networks that are already there. */

import { FormatError, StateDictError } from "../../core/errors.js";
import { formatShape, sameShape } from "../../core/shape.js";
import { type ModuleBase, savedName } from "../../nn/module.js";
import type { StateDict } from "../../nn/state-dict.js";
import { Builder, type BuiltLayer } from "./builder.js";
import type { LayerSpec } from "./config.js";
import { TfjsModel } from "./model.js";
import { readTfjs, type TfjsContents, type TfjsSource } from "./source.js";

/**
 * Reads a TensorFlow.js layers model (model.json and its weights) whose layers form a chain, as a module that computes the
 * same. It evaluates; call `train()` to train it on.
 *
 * @param source the path or address of model.json or of its folder, or the files
 * @throws FormatError naming the layer and its class for whatever cannot be read; FileError where files are missing
 * @example
 * const model = await loadTfjs("tiny-vgg/model.json");
 * const probabilities = model(pictures); // N×3×64×64 → N×10
 */
export async function loadTfjs(source: TfjsSource): Promise<TfjsModel> {
  const contents = await readTfjs(source);
  const { built, inputShape } = build(contents);
  const model = new TfjsModel(
    built.map(({ name, layer }) => [name, layer] as const),
    inputShape,
  );
  for (const { layer, weights } of built) layer.loadStateDict(weights);
  return model.eval();
}

/**
 * Takes over the weights of a TensorFlow.js layers model into a network of the same layers: by name where all names agree,
 * else in order.
 *
 * @throws StateDictError listing both sides where they do not fit, and what `loadTfjs` throws
 * @example
 * const model = models.create("tinyvgg");
 * await loadTfjsWeights(model, "tiny-vgg/model.json");
 */
export async function loadTfjsWeights(model: ModuleBase, source: TfjsSource): Promise<void> {
  model.loadStateDict(tfjsStateDict(model, await readTfjs(source)));
}

/** As many as an error lists of each side. */
const shownLayers = 8;

/** The weights of a TensorFlow.js model under the names of a network's own. */
export function tfjsStateDict(model: ModuleBase, contents: TfjsContents): StateDict {
  const theirs = build(contents).built.filter(({ weights }) => Object.keys(weights).length > 0);
  const ours = new Map<string, Map<string, readonly number[]>>();
  for (const [name, { shape }] of model.namedStates()) {
    const saved = savedName(name);
    const end = saved.lastIndexOf(".");
    const owner = ours.get(saved.slice(0, end)) ?? new Map<string, readonly number[]>();
    ours.set(saved.slice(0, end), owner.set(saved.slice(end + 1), shape));
  }
  const named = theirs.map(({ name }) => savedName(name));
  const names = named.every((name) => ours.has(name)) ? named : [...ours.keys()];
  const fits = ({ weights }: BuiltLayer, i: number) => {
    const mine = ours.get(names[i]);
    const entries = Object.entries(weights);
    return mine?.size === entries.length && entries.every(([key, { shape }]) => sameShape(shape, mine.get(key) ?? []));
  };
  if (ours.size !== theirs.length || !theirs.every(fits)) {
    const list = (layers: Iterable<readonly [string, Iterable<readonly [string, readonly number[]]>]>) => {
      const all = [...layers].map(([name, own]) => {
        return `${name} (${[...own].map(([key, shape]) => `${key} ${formatShape(shape)}`).join(", ")})`;
      });
      return (
        all.slice(0, shownLayers).join("; ") + (all.length > shownLayers ? ` and ${all.length - shownLayers} more` : "")
      );
    };
    const found = theirs.map(({ name, weights }) => {
      return [name, Object.entries(weights).map(([key, { shape }]) => [key, shape] as const)] as const;
    });
    throw new StateDictError(
      `the weights in ${contents.file} do not fit ${model.constructor.name}. The file has ${list(found)}. Expected ${list(ours)}. ` +
        "Fix: use loadTfjs(), which builds the network that the file describes.",
    );
  }
  return Object.fromEntries(
    theirs.flatMap(({ weights }, i) =>
      Object.entries(weights).map(([key, saved]) => [`${names[i]}.${key}`, saved] as const),
    ),
  );
}

function build({ file, layers, tensors }: TfjsContents) {
  const inputShape = inputOf(layers, file);
  const builder = new Builder(inputShape, tensors);
  for (const [i, spec] of layers.entries()) builder.add(spec, layers.slice(i + 1));
  if (tensors.size > 0) {
    throw new FormatError(`${file}: no layer takes the weights ${[...tensors.keys()].slice(0, 8).join(", ")}.`);
  }
  const order = inputShape.length === 1 ? inputShape : [inputShape[2], inputShape[0], inputShape[1]];
  return { built: builder.built, inputShape: order.map((length) => length ?? undefined) };
}

/** The shape of one input, as TensorFlow has it. */
function inputOf([first]: readonly LayerSpec[], file: string): readonly (number | null)[] {
  const given = first?.config.get("batch_input_shape") ?? first?.config.get("batch_shape");
  if (first === undefined || !Array.isArray(given)) {
    throw new FormatError(
      `${file}: the first layer has no batch_input_shape. Expected [null, height, width, channels].`,
    );
  }
  const shape: unknown[] = given.slice(1);
  const isSize = (length: unknown): length is number =>
    typeof length === "number" && Number.isInteger(length) && length > 0 && length <= 2 ** 20;
  const sizes = shape.map((length) => (isSize(length) ? length : null));
  const known = shape.every((length, i) => sizes[i] !== null || length === null) && sizes.at(-1) !== null;
  if (known && (sizes.length === 1 || sizes.length === 3)) return sizes;
  throw first.config.fail(
    `the input is ${JSON.stringify(given).slice(0, 80)}. Expected pictures, [null, height, width, channels], or lists of features, [null, features].`,
  );
}
