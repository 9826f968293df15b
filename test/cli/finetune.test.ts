/** `fovea finetune`: other classes for a network that has learnt, by the command alone. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { manualSeed, models, nn } from "../../src/index.js";
import { readCheckpointInfo } from "../../src/train/checkpoint.js";
import { type Colour, encodePicture, noPictures, writeFiles } from "../support/pictures.js";
import { jsonLines, skipCommand, start, temporaryFolder, writeData } from "./command.js";
import { assertSameOutcome, checkpointOf, checkpoints } from "./runs.js";
import { inOneProcess } from "./session.js";

const run = inOneProcess();

describe("fovea finetune", { skip: skipCommand || noPictures }, () => {
  let folder: string;
  let photos: string;
  let digits: string;

  before(async () => {
    folder = await temporaryFolder();
    const files: Record<string, Uint8Array> = {};
    for (let i = 0; i < 12; i++) {
      const shades: readonly [string, Colour][] = [
        ["dark", [10 + i, 10, 10]],
        ["grey", [120 + i, 120, 120]],
        ["light", [240 + i, 240, 240]],
      ];
      for (const [name, colour] of shades) files[`${name}/${i}.png`] = await encodePicture(colour, { width: 20 + i });
    }
    photos = await writeFiles(join(folder, "photos"), files);
    await writeFiles(join(folder, "one"), {
      "dark/1.png": files["dark/1.png"],
      "dark/2.png": files["dark/2.png"],
      "dark/3.png": files["dark/3.png"],
      "dark/4.png": files["dark/4.png"],
    });
    const data = await writeData(join(folder, "data"), { train: 120, test: 40 });
    digits = join(folder, "digits");
    const args = ["train", "lenet5", "--data", data, "--epochs", "1", "--normalize", "z-score", "--out", digits];
    const { status, stderr } = await run([...args, "--threads", "1"]);
    assert.equal(status, 0, stderr);
  });

  const args = (given: string, out: string) => [
    ...[
      "finetune",
      given,
      "--data",
      photos,
      "--validation",
      "0.25",
      "--batch",
      "6",
      "--head-epochs",
      "4",
      "--epochs",
      "2",
    ],
    ...["--no-cache", "--threads", "1", "--json", "--out", join(folder, out)],
  ];
  const bytesOf = async (run: string) => new Uint8Array(await readFile(checkpointOf(run)));

  it("trains the new head, and then all that is not frozen; every command knows the result", async () => {
    const out = join(folder, "tuned");
    const result = await run([...args(digits, "tuned"), "--freeze", "c3"]);
    assert.equal(result.status, 0, result.stderr);
    const [first, ...lines] = jsonLines(result);
    assert.deepEqual([first.model, first.train, first.test], ["lenet5", 27, 9]);
    const told = lines.map(({ event, phase, epoch }) => [event, phase, epoch].join(" "));
    const heads = [1, 2, 3, 4].map((epoch) => `epoch head ${epoch}`);
    assert.deepEqual(told, [...heads, "epoch  5", "epoch  6", "done  "]);

    const [old, tuned] = [await bytesOf(digits), await bytesOf(out)];
    const [before, after] = [nn.readWeights(old, "old"), nn.readWeights(tuned, "tuned")];
    const kept = Object.keys(before).filter((name) => before[name].data.join() === after[name].data.join());
    assert.deepEqual(kept.sort(), ["c1.bias", "c1.weight", "c3.bias", "c3.weight"]);
    assert.deepEqual(after["output.weight"].shape, [3, 84]);
    const [oldInfo, info] = [readCheckpointInfo(old, "old"), readCheckpointInfo(tuned, "tuned")];
    assert.deepEqual(info?.classNames, ["dark", "grey", "light"]);
    assert.deepEqual(info?.normalization, oldInfo?.normalization);
    assert.notDeepEqual(info?.normalization, models.find("lenet5").normalization);

    const { accuracy, loss, count } = jsonLines(await run(["evaluate", out, "--json", "--threads", "1"]))[0];
    assert.deepEqual({ accuracy, loss, count }, { ...(lines.at(-1)?.test as object), count: 9 });
    const { stdout, stderr } = await run(["runs", folder]);
    assert.match(stdout + stderr, /tuned .* 6\/6 /);
  });

  it("ends with the same bits after it was killed, while the head learnt or later", async () => {
    const whole = join(folder, "tuned");
    const killed = join(folder, "killed");
    const slow = [...args(digits, "killed"), "--freeze", "c3", "--checkpoint-seconds", "0"];
    const running = start(slow);
    await checkpoints(running, killed, 3);
    running.child.kill("SIGKILL");
    await running.finished;
    const resume = ["finetune", "lenet5", "--out", killed, "--resume", "--no-cache"];
    const resumed = await run(resume);
    assert.equal(resumed.status, 0, resumed.stderr);
    await assertSameOutcome(whole, killed);

    // As it is found when the head is still learning: epochs, and no checkpoint.
    await rm(checkpointOf(killed));
    const metrics = join(killed, "metrics.jsonl");
    const [epoch] = (await readFile(metrics, "utf8")).split("\n");
    await writeFile(metrics, `${epoch}\n`);
    assert.equal((await run(resume)).status, 0);
    await assertSameOutcome(whole, killed);
    const refused = await run(["train", "lenet5", "--out", killed, "--resume"]);
    assert.match(refused.stderr, /is a run of fovea finetune, not of fovea train\. Fix: fovea finetune lenet5 --out/);
  });

  it("takes a file of weights of any number of classes, and leaves them as they are for the head alone", async () => {
    manualSeed(2);
    const model = models.create("lenet5", { numClasses: 26 });
    const file = join(folder, "letters.safetensors");
    await model.save(file);
    const only = [...args("lenet5", "only"), "--weights", file, "--head-only", "--augment", "flip", "--copies", "2"];
    const { status, stderr } = await run(only);
    assert.equal(status, 0, stderr);
    const after = nn.readWeights(await bytesOf(join(folder, "only")), "only");
    const { data } = (await model.stateDict())["f6.weight"];
    assert.deepEqual(after["f6.weight"].data, data);
    assert.equal((await readFile(join(folder, "only", "metrics.jsonl"), "utf8")).trim().split("\n").length, 4);
  });

  it("says what does not fit, and leaves no folder behind", async () => {
    const file = join(folder, "letters.safetensors");
    const refused = async (message: RegExp, given: string, ...more: string[]) => {
      const { stderr, stdout } = await run([...args(given, "refused"), ...more]);
      assert.match(stderr, message);
      assert.equal(stdout, "");
      assert.ok(!existsSync(join(folder, "refused")));
    };
    await refused(/required option '--weights/, "lenet5");
    await refused(/does not hold weights of mlp: 2 of the 2 tensors before its classifier/, "mlp", "--weights", file);
    await refused(/holds weights of lenet5, not of mlp/, "mlp", "--weights", digits);
    await refused(/no layer named "f66"\. Did you mean f6\?/, digits, "--freeze", "f66");
    await refused(/--head-only with --head-epochs 0 trains nothing/, digits, "--head-only", "--head-epochs", "0");
    await refused(/--copies 3: without --augment/, digits, "--copies", "3");
    await refused(/has only the class/, digits, "--data", join(folder, "one"));
  });
});
