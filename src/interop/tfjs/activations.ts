/** Activations of Keras, by name and as layers of their own. */

import {
  ELU,
  GELU,
  Hardtanh,
  LeakyReLU,
  LogSoftmax,
  Mish,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
} from "../../nn/layers/activation.js";
import type { Layer } from "../../nn/layers/container.js";
import { Dropout } from "../../nn/layers/dropout.js";
import type { LayerSpec } from "./config.js";
import { KerasHardSigmoid } from "./modules.js";

/** Channels are the last axis in TensorFlow, and axis 1 here. */
const CHANNELS = 1;

const activations: Readonly<Record<string, () => Layer>> = {
  elu: () => new ELU(),
  gelu: () => new GELU(),
  hard_sigmoid: () => new KerasHardSigmoid(),
  hardSigmoid: () => new KerasHardSigmoid(),
  log_softmax: () => new LogSoftmax(CHANNELS),
  logSoftmax: () => new LogSoftmax(CHANNELS),
  mish: () => new Mish(),
  relu: () => new ReLU(),
  relu6: () => new ReLU6(),
  selu: () => new SELU(),
  sigmoid: () => new Sigmoid(),
  silu: () => new SiLU(),
  softmax: () => new Softmax(CHANNELS),
  softplus: () => new Softplus(),
  softsign: () => new Softsign(),
  swish: () => new SiLU(),
  tanh: () => new Tanh(),
};

/** The activation of that name; undefined where there is none. */
export function activationLayer(name: string): Layer | undefined {
  return Object.hasOwn(activations, name) ? activations[name]() : undefined;
}

/** An activation that is a layer with settings. @param axes of what it is given, the batch included */
export function parametricActivation({ className, config }: LayerSpec, axes: number): Layer {
  switch (className) {
    case "LeakyReLU":
      return new LeakyReLU(config.real(config.has("negative_slope") ? "negative_slope" : "alpha", 0.3));
    case "ELU":
      return new ELU(config.real("alpha", 1));
    case "Softmax":
      config.lastAxis(axes);
      return new Softmax(CHANNELS);
    default:
      config.require("negative_slope", 0);
      config.require("threshold", 0);
      return config.has("max_value") ? new Hardtanh(0, config.real("max_value", 0)) : new ReLU();
  }
}

/** Whether a layer treats all features alike, so that it may see them in any order. */
export function isOrderless(layer: Layer): boolean {
  return layer instanceof Dropout || orderless.some((kind) => layer instanceof kind);
}

const orderless = [
  ELU,
  GELU,
  Hardtanh,
  KerasHardSigmoid,
  LeakyReLU,
  LogSoftmax,
  Mish,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
];
