/** Parameters with learning rates and weight decay of their own, and the average of weights, against PyTorch (test/goldens/groups.py). */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  Adam,
  AdamW,
  ArgumentError,
  compile,
  ImageDataset,
  linear,
  manualSeed,
  mseLoss,
  mul,
  nn,
  type Optimizer,
  Parameter,
  type Progress,
  SGD,
  StepLR,
  type Tensor,
  type Trainable,
  Trainer,
  tensor,
} from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { bits, pictures, tinyTrainer } from "./tiny.js";

useDevice(anyDevice());

interface Golden {
  readonly x: number[][];
  readonly y: number[][];
  readonly weight: number[][];
  readonly bias: number[];
  readonly after: Readonly<Record<string, readonly number[]>>;
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../../test/goldens/groups.json", import.meta.url), "utf8"));

const optimizers: Readonly<Record<string, (parameters: Trainable) => Optimizer>> = {
  SGD: (parameters) => new SGD(parameters, { lr: 0.1, momentum: 0.9, weightDecay: 0.3 }),
  Adam: (parameters) => new Adam(parameters, { lr: 0.1, weightDecay: 0.3 }),
  AdamW: (parameters) => new AdamW(parameters, { lr: 0.1, weightDecay: 0.3 }),
};

describe("an average of the weights", () => {
  const make = () => {
    const [weight, bias] = [new Parameter(tensor(golden.weight)), new Parameter(tensor(golden.bias))];
    const optimizer = new SGD([weight, bias], { lr: 0.1 }).averageWeights(0.7);
    const step = () => {
      mseLoss(linear(tensor(golden.x), weight, bias), tensor(golden.y)).backward();
      return optimizer.step();
    };
    const read = async () => [...(await weight.value.data()), ...(await bias.value.data())];
    return { optimizer, weight, bias, step, read };
  };

  it("is PyTorch's, also compiled and after a break, and leaves the weights as they are", async () => {
    for (const compiled of [false, true]) {
      let run = make();
      let program = compile(() => {
        void run.step();
        return null;
      });
      for (let i = 0; i < 10; i++) {
        await (compiled ? program() : run.step());
        if (i !== 4) continue;
        const [state, values] = [await run.optimizer.state(), await run.read()];
        run = make();
        run.weight.assign(tensor([values.slice(0, 2)]));
        run.bias.assign(tensor(values.slice(2)));
        run.optimizer.loadState(state);
        program = compile(() => {
          void run.step();
          return null;
        });
      }
      const before = await run.read();
      const averages = await run.optimizer.withAverage(run.read);
      for (const [i, value] of golden.after.average.entries()) {
        assert.ok(Math.abs(averages[i] - value) < 2e-6, `${i}: ${averages[i]}, not ${value}`);
      }
      assert.notDeepEqual(averages, before);
      assert.deepEqual(await run.read(), before);
    }
  });

  it("is what trainers evaluate, and what training goes on from to the same bits", async () => {
    const recipe = {
      optimizer: (parameters: Trainable) => new SGD(parameters, { lr: 0.1 }).averageWeights(0.9),
    };
    const data = pictures(40);
    const whole = tinyTrainer(anyDevice(), recipe);
    // Evaluations and readings of the state on the way change nothing.
    const onBatch = () => {
      void whole.evaluate(data);
      void whole.state();
    };
    await whole.fit(data, { epochs: 2, batchSize: 8, callbacks: { onBatch } });
    const first = tinyTrainer(anyDevice(), recipe);
    await first.fit(data, { epochs: 1, batchSize: 8 });
    const state = await first.state();
    const second = tinyTrainer(anyDevice(), recipe);
    second.restore(state);
    await second.fit(data, { epochs: 2, batchSize: 8 });
    assert.deepEqual((await second.state()).optimizer, (await whole.state()).optimizer);
    assert.deepEqual(await bits(second), await bits(whole));
    const averaged = await whole.evaluate(data);
    assert.deepEqual(averaged, await second.evaluate(data));
    const plain = tinyTrainer(anyDevice(), { optimizer: (parameters) => new SGD(parameters, { lr: 0.1 }) });
    await plain.fit(data, { epochs: 2, batchSize: 8 });
    assert.notEqual((await plain.evaluate(data)).loss, averaged.loss);
    assert.deepEqual(await bits(plain), await bits(whole));
    // A checkpoint has the weights to use under the model's names.
    const { weights } = await whole.state();
    assert.deepEqual(await whole.optimizer.withAverage(() => whole.model.stateDict()), weights);
    assert.notDeepEqual((await plain.state()).weights, weights);
  });
});

describe("clipped gradients", () => {
  it("have the norm that PyTorch gives them, also put by in parts, and compiled", async () => {
    for (const [compiled, parts] of [
      [false, 1],
      [true, 1],
      [false, 3],
      [true, 3],
    ] as const) {
      const [weight, bias] = [new Parameter(tensor(golden.weight)), new Parameter(tensor(golden.bias))];
      const optimizer = new SGD([weight, bias], { lr: 0.3, momentum: 0.5 }).clipGradients(0.4);
      const rows = golden.x.length / parts;
      const part = (x: Tensor, y: Tensor, last: boolean) => {
        mul(mseLoss(linear(x, weight, bias), y), 1 / parts).backward();
        void (last ? optimizer.step() : optimizer.accumulate());
        return null;
      };
      const program = compile(part);
      for (let i = 0; i < 10 * parts; i++) {
        const of = (values: number[][]) => tensor(values.slice((i % parts) * rows, ((i % parts) + 1) * rows));
        await (compiled ? program : part)(of(golden.x), of(golden.y), (i + 1) % parts === 0);
      }
      assert.equal(optimizer.steps, 10);
      // Recorded once for each thing that is done.
      if (compiled) assert.equal(program.recordings, Math.min(2, parts));
      const found = [...(await weight.value.data()), ...(await bias.value.data())];
      for (const [i, value] of golden.after.clipped.entries())
        assert.ok(Math.abs(found[i] - value) < 2e-6, `${i}: ${found[i]}, not ${value}`);
    }
  });

  it("have a norm above 0", () => {
    const optimizer = new SGD([new Parameter(tensor([1]))], { lr: 0.1 });
    for (const norm of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(
        () => optimizer.clipGradients(norm),
        /the largest norm of gradients is .*\. Expected a number above 0/,
      );
  });
});

describe("gradients put by", () => {
  it("make a step of many small batches that of a large one", async () => {
    const data = pictures(60);
    const train = async (accumulate: number) => {
      manualSeed(3);
      const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 8), new nn.Tanh(), new nn.Linear(8, 2));
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }).averageWeights(0.5);
      const rates: number[] = [];
      const onBatch = ({ learningRate }: Progress) => void rates.push(learningRate);
      const schedule = new StepLR(optimizer, { stepSize: 2, gamma: 0.5 });
      const trainer = new Trainer(model, { optimizer, schedule, accumulate });
      const records = await trainer.fit(data, { epochs: 3, batchSize: 20 / accumulate, callbacks: { onBatch } });
      assert.equal(optimizer.steps, 9);
      const weights = await optimizer.withAverage(() => model.stateDict());
      return { loss: records[2].train.loss, values: Object.values(weights).flatMap(({ data }) => [...data]), rates };
    };
    const whole = await train(1);
    for (const accumulate of [2, 5]) {
      const parts = await train(accumulate);
      assert.ok(Math.abs(parts.loss - whole.loss) < 1e-6, `${parts.loss}, not ${whole.loss}`);
      for (const [i, value] of whole.values.entries())
        assert.ok(Math.abs(parts.values[i] - value) < 2e-6, `${i}: ${parts.values[i]}, not ${value}`);
      assert.deepEqual(
        parts.rates.filter((_, i) => (i + 1) % accumulate === 0),
        whole.rates,
      );
    }
  });

  it("make a step of what is left at the end of an epoch, whose batches count as in others", async () => {
    // Seven times the same picture, and a rate at which the gradient stays what it is: steps of three, three and one.
    const { images, labels, ...rest } = pictures(1);
    const repeated = {
      images: Uint8Array.from({ length: 7 * 16 }, (_, i) => images[i % 16]),
      labels: new Uint8Array(7).fill(labels[0]),
    };
    const data = new ImageDataset({ ...rest, ...repeated });
    const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 2));
    const optimizer = new SGD(model.parameters(), { lr: 1e-3 });
    const biases: number[] = [];
    const onBatch = async () => void biases.push((await model.stateDict())["1.bias"].data[0]);
    await new Trainer(model, { optimizer, accumulate: 3 }).fit(data, {
      epochs: 1,
      batchSize: 1,
      callbacks: { onBatch },
    });
    assert.equal(optimizer.steps, 3);
    const moved = biases.map((bias, i) => (i === 0 ? 0 : bias - biases[i - 1]));
    assert.deepEqual(
      [1, 3, 4].map((i) => moved[i]),
      [0, 0, 0],
      "no step in between",
    );
    assert.ok(moved[5] !== 0 && Math.abs(moved[6] / moved[5] - 1 / 3) < 0.01, `${moved}`);
  });
});

