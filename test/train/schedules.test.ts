/** Learning-rate schedules against PyTorch's (test/goldens/schedules.py), and how they go on after a break. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  ArgumentError,
  CosineLR,
  OneCycleLR,
  type Optimizer,
  Parameter,
  PlateauLR,
  type Schedule,
  SGD,
  StepLR,
  tensor,
  WarmupLR,
} from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";

useDevice(anyDevice());
const golden: { readonly rates: Readonly<Record<string, readonly number[]>> } = JSON.parse(
  readFileSync(new URL("../../../test/goldens/schedules.json", import.meta.url), "utf8"),
);
const newOptimizer = () => new SGD([new Parameter(tensor([0]))], { lr: 0.4, momentum: 0.9 });

const schedules: Readonly<Record<string, (optimizer: Optimizer) => Schedule>> = {
  one_cycle: (optimizer) => new OneCycleLR(optimizer, { steps: 50 }),
  one_cycle_options: (optimizer) => new OneCycleLR(optimizer, { steps: 31, rise: 0.45, divide: 10, finalDivide: 100 }),
  warmup_cosine: (optimizer) =>
    new WarmupLR(optimizer, { steps: 5, start: 0.1, next: new CosineLR(optimizer, { steps: 20 }) }),
  warmup_step: (optimizer) =>
    new WarmupLR(optimizer, { steps: 3, start: 0.25, next: new StepLR(optimizer, { stepSize: 4, gamma: 0.5 }) }),
};

describe("learning rates", () => {
  for (const [name, make] of Object.entries(schedules)) {
    const expected = golden.rates[name];
    it(`${name} are PyTorch's, also where training goes on after a break`, () => {
      for (const broken of [-1, 2, 7, expected.length - 2]) {
        let optimizer = newOptimizer();
        let schedule = make(optimizer);
        for (const [step, rate] of expected.entries()) {
          assert.ok(Math.abs(optimizer.lr - rate) < 1e-9, `step ${step}: ${optimizer.lr}, not ${rate}`);
          schedule.step();
          if (step !== broken) continue;
          const [state, { lr }] = [JSON.parse(JSON.stringify(schedule.state())), optimizer];
          optimizer = newOptimizer();
          schedule = make(optimizer);
          optimizer.lr = lr;
          schedule.loadState(state);
        }
      }
    });
  }

  it("stay at the end of a cycle, and warm up before the plateau is watched", () => {
    const optimizer = newOptimizer();
    const cycle = new OneCycleLR(optimizer, { steps: 3 });
    for (let i = 0; i < 9; i++) cycle.step();
    assert.ok(Math.abs(optimizer.lr - 0.4 / 25 / 1e4) < 1e-12);

    const other = newOptimizer();
    const schedule = new WarmupLR(other, { steps: 2, next: new PlateauLR(other, { patience: 0 }) });
    assert.equal(other.lr, 0);
    for (const loss of [9, 9, 5, 5]) schedule.step(loss);
    assert.ok(Math.abs(other.lr - 0.04) < 1e-12);
  });

  it("refuse what makes no schedule", () => {
    const optimizer = newOptimizer();
    const wrong = [
      () => new OneCycleLR(optimizer, { steps: 0 }),
      () => new OneCycleLR(optimizer, { steps: 9, rise: 1 }),
      () => new OneCycleLR(optimizer, { steps: 9, divide: 0 }),
      () => new WarmupLR(optimizer, { steps: 1.5 }),
      () => new WarmupLR(optimizer, { steps: 5, start: -1 }),
    ];
    for (const make of wrong) assert.throws(make, ArgumentError);
  });
});
