/** TensorFlow.js layers models: where they come from, what is refused, and a trained one. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { tinyVggClasses } from "../../src/classes/index.js";
import { FileError, FormatError, FoveaError, nn, StateDictError, tensor } from "../../src/index.js";
import { loadSharp } from "../../src/node/image.js";
import { readImage } from "../../src/node.js";
import { loadTfjs, loadTfjsWeights } from "../../src/tfjs.js";
import { serve } from "../support/server.js";

const goldens = fileURLToPath(new URL("../../../test/goldens/tfjs/", import.meta.url));
const quantized = join(goldens, "quantized");
const root = await mkdtemp(join(tmpdir(), "fovea-tfjs-"));
after(() => rm(root, { recursive: true }));

const picture = tensor(
  Float32Array.from({ length: 50 }, (_, i) => Math.sin(i)),
  [1, 2, 5, 5],
);

describe("a model of TensorFlow.js", () => {
  it("comes from a folder, a path, an address and files, and is the same", async () => {
    const outputs: Float32Array[] = [];
    const address = await serve((request, response) => response.end(readFileSync(quantized + (request.url ?? ""))));
    const files = readdirSync(quantized).map((name) => new File([readFileSync(join(quantized, name))], name));
    for (const source of [quantized, join(quantized, "model.json"), `${address}model.json`, files]) {
      const model = await loadTfjs(source);
      assert.deepEqual(model.inputShape, [2, 5, 5]);
      assert.equal(model.training, false);
      outputs.push(await model(picture).data());
    }
    for (const output of outputs) assert.deepEqual(output, outputs[0]);
  });

  it("is saved and loaded like any module", async () => {
    const model = await loadTfjs(quantized);
    const again = await loadTfjs(quantized);
    for (const parameter of again.parameters()) parameter.assign(parameter.value.mul(0));
    again.loadStateDict(await model.stateDict());
    assert.deepEqual(await again(picture).data(), await model(picture).data());
  });

  it("gives its weights to a network of the same layers, by order or by name", async () => {
    const model = await loadTfjs(quantized);
    const expected = await model(picture).data();
    const relu = () => new nn.ReLU();
    const network = new nn.Sequential(
      ...[new nn.Conv2d(2, 4, 3), relu(), new nn.Flatten(), new nn.Linear(36, 6), relu(), new nn.Linear(6, 5)],
    );
    await loadTfjsWeights(network, quantized);
    assert.deepEqual(await network(picture).data(), expected);

    const other = new nn.Sequential(new nn.Conv2d(2, 4, 3), new nn.Flatten(), new nn.Linear(36, 5));
    await assert.rejects(loadTfjsWeights(other, quantized), (error) => {
      assert.ok(error instanceof StateDictError);
      assert.match(
        error.message,
        /do not fit Sequential\. The file has conv2d_\w+ \(weight 4×2×3×3, bias 4\); .*Expected 0 \(weight/,
      );
      return true;
    });
  });

  interface Json {
    modelTopology: {
      class_name: string;
      config: { layers: { class_name: string; config: Record<string, unknown>; inbound_nodes?: unknown }[] };
    };
    weightsManifest: {
      paths: string[];
      weights: { name: string; shape: number[]; dtype: string; quantization?: unknown }[];
    }[];
  }

  /** A copy of a golden in which something is spoilt. */
  async function spoilt(name: string, spoil: (json: Json) => void): Promise<string> {
    const folder = await mkdtemp(join(root, "spoilt-"));
    await cp(join(goldens, name), folder, { recursive: true });
    const path = join(folder, "model.json");
    const json: Json = JSON.parse(await readFile(path, "utf8"));
    spoil(json);
    await writeFile(path, JSON.stringify(json));
    return folder;
  }

  const layer = (json: Json, className: string) => {
    const found = json.modelTopology.config.layers.find((each) => each.class_name === className);
    assert.ok(found !== undefined);
    return found;
  };
  const set = (className: string, key: string, value: unknown) => (json: Json) => {
    layer(json, className).config[key] = value;
  };

  const cases: readonly (readonly [what: string, message: RegExp, golden: string, spoil: (json: Json) => void])[] = [
    [
      "a class that is not there",
      /layer "dense_\w+" \(LSTM\): there is no such layer here\. Expected one of InputLayer, Conv2D/,
      "quantized",
      (json) => {
        layer(json, "Dense").class_name = "LSTM";
      },
    ],
    [
      "a class named like a method of objects",
      /\(toString\): there is no such layer/,
      "quantized",
      (json) => {
        layer(json, "Dense").class_name = "toString";
      },
    ],
    [
      "an activation that is not there",
      /\(Dense\): there is no activation "sine" here/,
      "quantized",
      set("Dense", "activation", "sine"),
    ],
    [
      "channels first",
      /\(Conv2D\): data_format is "channels_first"\. Expected "channels_last"/,
      "quantized",
      set("Conv2D", "data_format", "channels_first"),
    ],
    [
      "a padding that is not there",
      /padding is "causal"\. Expected "valid" or "same"/,
      "quantized",
      set("Conv2D", "padding", "causal"),
    ],
    [
      "other sizes than the weights",
      /\(Conv2D\): its kernel is 3×3×2×4\. Expected 3×3×2×5/,
      "quantized",
      set("Conv2D", "filters", 5),
    ],
    [
      "sizes that are no numbers",
      /filters is "4"\. Expected an integer of 1 or more/,
      "quantized",
      set("Conv2D", "filters", "4"),
    ],
    [
      "a kernel larger than the picture",
      /\(Conv2D\): .*7×7/,
      "quantized",
      (json) => {
        set("Conv2D", "kernel_size", [7, 7])(json);
        json.weightsManifest[0].weights[0].shape = [7, 7, 2, 4];
        json.weightsManifest[0].weights[0].quantization = undefined;
        json.weightsManifest[0].paths = ["large.bin"];
      },
    ],
    [
      "no input shape",
      /the first layer has no batch_input_shape/,
      "quantized",
      set("Conv2D", "batch_input_shape", undefined),
    ],
    [
      "an input that is no picture",
      /the input is \[null,5,2\]\. Expected pictures/,
      "quantized",
      set("Conv2D", "batch_input_shape", [null, 5, 2]),
    ],
    [
      "bilinear enlarging",
      /interpolation is "bilinear"\. Only "nearest" can be read/,
      "separable",
      set("UpSampling2D", "interpolation", "bilinear"),
    ],
    [
      "a reshape that does not fit",
      /target_shape is \[2,2,4\]\. Expected a shape of 12 elements/,
      "reshaped",
      (json) => {
        json.modelTopology.config.layers.filter(({ class_name }) => class_name === "Reshape")[1].config.target_shape = [
          2, 2, 4,
        ];
      },
    ],
    [
      "layers that branch",
      /layer "\w+" \(Conv2D\) takes \w+ and \w+\. Expected \w+: only models whose layers form a chain/,
      "functional",
      (json) => {
        const { layers } = json.modelTopology.config;
        layers[3].inbound_nodes = [
          [
            [layers[2].config.name, 0, 0, {}],
            [layers[1].config.name, 0, 0, {}],
          ],
        ];
      },
    ],
    [
      "a layer that is passed by",
      /takes input1\. Expected \w+/,
      "functional",
      (json) => {
        const { layers } = json.modelTopology.config;
        layers[2].inbound_nodes = layers[1].inbound_nodes;
      },
    ],
    [
      "a graph model",
      /has no modelTopology|holds no layers/,
      "quantized",
      (json) => {
        Object.assign(json, { format: "graph-model", modelTopology: { node: [] } });
      },
    ],
    [
      "no manifest",
      /weightsManifest is "x"\. Expected a list/,
      "quantized",
      (json) => {
        Object.assign(json, { weightsManifest: "x" });
      },
    ],
    [
      "files outside the folder",
      /has the paths \["\.\.\/\.\.\/secret"\]\. Expected names of files beside model\.json/,
      "quantized",
      (json) => {
        json.weightsManifest[0].paths = ["../../secret"];
      },
    ],
    [
      "files elsewhere on the web",
      /Expected names of files beside/,
      "quantized",
      (json) => {
        json.weightsManifest[0].paths = ["http://127.0.0.1/x.bin"];
      },
    ],
    [
      "a weight that is missing",
      /of its kernel there is none among the weights\. Expected conv2d_\w+\/kernel/,
      "quantized",
      (json) => {
        json.weightsManifest[0].weights[0].name = "other/kernel";
      },
    ],
    [
      "a weight that no layer takes",
      /no layer takes the weights other\/thing/,
      "quantized",
      (json) => {
        json.weightsManifest[0].weights.push({ name: "other/thing", shape: [0], dtype: "float32" });
      },
    ],
    [
      "a weight that is there twice",
      /the weight "\w+\/bias" is there twice/,
      "quantized",
      (json) => {
        json.weightsManifest[0].weights[0].name = json.weightsManifest[0].weights[1].name;
      },
    ],
    [
      "too few bytes",
      /the weights of .*bin need \d+ bytes, but there are 576/,
      "quantized",
      (json) => {
        json.weightsManifest[0].weights.push({ name: "more", shape: [2 ** 40], dtype: "float32" });
      },
    ],
    [
      "text among the weights",
      /weight "\w+\/kernel" has the dtype "string"\. Expected float32/,
      "quantized",
      (json) => {
        json.weightsManifest[0].weights[0].dtype = "string";
      },
    ],
    [
      "negative sizes",
      /has the shape \[-1\]/,
      "quantized",
      (json) => {
        json.weightsManifest[0].weights[0].shape = [-1];
      },
    ],
    [
      "a scale that is no number",
      /has the quantization \{"dtype":"uint8","min":0\}/,
      "quantized",
      (json) => {
        json.weightsManifest[0].weights[0].quantization = { dtype: "uint8", min: 0 };
      },
    ],
  ];
  for (const [what, message, golden, spoil] of cases) {
    it(`with ${what} is refused`, async () => {
      const folder = await spoilt(golden, spoil);
      await writeFile(
        join(folder, "large.bin"),
        new Uint8Array(7 * 7 * 2 * 4 * 4 + 4 * 2 + 36 * 6 * 2 + 6 * 4 + 30 + 10),
      );
      await assert.rejects(loadTfjs(folder), (error) => {
        assert.ok(error instanceof FormatError, String(error));
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(join(folder, "model.json")), error.message);
        return true;
      });
    });
  }

  it("with missing or damaged files is refused", async () => {
    const folder = await spoilt("quantized", () => {});
    const json = join(folder, "model.json");
    await rm(join(folder, "quantized-shard2of3.bin"));
    await assert.rejects(loadTfjs(folder), /cannot read .*shard2of3\.bin: there is no such file/);
    await writeFile(json, "{");
    await assert.rejects(loadTfjs(folder), /model\.json: not valid JSON/);
    await rm(json);
    await assert.rejects(loadTfjs(folder), FileError);
    await assert.rejects(loadTfjs([new File(["{}"], "a.bin")]), /there is no model\.json among a\.bin/);
    const files = [new File([readFileSync(join(quantized, "model.json"))], "model.json")];
    await assert.rejects(loadTfjs(files), /model\.json needs quantized-shard1of3\.bin, which is not among model\.json/);
    const missing = await serve((_, response) => response.writeHead(404).end());
    await assert.rejects(loadTfjs(missing), /cannot read http.*\/model\.json: the server answered 404/);
    const nan = await spoilt("same-padding", () => {});
    const shard = join(nan, "same-padding-shard1of1.bin");
    await writeFile(shard, (await readFile(shard)).fill(0xff, 8, 12));
    await assert.rejects(loadTfjs(nan), /holds NaN at index 2\. Expected finite weights/);
  });

  it("damaged in any other way never does more than fail", async () => {
    const names = readdirSync(goldens).filter((name) => !name.includes("."));
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const replacements = ["0", "-1", "1e9", "1e400", "null", '""', "[]", "{}", "[[[]]]", '"same"', "9007199254740993"];
    let loaded = 0;
    for (let round = 0; round < 600; round++) {
      const folder = join(goldens, names[round % names.length]);
      const files = readdirSync(folder)
        .filter((name) => name !== "values.json")
        .map((name) => {
          let bytes = Uint8Array.from(readFileSync(join(folder, name)));
          if (name === "model.json" && round % 3 !== 0) {
            // A value in place of another one.
            const text = new TextDecoder().decode(bytes);
            const values = [...text.matchAll(/:("[^"]*"|[\d.e-]+|true|false|null)/g)];
            const { index, 0: found } = values[random(values.length)];
            bytes = new TextEncoder().encode(
              `${text.slice(0, index)}:${replacements[random(replacements.length)]}${text.slice(index + found.length)}`,
            );
          } else if (round % 3 === 0) {
            bytes = bytes.slice(0, bytes.length - random(3));
            for (let i = 0; i < 2; i++) bytes[random(bytes.length)] = random(256);
          }
          return new File([bytes], name);
        });
      try {
        await loadTfjs(files);
        loaded++;
      } catch (error) {
        assert.ok(
          error instanceof FoveaError && error.code !== "FOVEA_INTERNAL",
          `round ${round}: ${error instanceof Error ? error.stack : error}`,
        );
      }
    }
    assert.ok(loaded > 50 && loaded < 550, `${loaded} of 600 were loaded`);
  });
});

const shared = fileURLToPath(new URL("../../../../shared/weights/tinyvgg-cnn-explainer/", import.meta.url));
const sharp = await loadSharp().then(
  () => true,
  () => false,
);
const skip = existsSync(shared) ? !sharp && "sharp is not installed" : "the trained Tiny VGG is not on this machine";

it("Tiny VGG names at least 14 of its 20 sample pictures", { skip }, async () => {
  const beginnings = ["boat", "bug", "pizza", "pepper", "bus", "koala", "espresso", "panda", "orange", "car"];
  const model = await loadTfjs(join(shared, "model.json"));
  let [right, all] = [0, 0];
  for (const file of readdirSync(join(shared, "img"))) {
    const label = beginnings.findIndex((beginning) => basename(file).startsWith(beginning));
    if (label === -1) continue;
    const pixels = await readImage(join(shared, "img", file));
    const probabilities = await model(pixels.unsqueeze(0).to("float32").div(255)).data();
    all++;
    if (probabilities.indexOf(Math.max(...probabilities)) === label) right++;
  }
  assert.equal(all, 20);
  assert.equal(tinyVggClasses.length, 10);
  assert.ok(right >= 14, `${right} of 20`);
});
