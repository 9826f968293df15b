/** Output that cannot go where it should: full disks, closed pipes. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { jsonLines, type Result, run, skipCommand, start, temporaryFolder, writeData } from "./command.js";
import { assertSameOutcome, checkpointOf, checkpoints } from "./runs.js";

let folder: string;
let train: string[];

before(async () => {
  if (skipCommand) return;
  folder = await temporaryFolder();
  const data = await writeData(join(folder, "data"));
  train = ["train", "lenet5", "--data", data, "--epochs", "3", "--batch", "40"];
});

function assertFailed({ status, stderr }: Result, message: RegExp): void {
  assert.equal(status, 1, stderr);
  assert.match(stderr, message);
  assert.doesNotMatch(stderr, /\n {4}at /, "no stack trace");
}

describe("a disk that is full", { skip: skipCommand }, () => {
  it("leaves the earlier checkpoint, from which the run goes on when there is room", async () => {
    const whole = join(folder, "whole");
    assert.equal((await run([...train, "--out", whole])).status, 0);
    const out = join(folder, "limited");
    const running = start([...train, "--out", out, "--checkpoint-seconds", "0"]);
    await checkpoints(running, out, 15);
    running.child.kill("SIGINT");
    await running.finished;
    const before = await readFile(checkpointOf(out));
    // No file may grow beyond 64 blocks: far less than a checkpoint.
    const resume = ["train", "lenet5", "--out", out, "--resume"];
    assertFailed(
      await run([...resume, "--checkpoint-seconds", "0"], { shell: 'ulimit -f 64; exec "$0" "$@"' }),
      /cannot write .*checkpoint\.safetensors: the file system, or a limit of this process, does not allow/,
    );
    assert.ok(before.equals(await readFile(checkpointOf(out))));
    assert.deepEqual((await readdir(out)).sort(), ["checkpoint.safetensors", "config.json", "metrics.jsonl"]);
    assert.equal((await run(resume)).status, 0);
    await assertSameOutcome(whole, out);
  });

  it("really full: there is room for one checkpoint and the best weights, not for two", async (t) => {
    const disk = join(folder, "disk");
    await mkdir(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=900k", "tmpfs", disk], { encoding: "utf8" });
    if (mounted.status !== 0) return t.skip(`no small disk can be mounted: ${mounted.error ?? mounted.stderr.trim()}`);
    try {
      const out = join(disk, "run");
      assertFailed(
        await run([...train, "--out", out]),
        /cannot write .*checkpoint\.safetensors: the disk is full\. Fix: free/,
      );
      assert.deepEqual((await readdir(out)).sort(), [
        "best.safetensors",
        "checkpoint.safetensors",
        "config.json",
        "metrics.jsonl",
      ]);
      const evaluated = await run([
        "evaluate",
        "lenet5",
        "--weights",
        checkpointOf(out),
        ...train.slice(2, 4),
        "--json",
      ]);
      assert.equal(evaluated.status, 0, evaluated.stderr);
    } finally {
      spawnSync("umount", [disk]);
    }
  });

  it("standard output on one is an error, not a loss", async (t) => {
    if (!existsSync("/dev/full")) return t.skip("there is no /dev/full");
    const out = join(folder, "full-output");
    const result = await run([...train, "--out", out, "--json"], { shell: 'exec "$0" "$@" > /dev/full' });
    assertFailed(result, /cannot write to standard output \(.*ENOSPC/);
    assert.equal((await run(["train", "lenet5", "--out", out, "--resume"])).status, 0);
    await assertSameOutcome(join(folder, "whole"), out);
  });
});

describe("a pipe that is closed", { skip: skipCommand }, () => {
  it("ends training without a stack trace; it can go on", async () => {
    const out = join(folder, "pipe");
    const shell = '{ "$0" "$@"; echo "status $?" >&2; } | head -n 1';
    const result = await run([...train, "--out", out, "--json"], { shell });
    assert.equal(jsonLines(result).length, 1);
    assert.match(result.stderr, /^status (141|0)$/m);
    assert.doesNotMatch(result.stderr, /\n {4}at |EPIPE/);
    assert.equal((await run(["train", "lenet5", "--out", out, "--resume"])).status, 0);
    await assertSameOutcome(join(folder, "whole"), out);
  });

  it("ends everything else quietly", async () => {
    const shell = '{ sleep 0.2; "$0" "$@"; echo "status $?" >&2; } | true';
    for (const args of [["--help"], ["devices", "--json"]]) {
      const { stderr } = await run(args, { shell });
      assert.match(stderr, /^(status (141|0)\n)$/);
    }
  });
});
