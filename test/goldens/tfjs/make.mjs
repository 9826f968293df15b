/**
 * Writes the goldens beside this file: small TensorFlow.js models as it saves them, and what it computes with them, for
 * tfjs.test.ts to compare with.
 *
 *   npm install --no-save --prefix /tmp/tfjs @tensorflow/tfjs && node test/goldens/tfjs/make.mjs /tmp/tfjs
 */

import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const tf = createRequire(`${process.argv[2]}/`)("@tensorflow/tfjs");
await tf.setBackend("cpu");

let state = 1;
/** Uniform in [-1, 1). */
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
}
const randomTensor = (shape, low = -1, high = 1) =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => low + ((random() + 1) / 2) * (high - low)),
    shape,
  );

const base64 = (values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");

/** Values as integers of so many levels, and how the manifest describes that. */
function quantize(values, dtype) {
  const levels = dtype === "uint8" ? 255 : 65535;
  const min = Math.min(...values);
  const scale = (Math.max(...values) - min) / levels || 1;
  const array = dtype === "uint8" ? Uint8Array : Uint16Array;
  return {
    bytes: array.from(values, (value) => Math.round((value - min) / scale)),
    quantization: { dtype, min, scale },
  };
}

/** The nearest half, ties away from zero; only for numbers of common size. */
function half(value) {
  if (value === 0) return 0;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value))));
  const fraction = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) * 1024 + fraction);
}

async function golden(name, model, { encodings = ["float32"], shards = 1, batch = 2 } = {}) {
  model.setWeights(
    model.weights.map(({ shape, name }) =>
      /variance/.test(name) ? randomTensor(shape, 0.2, 2) : randomTensor(shape, -0.6, 0.6),
    ),
  );
  let saved;
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0) } };
    }),
  );
  // TensorFlow.js forgets to write this setting, unlike Keras.
  for (const [i, { config }] of saved.modelTopology.config.layers.entries()) {
    const { depthMultiplier } = model.layers[i];
    if (depthMultiplier !== undefined) config.depth_multiplier = depthMultiplier;
  }
  let at = 0;
  const pieces = [];
  const specs = saved.weightSpecs.map((spec, i) => {
    const length = spec.shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(saved.weightData.slice(at, at + 4 * length));
    at += 4 * length;
    const encoding = encodings[i % encodings.length];
    if (encoding === "float32") {
      pieces.push(Buffer.from(values.buffer));
      return spec;
    }
    const { bytes, quantization } =
      encoding === "float16"
        ? { bytes: Uint16Array.from(values, half), quantization: { dtype: "float16" } }
        : quantize(values, encoding);
    pieces.push(Buffer.from(bytes.buffer));
    return { ...spec, quantization: { ...quantization, original_dtype: "float32" } };
  });
  const data = Buffer.concat(pieces);
  const paths = Array.from({ length: shards }, (_, i) => `${name}-shard${i + 1}of${shards}.bin`);
  const step = Math.ceil(data.length / shards);
  const folder = fileURLToPath(new URL(`./${name}/`, import.meta.url));
  await mkdir(folder, { recursive: true });
  for (const [i, path] of paths.entries()) await writeFile(folder + path, data.subarray(i * step, (i + 1) * step));
  const json = {
    format: "layers-model",
    generatedBy: saved.generatedBy,
    convertedBy: null,
    modelTopology: saved.modelTopology,
    weightsManifest: [{ paths, weights: specs }],
  };
  await writeFile(`${folder}model.json`, JSON.stringify(json));

  // As it is read again: quantised weights are not what they were.
  const weightData = data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
  const read = await tf.loadLayersModel(
    tf.io.fromMemory({ modelTopology: saved.modelTopology, weightSpecs: specs, weightData }),
  );
  const shape = [batch, ...read.inputs[0].shape.slice(1).map((length) => length ?? 12)];
  const input = randomTensor(shape);
  const output = read.predict(input);
  await writeFile(
    `${folder}values.json`,
    JSON.stringify({
      input: { shape, data: base64(await input.data()) },
      output: { shape: output.shape, data: base64(await output.data()) },
    }),
  );
  console.log(name, data.length, "bytes of weights", shape.join("×"), "→", output.shape.join("×"));
}

