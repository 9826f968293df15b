/** `npm run docs:onnx`: writes docs/onnx.md, with a table of the ops that models may have. */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Definition } from "../src/interop/onnx/definition.js";
import { dtypeOf, elementTypeFrom } from "../src/interop/onnx/elementTypes.js";
import { newestOpset, table as ops } from "../src/interop/onnx/ops/index.js";
import { dataTypes } from "../src/interop/onnx/proto.js";
import { onnxCases } from "../test/onnx/cases/index.js";
import { table } from "./markdown.js";

/** Ops of ONNX that there are not, and why. */
export const missingOps: Readonly<Record<string, readonly string[]>> = {
  "text and encoded pictures": [
    "ImageDecoder",
    "RegexFullMatch",
    "StringConcat",
    "StringNormalizer",
    "StringSplit",
    "TfIdfVectorizer",
  ],
  sound: ["DFT", "MelWeightMatrix", "STFT"],
  "language models' caches and recurrences": ["CausalConvWithState", "LinearAttention", "TensorScatter"],
  "rare in networks for pictures": ["BitCast", "Optional", "SequenceMap"],
};

/** The whole document. */
export function describeOnnxSupport(): string {
  const names = Object.keys(ops).sort((a, b) => a.localeCompare(b, "en"));
  return `# ONNX

Made by \`npm run docs:onnx\` from the tables in src/interop/onnx/ops; a test says when it is out of date.

## Models from elsewhere

\`\`\`ts
import * as onnx from "fovea/onnx";
import { readImage } from "fovea/node";

const model = await onnx.load("classifier.onnx"); // or a URL, or the file's bytes
console.log(model.inputs); // [{ name: "image", shape: ["batch", 3, 224, 224], dtype: "float32" }]

const picture = await readImage("cat.jpg", { size: 224 });
const { scores } = await model.run({ image: picture.unsqueeze(0).to("float32").div(255) });
\`\`\`

Where a file leaves a length open, \`shape\` has its name (the same wherever the name is), or \`"?"\`. The first run with new lengths
plans a program for them, which is kept. Sizes that follow from shapes are computed while planning. Where they depend on values, as
after NonZero, or a condition does, \`run\` waits for these and goes on; such graphs cannot be part of \`compile\`.

A loaded model is a module like any other. Its floating-point initializers are parameters under the names that they have in the file:
\`model.parameters()\`, \`model.stateDict()\`, \`model.save(…)\`; \`model(x)\` gives the first output for training, and
\`model.record({ image: x })\` all of them. After \`model.train()\`, batch normalization uses and follows the batch, and dropout drops, whatever
the file says. \`onnx.export(model)\` writes it again.

On the command line:

\`\`\`sh
npx fovea run classifier.onnx --input image=cat.jpg
npx fovea run detector.onnx --input image=street.npy --output results   # each output as a .npy file
npx fovea run classifier.onnx --random --dim batch=4 --json
\`\`\`

## Models to elsewhere

\`\`\`ts
import * as onnx from "fovea/onnx";
import { models } from "fovea";

const model = models.create("resnet18");
const bytes = await onnx.export(model, { inputs: [1, 3, 224, 224] }); // any number of pictures; opset 18
const again = await onnx.export(await onnx.load(bytes)); // what has been read is written again
\`\`\`

Weights have the names of the state dict, nodes the paths of their modules, and layers are single nodes: Conv, BatchNormalization, Gemm. The
model is written as it evaluates. What ONNX cannot say, such as random numbers, is an error that names the op and the module. Options: names
of inputs and outputs, \`dynamicBatch: false\`, \`opset\` (17 to 21), \`metadata\`. Every network of the registry is compared with ONNX Runtime
(test/onnx/networks.test.ts).

On the command line, \`npx fovea export resnet18 --weights resnet18.safetensors --out resnet18.onnx\`, or \`npx fovea export runs/first --out digits.onnx\` for a
run of \`fovea train\`: the metadata then has the classes' names, and \`mean\` and \`std\` for whoever prepares pictures.

\`FromPixels\` puts that preparation into the file, which then takes bytes; \`npx fovea export runs/first --pixels\` does so for a run, and has to
where pictures are whitened, which no metadata can tell:

\`\`\`ts
import { fitNormalization, digits, models } from "fovea";
import * as onnx from "fovea/onnx";

const model = models.create("lenet5");
const normalization = await fitNormalization(await digits({ split: "train", size: 1000 }), { method: "z-score" });
const network = new onnx.FromPixels(model, normalization);
const bytes = await onnx.export(network, { inputs: [{ shape: [1, 1, 28, 28], dtype: "uint8" }] });
\`\`\`

## Numbers

${table(
  ["in the file", "in tensors"],
  Object.entries(dataTypes).flatMap(([name, number]) => {
    const type = elementTypeFrom(number);
    return type === undefined ? [] : [[`\`${name}\``, `\`${dtypeOf(type)}\``]];
  }),
)}

\`inputs\` and \`outputs\` name the file's type (\`double\` is \`float64\`). Doubles are rounded to float32, and outputs of float16 and bfloat16 to
these. Integers of 64 bits that int32 cannot hold are an error, which names the node, unless they are constants that only say how far or
how large, as the end of a slice: these are computed exactly. \`run\` also notices results that become larger than int32; \`record\`, whose
values nobody has looked at yet, cannot. Integers of fewer bits wrap around as theirs do. Text, complex numbers, and floating point and
integers of 8 bits and fewer that the table does not name are errors when the model is loaded.

## What is refused

An op, a form of an op, an attribute or a type that is not there is an error of \`load\`, which names every such node with its op and
opset. Files may be damaged or hostile: reading takes at most 64 MB and twice their size, graphs nest 32 deep, and loops end. Tensors in
other files are read from the model's own folder and from nowhere else; a model given as bytes takes them as
\`{ externalData: { "weights.bin": bytes } }\`.

## Ops

Of the domain \`ai.onnx\`, opsets 1 to ${newestOpset}, and a model's own functions. "Forms" are the opsets at which what Fovea builds changes; each holds until
the next. "Compared" counts calls whose outputs were computed by ONNX Runtime (test/onnx/cases); the ONNX project's own cases come on
top of these.

${table(
  ["op", "forms", "compared", "limits"],
  names.map((name) => [
    `\`${name}\``,
    ops[name].map(({ since }) => since).join(", "),
    String(onnxCases.filter(({ op }) => op === name).length),
    notesOf(ops[name]),
  ]),
)}

Not there are ${Object.entries(missingOps)
    .map(([reason, missing]) => `${missing.map((name) => `\`${name}\``).join(", ")} (${reason})`)
    .join("; ")}; nor are other domains than \`ai.onnx\`.

The ONNX project has cases of its own, each a small model with its inputs and outputs. Of the 1,884 for single nodes that its Python
package (1.23) makes, 1,554 pass on \`native\` and on \`wasm\`. 219 have inputs or outputs that no tensor holds: text, lists, 8-bit
floating point. 91 need an op that is not there, 10 draw random numbers, and 10 expect the last bit of arithmetic in bfloat16.

\`\`\`sh
pip install onnx && python3 scripts/onnx-cases.py cases
npm run onnx:cases -- cases --device wasm
\`\`\`
`;
}

function notesOf(forms: readonly Definition[]): string {
  return [...new Set(forms.flatMap(({ note }) => (note === undefined ? [] : [note])))].join("; ");
}

export const onnxSupportFile = fileURLToPath(new URL("../../docs/onnx.md", import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(onnxSupportFile, describeOnnxSupport());
  process.stdout.write(`written: ${onnxSupportFile}\n`);
}
