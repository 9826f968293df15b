/** A class for every pixel by the command alone: a folder of pictures and masks, learnt, scored, drawn and exported. */

import assert from "node:assert/strict";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fromPlanar, shapes, zeros } from "../../src/index.js";
import { readWeights } from "../../src/nn/weights.js";
import { readPixels, writePng } from "../../src/node.js";
import { load } from "../../src/onnx.js";
import { readEventFolder } from "../support/events.js";
import { noPictures } from "../support/pictures.js";
import { jsonLines, skipCommand, temporaryFolder } from "./command.js";
import { checkpointOf } from "./runs.js";
import { inOneProcess } from "./session.js";

const run = inOneProcess();
const folder = await temporaryFolder();
const cells = join(folder, "cells");
const side = 16;
for (const part of ["images", "masks"]) await mkdir(join(cells, part), { recursive: true });
if (!noPictures) {
  const options = {
    kinds: ["circle"],
    side,
    channels: 1,
    radius: [0.2, 0.4],
    contrast: 0.5,
    shading: 0,
    count: [1, 2],
  } as const;
  const set = await shapes({ split: "train", size: 80, ...options });
  for (let i = 0; i < set.size; i++) {
    const { image, masks } = set.get(i);
    await writePng(join(cells, "images", `${i}.png`), fromPlanar(image, [1, side, side]));
    const drawn = masks.map((kind) => (kind === 1 ? 255 : 0));
    await writePng(join(cells, "masks", `${i}.png`), fromPlanar(drawn, [1, side, side]));
  }
}
const out = join(folder, "run");
interface PixelScores {
  readonly meanIou: number;
}
const train = (...args: string[]) => run(["train", "unet", "--threads", "1", "--json", ...args]);