const l = tf.layers;
const sequential = (inputShape, ...layers) => {
  const model = tf.sequential();
  for (const [i, [make, options = {}]] of layers.entries())
    model.add(make(i === 0 ? { ...options, inputShape } : options));
  return model;
};

await golden(
  "same-padding",
  sequential(
    [11, 8, 3],
    [l.conv2d, { filters: 5, kernelSize: [3, 2], strides: [2, 2], padding: "same", activation: "relu" }],
    [l.conv2d, { filters: 4, kernelSize: 4, padding: "same", useBias: false }],
    [l.batchNormalization],
    [l.maxPooling2d, { poolSize: 3, strides: 2, padding: "same" }],
    [l.conv2d, { filters: 6, kernelSize: [2, 3], dilationRate: [1, 2], padding: "same", activation: "tanh" }],
    [l.averagePooling2d, { poolSize: [2, 3], strides: [2, 1], padding: "same" }],
    [l.flatten],
    [l.leakyReLU],
    [l.dropout, { rate: 0.4 }],
    [l.dense, { units: 7, activation: "selu" }],
    [l.dense, { units: 4, activation: "softmax" }],
  ),
);

await golden(
  "separable",
  sequential(
    [9, 12, 3],
    [
      l.zeroPadding2d,
      {
        padding: [
          [0, 1],
          [1, 2],
        ],
      },
    ],
    [l.depthwiseConv2d, { kernelSize: 3, depthMultiplier: 2, strides: 2, padding: "valid", useBias: false }],
    [l.batchNormalization, { scale: false, center: true, epsilon: 0.01 }],
    [l.reLU, { maxValue: 0.5 }],
    [l.separableConv2d, { filters: 5, kernelSize: [3, 2], padding: "same", depthMultiplier: 2, activation: "elu" }],
    [l.upSampling2d, { size: [2, 3] }],
    [l.depthwiseConv2d, { kernelSize: [2, 3], padding: "same", activation: "sigmoid" }],
    [l.spatialDropout2d ?? l.dropout, { rate: 0.3 }],
    [l.averagePooling2d, { poolSize: 2 }],
    [l.globalAveragePooling2d, {}],
    [l.dense, { units: 3 }],
    [l.softmax],
  ),
);

await golden(
  "reshaped",
  sequential(
    [6, 4, 2],
    [l.conv2d, { filters: 3, kernelSize: 1 }],
    [l.reshape, { targetShape: [4, 3, 6] }],
    [l.conv2d, { filters: 4, kernelSize: 2, activation: "relu" }],
    [l.flatten],
    [l.batchNormalization],
    [l.dense, { units: 12, useBias: false }],
    [l.reshape, { targetShape: [2, 2, 3] }],
    [l.conv2d, { filters: 2, kernelSize: 1 }],
    [l.softmax, { axis: -1 }],
    [l.reshape, { targetShape: [-1] }],
  ),
);

const input = tf.input({ shape: [null, null, 3] });
let x = input;
const names = [
  "relu",
  "relu6",
  "elu",
  "selu",
  "sigmoid",
  "hardSigmoid",
  "softplus",
  "softsign",
  "tanh",
  "swish",
  "mish",
  "gelu",
];
for (const activation of names) {
  x = l.conv2d({ filters: 3, kernelSize: 1 }).apply(x);
  x = (
    activation === "tanh" ? l.activation({ activation }) : l.conv2d({ filters: 3, kernelSize: 1, activation })
  ).apply(x);
}
x = l.globalMaxPooling2d({}).apply(x);
await golden("functional", tf.model({ inputs: input, outputs: l.dense({ units: 2, activation: "softmax" }).apply(x) }));

await golden(
  "quantized",
  sequential(
    [5, 5, 2],
    [l.conv2d, { filters: 4, kernelSize: 3, activation: "relu" }],
    [l.flatten],
    [l.dense, { units: 6, activation: "relu" }],
    [l.dense, { units: 5 }],
  ),
  { encodings: ["uint8", "float16", "uint16", "float32"], shards: 3 },
);
