/** What is timed: networks, batches, and the ratios to reach. Runs in Node and in browsers. */

import { models, nn } from "fovea";
import type { Job } from "./session.js";

export const peerNames = ["onnxruntime-node", "onnxruntime-web", "pytorch", "tfjs", "jax-js"] as const;

export type Peer = (typeof peerNames)[number];

/** One row of the table of goals. */
export interface Work {
  /** What `--rows` calls it. */
  readonly key: string;
  readonly title: string;
  readonly kind: "inference" | "training";
  readonly network: NetworkName;
  readonly batch: number;
  /** Of one picture. */
  readonly input: readonly [channels: number, height: number, width: number];
  readonly classes: number;
  /** The peer's time over ours that is to be reached. */
  readonly goal: { readonly native: number; readonly wasm: number };
}

export type NetworkName = "vgg16" | "resnet18" | "googlenet" | "alexnet" | "lenet5" | "vgg6";

const imagenet = { batch: 1, input: [3, 224, 224], classes: 1000 } as const;
const mnist = { batch: 64, input: [1, 28, 28], classes: 10 } as const;

export const works: readonly Work[] = [
  {
    ...{ key: "vgg16", title: "VGG-16 inference, batch 1", kind: "inference", network: "vgg16" },
    ...{ ...imagenet, goal: { native: 2.2, wasm: 4 } },
  },
  {
    ...{ key: "resnet18", title: "ResNet-18 inference, batch 1", kind: "inference", network: "resnet18" },
    ...{ ...imagenet, goal: { native: 1.6, wasm: 3 } },
  },
  {
    ...{ key: "googlenet", title: "GoogLeNet inference, batch 1", kind: "inference", network: "googlenet" },
    ...{ ...imagenet, goal: { native: 1.3, wasm: 2 } },
  },
  {
    ...{ key: "alexnet", title: "AlexNet inference, batch 1", kind: "inference", network: "alexnet" },
    ...{ ...imagenet, goal: { native: 1.3, wasm: 2 } },
  },
  {
    ...{ key: "lenet5", title: "LeNet-5 inference, 64 pictures", kind: "inference", network: "lenet5" },
    ...{ ...mnist, goal: { native: 2, wasm: 3 } },
  },
  {
    ...{ key: "train-lenet5", title: "LeNet-5 training step (64)", kind: "training", network: "lenet5" },
    ...{ ...mnist, goal: { native: 3, wasm: 1 } },
  },
  {
    ...{ key: "train-vgg6", title: "six-layer VGG with batch norm, 32×32, training step (64)", kind: "training" },
    ...{ network: "vgg6", batch: 64, input: [3, 32, 32], classes: 10, goal: { native: 2.5, wasm: 1 } },
  },
  {
    ...{ key: "train-alexnet", title: "AlexNet training step (8)", kind: "training", network: "alexnet" },
    ...{ ...imagenet, batch: 8, goal: { native: 1.6, wasm: 0.6 } },
  },
  {
    ...{ key: "train-resnet18", title: "ResNet-18, 224×224, training step (8)", kind: "training", network: "resnet18" },
    ...{ ...imagenet, batch: 8, goal: { native: 2, wasm: 0.8 } },
  },
];

/** The peak memory of a training step: the peer's over ours. */
export const memoryGoal = 1.7;

/** VGG-16 in WebAssembly against ONNX Runtime's native code, on one thread. */
export const wasmAgainstNativeGoal = 1;

export const trainingSettings = { lr: 0.01, momentum: 0.9 } as const;

export function createNetwork(name: NetworkName): nn.Layer {
  return name === "vgg6" ? sixLayerVgg() : models.create(name);
}

/** Six convolutions of 3×3 with batch normalization, three poolings and a classifier; as in pytorch.py. */
function sixLayerVgg(): nn.Layer {
  const layers: nn.Layer[] = [];
  let channels = 3;
  for (const width of [64, 128, 256]) {
    for (let i = 0; i < 2; i++) {
      layers.push(new nn.Conv2d(channels, width, 3, { padding: 1 }), new nn.BatchNorm2d(width), new nn.ReLU());
      channels = width;
    }
    layers.push(new nn.MaxPool2d(2));
  }
  return new nn.Sequential(...layers, new nn.Flatten(), new nn.Linear(256 * 4 * 4, 10));
}

/** The classes that pictures are said to have. */
export function labelsOf({ batch, classes }: Work): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: batch }, (_, i) => (i * 7) % classes);
}

/** The weights of a file, in order, for frameworks that do not read it. */
export async function weightsOf({ work, files }: Job) {
  const network = createNetwork(work.network);
  if (files !== undefined) await network.load(files.weights);
  return Object.values(await network.stateDict());
}
