/** Training: epochs, progress, evaluation, and everything that is needed to go on after a break. */

import { checkCount } from "../core/check.js";
import { AbortedError, ArgumentError, NotFiniteError, StateDictError } from "../core/errors.js";
import type { ImageBatch } from "../data/batches.js";
import { type FeatureBatch, FeatureDataset } from "../data/features.js";
import { DataLoader } from "../data/loader.js";
import { type CompiledFunction, compile } from "../graph/compile.js";
import { Tensor } from "../graph/tensor.js";
import type { Layer } from "../nn/layers/container.js";
import { GroupRobustLoss } from "../nn/layers/groupRobustLoss.js";
import type { NamedLayer } from "../nn/layers/multiHead.js";
import { crossEntropy } from "../nn/losses/classification.js";
import { Network, type NetworkOutputs } from "../nn/network.js";
import { tensorOver } from "../ops/create.js";
import { add, mul, sub } from "../ops/elementwise/arithmetic.js";
import { backward } from "../ops/gradient.js";
import { defaultGenerator } from "../ops/random/generator.js";
import { checkRange } from "../optim/groups.js";
import type { Optimizer } from "../optim/optimizer.js";
import { type EvaluateOptions, Evaluator, needsTasks } from "./evaluation.js";
import { checkObjective, objectiveTargets } from "./objective.js";
import type { Callbacks, FitOptions, Labels, TrainerOptions, TrainingData } from "./options.js";
import { type Inputs, inputsOf, toNetwork } from "./pixels.js";
import type { EpochRecord, Position, TrainingState } from "./records.js";
import { Stopwatch } from "./stopwatch.js";
import { classHits, ScoreDisplay, type Scores, Sums } from "./sums.js";
import { sumTasks, totalLoss } from "./tasks/losses.js";
import { checkTaskOptions } from "./tasks/options.js";
import { type TargetsByTask, targetsOf } from "./tasks/targets.js";
import type { Tasks } from "./tasks/task.js";

/** The labels of what pictures were mixed with, and the share of the loss that is not theirs. */
type Mixed = { readonly labels: Labels; readonly share: Tensor<[]> };

type BatchProgram = CompiledFunction<
  [Inputs, Labels, Labels | undefined, Mixed | undefined, TargetsByTask | undefined],
  null
>;

/**
 * Trains a model on images with class labels, or with several labels at once.
 *
 * @example
 * const trainer = new Trainer(model, { optimizer: new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 }) });
 * await trainer.fit(train, { epochs: 5, validation: test });
 * const { accuracy } = await trainer.evaluate(test);
 */
export class Trainer {
  readonly model: Layer | NamedLayer;
  readonly optimizer: Optimizer;
  readonly #options: TrainerOptions;
  readonly #sums: Sums;
  readonly #step: BatchProgram;
  /** Of a batch that a step is not yet made after. */
  readonly #part: BatchProgram;
  #position: Position = { epoch: 0, batch: 0 };
  /** Whether the sums hold part of the epoch at `#position`. */
  #started = false;
  readonly #clock = new Stopwatch();
  #evaluator: Evaluator | undefined;
  /** Readings of the state and evaluations under way, which no step may overtake. */
  #held: Promise<unknown> = Promise.resolve();

  constructor(model: Layer | NamedLayer, options: TrainerOptions) {
    this.model = model;
    this.optimizer = options.optimizer;
    this.#options = options;
    this.#sums = new Sums(options.tasks);
    checkTaskOptions(options);
    const { loss, groups, labelSmoothing = 0, tasks, objective } = options;
    checkObjective("Trainer", objective, loss ?? groups ?? tasks ?? (labelSmoothing > 0 || undefined));
    checkRange("Trainer", "labelSmoothing", labelSmoothing, 0, 1);
    if (labelSmoothing > 0 && (groups === undefined ? loss : groups.losses) !== undefined)
      throw new ArgumentError(
        "Trainer: labelSmoothing is for cross-entropy, but there is a loss of its own. Fix: leave out one of the two.",
      );
    const parts = checkCount("Trainer", "accumulate", options.accumulate ?? 1);
    this.#step = this.#compile(parts, () => void this.optimizer.step());
    this.#part = this.#compile(parts, () => void this.optimizer.accumulate());
  }

