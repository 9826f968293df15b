/** Several tasks at once: losses against PyTorch's, labels that are missing, checkpoints, names that do not fit. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  type Annotations,
  annotate,
  augment,
  evaluateModel,
  faces,
  ImageDataset,
  manualSeed,
  metrics,
  models,
  nn,
  readCheckpoint,
  SGD,
  Trainer,
  type TrainerOptions,
  tasks,
  tensor,
  writeCheckpoint,
} from "../../src/index.js";
import { load, export as toOnnx } from "../../src/onnx.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { bits, pictures } from "./tiny.js";

interface Outcome {
  readonly losses: readonly (readonly [number, number])[];
  readonly weights: Readonly<Record<"body" | "smile" | "age", readonly [number[], number[]]>>;
  readonly logVariances: readonly [number, number];
}

const golden: {
  readonly pixels: number[];
  readonly smile: number[];
  readonly age: (number | null)[];
  readonly mean: number;
  readonly std: number;
  readonly start: Outcome["weights"];
  readonly fixed: Outcome;
  readonly learned: Outcome;
  readonly regression: {
    readonly told: number[];
    readonly right: number[];
    readonly meanAbsoluteError: number;
    readonly meanSquaredError: number;
    readonly explained: number;
  };
} = JSON.parse(readFileSync(new URL("../../../test/goldens/tasks.json", import.meta.url), "utf8"));

/** Pictures with two labels, each unknown for some. */
function twoTasks() {
  const images = new ImageDataset({
    name: "golden",
    split: "train",
    images: Uint8Array.from(golden.pixels),
    labels: new Uint8Array(8),
    shape: [1, 1, 4],
    classNames: ["any"],
  });
  return annotate(images, {
    smile: Int32Array.from(golden.smile),
    age: Float32Array.from(golden.age, (value) => value ?? Number.NaN),
  });
}

const asked = () => ({
  smile: tasks.classification(3),
  age: tasks.regression({ mean: golden.mean, std: golden.std, weight: 0.25 }),
});

async function twoHeads() {
  const layers = { body: new nn.Linear(4, 5), smile: new nn.Linear(5, 3), age: new nn.Linear(5, 1) };
  for (const [name, layer] of Object.entries(layers)) {
    const [weight, bias] = golden.start[name as keyof typeof layers];
    layer.weight.assign(tensor(weight).reshape(layer.weight.shape));
    layer.bias?.assign(tensor(bias));
  }
  const { body, ...heads } = layers;
  return { layers, model: new nn.MultiHead(new nn.Sequential(new nn.Flatten(), body, new nn.Tanh()), heads) };
}

const near = (found: ArrayLike<number>, expected: ArrayLike<number>, what: string) => {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < found.length; i++)
    assert.ok(Math.abs(found[i] - expected[i]) < 2e-5, `${what}[${i}]: ${found[i]}, PyTorch ${expected[i]}`);
};

