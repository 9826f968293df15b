/** A run that is killed, stopped or interrupted goes on as if nothing had happened, bit for bit. */

import assert from "node:assert/strict";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { readEventFolder, summaries } from "../support/events.js";
import { exists, type Result, run, skipCommand, start, temporaryFolder, trainers, writeData } from "./command.js";
import { assertSameOutcome, checkpointOf, checkpoints, killAfter } from "./runs.js";

/** 25 steps in an epoch. */
const batch = 40;
const epochs = 4;

const recipes = {
  "sgd and cosine": [],
  "adam and plateau": ["--optimizer", "adam", "--schedule", "plateau"],
  "adamw and steps, of several batches and averaged": [
    ...["--optimizer", "adamw", "--schedule", "step", "--weight-decay", "0.01", "--clip", "1"],
    ...["--accumulate", "3", "--average", "0.9", "--augment", "translate:2", "--workers", "2"],
  ],
};

const everything = "adamw and steps, of several batches and averaged";

const signals = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

/** Whether this is `npm run soak`. */
const soak = process.env.FOVEA_SOAK === "1";

/** What does not depend on the device is tested on one. */
const first = trainers.find(({ missing }) => !missing)?.name;

const chance = (least: number, most: number) => least + Math.floor(Math.random() * (most - least + 1));

