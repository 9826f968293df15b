/** Weights that others have trained: on CIFAR-10, with names of classes, and from a hub. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { imagenetClasses } from "../../src/classes/index.js";
import { fromPlanar } from "../../src/data/pixels.js";
import { models } from "../../src/index.js";
import { loadSharp, writePng } from "../../src/node/image.js";
import { cifar10 } from "../../src/node.js";
import { cifarBytes } from "../support/cifar.js";
import { serve } from "../support/server.js";
import { jsonLines, run, skipCommand, start, temporaryFolder, writeData } from "./command.js";

const shared = fileURLToPath(new URL("../../../../shared/", import.meta.url));
const resnet56 = join(shared, "weights/resnet-cifar10/resnet56-4bfd9763.derived.safetensors");
const pictures = join(shared, "data/cifar10");
const missing = !existsSync(resnet56) && "the published weights of ResNet-56 are not on this machine";

let folder: string;
before(async () => {
  if (!skipCommand) folder = await temporaryFolder();
});

describe("CIFAR-10", { skip: skipCommand }, () => {
  it("trains and evaluates on a folder of batches", async () => {
    const dataDir = join(folder, "cifar");
    await mkdir(dataDir);
    await writeFile(join(dataDir, "some_train.bin"), cifarBytes(...Array.from({ length: 24 }, (_, i) => i % 10)));
    await writeFile(join(dataDir, "some_test.bin"), cifarBytes(0, 1, 2, 3));
    const data = ["--data", "cifar10", "--data-dir", dataDir];
    const out = join(folder, "run");
    const train = ["train", "resnet20", ...data, "--epochs", "2", "--batch", "8", "--out", out, "--json"];
    const result = await run(train);
    assert.equal(result.status, 0, result.stderr);
    const [start, , , done] = jsonLines(result);
    assert.deepEqual([start.data, start.train, start.test], ["CIFAR-10", 24, 4]);
    const weights = ["--weights", join(out, "checkpoint.safetensors")];
    const scores = jsonLines(await run(["evaluate", "resnet20", ...weights, ...data, "--json"]));
    assert.deepEqual(scores, [{ ...(done.test as object), count: 4 }]);
    const refused = await run(["evaluate", "lenet5", ...weights, ...data]);
    assert.match(refused.stderr, /holds weights of resnet20, not of lenet5/);
    const grey = await run(["train", "lenet5", ...data]);
    assert.match(grey.stderr, /lenet5 takes pictures of 1×28×28 .*, but those of CIFAR-10 are 3×32×32/);
  });

  for (const [format, weights] of [
    ["safetensors", resnet56],
    ["PyTorch's .th", resnet56.replace(".derived.safetensors", ".th")],
  ] as const) {
    it(`ResNet-56 gets 926 ± 2 of the 1,000 test pictures right, from ${format}`, { skip: missing }, async () => {
      const data = ["--data", "cifar10", "--data-dir", pictures];
      const result = await run(["evaluate", "resnet56", "--weights", weights, ...data, "--json"]);
      assert.equal(result.status, 0, result.stderr);
      const [{ accuracy, count }] = jsonLines(result);
      assert.equal(count, 1000);
      assert.ok(Math.abs(Number(accuracy) * 1000 - 926) <= 2, `accuracy ${accuracy}`);
    });
  }

  it("ResNet-56 names pictures", { skip: missing }, async (t) => {
    try {
      await loadSharp();
    } catch (error) {
      return t.skip(String(error));
    }
    const data = await cifar10({ split: "test", dataDir: pictures });
    const place = join(folder, "pictures");
    await mkdir(place);
    // A cat, two ships and an airplane.
    for (let i = 0; i < 4; i++)
      await writePng(join(place, `${i}.png`), fromPlanar(data.get(i).image, data.shape as [3, 32, 32]));
    const predict = ["predict", "resnet56", "--weights", resnet56, place];
    const lines = jsonLines(await run([...predict, "--json", "--top", "1"]));
    assert.deepEqual(
      lines.map(({ top }) => (top as { class: string }[])[0].class),
      ["cat", "ship", "ship", "airplane"],
    );
    const photograph = await run([...predict, "--photograph"]);
    assert.match(
      photograph.stderr,
      /--photograph: resnet56 takes pictures of 3×32×32\. .* such as lenet5\. Fix: leave/,
    );
    const { stderr } = await run(predict);
    assert.match(stderr, /^ {2}airplane {5,}\d+\.\d\d %$/m);
  });
});

const tinyvgg = join(shared, "weights/tinyvgg-cnn-explainer");

describe("a model of TensorFlow.js", { skip: skipCommand }, () => {
  const absent = !existsSync(tinyvgg) && "the trained Tiny VGG is not on this machine";

  it("names at least 14 of its 20 sample pictures", { skip: absent }, async (t) => {
    try {
      await loadSharp();
    } catch (error) {
      return t.skip(String(error));
    }
    const words = { boat: "lifeboat", bug: "ladybug", pizza: "pizza", pepper: "bell pepper", bus: "school bus" };
    const more = { koala: "koala", espresso: "espresso", panda: "red panda", orange: "orange", car: "sport car" };
    const expected = new Map(Object.entries({ ...words, ...more }));
    const command = ["predict", "tinyvgg", "--weights", join(tinyvgg, "model.json"), join(tinyvgg, "img"), "--json"];
    const result = await run(command);
    assert.equal(result.status, 0, result.stderr);
    const lines = jsonLines(result).map(({ file, top }) => {
      return {
        label: expected.get(basename(String(file)).replace(/_.*/, "")),
        named: (top as { class: string }[])[0].class,
      };
    });
    const labelled = lines.filter(({ label }) => label !== undefined);
    assert.deepEqual([lines.length, labelled.length], [21, 20]);
    const right = labelled.filter(({ label, named }) => label === named).length;
    assert.ok(right >= 14, `${right} of 20`);
  });

  it("is refused where its layers are others, as in the network that is named", { skip: absent }, async () => {
    const { status, stderr } = await run(["predict", "resnet20", "--weights", join(tinyvgg, "model.json"), "a.png"]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /the weights in .*model\.json do not fit CifarResNet\. The file has conv_1_1 \(weight 10×3×3×3, bias 10\);.* and \d+ more\. Fix:/,
    );
  });
});

