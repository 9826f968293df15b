/** The networks, and the registry to build them by name. */

import { GoogLeNet, googlenet, googlenet2014 } from "./googlenet.js";
import { InceptionV2, inceptionV2 } from "./inception-v2.js";
import { InceptionV3, inceptionV3 } from "./inception-v3.js";
import { LeNet5, lenet5 } from "./lenet5.js";
import { MobileNetV1, mobilenetV1 } from "./mobilenet-v1.js";
import { MobileNetV2, mobilenetV2 } from "./mobilenet-v2.js";
import { findModel, type ModelEntry } from "./registry.js";
import { BasicBlock, Bottleneck, ResNet, resnets } from "./resnet.js";
import { CifarResNet, cifarResnets } from "./resnet-cifar.js";
import { SegNet, segnet } from "./segnet.js";
import { SqueezeNet, squeezenet1_0, squeezenet1_1 } from "./squeezenet.js";
import { UNet, unet } from "./unet.js";

export type { ModelEntry, ModelOptions, Normalization, Paper, Resizing } from "./registry.js";
export {
  BasicBlock,
  Bottleneck,
  CifarResNet,
  GoogLeNet,
  InceptionV2,
  InceptionV3,
  LeNet5,
  MobileNetV1,
  MobileNetV2,
  ResNet,
  SegNet,
  SqueezeNet,
  UNet,
};

const entries = [
  lenet5,
  googlenet,
  googlenet2014,
  inceptionV2,
  inceptionV3,
  ...resnets,
  ...cifarResnets,
  squeezenet1_0,
  squeezenet1_1,
  mobilenetV1,
  mobilenetV2,
  unet,
  segnet,
] as const satisfies readonly ModelEntry[];

type Entry = (typeof entries)[number];

/** The names of all networks. */
export type ModelName = Entry["name"];

type EntryOf<Name extends ModelName> = Extract<Entry, { readonly name: Name }>;

/** All networks. */
export function list(): readonly ModelEntry[] {
  return entries;
}

/**
 * The entry of a network: its input, normalization and classes.
 *
 * @throws ArgumentError for a name that is not in the list, with the one that was probably meant
 */
export function find(name: string): ModelEntry {
  return findModel(entries, name);
}

/**
 * Builds a network by name, with random weights; they take up memory only once they are used. The compiler knows the
 * names and what each network can be asked for; where a name comes from elsewhere, call `find(name).create()`.
 *
 * @example models.create("lenet5", { numClasses: 26 })
 * @throws ArgumentError for a name that is not in the list, with the one that was probably meant
 */
export function create<Name extends ModelName>(
  name: Name,
  options?: Parameters<EntryOf<Name>["create"]>[0],
): ReturnType<EntryOf<Name>["create"]>;
export function create(name: string, options?: Parameters<ModelEntry["create"]>[0]): ReturnType<ModelEntry["create"]> {
  return find(name).create(options);
}
