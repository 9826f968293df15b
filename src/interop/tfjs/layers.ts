/** Keras layers as Fovea's: N×H×W×C becomes N×C×H×W, and weights with it. */

import type { Shape } from "../../core/shape.js";
import { AdaptiveAvgPool2d, AdaptiveMaxPool2d } from "../../nn/layers/adaptivePooling.js";
import { BatchNorm1d, BatchNorm2d } from "../../nn/layers/batchNorm.js";
import { Flatten, type Layer, Sequential } from "../../nn/layers/container.js";
import { Conv2d } from "../../nn/layers/convolution.js";
import { Dropout, FeatureDropout } from "../../nn/layers/dropout.js";
import { Linear } from "../../nn/layers/linear.js";
import { AvgPool2d, MaxPool2d } from "../../nn/layers/pooling.js";
import { Upsample } from "../../nn/layers/upsampling.js";
import type { StateDict } from "../../nn/state-dict.js";
import { parametricActivation } from "./activations.js";
import type { Builder } from "./builder.js";
import { type LayerSpec, shown } from "./config.js";
import { ReshapeChannelsLast, ZeroPad2d } from "./modules.js";
import { transposeValues } from "./transpose.js";

type Build = (this: Builder, spec: LayerSpec, following: readonly LayerSpec[]) => void;

function saved(shape: Shape, data: Float32Array<ArrayBuffer>): StateDict[string] {
  return { dtype: "float32", shape, data };
}

/** What all convolutions are told in the same words. */
function convolutionOptions({ config }: LayerSpec) {
  config.checkChannelsLast();
  return {
    stride: config.pair("strides", [1, 1]),
    padding: config.choice("padding", ["valid", "same"], "valid"),
    dilation: config.pair("dilation_rate", [1, 1]),
  };
}

/** Takes a depthwise kernel, kh×kw×C×M, as the weight of a convolution in C groups. */
function depthwise(builder: Builder, spec: LayerSpec) {
  const { config } = spec;
  const channels = builder.maps(spec);
  const multiplier = config.count("depth_multiplier", 1);
  const kernel = config.pair("kernel_size");
  const values = builder.take(spec, "depthwise_kernel", [...kernel, channels, multiplier]);
  return {
    ...{ channels, kernel, out: channels * multiplier },
    weight: saved(
      [channels * multiplier, 1, ...kernel],
      transposeValues(values, [...kernel, channels, multiplier], [2, 3, 0, 1]),
    ),
  };
}

function poolingOptions({ config }: LayerSpec) {
  config.checkChannelsLast();
  const kernel = config.pair("pool_size", [2, 2]);
  const stride = config.has("strides") ? config.pair("strides") : kernel;
  return { kernel, options: { stride, padding: config.choice("padding", ["valid", "same"], "valid") } };
}

function globalPooling(builder: Builder, { name, config }: LayerSpec, pool: Layer): void {
  config.checkChannelsLast();
  builder.append(name, config.flag("keepdims", false) ? pool : new Sequential(pool, new Flatten()));
}

function parametric(this: Builder, spec: LayerSpec): void {
  this.append(spec.name, parametricActivation(spec, this.axes));
}