for (const { name, missing } of trainers) {
  describe(`a run on ${name}`, { skip: skipCommand || missing, concurrency: 2 }, () => {
    let folder: string;
    let common: string[];
    const wholes = new Map<string, Promise<string>>();

    before(async () => {
      folder = await temporaryFolder();
      const data = await writeData(join(folder, "data"));
      common = ["train", "lenet5", "--data", data, "--device", name, "--epochs", `${epochs}`, "--batch", `${batch}`];
    });

    /** The folder of a run of the same settings that nothing has interrupted. */
    function whole(recipe: readonly string[]): Promise<string> {
      const key = recipe.join(" ");
      let found = wholes.get(key);
      if (found === undefined) {
        const out = join(folder, `whole-${wholes.size}`);
        found = run([...common, ...recipe, "--out", out]).then(({ status, stderr }) => {
          assert.equal(status, 0, stderr);
          return out;
        });
        wholes.set(key, found);
      }
      return found;
    }

    /** What is told on the way, in the recipe that has everything. */
    const told = () => ["--tensorboard", join(folder, "logs"), "--tensorboard-steps", "1"];

    for (const [title, plain] of Object.entries(recipes).slice(0, name === first ? 3 : 2)) {
      it(`killed twice, with ${title}`, async (t) => {
        const tells = plain === recipes[everything];
        const recipe = tells ? [...plain, ...told()] : plain;
        const out = join(folder, `killed-${title.replaceAll(/\W+/g, "-")}`);
        // A checkpoint after each step, and one now and then: a kill in the middle of writing, and one that costs steps.
        // Of the 100 steps few enough: on a busy machine not every checkpoint is seen.
        const one = { count: chance(2, 25), delay: chance(0, 20) };
        const two = { count: chance(1, 8), delay: chance(0, 60) };
        t.diagnostic(`killed after ${JSON.stringify([one, two])}`);
        const begin = [...common, ...recipe, "--out", out, "--checkpoint-seconds", "0"];
        assert.ok(await killAfter(begin, out, one.count, one.delay), "the run ended before it was killed");
        const goOn = ["train", "lenet5", "--out", out, "--resume"];
        await killAfter([...goOn, "--checkpoint-seconds", "0.02"], out, two.count, two.delay);
        const result = await run(goOn);
        assert.equal(result.status, 0, result.stderr);
        assert.match(result.stderr, /going on after \d epoch/);
        await assertSameOutcome(await whole(recipe), out);
        if (tells) assertSameEvents(await whole(recipe), out);
      });
    }

    /** Two runs have told the same of their epochs, and nothing twice. How often their steps had something to tell depends on time. */
    function assertSameEvents(expected: string, found: string): void {
      const [whole, resumed] = [expected, found].map((run) =>
        summaries(readEventFolder(join(folder, "logs", basename(run)))).filter((text) => !text.startsWith("step/")),
      );
      assert.ok(whole.length > 4 * epochs && whole.some((text) => text.startsWith("mistakes of")));
      assert.deepEqual(resumed, whole);
    }

    const stopping = name === first ? signals : signals.slice(0, 1);
    it(`${stopping.map(([signal]) => signal).join(", ")}: writes a checkpoint, says how to go on, and ends with its status`, async () => {
      const out = join(folder, "stopped");
      const goOn = ["train", "lenet5", "--out", out, "--resume"];
      for (const [i, [signal, status]] of stopping.entries()) {
        const running = start([...(i === 0 ? [...common, "--out", out] : goOn), "--checkpoint-seconds", "0"]);
        // All together few enough of the 100 steps: on a busy machine not every checkpoint is seen.
        await checkpoints(running, out, chance(1, Math.floor(25 / stopping.length)));
        running.child.kill(signal);
        const stopped: Result = await running.finished;
        assert.equal(stopped.status, status, `${signal}: ${stopped.stderr}`);
        assert.match(stopped.stderr, new RegExp(`Go on with:\n {2}fovea train lenet5 --out ${out} --resume\n$`));
        assert.doesNotMatch(stopped.stderr, /Error|\n {4}at /);
        assert.ok((await readFile(checkpointOf(out))).length > 0);
      }
      const result = await run(goOn);
      assert.equal(result.status, 0, result.stderr);
      await assertSameOutcome(await whole([]), out);
    });

    if (name !== first) return;

    it("killed at twenty random moments, by whatever it does then", {
      skip: !soak && "npm run soak does it",
    }, async (t) => {
      const recipe = [...recipes[everything], ...told()];
      const expected = await whole(recipe);
      const moments: number[] = [];
      for (let runs = 1; moments.length < 20; runs++) {
        const out = join(folder, `soak-${runs}`);
        let args = [...common, ...recipe, "--out", out, "--checkpoint-seconds", "0.1"];
        for (;;) {
          const running = start(args);
          const timer = setTimeout(() => running.child.kill("SIGKILL"), moments.length < 20 ? chance(0, 5000) : 1e6);
          const begun = performance.now();
          const result = await running.finished;
          clearTimeout(timer);
          if (result.signal !== "SIGKILL") {
            assert.equal(result.status, 0, result.stderr);
            break;
          }
          moments.push(Math.round(performance.now() - begun));
          // One that was killed before it had its folder is started once more.
          if (await exists(join(out, "config.json"))) args = ["train", "lenet5", "--out", out, "--resume"];
        }
        await assertSameOutcome(expected, out);
        assertSameEvents(expected, out);
        t.diagnostic(`run ${runs}: killed after ${moments.join(", ")} ms so far`);
      }
    });

    it("killed between the metrics and the checkpoint of an epoch, with a half-written file left", async () => {
      const out = join(folder, "between");
      const begin = [...common, "--out", out, "--checkpoint-seconds", "0"];
      assert.ok(await killAfter(begin, out, 30, 0), "the run ended before it was killed");
      const metrics = join(out, "metrics.jsonl");
      const [line] = (await readFile(metrics, "utf8")).split("\n");
      // As they are left when the process dies: a line that no checkpoint counts, a part of one, and new files.
      await appendFile(metrics, `${line.replace('"epoch":1', '"epoch":2')}\n{"event":"epo`);
      const gone = 4_000_000;
      await writeFile(join(out, `.checkpoint.safetensors.${gone}.0123abcd.tmp`), "half");
      await writeFile(join(out, `.config.json.${gone}.0123abcd.tmp`), "half");
      const result = await run(["train", "lenet5", "--out", out, "--resume"]);
      assert.equal(result.status, 0, result.stderr);
      await assertSameOutcome(await whole([]), out);
    });

    it("killed before its first checkpoint starts from the beginning", async () => {
      const out = join(folder, "early");
      const running = start([...common, "--out", out]);
      await running.said(/parameters/);
      running.child.kill("SIGKILL");
      await running.finished;
      const result = await run(["train", "lenet5", "--out", out, "--resume"]);
      assert.equal(result.status, 0, result.stderr);
      await assertSameOutcome(await whole([]), out);
    });

    it("a second SIGINT ends it at once, and it still goes on", async () => {
      const out = join(folder, "twice");
      const running = start([...common, "--out", out, "--checkpoint-seconds", "0"]);
      await checkpoints(running, out, 10);
      running.child.kill("SIGINT");
      running.child.kill("SIGINT");
      assert.equal((await running.finished).status, 130);
      const result = await run(["train", "lenet5", "--out", out, "--resume"]);
      assert.equal(result.status, 0, result.stderr);
      await assertSameOutcome(await whole([]), out);
    });
  });
}

it("a signal while digits are being drawn leaves no folder behind", { skip: skipCommand }, async () => {
  const out = join(await temporaryFolder(), "run");
  // Too early a signal meets a process that has not begun yet.
  for (const delay of [700, 1500, 3000]) {
    const running = start(["train", "lenet5", "--out", out]);
    await pause(delay);
    running.child.kill("SIGINT");
    const { status, signal, stdout, stderr } = await running.finished;
    if (signal !== null) continue;
    assert.equal(status, 130, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^stopping/m);
    assert.doesNotMatch(stderr, /Error|\n {4}at /);
    assert.equal(await exists(out), false);
    return;
  }
  assert.fail("the command was never there to be stopped");
});