  /** The program of a batch, whose gradients count by 1 / `parts`; `use` records what becomes of them. */
  #compile(parts: number, use: () => void): BatchProgram {
    const { normalization, tasks } = this.#options;
    return compile(
      (
        inputs: Inputs,
        labels: Labels,
        groups: Labels | undefined,
        mixed: Mixed | undefined,
        targets: TargetsByTask | undefined,
      ) => {
        const x = toNetwork(inputs, normalization);
        const loss =
          tasks !== undefined && targets !== undefined
            ? this.#recordTasks(x, tasks, targets)
            : this.#recordClasses(x, labels, groups, mixed);
        backward(parts === 1 ? loss : mul(loss, 1 / parts));
        use();
        return null;
      },
    );
  }

  /** How much of the training has been done. */
  get position(): Position {
    return this.#position;
  }

  /** The program of a training step, as text. */
  explain(): string {
    return this.#step.explain();
  }

  /**
   * Trains until epoch `epochs`; goes on from where an earlier call or `restore` left off.
   *
   * @returns what each epoch came to
   * @throws NotFiniteError when the loss becomes NaN or infinite; AbortedError when `signal` aborts, between two steps:
   * `state()` then gives what to go on from
   */
  async fit(train: TrainingData, options: FitOptions): Promise<EpochRecord[]> {
    const { epochs, batchSize = 64, seed = 0, weights, augment, validation, callbacks = {} } = options;
    if (!Number.isInteger(epochs) || epochs < 1)
      throw new ArgumentError(`fit: epochs is ${epochs}. Expected an integer of 1 or more.`);
    this.#checkGroups(train.size);
    if (augment !== undefined && train instanceof FeatureDataset) {
      throw new ArgumentError(
        "fit: features cannot be augmented, only the pictures that they are made of. Fix: extractFeatures(…, { copies, augment }).",
      );
    }
    const loader = new DataLoader<ImageBatch | FeatureBatch>(train, {
      batchSize,
      shuffle: true,
      seed,
      weights,
      augment,
    });
    if (loader.batchesPerEpoch === 0)
      throw new ArgumentError("fit: the training set is empty. Expected at least one sample.");
    if (validation?.size === 0)
      throw new ArgumentError("fit: the validation set is empty. Expected at least one sample, or no validation.");
    const records: EpochRecord[] = [];
    while (this.#position.epoch < epochs) {
      const record = await this.#epoch(loader, options, callbacks);
      records.push(record);
      if ((await callbacks.onEpoch?.(record)) === "stop") break;
    }
    return records;
  }

  /**
   * Loss and accuracy on a data set, without training; training under way waits for it. With the average of the weights,
   * if the optimizer keeps one.
   */
  evaluate(data: TrainingData, options: EvaluateOptions = {}): Promise<Scores> {
    this.#evaluator ??= new Evaluator(this.model, this.#options);
    const evaluator = this.#evaluator;
    if (!this.optimizer.averages) return this.#hold(evaluator.evaluate(data, options));
    // What is under way must not see the average in place of the weights.
    return this.#hold(this.#held.then(() => this.optimizer.withAverage(() => evaluator.evaluate(data, options))));
  }

  /** Everything to go on from, as it is between two steps; training under way waits until it has been read. */
  state(): Promise<TrainingState> {
    const { optimizer } = this;
    if (!optimizer.averages) return this.#hold(this.#readState());
    return this.#hold(this.#held.then(() => optimizer.withAverage(() => this.#readState())));
  }

  /** Goes on from saved state: the next `fit` continues where it was taken. */
  restore(state: TrainingState): void {
    this.model.loadStateDict(state.weights);
    this.optimizer.loadState(state.optimizer);
    if (this.optimizer.averages) this.optimizer.exchangeAverage();
    this.#options.schedule?.loadState(state.schedule);
    this.#sums.restore(state.sums);
    if (state.groupWeights !== undefined) {
      const robust = this.#robustLoss;
      if (robust?.groups !== state.groupWeights.length) {
        throw new StateDictError(
          `the saved training was by ${state.groupWeights.length} groups, this one is by ${robust?.groups ?? "none"}. Fix: give the trainer the same groups.`,
        );
      }
      robust.groupWeights.assign(tensorOver(Float32Array.from(state.groupWeights), [robust.groups], "float32"));
    }
    this.#restoreTaskWeights(state.taskWeights);
    this.#position = state.position;
    this.#started = state.position.batch > 0;
    this.#clock.reset(state.seconds);
    defaultGenerator.seed = state.random.seed;
    defaultGenerator.position = state.random.position;
  }

  #restoreTaskWeights(saved: TrainingState["taskWeights"]): void {
    const { taskWeights } = this.#options;
    if (saved === undefined && taskWeights === undefined) return;
    for (const [name, parameter] of Object.entries(taskWeights?.logVariances ?? {})) {
      const value = saved?.[name];
      if (value === undefined)
        throw new StateDictError(
          `the saved training has no learnt weight of the task ${name}. Fix: give the trainer the tasks and taskWeights that it was started with.`,
        );
      parameter.assign(tensorOver(Float32Array.of(value), [], "float32"));
    }
    if (taskWeights === undefined)
      throw new StateDictError("the saved training learnt the tasks' weights. Fix: give the trainer taskWeights.");
  }

  async #readState(): Promise<TrainingState> {
    // What is not on the device is noted at once; what is, is read in a queue that nothing overtakes.
    const position = this.#position;
    const { seconds } = this.#clock;
    const { seed, position: drawn } = defaultGenerator;
    const schedule = this.#options.schedule?.state() ?? {};
    const robust = this.#robustLoss;
    const logVariances = Object.entries(this.#options.taskWeights?.logVariances ?? {});
    const [weights, optimizer, sums, groupWeights, taskWeights] = await Promise.all([
      this.model.stateDict(),
      this.optimizer.state(),
      this.#sums.saved(),
      robust?.groupWeights.value.data(),
      Promise.all(logVariances.map(async ([name, { value }]) => [name, await value.item()] as const)),
    ]);
    for (const [name, { data }] of Object.entries(weights)) checkFinite(name, data);
    for (const [name, data] of Object.entries(optimizer.slots)) checkFinite(`the optimizer's ${name}`, data);
    if (groupWeights !== undefined) checkFinite("the loss's group weights", groupWeights);
    for (const [name, value] of taskWeights) checkFinite(`the weight of the task ${name}`, [value]);
    return {
      position,
      weights,
      optimizer,
      schedule,
      sums,
      random: { seed, position: drawn },
      groupWeights: groupWeights && [...groupWeights],
      taskWeights: this.#options.taskWeights && Object.fromEntries(taskWeights),
      seconds,
    };
  }

  get #robustLoss(): GroupRobustLoss | undefined {
    const loss = this.#options.groups?.loss;
    return loss instanceof GroupRobustLoss ? loss : undefined;
  }

  #lossOf(logits: Tensor, labels: Labels, groups: Labels | undefined): Tensor {
    const { labelSmoothing = 0, groups: training, objective } = this.#options;
    if (objective !== undefined) return objective.loss(logits, labels);
    const { loss = (logits, labels) => crossEntropy(logits, labels, { labelSmoothing }) } = this.#options;
    if (groups === undefined || training === undefined) return loss(logits, labels);
    const { losses = (logits, labels) => crossEntropy(logits, labels, { reduction: "none", labelSmoothing }) } =
      training;
    return training.loss(losses(logits, labels), groups);
  }

  /** The loss on classes; what it comes to is counted. */
  #recordClasses(x: Tensor, labels: Labels, groups: Labels | undefined, mixed: Mixed | undefined): Tensor {
    const lossOf = (logits: Tensor, labels: Labels) => this.#lossOf(logits, labels, groups);
    const { logits, auxiliary } = outputsOf(this.model, x);
    if (!(logits instanceof Tensor)) throw needsTasks(Object.keys(logits));
    const lossFor = (logits: Tensor): Tensor => {
      if (mixed === undefined) return lossOf(logits, labels);
      const { labels: others, share } = mixed;
      return add(mul(lossOf(logits, labels), share), mul(lossOf(logits, others), sub(1, share)));
    };
    const loss = auxiliary.reduce((sum, { logits, weight }) => add(sum, mul(lossFor(logits), weight)), lossFor(logits));
    const { objective } = this.#options;
    const hits = objective === undefined ? classHits(logits, labels, mixed) : objective.right(logits, labels);
    this.#sums.record(loss, hits, labels.shape[0]);
    return loss;
  }

  /** The loss on several tasks; what they come to is counted. */
  #recordTasks(x: Tensor, tasks: Tasks, targets: TargetsByTask): Tensor {
    const { taskWeights } = this.#options;
    const { logits, auxiliary } = outputsOf(this.model, x);
    const sums = sumTasks(tasks, logits, targets);
    this.#sums.recordTasks(sums);
    const lossFor = (logits: Tensor) => totalLoss(tasks, sumTasks(tasks, logits, targets), taskWeights);
    return auxiliary.reduce(
      (total, { logits, weight }) => add(total, mul(lossFor(logits), weight)),
      totalLoss(tasks, sums, taskWeights),
    );
  }

  #checkGroups(samples: number): void {
    const of = this.#options.groups?.of;
    if (of !== undefined && of.length !== samples) {
      throw new ArgumentError(
        `fit: groups.of has ${of.length} group numbers for ${samples} training samples. Expected one for each.`,
      );
    }
  }

  #hold<T>(work: Promise<T>): Promise<T> {
    this.#held = Promise.allSettled([this.#held, work]);
    return work;
  }

  async #epoch(
    loader: DataLoader<ImageBatch | FeatureBatch>,
    { epochs, validation, validationBatchSize, signal }: FitOptions,
    callbacks: Callbacks,
  ): Promise<EpochRecord> {
    const { schedule, scheduleEvery = "step" } = this.#options;
    const { epoch } = this.#position;
    if (!this.#started) {
      this.#sums.reset();
      this.#clock.reset(0);
      this.#started = true;
    }
    this.model.train();
    this.#clock.start();
    try {
      await this.#batches(loader, epochs, callbacks, signal);
    } finally {
      this.#clock.stop();
    }
    const { seconds } = this.#clock;
    const trained = await this.#readScores();
    const learningRate = this.optimizer.lr;
    const tested = { signal, ...(validationBatchSize !== undefined && { batchSize: validationBatchSize }) };
    const validated = validation === undefined ? undefined : await this.evaluate(validation, tested);
    if (validated !== undefined) this.#checkLoss("the validation loss", validated);
    await this.#held;
    if (scheduleEvery === "epoch") schedule?.step((validated ?? trained).loss);
    this.#position = { epoch: epoch + 1, batch: 0 };
    this.#started = false;
    const samplesPerSecond = trained.count / seconds;
    return { epoch: epoch + 1, train: trained, validation: validated, learningRate, seconds, samplesPerSecond };
  }

  /** The batches of an epoch that are still to do. */
  async #batches(
    loader: DataLoader<ImageBatch | FeatureBatch>,
    epochs: number,
    callbacks: Callbacks,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { schedule, scheduleEvery = "step", accumulate = 1 } = this.#options;
    const { epoch, batch: startBatch } = this.#position;
    const display = new ScoreDisplay(() => this.#readScores());
    for await (const inputs of loader.epoch(epoch, { startBatch })) {
      const { labels, indices, size, mixed } = inputs;
      await this.#held;
      if (signal?.aborted) throw new AbortedError("training was cancelled");
      const { tasks, objective } = this.#options;
      const groupOf = this.#options.groups?.of;
      if (groupOf !== undefined && mixed !== undefined)
        throw new ArgumentError(
          "fit: a picture mixed of two belongs to no group. Fix: groups without mixup and cutmix.",
        );
      if (tasks !== undefined && mixed !== undefined)
        throw new ArgumentError(
          "fit: of several tasks only classes can be mixed, and not all are. Fix: tasks without mixup and cutmix.",
        );
      if (objective !== undefined && mixed !== undefined)
        throw new ArgumentError(`fit: mixed pictures are not for ${objective.name}. Fix: no mixup and cutmix.`);
      const batch = this.#position.batch + 1;
      const steps = batch % accumulate === 0 || batch === loader.batchesPerEpoch;
      const accepted = (steps ? this.#step : this.#part)(
        inputsOf(inputs),
        objective === undefined ? tensorOver(labels, [size], "int32") : objectiveTargets(objective, inputs),
        groupOf &&
          tensorOver(
            Int32Array.from(indices, (index) => groupOf[index]),
            [size],
            "int32",
          ),
        mixed && { labels: tensorOver(mixed.labels, [size], "int32"), share: scalar(mixed.share) },
        tasks && targetsOf(tasks, inputs),
      );
      // The step has been submitted: all else that belongs to the state moves on with it, in the same turn.
      this.#sums.counted(size);
      if (steps && scheduleEvery === "step") schedule?.step();
      this.#position = { epoch, batch };
      await accepted;
      const scores = display.look();
      await callbacks.onBatch?.({
        ...this.#position,
        epochs,
        batches: loader.batchesPerEpoch,
        learningRate: this.optimizer.lr,
        samplesPerSecond: this.#sums.count / this.#clock.seconds,
        scores,
      });
    }
    // What was asked for display must not come in after the epoch.
    await display.finish();
  }

  async #readScores(): Promise<Scores> {
    const position = this.#position;
    const scores = await this.#sums.scores();
    this.#checkLoss("the loss", scores, position);
    return scores;
  }

  #checkLoss(what: string, { loss }: Scores, { epoch, batch }: Position = this.#position): void {
    if (Number.isFinite(loss)) return;
    throw new NotFiniteError(
      `${what} became ${Number.isNaN(loss) ? "NaN" : "infinite"} in epoch ${epoch + 1}, by batch ${batch}, at a learning rate of ${this.optimizer.lr}. ` +
        "Expected a finite number. Fix: a lower learning rate, or check the data for values that are not numbers.",
    );
  }
}

/** What a model gives while training. */
function outputsOf(
  model: Layer | NamedLayer,
  x: Tensor,
): Omit<NetworkOutputs, "logits"> & { readonly logits: Tensor | Readonly<Record<string, Tensor>> } {
  return model instanceof Network ? model.outputs(x) : { logits: model(x), auxiliary: [] };
}

/**
 * Trains a model in one call.
 *
 * @example await fit(model, train, { optimizer, epochs: 5, validation: test });
 */
export function fit(
  model: Layer | NamedLayer,
  train: TrainingData,
  options: TrainerOptions & FitOptions,
): Promise<EpochRecord[]> {
  return new Trainer(model, options).fit(train, options);
}

function scalar(value: number): Tensor<[]> {
  return tensorOver(Float32Array.of(value), [], "float32");
}

/** Weights that are not numbers must not replace a checkpoint that can be gone on from. */
function checkFinite(name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new NotFiniteError(
      `${name} holds ${values[i]} (element ${i}): training has diverged. Expected finite weights. Fix: a lower learning rate.`,
    );
  }
}
