/**
 * Forward and gradient of single ops against PyTorch, where there is one: medians of interleaved runs, and their ratios.
 * Run with `npm run bench:ops`; words name the ops to time, `--threads N` and `--json` as they say.
 */

import * as fovea from "fovea";
import {
  compile,
  type DeviceName,
  grad,
  listDevices,
  mul,
  normal,
  type Shape,
  setDevice,
  sum,
  type Tensor,
} from "fovea";
import { median, Peer } from "./peer.js";

const rounds = 7;
const millisecondsPerRound = 60;

const pictures: Shape = [16, 32, 56, 56];
const sounds: Shape = [32, 64, 1024];
const films: Shape = [4, 16, 16, 28, 28];
const features: Shape = [4096, 512];

type Function = (...inputs: Tensor[]) => Tensor;
const labels = () => fovea.tensor(Int32Array.from({ length: 4096 }, (_, i) => i % 512));

/** As in torch_ops.py. */
const ops: Readonly<Record<string, readonly [readonly Shape[], Function]>> = {
  conv1d: [[sounds, [64, 64, 9]], (x, w) => fovea.conv1d(x, w, null, { padding: 4 })],
  conv2d: [[pictures, [32, 32, 3, 3]], (x, w) => fovea.conv2d(x, w, null, { padding: 1 })],
  "conv2d depthwise": [[pictures, [32, 1, 3, 3]], (x, w) => fovea.conv2d(x, w, null, { padding: 1, groups: 32 })],
  "conv2d stride 2": [[pictures, [64, 32, 3, 3]], (x, w) => fovea.conv2d(x, w, null, { padding: 1, stride: 2 })],
  "conv2d dilated": [[pictures, [32, 32, 3, 3]], (x, w) => fovea.conv2d(x, w, null, { padding: 2, dilation: 2 })],
  "conv2d reflect": [
    [pictures, [32, 32, 3, 3]],
    (x, w) => fovea.conv2d(x, w, null, { padding: 1, paddingMode: "reflect" }),
  ],
  conv3d: [[films, [16, 16, 3, 3, 3]], (x, w) => fovea.conv3d(x, w, null, { padding: 1 })],
  convTranspose2d: [[pictures, [32, 16, 4, 4]], (x, w) => fovea.convTranspose2d(x, w, null, { stride: 2, padding: 1 })],
  convTranspose3d: [[films, [16, 8, 2, 2, 2]], (x, w) => fovea.convTranspose3d(x, w, null, { stride: 2 })],
  maxPool2d: [[pictures], (x) => fovea.maxPool2d(x, 3, { stride: 2, padding: 1 })],
  maxPool3d: [[films], (x) => fovea.maxPool3d(x, 2)],
  avgPool2d: [[pictures], (x) => fovea.avgPool2d(x, 2)],
  lpPool2d: [[pictures], (x) => fovea.lpPool2d(x, 2)],
  adaptiveAvgPool2d: [[pictures], (x) => fovea.adaptiveAvgPool2d(x, 5)],
  adaptiveMaxPool2d: [[pictures], (x) => fovea.adaptiveMaxPool2d(x, 5)],
  "upsample nearest": [[pictures], (x) => fovea.upsample(x, { scale: 2 })],
  "upsample linear": [[pictures], (x) => fovea.upsample(x, { scale: 2, mode: "linear" })],
  pixelShuffle: [[pictures], (x) => fovea.pixelShuffle(x, 2)],
  batchNorm: [[pictures, [32], [32]], batchNorm],
  layerNorm: [[features, [512], [512]], (x, weight, bias) => fovea.layerNorm(x, [512], { weight, bias })],
  groupNorm: [[pictures, [32], [32]], (x, weight, bias) => fovea.groupNorm(x, 8, { weight, bias })],
  instanceNorm: [[pictures], (x) => fovea.instanceNorm(x)],
  localResponseNorm: [[pictures], (x) => fovea.localResponseNorm(x, 5)],
  relu: [[pictures], (x) => fovea.relu(x)],
  gelu: [[pictures], (x) => fovea.gelu(x)],
  silu: [[pictures], (x) => fovea.silu(x)],
  elu: [[pictures], (x) => fovea.elu(x)],
  softplus: [[pictures], (x) => fovea.softplus(x)],
  prelu: [[pictures, [32]], (x, w) => fovea.prelu(x, w)],
  softmax: [[features], (x) => fovea.softmax(x)],
  crossEntropy: [[features], (x) => fovea.crossEntropy(x, labels(), { labelSmoothing: 0.1 })],
  huberLoss: [[features, features], (x, y) => fovea.huberLoss(x, y)],
  linear: [[features, [256, 512]], (x, w) => fovea.linear(x, w)],
  "matmul batched": [
    [
      [32, 128, 64],
      [32, 64, 128],
    ],
    (x, y) => fovea.matmul(x, y),
  ],
  cumsum: [[features], (x) => fovea.cumsum(x)],
  topk: [[features], (x) => fovea.topk(x, 5).values],
  unfold: [[pictures], (x) => fovea.unfold(x, 3)],
};