describe("a trainer of several tasks", () => {
  for (const kind of ["fixed", "learned"] as const) {
    it(`learns what PyTorch learns, with ${kind} weights and labels missing`, async () => {
      useDevice(anyDevice());
      const { model, layers } = await twoHeads();
      const both = asked();
      const questions = kind === "fixed" ? both : { ...both, age: { ...both.age, weight: 1 } };
      const taskWeights = new nn.UncertaintyWeights({ smile: "classification", age: "regression" });
      const learned = kind === "learned" && { taskWeights };
      const parameters = [...model.parameters(), ...(learned ? taskWeights.parameters() : [])];
      const trainer = new Trainer(model, {
        optimizer: new SGD(parameters, { lr: 0.2, momentum: 0.9 }),
        tasks: questions,
        ...learned,
      });
      const epochs = await trainer.fit(twoTasks(), { epochs: 12, batchSize: 8 });
      const expected = golden[kind];
      for (const [i, { train }] of epochs.entries()) {
        const [smile, age] = [train.tasks?.smile, train.tasks?.age];
        near([smile?.loss ?? Number.NaN, age?.loss ?? Number.NaN], expected.losses[i], `losses of step ${i}`);
        assert.deepEqual([smile?.count, age?.count, train.count], [5, 5, 8]);
      }
      for (const [name, layer] of Object.entries(layers)) {
        const [weight, bias] = expected.weights[name as keyof typeof layers];
        near(await layer.weight.value.data(), weight, `${name}.weight`);
        near((await layer.bias?.value.data()) ?? [], bias, `${name}.bias`);
      }
      if (!learned) return;
      const { smile, age } = taskWeights.logVariances;
      near([await smile.value.item(), await age.value.item()], expected.logVariances, "log variances");
      const weights = await taskWeights.weights();
      near(
        [weights.smile, weights.age],
        [Math.exp(-expected.logVariances[0]), Math.exp(-expected.logVariances[1]) / 2],
        "weights",
      );
    });
  }

  it("learns nothing, and no NaN, from batches in which nobody knows the answer", async () => {
    useDevice(anyDevice());
    const data = pictures(64);
    const smile = Int32Array.from(data.labels, (label, i) => (i < 32 ? label : -1));
    const trained = annotate(data, { smile, age: new Float32Array(64).fill(Number.NaN) });
    const model = new nn.MultiHead(new nn.Flatten(), { smile: new nn.Linear(16, 2), age: new nn.Linear(16, 1) });
    const taskWeights = new nn.UncertaintyWeights({ smile: "classification", age: "regression" });
    const optimizer = new SGD([...model.parameters(), ...taskWeights.parameters()], { lr: 0.1 });
    const questions = { smile: tasks.classification(2), age: tasks.regression() };
    const before = await model.heads.age.stateDict();
    const trainer = new Trainer(model, { optimizer, tasks: questions, taskWeights });
    const [{ train }] = await trainer.fit(trained, { epochs: 1, batchSize: 4 });
    assert.deepEqual(train.tasks?.age, { kind: "regression", loss: null, error: null, count: 0 });
    assert.equal(train.tasks?.smile.count, 32);
    assert.ok(Number.isFinite(train.loss) && train.accuracy > 0 && train.accuracy <= 1);
    assert.deepEqual(await model.heads.age.stateDict(), before);
    assert.equal(await taskWeights.logVariances.age.value.item(), 0);
    assert.notEqual(await taskWeights.logVariances.smile.value.item(), 0);
    // Accuracy and error are over those that are known, in the unit of the target.
    const known = { smile, age: Float32Array.from(smile, (_, i) => (i % 2 === 0 ? 10 : Number.NaN)) };
    const scores = await evaluateModel(model, annotate(data, known), { tasks: questions, batchSize: 10 });
    let [hits, distance] = [0, 0];
    for await (const { index, answers, targets } of tasks.predict(model, annotate(data, known), { tasks: questions })) {
      const { smile: face, age } = answers;
      assert.deepEqual(targets, { smile: index < 32 ? data.labels[index] : null, age: index % 2 === 0 ? 10 : null });
      if (face.kind === "classification" && face.label === targets.smile) hits++;
      if (age.kind === "regression" && targets.age !== null) distance += Math.abs(age.value - targets.age);
    }
    const { smile: classes, age } = scores.tasks ?? {};
    assert.ok(classes?.kind === "classification" && Math.abs((classes.accuracy ?? 0) - hits / 32) < 1e-6);
    assert.ok(age?.kind === "regression" && Math.abs((age.error ?? 0) - distance / 32) < 1e-4);
  });

  it("goes on from a checkpoint with the same bits, learnt weights and augmentation included", async () => {
    const device = anyDevice();
    const data = pictures(60);
    const ages = Float32Array.from(data.labels, (label, i) => (i % 5 === 0 ? Number.NaN : 30 + 20 * label + (i % 7)));
    const trained = annotate(data, { half: Int32Array.from(data.labels), age: ages });
    const make = () => {
      useDevice(device);
      manualSeed(4);
      const questions = {
        half: tasks.classification(["top", "bottom"]),
        age: tasks.regression(tasks.meanAndStd(ages)),
      };
      // One row for both: a network of the registry would do as well.
      const model = new nn.Sequential(
        new nn.Flatten(),
        new nn.Dropout(0.2),
        new nn.Linear(16, tasks.totalWidth(questions)),
      );
      const taskWeights = new nn.UncertaintyWeights({ half: "classification", age: "regression" });
      const optimizer = new SGD([...model.parameters(), ...taskWeights.parameters()], { lr: 0.1, momentum: 0.9 });
      return { taskWeights, trainer: new Trainer(model, { optimizer, tasks: questions, taskWeights }) };
    };
    const options = { epochs: 2, batchSize: 16, augment: augment.flip() };
    const whole = make();
    const [, last] = await whole.trainer.fit(trained, options);
    const stop = new AbortController();
    const first = make();
    const interrupted = first.trainer.fit(trained, {
      ...options,
      signal: stop.signal,
      callbacks: { onBatch: ({ epoch, batch }) => (epoch === 1 && batch === 2 ? stop.abort() : undefined) },
    });
    await assert.rejects(interrupted, /cancelled/);
    const state = await first.trainer.state();
    const info = {
      model: "tiny",
      variant: device.variant,
      classNames: [],
      normalization: { mean: [0], std: [1] },
      metricsBytes: 0,
      settings: {},
    };
    const second = make();
    second.trainer.restore(readCheckpoint(writeCheckpoint({ info, state }), "tasks").state);
    const [again] = await second.trainer.fit(trained, options);
    assert.deepEqual(again.train, last.train);
    assert.equal(await bits(second.trainer), await bits(whole.trainer));
    assert.deepEqual(await second.taskWeights.weights(), await whole.taskWeights.weights());
  });

  it("trains networks of the registry, whose columns belong to the tasks", async () => {
    useDevice(anyDevice());
    const questions = { a: tasks.classification(2), b: tasks.regression() };
    const model = models.create("lenet5", { numClasses: tasks.totalWidth(questions) });
    const trainer = new Trainer(model, { optimizer: new SGD(model.parameters(), { lr: 0.01 }), tasks: questions });
    const images = new ImageDataset({
      name: "noise",
      split: "train",
      images: new Uint8Array(4 * 28 * 28).fill(7),
      labels: new Uint8Array(4),
      shape: [1, 28, 28],
      classNames: ["any"],
    });
    const [{ train }] = await trainer.fit(annotate(images, { a: Int32Array.of(0, 1, 0, 1), b: new Float32Array(4) }), {
      epochs: 1,
    });
    assert.deepEqual(Object.keys(train.tasks ?? {}), ["a", "b"]);
  });

  it("says what does not fit", async () => {
    useDevice(anyDevice());
    const model = () => new nn.MultiHead(new nn.Flatten(), { smile: new nn.Linear(16, 2), age: new nn.Linear(16, 1) });
    const fit = async (
      options: Partial<TrainerOptions>,
      values: Annotations,
      made: nn.MultiHead | nn.Sequential = model(),
    ) => {
      const optimizer = new SGD(made.parameters(), { lr: 0.1 });
      const data = annotate(pictures(8), values);
      await new Trainer(made, { optimizer, ...options }).fit(data, { epochs: 1 });
    };
    const ones = { smile: new Int32Array(8), age: new Float32Array(8) };
    const both = { smile: tasks.classification(2), age: tasks.regression() };
    const single = new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 4));
    const weights = new nn.UncertaintyWeights({ smile: "classification", age: "regression" });
    const cases: [Promise<void>, RegExp][] = [
      [fit({}, ones), /several outputs, smile, age, .*Fix: the option tasks/],
      [fit({ tasks: {} }, ones), /tasks: there are none/],
      [
        fit({ tasks: { gender: tasks.classification(2) } }, { gender: new Int32Array(8) }),
        /no head "gender", only smile, age/,
      ],
      [fit({ tasks: { smile: tasks.classification(3) } }, ones), /gives 8×2 for smile\. Expected N×3/],
      [fit({ tasks: both }, ones, single), /gives 8×4\. Expected N×3: 2 for smile, 1 for age\. Fix: a last layer of 3/],
      [fit({ tasks: both }, { smile: ones.smile }), /8 samples has no values named age/],
      [
        fit({ tasks: both }, { ...ones, smile: new Int32Array(8).fill(2) }),
        /smile of sample \d is 2\. Expected a class number from 0 to 1, or -1/,
      ],
      [
        fit({ tasks: both }, { ...ones, age: new Float32Array(8).fill(Number.POSITIVE_INFINITY) }),
        /age of sample \d is Infinity/,
      ],
      [fit({ tasks: both, taskWeights: weights }, ones), /does not have the parameters of taskWeights/],
      [fit({ taskWeights: weights }, ones), /taskWeights is given without tasks/],
      [
        fit({ tasks: { smile: both.smile }, taskWeights: weights }, ones),
        /taskWeights is of the tasks smile, age, but those to learn are smile/,
      ],
      [fit({ tasks: both, loss: () => tensor(0) }, ones), /tasks and loss are both given/],
    ];
    for (const [work, message] of cases) await assert.rejects(work, message);
    assert.throws(() => tasks.classification(1), /1 classes\. Expected at least two/);
    assert.throws(() => tasks.regression({ std: 0 }), /std 0\. Expected finite numbers, std above 0/);
    assert.throws(() => tasks.regression({ weight: -1 }), /weight is -1/);
    assert.throws(() => new nn.MultiHead(new nn.Flatten(), {}), /there are no heads/);
    assert.throws(() => annotate(pictures(8), { age: new Float32Array(7) }), /age has 7 values for 8 pictures/);
  });
});

