/** The twin of test/goldens/networks.py: networks of PyTorch, with weights and pictures by a formula, and how far outputs are from torchvision's. */

import type { Shape } from "../../src/core/shape.js";
import { sizeOf } from "../../src/core/shape.js";
import type { Tensor } from "../../src/graph/tensor.js";
import * as models from "../../src/models/index.js";
import { savedName } from "../../src/nn/module.js";
import type { Network } from "../../src/nn/network.js";
import type { StateDict } from "../../src/nn/state-dict.js";
import { tensorOver } from "../../src/ops/create.js";
import type { Golden } from "./golden.js";
import { relativeError } from "./numbers.js";

/** One network as torchvision builds it. */
export interface TorchvisionCase {
  readonly name: string;
  /** The side of the pictures. */
  readonly size: number;
  readonly batch: number;
  /** Default 3. */
  readonly channels?: number;
  readonly width?: number;
  /** Of LeNet-5. */
  readonly output?: "linear" | "rbf";
  /** Default 10. */
  readonly classes?: number;
  /** Of torchvision's network, which is narrow where `width` says so. */
  readonly parameters: number;
}

/** The networks that torchvision builds too, under the same names. */
export const inTorchvision: readonly models.ModelName[] = [
  "alexnet",
  ...(["vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"] as const),
  ...(["googlenet", "inception_v3", "squeezenet1_0", "squeezenet1_1", "mobilenet_v2"] as const),
  ...(["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"] as const),
];

/** Numbers that depend on the name and the place only: like fresh weights in size, and unlike each other. */
export function formulaValues(name: string, shape: Shape): Float32Array<ArrayBuffer> {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  const size = sizeOf(shape);
  const bound = Math.sqrt(6 / (size / shape[0]));
  const isScale = /\.(weight|running_var)$/.test(name);
  const scale = name.endsWith(".bn3.weight") ? 0.25 : 1;
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let bits = Math.imul(i, 0x9e3779b1) + seed;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    const unit = ((bits ^ (bits >>> 16)) >>> 8) / 2 ** 24;
    values[i] = shape.length > 1 ? (2 * unit - 1) * bound : isScale ? (unit + 0.5) * scale : 0.2 * unit - 0.1;
  }
  return values;
}

/** Areas of 8×8 colours with noise on them. */
function formulaPictures(batch: number, channels: number, size: number): Tensor {
  const colours = formulaValues("colours", [batch * channels * 8 * 8]);
  const noise = formulaValues("noise", [batch * channels * size * size]);
  const area = (position: number) => Math.floor((position * 8) / size);
  const values = noise.map((value, i) => {
    const [plane, row, column] = [Math.floor(i / (size * size)), Math.floor(i / size) % size, i % size];
    return 10 * colours[(plane * 8 + area(row)) * 8 + area(column)] + 3 * value;
  });
  return tensorOver(values, [batch, channels, size, size], "float32");
}

/** The mean over all channels of a running statistic, for each layer that has it. */
function statistics(saved: StateDict, name: string): number[] {
  const keys = Object.keys(saved).filter((key) => key.endsWith(name));
  return keys
    .sort()
    .map((key) => Array.from(saved[key].data).reduce((sum, value) => sum + value, 0) / saved[key].data.length);
}

/** Gives every state of `model` the values of the formula. */
export function fillByFormula(model: Network): void {
  for (const [name, state] of model.namedStates()) {
    state.assign(tensorOver(formulaValues(savedName(name), state.shape), state.shape, "float32"));
  }
}

/** The network of a case, without dropout. */
export function buildCase({ name, width = 1, classes = 10, output }: TorchvisionCase): Network {
  const options = { numClasses: classes, dropout: 0, width };
  return output === undefined
    ? models.find(name).create(options)
    : models.create("lenet5-1998", { ...options, output });
}

/** The largest relative error of a network's outputs, evaluating and training without dropout, auxiliary ones and running statistics too. */
export async function torchvisionError(golden: Golden<TorchvisionCase>, index: number): Promise<number> {
  const { size, batch, channels = 3 } = golden.cases[index];
  const model = buildCase(golden.cases[index]);
  fillByFormula(model);
  const pictures = formulaPictures(batch, channels, size);
  // Read before batch normalization moves its averages.
  const evaluating = await model.eval()(pictures).data();
  const found: Record<string, ArrayLike<number>> = { evaluating };
  const { logits, auxiliary } = model.train().outputs(pictures);
  found.training = await logits.data();
  for (const [i, each] of auxiliary.entries()) found[`auxiliary${i}`] = await each.logits.data();
  const expected = golden.under(String(index));
  if ("means" in expected) {
    const saved = await model.stateDict();
    found.means = statistics(saved, "running_mean");
    found.variances = statistics(saved, "running_var");
  }
  const keys = Object.keys(expected);
  if (keys.join() !== Object.keys(found).join())
    throw new Error(`torchvision gives ${keys}, this network ${Object.keys(found)}`);
  return Math.max(...keys.map((key) => relativeError(found[key], expected[key].data)));
}
