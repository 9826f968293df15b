/** Help, versions, devices, and command lines that are wrong. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { jsonLines, run, skipCommand, temporaryFolder, trainers, writeData } from "./command.js";
import { inOneProcess } from "./session.js";

const longest = 80;

const flags = {
  train: [
    ..."data data-dir epochs batch optimizer lr momentum weight-decay schedule seed device threads out".split(" "),
    "resume",
    "json",
    "checkpoint-seconds",
    ..."image-size label-column file-column validation balance width depth mask-classes".split(" "),
  ],
  evaluate: "weights data data-dir image-size label-column file-column device threads report by confusion json".split(
    " ",
  ),
  report: "data data-dir image-size label-column file-column device threads out mistakes by json".split(" "),
  runs: ["sort", "json"],
  predict: ["weights", "top", "invert", "photograph", "out", "tile", "device", "threads", "json"],
  summary: "input batch num-classes width train measure depth svg device threads json".split(" "),
  compare: ["input", "batch", "device", "threads", "json"],
  devices: ["json"],
  demo: ["device", "threads", "epochs", "seed", "json"],
  gradcheck: ["device", "elements", "seed", "json"],
};

const runSoon = inOneProcess();

describe("help", { skip: skipCommand }, () => {
  for (const [command, names] of Object.entries(flags)) {
    it(`of ${command} has each flag and an example`, async () => {
      const { status, stdout, stderr } = await runSoon([command, "--help"]);
      assert.equal(status, 0);
      assert.equal(stderr, "");
      for (const name of names) assert.match(stdout, new RegExp(`^  --${name}[ \\n]`, "m"));
      assert.match(stdout, /^Example:\n {2}\$ fovea /m);
      for (const line of stdout.split("\n")) assert.ok(line.length <= longest, `too long: ${line}`);
    });
  }

  it("of the program names the commands", async () => {
    const { status, stdout } = await run(["--help"]);
    assert.equal(status, 0);
    for (const command of Object.keys(flags)) assert.match(stdout, new RegExp(`^ {2}${command} `, "m"));
    assert.match(stdout, /^Example:/m);
    const none = await run([]);
    assert.equal(none.status, 2);
    assert.match(none.stderr, /^Usage: fovea/);
  });

  it("the version is the package's", async () => {
    const file = await readFile(new URL("../../../package.json", import.meta.url), "utf8");
    assert.equal((await run(["--version"])).stdout, `${JSON.parse(file).version}\n`);
  });
});

describe("a wrong command line", { skip: skipCommand }, () => {
  const weights = ["--weights", "none.safetensors"];
  const cases: readonly (readonly [status: 1 | 2, message: RegExp, ...args: string[]])[] = [
    [2, /unknown command 'trane'\n.*train.*\nExpected one of: train, finetune, evaluate, .*predict, .*demo/, "trane"],
    [2, /unknown option '--epoch'.*\n.*--epochs/, "train", "lenet5", "--epoch", "3"],
    [2, /missing required argument 'model'/, "train"],
    [2, /too many arguments/, "train", "lenet5", "lenet6"],
    [2, /argument missing/, "train", "lenet5", "--epochs"],
    [
      2,
      /'--epochs <n>' argument '0' is invalid. Expected a whole number of 1 or more/,
      "train",
      "lenet5",
      "--epochs",
      "0",
    ],
    [2, /Expected a whole number of 1 or more/, "train", "lenet5", "--batch", "1.5"],
    [2, /Expected a whole number of 0 or more/, "train", "lenet5", "--seed", "one"],
    [2, /Expected a whole number from 1 to 1024/, "train", "lenet5", "--threads", "0"],
    [2, /Expected a number of 0 or more/, "train", "lenet5", "--lr", "nan"],
    [2, /Expected a number of 0 or more/, "train", "lenet5", "--lr=-0.1"],
    [2, /Expected a number from 0 to below 1/, "train", "lenet5", "--momentum", "1"],
    [2, /Expected a number of 0 or more/, "train", "lenet5", "--weight-decay", ""],
    [2, /Allowed choices are sgd, adam, adamw/, "train", "lenet5", "--optimizer", "sdg"],
    [2, /Allowed choices are constant, step, cosine, one-cycle, plateau/, "train", "lenet5", "--schedule", "linear"],
    [2, /Allowed choices are auto, native, wasm, reference/, "train", "lenet5", "--device", "gpu"],
    [2, /'--weights <file or name>' not specified/, "evaluate", "lenet5"],
    [2, /missing required argument 'image'/, "predict", "lenet5", ...weights],
    [
      2,
      /'--photograph' cannot be used with option '--invert'/,
      "predict",
      "lenet5",
      ...weights,
      "--photograph",
      "--invert",
      "a.png",
    ],
    [1, /no model named "lenet6"\. Did you mean lenet5\? Expected one of: lenet5/, "train", "lenet6"],
    [
      1,
      /no model and no folder named lenet6\. Did you mean lenet5\? Expected the folder of a run, or/,
      "evaluate",
      "lenet6",
      ...weights,
    ],
    [
      1,
      /no model and no folder named zzz\. Expected .*:\n {2}lenet5, .*\n {2}zfnet512, /,
      "evaluate",
      "zzz",
      ...weights,
    ],
    [
      1,
      /there is no folder runs\/none\. Expected the folder of a run, or the name of a model/,
      "evaluate",
      "runs/none",
    ],
    [1, /no model and no folder named lenet6/, "predict", "lenet6", ...weights, "a.png"],
    [
      1,
      /no data set or folder "mnits"\. Expected digits, shapes, .*mnist, fashion-mnist, cifar10, cifar100, or a folder of pictures/,
      "train",
      "lenet5",
      "--data",
      "mnits",
    ],
    [1, /no folder "\.\/none"/, "train", "lenet5", "--data", "./none"],
    [1, /leave out --data-dir/, "train", "lenet5", "--data-dir", "."],
    [1, /--resume needs --out/, "train", "lenet5", "--resume"],
    [1, /cannot read none\.safetensors: there is no such file\. Fix: check the path/, "evaluate", "lenet5", ...weights],
  ];
  for (const [expected, message, ...args] of cases) {
    it(`fovea ${args.join(" ")}`, async () => {
      const { status, stdout, stderr } = await runSoon(args);
      assert.equal(status, expected, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /^fovea: /);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /, "no stack trace");
    });
  }

  it("ends the process with its status", async () => {
    for (const [expected, , ...args] of [cases[0], cases.at(-1) ?? cases[0]]) {
      const [own, { stdout, stderr, status }] = [await run(args), await runSoon(args)];
      assert.deepEqual(own, { status, signal: null, stdout, stderr });
      assert.equal(own.status, expected);
    }
  });
});

describe("devices", { skip: skipCommand }, () => {
  it("are listed for people and for programs, and the chosen one is marked", async () => {
    const lines = jsonLines(await run(["devices", "--json"]));
    assert.deepEqual(
      lines.map(({ name }) => name),
      ["native", "wasm", "reference"],
    );
    assert.equal(lines.filter((line) => line.default).length, 1);
    for (const line of lines) {
      const expected = line.usable ? ["variant", "threads"] : ["reason"];
      assert.deepEqual(Object.keys(line), ["name", "usable", "default", ...expected]);
    }
    const { status, stderr } = await run(["devices"]);
    assert.equal(status, 0);
    const chosen = String(lines.find((line) => line.default)?.name);
    assert.match(stderr, new RegExp(`^\\* ${chosen} `, "m"));
    assert.equal(stderr.trimEnd().split("\n").length, 3);
  });

  it("are chosen by --device, else by FOVEA_DEVICE; threads by --threads, else by FOVEA_THREADS", async () => {
    const folder = await temporaryFolder();
    const data = await writeData(join(folder, "data"), { train: 40, test: 20 });
    let runs = 0;
    const chosen = async (args: readonly string[], env: Record<string, string>) => {
      const out = join(folder, `run-${runs++}`);
      const result = await run(["train", "lenet5", "--data", data, "--epochs", "1", "--json", "--out", out, ...args], {
        env,
      });
      assert.equal(result.status, 0, result.stderr);
      const [{ device, threads }] = jsonLines(result);
      return `${String(device).split("-")[0]} ${threads}`;
    };
    assert.equal(await chosen(["--threads", "3"], { FOVEA_DEVICE: "wasm", FOVEA_THREADS: "1" }), "wasm 3");
    assert.equal(await chosen(["--device", "reference"], { FOVEA_DEVICE: "wasm" }), "reference 1");
    if (trainers.some(({ name, missing }) => name === "native" && !missing)) {
      assert.equal(await chosen(["--device", "native"], { FOVEA_DEVICE: "wasm", FOVEA_THREADS: "1" }), "native 1");
    }
    const wrong = await run(["train", "lenet5", "--data", data], { env: { FOVEA_DEVICE: "gpu" } });
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /FOVEA_DEVICE: there is no device named "gpu"\. Expected auto, native, wasm, reference/);
  });
});
