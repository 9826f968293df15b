/** What `npm run bench:peers` rests on: comparing outputs, taking turns, sides as processes, the page of results. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Row, section } from "../../bench/results.js";
import { difference, disagreement, takeTurns } from "../../bench/sides/compare.js";
import { type Side, startFovea } from "../../bench/sides/side.js";
import { parseTicks, stolenSince } from "../../bench/sides/stolen.js";
import { trainingSettings, type Work, works } from "../../bench/sides/works.js";

describe("comparing outputs", () => {
  it("takes the largest difference over the largest value", () => {
    assert.equal(difference([1, 2, -4], [1, 2.5, -4]), 0.125);
    assert.equal(difference([0, 0], [0, 0]), 0);
  });

  it("accepts rounding and refuses other values, other lengths and NaN", () => {
    assert.equal(disagreement("inference", [1, -10], [1.0005, -10]), undefined);
    assert.match(String(disagreement("inference", [1, -10], [1.002, -10])), /outputs differ by 2\.0e-4 of the largest/);
    assert.match(String(disagreement("inference", [1], [1, 2])), /outputs differ/);
    assert.match(String(disagreement("inference", [Number.NaN, 1], [0, 1])), /outputs differ/);
  });

  it("lets later losses differ more than the first, and none be wrong", () => {
    assert.equal(disagreement("training", [2, 1.001], [2, 1]), undefined);
    assert.match(String(disagreement("training", [2.001, 1], [2, 1])), /losses differ: 2\.00100/);
    assert.match(String(disagreement("training", [2, 1.01], [2, 1])), /losses differ/);
    assert.match(String(disagreement("training", [2, Number.NaN], [2, 1])), /losses differ/);
    assert.match(String(disagreement("training", [2], [2, 1])), /losses differ/);
  });
});

describe("taking turns", () => {
  it("never has two sides at once, and leaves out the first of several runs", async () => {
    const log: string[] = [];
    let running = 0;
    const side = (name: string, milliseconds: number): Side => ({
      version: name,
      open: async () => name,
      outputs: async () => [],
      close: async () => undefined,
      async time(runs) {
        assert.equal(running++, 0, "another side is running");
        await new Promise((resolve) => setTimeout(resolve, 1));
        running--;
        log.push(`${name}${runs}`);
        return Array.from({ length: runs }, (_, run) => (run === 0 && runs > 1 ? 1000 : milliseconds));
      },
    });
    const sides = new Map([
      ["quick", side("quick", 50)],
      ["slow", side("slow", 300)],
    ]);
    const { times } = await takeTurns(
      sides,
      2,
      "wall",
      () => undefined,
      () => () => 0,
      async () => void log.push("rest"),
    );
    assert.deepEqual(log, [
      ...["quick2", "quick20", "slow2", "slow4"],
      ...["rest", "quick5", "rest", "slow1", "rest", "quick5", "rest", "slow1"],
    ]);
    assert.deepEqual(
      [...times],
      [
        ["quick", [50, 50]],
        ["slow", [300, 300]],
      ],
    );
  });

  /** Turns of one side whose rounds lose these shares to others, and take 100 ms for the first, 101 for the second, … */
  async function turnsWith(shares: readonly number[], rounds: number) {
    let round = 0;
    let made = 0;
    const side: Side = {
      version: "",
      open: async () => "",
      outputs: async () => [],
      close: async () => undefined,
      time: async (runs) => Array.from({ length: runs }, () => 100 + round),
    };
    const { times, stolen } = await takeTurns(
      new Map([["side", side]]),
      rounds,
      "wall",
      () => {
        round = made++;
      },
      () => () => shares[round] ?? 0,
      async () => undefined,
    );
    return { times: [...(times.get("side") ?? [])].sort((a, b) => a - b), stolen, made };
  }

  it("makes rounds again that a host disturbed, and counts the least disturbed", async () => {
    assert.deepEqual(await turnsWith([0, 0.3, 0.01, 0.1], 3), { times: [100, 102, 104], stolen: 0.01, made: 5 });
    assert.deepEqual(await turnsWith([0.5, 0.1, 0.4, 0.2], 2), { times: [101, 103], stolen: 0.2, made: 4 });
    assert.deepEqual(await turnsWith([], 2), { times: [100, 101], stolen: 0, made: 2 });
  });

  it("reads what a host took from Linux's ticks", () => {
    const line = "cpu  100 10 30 4000 5 2 3 25 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
    assert.deepEqual(parseTicks(line), { worked: 145, stolen: 25 });
    assert.ok(stolenSince()() >= 0);
  });
});

describe("a side as a process", () => {
  const work = works.find(({ key }) => key === "train-lenet5") as Work;

  it("trains, times itself, and knows its memory", async () => {
    const side = await startFovea("wasm", process.execPath, 1);
    try {
      assert.equal(side.version, `Node ${process.versions.node}`);
      const description = await side.open({ work: { ...work, batch: 8 }, threads: 1, training: trainingSettings });
      assert.match(description, /^wasm-/);
      const losses = await side.outputs(4);
      assert.equal(losses.length, 4);
      assert.ok(losses[3] < losses[0], `${losses}`);
      const times = await side.time(3, "wall");
      assert.ok(times.length === 3 && times.every((time) => time > 0), `${times}`);
      assert.ok((await side.memory()) > side.importedMemory);
    } finally {
      await side.close();
    }
  });

  it("says what went wrong", async () => {
    const side = await startFovea("wasm", process.execPath, 1);
    try {
      const files = { weights: "/nowhere.pt", pictures: "/nowhere.f32" };
      await assert.rejects(side.open({ work, threads: 1, training: trainingSettings, files }), /nowhere\.pt/);
    } finally {
      await side.close();
    }
  });
});

describe("the page of results", () => {
  it("has a table for each device, with ratios, what is missed, and what does not count", () => {
    const row: Row = {
      ...{
        work: "LeNet-5 inference",
        unit: "ms",
        device: "native",
        threads: 1,
        fovea: 2,
        peer: 5,
        peerName: "onnxruntime-node",
      },
      ...{ ratio: 2.5, goal: 2, met: true, counts: true, variant: "native-avx2", runtime: "Node 20", peerVersion: "1" },
      ...{ spread: { fovea: [2, 2], peer: [5, 5] }, rounds: 7 },
    };
    const rows: Row[] = [
      row,
      { ...row, threads: 2, fovea: 4, ratio: 1.25, met: false, counts: false },
      { ...row, work: "training: peak memory", unit: "MiB", fovea: 100, peer: 180, ratio: 1.8, goal: 1.7 },
      { ...row, device: "wasm", runtime: "Chromium 1", goal: null, met: null },
    ];
    const text = section({ machine: "a machine", date: "2026-01-02", rows });
    assert.match(text, /^Measured on 2026-01-02: a machine\.$/m);
    assert.match(text, /^Kernels: `native-avx2`\. 1 of 2 goals are reached\.$/m);
    assert.match(
      text,
      /^\| LeNet-5 inference +\| onnxruntime-node \| 2 +\| 2\.00 \/ 5\.00 ms: 2\.50 +\| 4\.00 \/ 5\.00 ms: 1\.25 ✗ \(busy\) +\|$/m,
    );
    assert.match(text, /100 \/ 180 MiB: 1\.80/);
    assert.match(text, /^### WebAssembly in Chromium 1$/m);
  });
});
