/**
 * Training that can be repeated, for tests that compare its results bit for bit; in this process, or in one of its own:
 *
 *   node dist/test/support/training.js '{"backend":"native","threads":2,"network":"lenet5","steps":30}'
 */

import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import type { Device } from "../../src/backends/backend.js";
import { createNativeDevice } from "../../src/backends/native/device.js";
import { createWasmDevice, type WasmVariant } from "../../src/backends/wasm/device.js";
import {
  Adam,
  compile,
  crossEntropy,
  Generator,
  manualSeed,
  models,
  nn,
  type Optimizer,
  SGD,
  type Shape,
  type Tensor,
  tensor,
  uniform,
} from "../../src/index.js";
import { useDevice } from "./devices.js";

export interface Run {
  readonly backend: "native" | "wasm";
  /** Instruction set, or variant of the WebAssembly kernels; the best unless given. */
  readonly variant?: string;
  readonly threads?: number;
  readonly shared?: false;
  readonly network: keyof typeof networks;
  readonly steps: number;
}

type Classifier = (x: Tensor) => Tensor;

/** What is trained, how, and on batches of which sizes. */
const networks = {
  lenet5: (): [nn.Module & Classifier, Optimizer, readonly number[]] => {
    const model = models.create("lenet5");
    return [model, new SGD(model.parameters(), { lr: 0.05, momentum: 0.9, nesterov: true }), [64, 37, 1, 16]];
  },
  dropout: (): [nn.Module & Classifier, Optimizer, readonly number[]] => {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 5, 3, { stride: 2, padding: 1 }),
      new nn.BatchNorm2d(5),
      new nn.ReLU(),
      new nn.MaxPool2d(3, { stride: 2 }),
      new nn.Flatten(),
      new nn.Dropout(0.3),
      new nn.Linear(180, 33),
      new nn.Tanh(),
      new nn.Dropout(0.5),
      new nn.Linear(33, 10),
    );
    return [model, new Adam(model.parameters(), { lr: 0.003 }), [32, 7, 19]];
  },
};

export function openDevice({ backend, variant, threads, shared }: Run): Device {
  if (backend === "wasm") return createWasmDevice({ threads, shared, variant: variant as WasmVariant | undefined });
  const before = process.env.FOVEA_ISA;
  if (variant !== undefined) process.env.FOVEA_ISA = variant;
  try {
    return createNativeDevice({ threads });
  } finally {
    if (before === undefined) delete process.env.FOVEA_ISA;
    else process.env.FOVEA_ISA = before;
  }
}

/** Trains, and returns a digest of the bits of each weight, and of all losses. */
export async function train(device: Device, { network, steps }: Run): Promise<Record<string, string>> {
  useDevice(device);
  manualSeed(11);
  const data = new Generator(5);
  const [model, optimizer, batches] = networks[network]();
  const step = compile((x: Tensor, labels: Tensor<Shape, "int32">) => {
    const loss = crossEntropy(model(x), labels);
    loss.backward();
    void optimizer.step();
    return loss;
  });
  const losses: number[] = [];
  for (let n = 0; n < steps; n++) {
    const size = batches[n % batches.length];
    const x = uniform([size, 1, 28, 28], -1, 1, { generator: data });
    const labels = tensor(Int32Array.from({ length: size }, (_, i) => (i * 7 + n) % 10));
    losses.push(await (await step(x, labels)).item());
  }
  const digest = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>) => {
    return createHash("sha256")
      .update(new Uint8Array(buffer, byteOffset, byteLength))
      .digest("hex")
      .slice(0, 16);
  };
  const weights = Object.entries(await model.stateDict()).map(([name, { data }]) => [name, digest(data)]);
  return { ...Object.fromEntries(weights), losses: digest(Float64Array.from(losses)) };
}

if (process.argv[2] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const run: Run = JSON.parse(process.argv[2]);
  const device = openDevice(run);
  console.log(JSON.stringify(await train(device, run)));
  await device.close();
}
