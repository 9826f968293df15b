/** What the tests of the whole engine run in a page, in a worker of it, and in Node. */

import {
  avgPool2d,
  compile,
  createWasmDevice,
  crossEntropy,
  DataLoader,
  digits,
  FoveaError,
  Generator,
  listDevices,
  manualSeed,
  models,
  nn,
  normal,
  normalizePixels,
  SGD,
  type Shape,
  setDevice,
  type Tensor,
  tensor,
  type WasmDeviceOptions,
  zeros,
} from "../../src/index.js";

async function digest(parts: readonly ArrayBufferView[]): Promise<string> {
  const bytes = await new Blob(parts as BlobPart[]).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Turns that timers and the screen get while `work` goes on. */
async function countTurns<T>(work: () => Promise<T>): Promise<{ result: T; timers: number; frames: number }> {
  const count = { timers: 0, frames: 0 };
  let running = true;
  const timer = setInterval(() => count.timers++, 1);
  const nextFrame = () => {
    count.frames++;
    if (running) requestAnimationFrame(nextFrame);
  };
  if (typeof requestAnimationFrame === "function") requestAnimationFrame(nextFrame);
  try {
    return { result: await work(), ...count };
  } finally {
    running = false;
    clearInterval(timer);
  }
}

export interface Training {
  readonly isolated: boolean;
  readonly variant: string;
  readonly threads: number;
  /** Of the pictures that it trained on. */
  readonly data: string;
  /** Of all weights after the last step. */
  readonly weights: string;
  readonly losses: readonly number[];
  readonly timers: number;
  readonly frames: number;
}

/** LeNet-5 on digits: `steps` steps of a compiled function. */
export async function train(options: WasmDeviceOptions, steps: number): Promise<Training> {
  const device = createWasmDevice(options);
  setDevice(device);
  manualSeed(1);
  const pictures = await digits({ split: "train", size: 640 });
  const model = models.create("lenet5");
  const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const step = compile((images: Tensor<Shape, "uint8">, labels: Tensor<Shape, "int32">) => {
    const loss = crossEntropy(model(normalizePixels(images)), labels);
    loss.backward();
    void optimizer.step();
    return loss;
  });
  const loader = new DataLoader(pictures, { batchSize: 32, shuffle: true, seed: 1 });
  const seen: Uint8Array[] = [];
  const losses: number[] = [];
  const { timers, frames } = await countTurns(async () => {
    for (let done = 0, epoch = 0; done < steps; epoch++) {
      for await (const { images, labels, shape } of loader.epoch(epoch)) {
        if (epoch === 0) seen.push(images);
        const loss = await step(tensor(images, shape), tensor(labels));
        if (done++ % 50 === 0 || done === steps) losses.push(await loss.item());
        if (done === steps) break;
      }
    }
  });
  const weights = await digest(Object.values(await model.stateDict()).map(({ data }) => data));
  const { variant, threads } = device;
  await device.close();
  const isolated = globalThis.crossOriginIsolated === true;
  return { isolated, variant, threads, data: await digest(seen), weights, losses, timers, frames };
}

class TooFewChannels extends nn.Module {
  c1 = new nn.Conv2d(1, 6, 5);

  override forward(x: Tensor): Tensor {
    return avgPool2d(this.c1(x), 2);
  }
}

const failures: Readonly<Record<string, () => unknown>> = {
  "wrong shape": () => new nn.Sequential(new nn.ReLU(), new TooFewChannels())(zeros<Shape>([1, 3, 28, 28])),
  "label out of range": () => crossEntropy(zeros([2, 3]), tensor([0, 7], { dtype: "int32" })).item(),
  "missing file": () => models.create("lenet5").load("/missing.safetensors"),
  "no files to write": () => models.create("lenet5").save("weights.safetensors"),
  "no native device": () => setDevice("native"),
};

/** Codes and messages of errors, by what went wrong; of all of them unless some are named. */
export async function errors(names: readonly string[] = Object.keys(failures)): Promise<Record<string, string>> {
  const device = createWasmDevice({ threads: 1 });
  setDevice(device);
  const texts: Record<string, string> = {};
  for (const name of names) {
    try {
      await failures[name]();
      texts[name] = "no error";
    } catch (error) {
      texts[name] = error instanceof FoveaError ? `${error.code} ${error.message}` : `not ours: ${error}`;
    }
  }
  await device.close();
  return texts;
}

/** Which devices there are, and the scores of a network with the weights at `path`, a URL in pages. */
export async function loadAndScore(options: WasmDeviceOptions, path: string) {
  const usable = listDevices().filter(({ reason }) => reason === undefined);
  const device = createWasmDevice(options);
  setDevice(device);
  const model = models.create("lenet5").eval();
  await model.load(path);
  const scores = await model(normal([3, 1, 28, 28], 0, 1, { generator: new Generator(5) })).array();
  await device.close();
  return { usable: usable.map(({ name }) => name), scores };
}
