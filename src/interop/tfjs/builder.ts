/** A module from the layers of a topology, one after another. */

import { FoveaError } from "../../core/errors.js";
import { formatShape, type Shape, sameShape } from "../../core/shape.js";
import type { TfjsTensor } from "../../formats/tfjs.js";
import type { Layer } from "../../nn/layers/container.js";
import type { StateDict } from "../../nn/state-dict.js";
import { zeros } from "../../ops/create.js";
import { activationLayer, isOrderless } from "./activations.js";
import { type LayerSpec, shown } from "./config.js";
import { builders } from "./layers.js";

/** What flows between layers, without the batch: feature maps, or a list of features. */
type Features =
  /** `size` is undefined where pictures of any size are taken. */
  | { readonly kind: "maps"; readonly channels: number; readonly size: readonly [number, number] | undefined }
  /**
   * `flattened` tells that these features are flattened maps of that shape, C×H×W, in Fovea's order, which is not
   * TensorFlow's: the next fully connected layer must make up for it.
   */
  | { readonly kind: "list"; readonly count: number; readonly flattened?: readonly [number, number, number] };

/** A layer with the name of the one that it was made from, and what it has learnt. */
export interface BuiltLayer {
  readonly name: string;
  readonly layer: Layer;
  readonly weights: StateDict;
}

/** Builds the layers one after another, keeping track of the shape between them. */
export class Builder {
  readonly built: BuiltLayer[] = [];
  #features: Features;
  readonly #tensors: Map<string, TfjsTensor>;
  readonly #names = new Set<string>();

  /**
   * @param inputShape of one input, as TensorFlow has it: [height, width, channels], null for any size; or [features]
   * @param tensors all weights; those that a layer takes are removed
   */
  constructor(inputShape: readonly (number | null)[], tensors: Map<string, TfjsTensor>) {
    const [first, width = null, channels = null] = inputShape;
    this.#tensors = tensors;
    this.#features =
      inputShape.length === 1
        ? { kind: "list", count: first ?? 0 }
        : {
            kind: "maps",
            channels: channels ?? 0,
            size: first === null || width === null ? undefined : [first, width],
          };
  }

  /** @param following the layers after it, which may decide how it is to be built */
  add(spec: LayerSpec, following: readonly LayerSpec[]): void {
    if (!Object.hasOwn(builders, spec.className)) {
      throw spec.config.fail(
        `there is no such layer here. Expected one of ${Object.keys(builders).join(", ")}. Fix: export the model to ONNX, and load that.`,
      );
    }
    try {
      builders[spec.className].call(this, spec, following);
    } catch (error) {
      // What the layer itself says about sizes and settings, with the place in the file.
      if (error instanceof FoveaError && !error.message.startsWith(spec.config.what)) {
        throw spec.config.fail(error.message);
      }
      throw error;
    }
  }

  /** The channels of the feature maps that a layer is given. */
  maps({ config }: LayerSpec): number {
    if (this.#features.kind === "maps") return this.#features.channels;
    throw config.fail(`it is given a list of ${this.#features.count} features. Expected feature maps.`);
  }

  /** The features that a layer is given. */
  list({ config }: LayerSpec): Extract<Features, { kind: "list" }> {
    if (this.#features.kind === "list") return this.#features;
    const { channels, size } = this.#features;
    throw config.fail(
      `it is given feature maps (${[...(size ?? ["H", "W"]), channels].join("×")}). Expected a list of features; Fix: flatten them before.`,
    );
  }

  /** The shape of one input of a layer, as TensorFlow has it. */
  channelsLastShape({ config }: LayerSpec): readonly number[] {
    const features = this.#features;
    if (features.kind === "list") return [features.count];
    if (features.size !== undefined) return [...features.size, features.channels];
    throw config.fail("the size of the pictures is not known. Expected an input shape with height and width.");
  }

  get features(): Features {
    return this.#features;
  }

  /** Axes of what a layer is given, the batch included. */
  get axes(): number {
    return this.#features.kind === "maps" ? 4 : 2;
  }

  /** Appends a layer; the shape after it is found by recording it on zeros, which computes nothing. */
  append(name: string, layer: Layer, weights: StateDict = {}, flattened?: readonly [number, number, number]): void {
    let unique = name;
    for (let i = 2; this.#names.has(unique); i++) unique = `${name}_${i}`;
    this.#names.add(unique);
    this.built.push({ name: unique, layer, weights });
    const before = this.#features;
    const known = before.kind === "list" || before.size !== undefined;
    // Where sizes are not known, 1,024 pixels a side stand for them.
    const shape = before.kind === "list" ? [1, before.count] : [1, before.channels, ...(before.size ?? [1024, 1024])];
    const [, count, height, width] = layer.eval()(zeros(shape)).shape;
    if (height === undefined) {
      const order = flattened ?? (before.kind === "list" && isOrderless(layer) ? before.flattened : undefined);
      this.#features = { kind: "list", count, ...(order !== undefined && { flattened: order }) };
    } else {
      this.#features = { kind: "maps", channels: count, size: known ? [height, width] : undefined };
    }
  }

  /** Appends what a layer ends with. */
  activate({ name, config }: LayerSpec, layerName = `${name}_${config.activation()}`): void {
    const activation = config.activation();
    if (activation === "linear") return;
    const layer = activationLayer(activation);
    if (layer === undefined) throw config.fail(`there is no activation ${shown(activation)} here.`);
    this.append(layerName, layer);
  }

  /** Takes a weight of a layer: `conv/kernel`, also as `model/conv/kernel:0`. */
  take({ name, config }: LayerSpec, weight: string, expected: Shape): Float32Array<ArrayBuffer> {
    const wanted = `${name}/${weight}`;
    const keys = [...this.#tensors.keys()];
    const fits = (key: string) => {
      const plain = key.replace(/:\d+$/, "");
      return plain.endsWith(`/${weight}`) && (plain.startsWith(`${name}/`) || plain.includes(`/${wanted}`));
    };
    const candidates = keys.includes(wanted) ? [wanted] : keys.filter(fits);
    const [key] = candidates;
    const tensor = this.#tensors.get(key);
    if (tensor === undefined || candidates.length !== 1) {
      const found = candidates.length === 0 ? "none" : candidates.join(", ");
      throw config.fail(`of its ${weight} there is ${found} among the weights. Expected ${wanted}.`);
    }
    if (!sameShape(tensor.shape, expected)) {
      throw config.fail(`its ${weight} is ${formatShape(tensor.shape)}. Expected ${formatShape(expected)}.`);
    }
    this.#tensors.delete(key);
    return tensor.data;
  }
}
