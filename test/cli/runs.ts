/** Runs on their way: waiting for checkpoints, and comparing what came out. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseSafetensors } from "../../src/formats/safetensors.js";
import { type Running, start } from "./command.js";

export const checkpointOf = (run: string) => join(run, "checkpoint.safetensors");
export const bestOf = (run: string) => join(run, "best.safetensors");

/** Resolves when the run's checkpoint has been replaced `count` times, or the command has ended. */
export async function checkpoints(running: Running, run: string, count: number): Promise<void> {
  let seen = 0;
  let last = inode(checkpointOf(run));
  while (seen < count && running.child.exitCode === null && running.child.signalCode === null) {
    await pause(2);
    const now = inode(checkpointOf(run));
    if (now !== last) seen++;
    last = now;
  }
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Starts training, and kills it without warning some time after its n-th checkpoint. Returns whether it still ran. */
export async function killAfter(args: readonly string[], run: string, count: number, delay: number): Promise<boolean> {
  const running = start(args);
  await checkpoints(running, run, count);
  await pause(delay);
  running.child.kill("SIGKILL");
  return (await running.finished).signal === "SIGKILL";
}

function digest({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return createHash("sha256")
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest("hex");
}

/** What a checkpoint holds, except for times. */
function contents(path: string) {
  const { tensors, metadata } = parseSafetensors(new Uint8Array(readFileSync(path)), { name: path });
  const { time: _, ...progress } = JSON.parse(metadata.progress);
  return { tensors: new Map([...tensors].map(([name, { data }]) => [name, digest(data)])), progress };
}

/** Everything that a run has come to, except for times: weights, optimizer, position, scores, the best epoch's weights. */
export async function outcome(run: string) {
  const { tensors, progress } = contents(checkpointOf(run));
  const metrics = await readFile(join(run, "metrics.jsonl"), "utf8");
  assert.ok(metrics.endsWith("\n"));
  return {
    tensors,
    progress,
    best: existsSync(bestOf(run)) ? contents(bestOf(run)) : undefined,
    metrics: metrics
      .trimEnd()
      .split("\n")
      .map((line) => {
        const { seconds, samplesPerSecond, ...scores } = JSON.parse(line);
        assert.ok(seconds > 0 && samplesPerSecond > 0);
        return scores;
      }),
  };
}

/** Throws unless two runs have come to the same, bit for bit, and the second holds nothing else. */
export async function assertSameOutcome(whole: string, interrupted: string): Promise<void> {
  const [expected, found] = [await outcome(whole), await outcome(interrupted)];
  assert.deepEqual(found.metrics, expected.metrics);
  assert.deepEqual(found.progress, expected.progress);
  assert.ok(expected.tensors.size > 10);
  assert.deepEqual([...found.tensors.keys()], [...expected.tensors.keys()]);
  for (const [name, bytes] of expected.tensors) assert.equal(found.tensors.get(name), bytes, name);
  assert.deepEqual(found.best, expected.best);
  const best = expected.best === undefined ? [] : ["best.safetensors"];
  const others = ["checkpoint.safetensors", "config.json", "metrics.jsonl"];
  assert.deepEqual((await readdir(interrupted)).sort(), [...best, ...others]);
}
