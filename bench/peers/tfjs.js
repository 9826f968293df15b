/** TensorFlow.js's side of a comparison as a process: LeNet-5; its argument names the backend. */

import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { readBuffer, serve } from "../../dist/bench/sides/serve.js";
import { inference, picturesOf, training } from "../../dist/bench/sides/session.js";
import { labelsOf, weightsOf } from "../../dist/bench/sides/works.js";

const backend = process.argv[2];

async function open(job) {
  const { work } = job;
  const { lr, momentum } = job.training;
  setWasmPaths(new URL("node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).pathname);
  await tf.setBackend(backend);
  await tf.ready();
  const variables = (await weightsOf(job)).map(({ shape, data }) => {
    const value = tf.tensor(data, shape);
    // Its layouts are rows × columns × channels, and inputs × outputs.
    return tf.variable(
      shape.length === 4 ? value.transpose([2, 3, 1, 0]) : shape.length === 2 ? value.transpose() : value,
    );
  });
  const [w1, b1, w3, b3, w5, b5, w6, b6, w7, b7] = variables;
  const pictures = await picturesOf(job, readBuffer);
  const convolve = (x, w, b, padding) => x.conv2d(w, 1, padding).add(b).tanh();
  const forward = (x) => {
    const maps2 = convolve(x, w1, b1, "same").avgPool(2, 2, "valid");
    const maps4 = convolve(maps2, w3, b3, "valid").avgPool(2, 2, "valid");
    const units5 = convolve(maps4, w5, b5, "valid").reshape([-1, 120]);
    return units5.matMul(w6).add(b6).tanh().matMul(w7).add(b7);
  };
  const [channels, height, width] = work.input;
  const input = () =>
    tf.tensor(pictures, [work.batch, channels, height, width]).reshape([work.batch, height, width, channels]);
  const description = `TensorFlow.js ${tf.version.tfjs}, ${backend}`;
  if (work.kind === "inference") {
    return inference(description, async () => {
      const result = tf.tidy(() => forward(input()));
      const data = await result.data();
      result.dispose();
      return data;
    });
  }
  const x = input();
  const y = tf.oneHot(tf.tensor1d(labelsOf(work), "int32"), work.classes);
  const optimizer = tf.train.momentum(lr, momentum);
  const step = async () => {
    const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, forward(x)), true, variables);
    const [value] = await loss.data();
    loss.dispose();
    return value;
  };
  return training(description, step);
}

await serve(tf.version.tfjs, open);