it("metrics.regressionReport gives scikit-learn's figures", () => {
  const { told, right, meanAbsoluteError, meanSquaredError, explained } = golden.regression;
  const report = metrics.regressionReport(told, right);
  const found = [report.meanAbsoluteError, report.rootMeanSquaredError ** 2, report.explained];
  near(found, [meanAbsoluteError, meanSquaredError, explained], "errors");
  assert.equal(report.count, 40);
  const { bias, explained: nothing } = metrics.regressionReport([2, 4], [1, 1]);
  assert.deepEqual([bias, nothing], [2, Number.NaN]);
  assert.throws(() => metrics.regressionReport([1], [1, 2]), /1 predictions but 2 labels/);
});

it("faces have names for what they are, which groups are made by", async () => {
  const set = (await faces({ split: "test", size: 12, side: 16 })).subset([3, 4, 5]);
  const { smile, gender, age } = set.attributeValues();
  assert.deepEqual(
    Array.from(smile),
    Array.from(set.annotations.smile, (value) => ["no smile", "smile"][value]),
  );
  assert.deepEqual(
    Array.from(gender),
    Array.from(set.annotations.gender, (value) => ["male", "female"][value]),
  );
  assert.deepEqual(age, set.annotations.age);
  assert.match(metrics.groupBy(set.attributeValues(), ["gender"]).names[0], /^gender=(fe)?male$/);
});

it("nn.MultiHead exports an output of each name", async () => {
  useDevice(anyDevice());
  const { model } = await twoHeads();
  const read = await load(await toOnnx(model, { inputs: [1, 1, 1, 4] }));
  const input = tensor(golden.pixels).reshape([8, 1, 1, 4]);
  const outputs = await read.run({ input });
  const expected = model(input);
  assert.deepEqual(Object.keys(outputs), ["smile", "age"]);
  for (const name of ["smile", "age"] as const) near(await outputs[name].data(), await expected[name].data(), name);
});
