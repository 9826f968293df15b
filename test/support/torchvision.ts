/** The twin of test/goldens/networks.py: weights and pictures by a formula, and how far outputs are from torchvision's. */

import type { Shape } from "../../src/core/shape.js";
import { sizeOf } from "../../src/core/shape.js";
import type { Tensor } from "../../src/graph/tensor.js";
import * as models from "../../src/models/index.js";
import { savedName } from "../../src/nn/module.js";
import type { Network } from "../../src/nn/network.js";
import { tensorOver } from "../../src/ops/create.js";
import type { Golden } from "./golden.js";
import { relativeError } from "./numbers.js";

/** One network as torchvision builds it. */
export interface TorchvisionCase {
  readonly name: string;
  /** The side of the pictures. */
  readonly size: number;
  readonly batch: number;
  readonly width?: number;
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
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let bits = Math.imul(i, 0x9e3779b1) + seed;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    const unit = ((bits ^ (bits >>> 16)) >>> 8) / 2 ** 24;
    values[i] = shape.length > 1 ? (2 * unit - 1) * bound : isScale ? unit + 0.5 : 0.2 * unit - 0.1;
  }
  return values;
}

/** Gives every state of `model` the values of the formula. */
export function fillByFormula(model: Network): void {
  for (const [name, state] of model.namedStates()) {
    state.assign(tensorOver(formulaValues(savedName(name), state.shape), state.shape, "float32"));
  }
}

/** The largest relative error of a network's outputs, evaluating and training without dropout, auxiliary ones too. */
export async function torchvisionError(golden: Golden<TorchvisionCase>, index: number): Promise<number> {
  const { name, size, batch, width, classes = 10 } = golden.cases[index];
  const model = models.find(name).create({ numClasses: classes, dropout: 0, ...(width !== undefined && { width }) });
  fillByFormula(model);
  const shape = [batch, 3, size, size];
  const pictures = tensorOver(formulaValues("input", shape), shape, "float32");
  const found: Record<string, Tensor> = { evaluating: model.eval()(pictures) };
  // Read before batch normalization moves its averages.
  await found.evaluating.data();
  const { logits, auxiliary } = model.train().outputs(pictures);
  found.training = logits;
  for (const [i, each] of auxiliary.entries()) found[`auxiliary${i}`] = each.logits;
  const expected = golden.under(String(index));
  const keys = Object.keys(expected);
  if (keys.join() !== Object.keys(found).join())
    throw new Error(`torchvision gives ${keys}, this network ${Object.keys(found)}`);
  const errors = keys.map(async (key) => relativeError(await found[key].data(), expected[key].data));
  return Math.max(...(await Promise.all(errors)));
}