function batchNorm(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const layer = new fovea.nn.BatchNorm2d(x.shape[1], { affine: false });
  const y: Tensor = layer(x);
  return fovea.add(mul(y, weight.reshape([-1, 1, 1])), bias.reshape([-1, 1, 1]));
}

/** Runs an op and its gradient once, and waits for them. */
function prepare(name: string): () => Promise<void> {
  const [shapes, call] = ops[name];
  const inputs = shapes.map((shape) => normal(shape));
  const upstream = normal(call(...inputs).shape);
  const step = compile((u: Tensor, ...list: Tensor[]) => {
    const gradients = grad(sum(mul(call(...list), u)), list);
    return { gradients, first: gradients[0].reshape([-1]).slice(0) };
  });
  return async () => {
    const { gradients, first } = await step(upstream, ...inputs);
    await first.item();
    // As PyTorch does when its results go out of scope; Fovea would leave it to the garbage collector.
    for (const result of [...gradients, first]) result.dispose();
  };
}

async function time(run: () => Promise<void>, repetitions: number): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < repetitions; i++) await run();
  return (performance.now() - begun) / repetitions;
}

const words = process.argv.slice(2);
const json = words.includes("--json");
const threads = Number(words[words.indexOf("--threads") + 1]) || 1;
const wanted = words.filter((word, i) => !word.startsWith("--") && words[i - 1] !== "--threads");
const names = Object.keys(ops).filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
const devices: DeviceName[] = (["native", "wasm"] as const).filter((name) =>
  listDevices().some((each) => each.name === name && each.device !== undefined),
);
const torch = new Peer("torch_ops.py");
const hasTorch = await torch.start();
if (!json) {
  console.log(
    `milliseconds for an op and its gradient, ${threads} thread${threads === 1 ? "" : "s"}; ratios to PyTorch`,
  );
  console.log(
    ["".padEnd(20), ...[...devices, ...(hasTorch ? ["PyTorch"] : [])].map((each) => each.padStart(16))].join(""),
  );
}
for (const name of names) {
  const runs = devices.map((device) => {
    const choose = () => void setDevice(device, { threads });
    choose();
    const run = prepare(name);
    // The first run records the op, which may make tensors of its own.
    return () => {
      choose();
      return run();
    };
  });
  for (const run of runs) await time(run, 2);
  const once = await time(runs[0], 1);
  const repetitions = Math.max(1, Math.round(millisecondsPerRound / once));
  if (hasTorch) await torch.ask(`${name} ${threads} 2`);
  const times: number[][] = runs.map(() => []);
  const peers: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of runs.entries()) times[i].push(await time(run, repetitions));
    if (hasTorch) peers.push(await torch.ask(`${name} ${threads} ${repetitions}`));
  }
  const ratios = times.map((list) => median(list.map((value, i) => value / peers[i])));
  if (json) {
    for (const [i, device] of devices.entries()) {
      const timesPyTorch = hasTorch ? ratios[i] : undefined;
      console.log(JSON.stringify({ op: name, device, threads, milliseconds: median(times[i]), timesPyTorch }));
    }
    continue;
  }
  const cells = times.map((list, i) => `${median(list).toFixed(2)}${hasTorch ? ` (${ratios[i].toFixed(2)})` : ""}`);
  console.log(
    [
      name.padEnd(20),
      ...[...cells, ...(hasTorch ? [median(peers).toFixed(2)] : [])].map((cell) => cell.padStart(16)),
    ].join(""),
  );
}
torch.stop();
process.exit(0);