/** How each class of Keras is built, by its name. */
export const builders: Readonly<Record<string, Build>> = {
  InputLayer() {},

  Conv2D(spec) {
    const { config } = spec;
    const channels = this.maps(spec);
    const [filters, groups] = [config.count("filters"), config.count("groups", 1)];
    const kernel = config.pair("kernel_size");
    const bias = config.flag("use_bias", true);
    const layer = new Conv2d(channels, filters, kernel, { ...convolutionOptions(spec), groups, bias });
    const values = this.take(spec, "kernel", [...kernel, channels / groups, filters]);
    this.append(spec.name, layer, {
      weight: saved(layer.weight.shape, transposeValues(values, [...kernel, channels / groups, filters], [3, 2, 0, 1])),
      ...(bias && { bias: saved([filters], this.take(spec, "bias", [filters])) }),
    });
    this.activate(spec);
  },

  DepthwiseConv2D(spec) {
    const bias = spec.config.flag("use_bias", true);
    const { channels, out, kernel, weight } = depthwise(this, spec);
    const layer = new Conv2d(channels, out, kernel, { ...convolutionOptions(spec), groups: channels, bias });
    this.append(spec.name, layer, { weight, ...(bias && { bias: saved([out], this.take(spec, "bias", [out])) }) });
    this.activate(spec);
  },

  SeparableConv2D(spec) {
    const { config, name } = spec;
    const bias = config.flag("use_bias", true);
    const filters = config.count("filters");
    const { channels, out, kernel, weight } = depthwise(this, spec);
    const values = this.take(spec, "pointwise_kernel", [1, 1, out, filters]);
    this.append(
      `${name}_depthwise`,
      new Conv2d(channels, out, kernel, { ...convolutionOptions(spec), groups: channels, bias: false }),
      { weight },
    );
    this.append(`${name}_pointwise`, new Conv2d(out, filters, 1, { bias }), {
      weight: saved([filters, out, 1, 1], transposeValues(values, [out, filters], [1, 0])),
      ...(bias && { bias: saved([filters], this.take(spec, "bias", [filters])) }),
    });
    this.activate(spec);
  },

  Dense(spec) {
    const { config } = spec;
    const { count, flattened } = this.list(spec);
    const units = config.count("units");
    const bias = config.flag("use_bias", true);
    const values = this.take(spec, "kernel", [count, units]);
    const [c, h, w] = flattened ?? [count, 1, 1];
    const rows = transposeValues(values, [h, w, c, units], [2, 0, 1, 3]);
    this.append(spec.name, new Linear(count, units, { bias }), {
      weight: saved([units, count], transposeValues(rows, [count, units], [1, 0])),
      ...(bias && { bias: saved([units], this.take(spec, "bias", [units])) }),
    });
    this.activate(spec);
  },

  BatchNormalization(spec) {
    const { config } = spec;
    const { features } = this;
    const count = features.kind === "maps" ? features.channels : features.count;
    config.lastAxis(this.axes);
    const take = (name: string, has = true, otherwise = 0) =>
      saved([count], has ? this.take(spec, name, [count]) : new Float32Array(count).fill(otherwise));
    const options = { eps: config.real("epsilon", 1e-3), momentum: 1 - config.real("momentum", 0.99) };
    this.append(
      spec.name,
      features.kind === "maps" ? new BatchNorm2d(count, options) : new BatchNorm1d(count, options),
      {
        weight: take("gamma", config.flag("scale", true), 1),
        bias: take("beta", config.flag("center", true)),
        running_mean: take("moving_mean"),
        running_var: take("moving_variance"),
      },
    );
  },

  MaxPooling2D(spec) {
    this.maps(spec);
    const { kernel, options } = poolingOptions(spec);
    this.append(spec.name, new MaxPool2d(kernel, options));
  },

  AveragePooling2D(spec) {
    this.maps(spec);
    const { kernel, options } = poolingOptions(spec);
    this.append(spec.name, new AvgPool2d(kernel, { ...options, countIncludePad: false }));
  },

  GlobalAveragePooling2D(spec) {
    this.maps(spec);
    globalPooling(this, spec, new AdaptiveAvgPool2d(1));
  },

  GlobalMaxPooling2D(spec) {
    this.maps(spec);
    globalPooling(this, spec, new AdaptiveMaxPool2d(1));
  },

  Flatten(spec, following) {
    spec.config.checkChannelsLast();
    const { features } = this;
    if (features.kind === "list") return;
    const [height, width, channels] = this.channelsLastShape(spec);
    // TensorFlow's order is that of H×W×C. Only a fully connected layer can be told of another.
    const reader = following.find(({ className }) => !passedOver.includes(className));
    if (reader?.className === "Dense") {
      this.append(spec.name, new Flatten(), {}, [channels, height, width]);
    } else {
      this.append(spec.name, new ReshapeChannelsLast([channels * height * width]));
    }
  },

  Reshape(spec) {
    const { config } = spec;
    const size = this.channelsLastShape(spec).reduce((product, length) => product * length, 1);
    const target = config.get("target_shape");
    if (!Array.isArray(target) || (target.length !== 1 && target.length !== 3))
      throw config.fail(`target_shape is ${shown(target)}. Expected a length, or height, width and channels.`);
    // One length may be left open; TensorFlow.js writes null for it, Keras -1.
    const lengths = target.map((length: unknown) => (typeof length === "number" && length !== -1 ? length : undefined));
    const known = lengths.reduce((product: number, length) => product * (length ?? 1), 1);
    const shape = lengths.map((length) => length ?? size / known);
    if (
      lengths.filter((length) => length === undefined).length > 1 ||
      shape.some((length) => !Number.isInteger(length) || length < 1) ||
      shape.reduce((product, length) => product * length, 1) !== size
    ) {
      throw config.fail(`target_shape is ${shown(target)}. Expected a shape of ${size} elements.`);
    }
    this.append(spec.name, new ReshapeChannelsLast(shape));
  },

  ZeroPadding2D(spec) {
    const { config } = spec;
    config.checkChannelsLast();
    this.maps(spec);
    const given = config.get("padding") ?? 1;
    const [vertical, horizontal] = Array.isArray(given) ? given : [given, given];
    const sides = [vertical, horizontal].flatMap((side: unknown) => (Array.isArray(side) ? side : [side, side]));
    const [top, bottom, left, right] = sides;
    if (sides.length !== 4 || sides.some((side) => !Number.isSafeInteger(side) || side < 0 || side > 2 ** 16))
      throw config.fail(`padding is ${shown(given)}. Expected [[top, bottom], [left, right]].`);
    this.append(spec.name, new ZeroPad2d(top, bottom, left, right));
  },

  UpSampling2D(spec) {
    const { config } = spec;
    config.checkChannelsLast();
    this.maps(spec);
    // Keras and TensorFlow.js disagree on where the pixels of bilinear interpolation lie.
    config.require("interpolation", "nearest");
    this.append(spec.name, new Upsample({ scale: config.pair("size", [2, 2]) }));
  },

  Activation(spec) {
    this.activate(spec, spec.name);
  },
  ReLU: parametric,
  LeakyReLU: parametric,
  ELU: parametric,
  Softmax: parametric,

  Dropout(spec) {
    this.append(spec.name, new Dropout(spec.config.real("rate", 0.5)));
  },
  SpatialDropout2D(spec) {
    this.maps(spec);
    this.append(spec.name, new FeatureDropout(spec.config.real("rate", 0.5)));
  },
};

/** Layers that treat all features alike, so that their order does not matter. */
const passedOver: readonly string[] = ["Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "Dropout", "Flatten"];
