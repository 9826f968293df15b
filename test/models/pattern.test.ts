/** Networks from the lecture's pattern: what is built, and what is said of patterns that cannot be. */

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import {
  crossEntropy,
  evaluate,
  grad,
  manualSeed,
  models,
  type nn,
  normal,
  onWarning,
  tensor,
} from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";

const small = { inputShape: [1, 8, 8], numClasses: 3 } as const;

/** The layers in order, as `Sequential` prints them. */
function layersOf(network: models.PatternNetwork): string[] {
  const inside = (layers: nn.Sequential) => Array.from({ length: layers.size }, (_, i) => String(layers[i]));
  return [...inside(network.features), "|", ...inside(network.classifier)];
}

describe("models.pattern", () => {
  before(() => useDevice(anyDevice()));

  it("builds the lecture's pattern with channels that double at each pool", async () => {
    manualSeed(2);
    const network = models.pattern("[(CONV-RELU)*2 POOL]*3 (FC-RELU)*2 SOFTMAX", {
      inputShape: [3, 32, 32],
      numClasses: 10,
    });
    const convolutions = [3, 32, 32, 64, 64, 128].map((before, i) => {
      return `Conv2d(${before}, ${[32, 32, 64, 64, 128, 128][i]}, kernel 3, padding same)`;
    });
    const relu = "ReLU()";
    const block = (i: number) => [convolutions[2 * i], relu, convolutions[2 * i + 1], relu, "MaxPool2d(kernel 2)"];
    assert.deepEqual(layersOf(network), [
      ...[...block(0), ...block(1), ...block(2), "|"],
      ...["Linear(2048, 128)", relu, "Linear(128, 128)", relu, "Linear(128, 10)"],
    ]);
    const x = normal([4, 3, 32, 32]);
    const loss = crossEntropy(network(x), tensor([0, 9, 3, 3], { dtype: "int32" }));
    const gradients = grad(loss, network.parameters());
    await evaluate(...gradients);
    for (const gradient of gradients) assert.ok((await gradient.data()).some((value) => value !== 0));
    assert.deepEqual(
      network.featureInfo.map(({ channels, reduction }) => [channels, reduction]),
      [
        [32, 1],
        [64, 2],
        [128, 4],
        [128, 8],
      ],
    );
  });

  it("is a network like others: its classifier can be replaced, and it slides", () => {
    const network = models.pattern("CONV RELU POOL FC SOFTMAX", small);
    network.resetClassifier(5);
    assert.equal(network.numClasses, 5);
    assert.deepEqual(models.toConvolutional(network)(normal([1, 1, 12, 8])).shape, [1, 5, 3, 1]);
    assert.equal([...network.namedStates()][0][0], "features.0.weight");
  });

  it("takes letters for numbers, either answer to a question mark, and any separators, brackets and case", () => {
    const text = "[(CONV-RELU)*N POOL?]*M (FC-RELU)*K SOFTMAX";
    const built = (options: Partial<models.PatternOptions>, pattern = text) =>
      layersOf(models.pattern(pattern, { ...small, channels: 4, units: 6, ...options }))
        .join(" ")
        .replaceAll(/\([^)]*\)/g, "");
    assert.equal(
      built({ N: 1, M: 2, K: 1, optional: [true, false] }),
      "Conv2d ReLU MaxPool2d Conv2d ReLU | Linear ReLU Linear",
    );
    assert.equal(built({ N: 2, M: 1, K: 0, optional: false }), "Conv2d ReLU Conv2d ReLU | Linear");
    assert.equal(built({ N: 1, M: 1, K: 0 }), "Conv2d ReLU MaxPool2d | Linear");
    assert.equal(built({}, "softmax"), "| Linear");
    assert.equal(
      built({}, "(conv, bn→Tanh)×2  pool * 2\nDropout\tFC bn SIGMOID softmax"),
      [
        ...["Conv2d BatchNorm2d Tanh Conv2d BatchNorm2d Tanh MaxPool2d MaxPool2d Dropout |"],
        ...["Linear BatchNorm1d Sigmoid Linear"],
      ].join(" "),
    );
  });

  it("takes sizes as lists, and other filters and windows", () => {
    const network = models.pattern("(CONV POOL)*2 CONV (FC-DROPOUT)*2 SOFTMAX", {
      ...{ inputShape: [2, 18, 27], numClasses: 4, channels: [5, 7, 6], units: [9, 8], kernelSize: 4 },
      ...{ poolSize: 3, dropout: 0.25 },
    });
    assert.deepEqual(layersOf(network), [
      ...["Conv2d(2, 5, kernel 4, padding same)", "MaxPool2d(kernel 3)"],
      ...["Conv2d(5, 7, kernel 4, padding same)", "MaxPool2d(kernel 3)", "Conv2d(7, 6, kernel 4, padding same)", "|"],
      ...["Linear(36, 9)", "Dropout(p 0.25)", "Linear(9, 8)", "Dropout(p 0.25)", "Linear(8, 4)"],
    ]);
  });

  it("warns when pooling leaves out a border", () => {
    const said: string[] = [];
    onWarning((message) => said.push(message));
    // Of a size that no other test has: each warning is given once.
    models.pattern("CONV POOL POOL SOFTMAX", { ...small, inputShape: [1, 22, 22] })(normal([1, 1, 22, 22]));
    assert.match(said.join("\n"), /^features\.2: maxPool2d: .* leave out the last 1 of 11 rows/);
    onWarning(() => {});
  });

  const mistakes: [pattern: string, message: RegExp, options?: Partial<models.PatternOptions>][] = [
    ["", /at its end there is no layer. Expected a pattern such as \(CONV-RELU\)\*2 POOL FC-RELU SOFTMAX\./],
    ["CONV SOFTMX", /at character 6 "SOFTMX" is no layer. Did you mean SOFTMAX\? Expected one of CONV, RELU/],
    ["CONV5 SOFTMAX", /at character 1 "CONV5" is no layer. Did you mean CONV\?/],
    ["[CONV-RELU SOFTMAX", /at its end the bracket at character 1 is not closed. Expected "\]"/],
    ["[CONV-RELU) SOFTMAX", /at character 11 "\)" is unexpected/],
    ["()*2 SOFTMAX", /at character 1 there is nothing between the brackets/],
    ["CONV*x SOFTMAX", /at character 6 after \* there is no count. Expected a number, N, M or K/],
    ["CONV*N SOFTMAX", /at character 6 nothing says how often N is. Expected a number. Fix: \{ N: 2 \}/],
    ["CONV*N SOFTMAX", /at character 6 N is -1. Expected an integer of 0 or more/, { N: -1 }],
    ["CONV & SOFTMAX", /at character 6 "&" is unexpected/],
    ["((CONV)*99999)*99999 SOFTMAX", /more than 10000 layers and repetitions/],
    ["((CONV*0)*99999)*99999 SOFTMAX", /more than 10000 layers and repetitions/],
    [`${"(".repeat(100_000)}CONV`, /at character 100 there are too many open brackets/],
    ["CONV-RELU", /at character 6 RELU is the end. Expected SOFTMAX at the end/],
    ["SOFTMAX CONV SOFTMAX", /at character 1 SOFTMAX is not the end/],
    ["FC CONV SOFTMAX", /at character 4 CONV comes after a fully connected layer/],
    [
      "(CONV POOL)*4 SOFTMAX",
      /at character 7 pooling 3 times leaves only maps of 1×1. Expected at least 2×2. Fix: fewer/,
    ],
    [
      "(CONV POOL)*2 SOFTMAX",
      /at character 2 CONV asks for number 2 of channels, but there are \[4\]/,
      { channels: [4] },
    ],
    ["FC FC SOFTMAX", /at character 4 FC asks for number 2 of units, but there are \[4\]/, { units: [4] }],
    ["(CONV POOL?)*3 SOFTMAX", /optional has 2 answers/, { optional: [true, false] }],
    ["CONV SOFTMAX", /Conv2d: the number of output channels is 0/, { channels: 0 }],
    ["CONV POOL SOFTMAX", /poolSize is 0.5/, { poolSize: 0.5 }],
    ["SOFTMAX", /numClasses is 0/, { numClasses: 0 }],
    ["SOFTMAX", /a length of inputShape is -3/, { inputShape: [1, -3, 3] }],
  ];
  for (const [pattern, message, options] of mistakes) {
    it(`refuses ${JSON.stringify(pattern.slice(0, 40))} ${options === undefined ? "" : JSON.stringify(options)}`, () => {
      assert.throws(() => models.pattern(pattern, { ...small, ...options }), message);
    });
  }
});