describe("parameter groups", () => {
  for (const [name, make] of Object.entries(optimizers)) {
    it(`of ${name} have the rates and the decay that PyTorch gives them, also between compiled steps`, async () => {
      for (const compiled of [false, true]) {
        const [weight, bias] = [new Parameter(tensor(golden.weight)), new Parameter(tensor(golden.bias))];
        const optimizer = make([weight, { parameters: [bias], lrScale: 0.2, weightDecay: 0 }]);
        const step = () => {
          mseLoss(linear(tensor(golden.x), weight, bias), tensor(golden.y)).backward();
          return optimizer.step();
        };
        const program = compile(() => {
          void step();
          return null;
        });
        for (let i = 0; i < 10; i++) await (compiled ? program() : step());
        assert.equal(optimizer.steps, 10);
        const found = [...(await weight.value.data()), ...(await bias.value.data())];
        for (const [i, value] of golden.after[name].entries()) {
          assert.ok(Math.abs(found[i] - value) < 2e-5, `${i}: ${found[i]}, not ${value}`);
        }
        // What a group says may change while a compiled step is in use.
        optimizer.groups[1].lrScale = 0;
        await (compiled ? program() : step());
        assert.deepEqual([...(await bias.value.data())], found.slice(2));
        assert.notEqual((await weight.value.data())[0], found[0]);
      }
    });
  }

  it("refuse parameters in two groups, empty groups and wrong settings", () => {
    const parameter = new Parameter(tensor([1]));
    const wrong: readonly Trainable[] = [
      [{ parameters: [parameter] }, { parameters: [parameter] }],
      [parameter, { parameters: [parameter] }],
      [{ parameters: [] }],
      [{ parameters: [parameter], lrScale: -1 }],
      [{ parameters: [parameter], weightDecay: Number.NaN }],
      [],
    ];
    for (const groups of wrong) assert.throws(() => new SGD(groups, { lr: 0.1 }), ArgumentError);
  });
});