describe("networks for pixels", { skip: skipCommand || noPictures }, () => {
  it("learn masks, and are scored, drawn and exported from the run alone", async () => {
    const asked = ["--mask-classes", "circle=255,rest=0", "--width", "0.0625", "--depth", "2", "--augment", "flip"];
    const logs = join(folder, "logs");
    const told = ["--lr", "0.01", "--watch", "accuracy", "--tensorboard", logs, "--out", out];
    const trained = await train("--data", cells, ...asked, "--epochs", "12", ...told);
    assert.equal(trained.status, 0, trained.stderr);
    const lines = jsonLines(trained);
    const { test: done, best } = lines.at(-1) as { test: PixelScores; best: { epoch: number; test: PixelScores } };
    assert.ok(done.meanIou > 0.6, JSON.stringify(done));
    const epochs = lines.filter(({ event }) => event === "epoch") as { validation: PixelScores }[];
    const highest = Math.max(...epochs.map(({ validation }) => validation.meanIou));
    assert.equal(best.test.meanIou, highest);
    assert.equal(epochs[best.epoch - 1].validation.meanIou, highest);
    const values = readEventFolder(join(logs, "run")).flatMap(({ summary }) => summary?.value ?? []);
    const tagged = (tag: string) => values.filter((value) => value.tag === tag);
    const [iou, ...each] = ["mean IoU/test", "IoU/circle", "IoU/rest"].map((tag) => tagged(tag)[11].simple_value ?? 0);
    assert.ok(Math.abs(iou - done.meanIou) < 1e-6 && Math.abs(iou - (each[0] + each[1]) / 2) < 1e-6, `${iou}, ${each}`);
    // The first four pictures in each epoch, all eight at the end: picture, truth, found, wrong, twice as large.
    const [across, down] = [4 * (2 * side + 2) + 2, 8 * (2 * side + 2) + 2];
    assert.deepEqual(
      tagged("test pictures").map(({ image }) => [image?.width, image?.height]),
      Array.from({ length: 12 }, () => [across, across]),
    );
    assert.deepEqual(
      tagged("worst pictures").map(({ image }) => [image?.width, image?.height]),
      [[across, down]],
    );
    const { width, depth, batchNorm, batch, maskClasses } = JSON.parse(
      await readFile(join(out, "config.json"), "utf8"),
    );
    assert.deepEqual([width, depth, batchNorm, batch, maskClasses], [0.0625, 2, true, 8, "circle=255,rest=0"]);

    const evaluated = await run(["evaluate", out, "--json", "--threads", "1"]);
    assert.equal(evaluated.status, 0, evaluated.stderr);
    const scores = jsonLines(evaluated)[0] as {
      meanIou: number;
      count: number;
      classes: { name: string; iou?: number }[];
    };
    assert.equal(scores.meanIou, done.meanIou);
    assert.equal(scores.count, 8);
    assert.deepEqual(
      scores.classes.map(({ name }) => name),
      ["circle", "rest"],
    );
    const matrix = join(folder, "confusion.svg");
    const turned = await run(["evaluate", out, "--json", "--views", "turns", "--confusion", matrix, "--threads", "1"]);
    assert.match(await readFile(matrix, "utf8"), /<title>circle taken for rest: \d+ of \d+<\/title>/);
    const looks = jsonLines(turned)[0] as typeof scores;
    assert.ok(looks.meanIou > 0.6 && looks.meanIou !== scores.meanIou, `${looks.meanIou}, ${scores.meanIou} at once`);

    const people = await run(["evaluate", out, "--threads", "1"]);
    assert.match(people.stderr, /mean IoU \d\d\.\d\d %, mean Dice .* of the pixels right, of 8 pictures/);
    assert.match(people.stderr, /^class +IoU +Dice +precision +recall +pixels\ncircle /m);
    assert.match((await run(["runs", out])).stderr, new RegExp(`${(100 * done.meanIou).toFixed(2)} %`));

    const reported = await run(["report", out, "--json", "--mistakes", "3", "--views", "turns"]);
    const [{ report, ...again }] = jsonLines(reported);
    assert.equal(report, join(out, "report.html"));
    assert.deepEqual(again, looks);
    const page = await readFile(join(out, "report.html"), "utf8");
    for (const part of ["Loss", "Pixels right", "Mean IoU"]) assert.ok(page.includes(`${part}</text>`), part);
    assert.ok(page.includes(`<td>circle</td><td>${(100 * (looks.classes[0].iou ?? 0)).toFixed(2)} %</td>`));
    assert.equal(page.match(/<img /g)?.length, 3 * 4);
    assert.ok(page.includes("<td>views</td><td>turns</td>"));
    assert.match(
      page,
      /From left to right: picture, truth, found, wrong\..*background:#000000"><\/i> circle<.*#e69f00"><\/i> rest</s,
    );
    const right = [...page.matchAll(/Picture \d+: ([\d.]+) % of the pixels right/g)].map(([, share]) => Number(share));
    assert.equal(right.length, 3);
    assert.deepEqual(
      right,
      [...right].sort((a, b) => a - b),
    );

    const sheet = join(folder, "sheet.png");
    const pictures = ["3", "4"].map((name) => join(cells, "images", `${name}.png`));
    const predict = ["predict", out, ...pictures, "--out", sheet, "--json", "--threads", "1"];
    const predicted = await run([...predict, "--views", "flips"]);
    assert.equal(predicted.status, 0, predicted.stderr);
    const shares = jsonLines(predicted).map((line) => line.shares as { circle: number; rest: number });
    for (const { circle, rest } of shares) assert.ok(circle > 0 && Math.abs(circle + rest - 1) < 1e-9);
    // Two rows of a picture and its mask, three times as large, with gaps around.
    const drawn = await readPixels(sheet, { channels: 3 });
    assert.deepEqual([drawn.height, drawn.width], [2 * 3 * side + 12, 2 * 3 * side + 12]);

    const file = join(folder, "unet.onnx");
    const weights = join(out, "checkpoint.safetensors");
    assert.equal((await run(["export", "unet", "--weights", weights, "--out", file, "--threads", "1"])).status, 0);
    const read = await load(new Uint8Array(await readFile(file)));
    assert.deepEqual((await read.run({ input: zeros([2, 1, side, side]) })).logits.shape, [2, 2, side, side]);
  });

  it("are finetuned to other classes: the new head first, then all", async () => {
    const halves = join(folder, "halves");
    await cp(cells, halves, { recursive: true });
    for (let i = 0; i < 80; i++) {
      const path = join(halves, "masks", `${i}.png`);
      const { data, channels } = await readPixels(path);
      const grey = data.filter((_, at) => at % channels === 0);
      const lower = grey.map((value, at) => (value === 255 && at >= grey.length / 2 ? 128 : value));
      await writePng(path, fromPlanar(lower, [1, side, side]));
    }
    const tune = (name: string, ...args: string[]) => {
      const common = ["--data", halves, "--mask-classes", "rest=0,upper=255,lower=128", "--threads", "1", "--json"];
      return run(["finetune", out, ...common, "--head-epochs", "2", "--out", join(folder, name), ...args]);
    };
    const head = await tune("head", "--head-only");
    assert.equal(head.status, 0, head.stderr);
    assert.deepEqual(
      jsonLines(head).map(({ event, phase }) => phase ?? event),
      ["start", "head", "head", "done"],
    );
    const weightsOf = async (run: string) =>
      Object.entries(readWeights(new Uint8Array(await readFile(checkpointOf(run))), run));
    const before = new Map(await weightsOf(out));
    const after = await weightsOf(join(folder, "head"));
    assert.equal(after.length, before.size);
    for (const [name, { shape, data }] of after) {
      if (name.startsWith("head.")) assert.equal(shape[0], 3);
      else assert.deepEqual(data, before.get(name)?.data, name);
    }
    const tuned = await tune("tuned", "--epochs", "2", "--lr", "0.01");
    assert.equal(tuned.status, 0, tuned.stderr);
    type Line = { readonly phase?: string; readonly test: { readonly loss: number; readonly meanIou: number } };
    const lines = jsonLines<Line>(tuned);
    assert.deepEqual(
      lines.map(({ phase }) => phase ?? ""),
      ["", "head", "head", "", "", ""],
    );
    const { test } = lines[5];
    assert.ok(test.loss < jsonLines<Line>(head)[3].test.loss, tuned.stdout);
    const scored = await run(["evaluate", join(folder, "tuned"), "--threads", "1", "--json"]);
    assert.equal(jsonLines(scored)[0].meanIou, test.meanIou, scored.stderr);
    const again = await run(["finetune", "unet", "--out", join(folder, "tuned"), "--resume", "--json"]);
    assert.deepEqual(jsonLines(again).at(-1)?.test, test, again.stderr);
    const copied = await tune("refused", "--copies", "3", "--augment", "flip");
    assert.match(copied.stderr, /--copies 3 is for networks that name pictures/);
    for (let i = 0; i < 80; i++) {
      const colours = Uint8Array.from({ length: 3 * side ** 2 }, (_, at) => at % 251);
      await writePng(join(halves, "images", `${i}.png`), fromPlanar(colours, [3, side, side]));
    }
    const coloured = await tune("refused");
    assert.match(coloured.stderr, /the weights take pictures of 1 channel, but those of .*halves have 3\./);
  });

  it("go on with what they were started with", async () => {
    const resumed = await train("--out", out, "--resume");
    assert.equal(resumed.status, 0, resumed.stderr);
    const wider = await train("--out", out, "--resume", "--width", "0.5");
    assert.match(wider.stderr, /was started with --width 0\.0625, not 0\.5/);
  });

  it("say what does not fit", async () => {
    const picture = join(cells, "images", "3.png");
    const cases: [string[], RegExp][] = [
      [["train", "unet"], /digits has a class for each picture, but none for each pixel\. Expected shapes/],
      [["train", "unet", "--data", "cels"], /there is no data set or folder "cels"/],
      [["train", "unet", "--data", folder], /has no folder images/],
      [["train", "unet", "--data", cells, "--balance"], /--balance is for classes of pictures/],
      [["train", "unet", "--data", cells, "--mask-classes", "cell"], /Expected names with grey values or colours/],
      [["train", "unet", "--data", "shapes", "--mask-classes", "a=1,b=2"], /--mask-classes is for masks of your own/],
      [["train", "unet", "--data", "shapes", "--image-size", "8"], /--image-size is 8\. Expected 16 to 64/],
      [["train", "unet", "--data", cells, "--augment", "mixup"], /masks, which cannot be mixed/],
      [["train", "segnet", "--data", "shapes", "--depth", "2"], /--depth is for unet/],
      [["train", "lenet5", "--width", "2"], /--width is for networks that answer for every pixel/],
      [["evaluate", out, "--data", "noisy"], /the weights are for segmentation, and noisy is not/],
      [["evaluate", out, "--by", "size"], /--by is for weights that name pictures/],
      [
        ["evaluate", out, "--views", "shifts"],
        /--views shifts is for weights that name pictures.*Expected flips or turns/,
      ],
      [["predict", out, picture, "--views", "18"], /--views both is for weights that name pictures/],
      [["report", out, "--by", "size"], /--by is for weights that name pictures/],
    ];
    for (const [args, message] of cases) {
      const { status, stderr } = await run([...args, "--threads", "1"]);
      assert.ok(status === 1 || status === 2, args.join(" "));
      assert.match(stderr, message);
    }
  });
});
