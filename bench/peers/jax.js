/** jax-js's side of a comparison as a process: LeNet-5, in WebAssembly. */

import { createRequire } from "node:module";
import { defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { readBuffer, serve } from "../../dist/bench/sides/serve.js";
import { inference, picturesOf, training } from "../../dist/bench/sides/session.js";
import { labelsOf, weightsOf } from "../../dist/bench/sides/works.js";

const { version } = createRequire(import.meta.url)("./node_modules/@jax-js/jax/package.json");

const convolve = (x, w, b, padding) => {
  const borders = [
    [padding, padding],
    [padding, padding],
  ];
  return np.tanh(lax.convGeneralDilated(x, w, [1, 1], borders).add(b.reshape([1, -1, 1, 1])));
};

const pool = (x) => {
  const [batch, channels, height, width] = x.shape;
  return np.mean(x.reshape([batch, channels, height / 2, 2, width / 2, 2]), [3, 5]);
};

/** Arrays are used up by what they are given to. */
function forward([w1, b1, w3, b3, w5, b5, w6, b6, w7, b7], x) {
  const maps2 = pool(convolve(x, w1, b1, 2));
  const maps4 = pool(convolve(maps2, w3, b3, 0));
  const units5 = convolve(maps4, w5, b5, 0).reshape([-1, 120]);
  const units6 = np.tanh(np.matmul(units5, w6.transpose()).add(b6));
  return np.matmul(units6, w7.transpose()).add(b7);
}

const lossOf = (weights, x, y) => nn.logSoftmax(forward(weights, x), -1).mul(y).sum(-1).mean().mul(-1);

async function open(job) {
  const { work } = job;
  const { lr, momentum } = job.training;
  await init("cpu", "wasm");
  defaultDevice("wasm");
  let weights = (await weightsOf(job)).map(({ shape, data }) => np.array(data).reshape([...shape]));
  const pictures = await picturesOf(job, readBuffer);
  const input = () => np.array(pictures).reshape([work.batch, ...work.input]);
  const refs = (list) => list.map((each) => each.ref);
  const description = `jax-js ${version}, wasm`;
  if (work.kind === "inference") {
    const run = jit(forward);
    return inference(description, async () => run(refs(weights), input()).data());
  }
  const labels = nn.oneHot(np.array(labelsOf(work), { dtype: np.int32 }), work.classes);
  const x = input();
  let velocities = weights.map(({ shape }) => np.zeros(shape));
  const update = jit((weights, velocities, x, y) => {
    const [loss, gradients] = valueAndGrad(lossOf)(refs(weights), x, y);
    const faster = velocities.map((velocity, i) => velocity.mul(momentum).add(gradients[i]));
    return [loss, weights.map((weight, i) => weight.sub(faster[i].ref.mul(lr))), faster];
  });
  const step = async () => {
    const [loss, newWeights, newVelocities] = update(weights, velocities, x.ref, labels.ref);
    [weights, velocities] = [newWeights, newVelocities];
    const [value] = await loss.data();
    return value;
  };
  return training(description, step);
}

await serve(version, open);