describe("a network for ImageNet", { skip: skipCommand }, () => {
  it("names pictures of any size with ImageNet's names", async (t) => {
    try {
      await loadSharp();
    } catch (error) {
      return t.skip(String(error));
    }
    const weights = join(folder, "squeezenet.safetensors");
    await models.create("squeezenet1_1").save(weights);
    const picture = join(folder, "wide.png");
    const data = Uint8Array.from({ length: 300 * 200 * 3 }, (_, i) => (i * i) % 251);
    await writePng(picture, { width: 300, height: 200, channels: 3, data });
    const result = await run(["predict", "squeezenet1_1", "--weights", weights, picture, "--json", "--top", "1000"]);
    assert.equal(result.status, 0, result.stderr);
    const [{ top }] = jsonLines(result);
    assert.deepEqual((top as { class: string }[]).map((each) => each.class).sort(), [...imagenetClasses].sort());
  });
});

describe("weights by name", { skip: skipCommand }, () => {
  it("come from the hub once, and are refused where they are of another network", async () => {
    const bytes = await models.create("lenet5").serialize();
    const requests: string[] = [];
    const address = await serve((request, response) => {
      requests.push(`${request.method}`);
      if (request.url === "/someone/lenet/resolve/main/model.safetensors") response.end(bytes);
      else response.writeHead(404).end();
    });
    const data = await writeData(join(folder, "digits"), { train: 10, test: 20 });
    const env = { HF_ENDPOINT: address, FOVEA_CACHE: join(folder, "cache"), FOVEA_TORCHVISION_URL: address };
    const evaluate = (model: string, weights: string) =>
      run(["evaluate", model, "--weights", weights, "--data", data, "--json"], { env });
    const first = await evaluate("lenet5", "hf:someone/lenet");
    assert.equal(first.status, 0, first.stderr);
    const again = await evaluate("lenet5", "hf:someone/lenet");
    assert.deepEqual(jsonLines(again), jsonLines(first));
    assert.deepEqual(requests, ["HEAD", "GET"]);
    assert.deepEqual(
      await readFile(join(folder, "cache/weights/hub/someone/lenet/main/model.safetensors")),
      Buffer.from(bytes),
    );

    const other = await evaluate("resnet18", "hf:someone/lenet");
    assert.match(other.stderr, /model\.safetensors: the saved weights do not fit ResNet/);
    const none = await evaluate("resnet18", "torchvision/resnet18");
    assert.match(
      none.stderr,
      /fovea: torchvision\/resnet18: cannot download resnet18-f37072fd\.pth:\n.*answered 404\nFix: where there is a network/,
    );
    const unknown = await evaluate("resnet18", "torchvision/resnet19");
    assert.match(unknown.stderr, /there are no weights torchvision\/resnet19\. Did you mean/);
    for (const { status, stdout } of [other, none, unknown]) assert.deepEqual([status, stdout], [1, ""]);
  });

  it("that come slowly can be stopped, and leave nothing behind", async () => {
    let asked = () => {};
    const started = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const address = await serve((request, response) => {
      if (request.method === "HEAD") return response.end();
      return response.writeHead(200, { "content-length": 1e6 }).write("x", asked);
    });
    const env = { HF_ENDPOINT: address, FOVEA_CACHE: join(folder, "stopped") };
    const { child, finished } = start(["predict", "lenet5", "--weights", "hf:a/b", "picture.png"], { env });
    await started;
    child.kill("SIGINT");
    assert.equal((await finished).status, 130);
    assert.deepEqual(await readdir(join(folder, "stopped/weights/hub/a/b/main")), []);
  });
});
