/** The networks, and the registry to build them by name. */

import { alexnet } from "./alexnet.js";
import { alexnet2012 } from "./alexnet2012.js";
import { googlenet, googlenet2014 } from "./googlenet.js";
import { inceptionV2 } from "./inception-v2.js";
import { inceptionV3 } from "./inception-v3.js";
import { largenet } from "./largenet.js";
import { lenet5 } from "./lenet5.js";
import { lenet5Of1998 } from "./lenet5-1998.js";
import { mlp } from "./mlp.js";
import { mobilenetV1 } from "./mobilenet-v1.js";
import { mobilenetV2 } from "./mobilenet-v2.js";
import { nin, ninCifar10 } from "./nin.js";
import { findModel, type ModelEntry } from "./registry.js";
import { resnets } from "./resnet.js";
import { cifarResnets } from "./resnet-cifar.js";
import { segnet } from "./segnet.js";
import { squeezenet1_0, squeezenet1_1 } from "./squeezenet.js";
import { tinyvgg } from "./tinyvgg.js";
import { unet } from "./unet.js";
import { vggs } from "./vgg.js";
import { zfnet, zfnet512 } from "./zfnet.js";

export { AlexNet } from "./alexnet.js";
export { AlexNet2012 } from "./alexnet2012.js";
export { ConvolutionalNetwork, toConvolutional } from "./convolutional.js";
export { GoogLeNet } from "./googlenet.js";
export { InceptionV2 } from "./inception-v2.js";
export { InceptionV3 } from "./inception-v3.js";
export { LargeNet } from "./largenet.js";
export { LeNet5 } from "./lenet5.js";
export { LeNet5Of1998, type LeNet5Options1998 } from "./lenet5-1998.js";
export { MLP, type MLPOptions } from "./mlp.js";
export { MobileNetV1 } from "./mobilenet-v1.js";
export { MobileNetV2 } from "./mobilenet-v2.js";
export { NIN } from "./nin.js";
export { PatternNetwork, type PatternOptions, pattern } from "./pattern.js";
export type { ModelEntry, ModelOptions, Normalization, Paper, Resizing } from "./registry.js";
export { BasicBlock, Bottleneck, ResNet } from "./resnet.js";
export { CifarResNet } from "./resnet-cifar.js";
export { SegNet } from "./segnet.js";
export { SqueezeNet } from "./squeezenet.js";
export { TinyVGG } from "./tinyvgg.js";
export { UNet, type UNetOptions } from "./unet.js";
export { VGG, type VGGConfiguration, type VGGOptions } from "./vgg.js";
export { ZFNet } from "./zfnet.js";

const entries = [
  lenet5,
  lenet5Of1998,
  mlp,
  largenet,
  tinyvgg,
  alexnet,
  alexnet2012,
  zfnet,
  zfnet512,
  ...vggs,
  nin,
  ninCifar10,
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
