/** How good a model is on a data set. */

import { AbortedError, ArgumentError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import type { Shape } from "../core/shape.js";
import type { BatchSource, ImageBatch } from "../data/batches.js";
import type { FeatureBatch } from "../data/features.js";
import { DataLoader } from "../data/loader.js";
import { type CompiledFunction, compile } from "../graph/compile.js";
import { Tensor } from "../graph/tensor.js";
import type { Layer } from "../nn/layers/container.js";
import type { NamedLayer } from "../nn/layers/multiHead.js";
import { crossEntropy } from "../nn/losses/classification.js";
import { tensorOver } from "../ops/create.js";
import { checkObjective, type Objective, objectiveTargets } from "./objective.js";
import { type Inputs, inputsOf, toNetwork } from "./pixels.js";
import { classHits, type Scores, Sums } from "./sums.js";
import { sumTasks } from "./tasks/losses.js";
import { type TargetsByTask, targetsOf } from "./tasks/targets.js";
import type { Tasks } from "./tasks/task.js";

type Labels = Tensor<Shape, "int32">;

export interface EvaluatorOptions {
  /** Default: cross-entropy. */
  readonly loss?: ((logits: Tensor, labels: Labels) => Tensor) | undefined;
  /** What is asked for, where it is no class for each picture: `segmentation()` or `denoising()`. */
  readonly objective?: Objective | undefined;
  /** What is asked, where it is more than one thing. */
  readonly tasks?: Tasks | undefined;
  /** How pixels become the model's input. Default: 0 … 255 to 0 … 1. */
  readonly normalization?: Normalization | undefined;
}

export interface EvaluateOptions {
  /** Default 256. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Switches a model and all inside it to evaluation.
 *
 * @returns what puts each module back into the mode that it was in
 */
export function switchToEvaluation(model: Layer | NamedLayer): () => void {
  const before = [...model.namedModules()].map(([, module]) => ({ module, training: module.training }));
  model.eval();
  return () => {
    for (const { module, training } of before) module.training = training;
  };
}

/** Scores a model on data sets; its program is made once. */
export class Evaluator {
  readonly #sums: Sums;
  readonly #tasks: Tasks | undefined;
  readonly #objective: Objective | undefined;
  /** Evaluations share the sums, so each waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #step: CompiledFunction<[Inputs, Labels, TargetsByTask | undefined], null>;

  constructor(
    private readonly model: Layer | NamedLayer,
    { loss, normalization, tasks, objective }: EvaluatorOptions = {},
  ) {
    checkObjective("Evaluator", objective, loss ?? tasks);
    const lossOf = loss ?? crossEntropy;
    this.#objective = objective;
    this.#tasks = tasks;
    this.#sums = new Sums(tasks);
    this.#step = compile((inputs: Inputs, labels: Labels, targets: TargetsByTask | undefined) => {
      const logits = model(toNetwork(inputs, normalization));
      if (tasks !== undefined && targets !== undefined) {
        this.#sums.recordTasks(sumTasks(tasks, logits, targets));
        return null;
      }
      if (!(logits instanceof Tensor)) throw needsTasks(Object.keys(logits));
      const [loss, hits] =
        objective === undefined
          ? [lossOf(logits, labels), classHits(logits, labels)]
          : [objective.loss(logits, labels), objective.right(logits, labels)];
      this.#sums.record(loss, hits, labels.shape[0]);
      return null;
    });
  }

  /** Mean loss and accuracy; the model is switched to evaluation meanwhile. */
  evaluate(data: BatchSource<ImageBatch | FeatureBatch>, options: EvaluateOptions = {}): Promise<Scores> {
    const run = () => this.#run(data, options);
    const scores = this.#last.then(run, run);
    this.#last = scores;
    return scores;
  }

  async #run(
    data: BatchSource<ImageBatch | FeatureBatch>,
    { batchSize = 256, signal, onProgress }: EvaluateOptions,
  ): Promise<Scores> {
    const loader = new DataLoader<ImageBatch | FeatureBatch>(data, { batchSize });
    if (loader.samplesPerEpoch === 0)
      throw new ArgumentError("evaluate: the data set is empty. Expected at least one sample.");
    const restore = switchToEvaluation(this.model);
    try {
      this.#sums.reset();
      let done = 0;
      const tasks = this.#tasks;
      for await (const batch of loader.epoch(0)) {
        const { labels, size } = batch;
        if (signal?.aborted) throw new AbortedError("the evaluation was cancelled");
        const objective = this.#objective;
        const expected =
          objective === undefined ? tensorOver(labels, [size], "int32") : objectiveTargets(objective, batch);
        await this.#step(inputsOf(batch), expected, tasks && targetsOf(tasks, batch));
        this.#sums.counted(size);
        done += size;
        onProgress?.(done, loader.samplesPerEpoch);
      }
      return await this.#sums.scores();
    } finally {
      restore();
    }
  }
}

/** When a model with several heads is treated as if it had one. */
export function needsTasks(heads: readonly string[]): ArgumentError {
  return new ArgumentError(
    `the model gives several outputs, ${heads.join(", ")}, and it is not said what they are compared with. Fix: the option tasks, such as { ${heads[0]}: tasks.classification(2) }.`,
  );
}

/**
 * Mean loss and accuracy of a model on a data set.
 *
 * @example const { accuracy } = await evaluateModel(model, test, { normalization });
 */
export function evaluateModel(
  model: Layer | NamedLayer,
  data: BatchSource<ImageBatch | FeatureBatch>,
  options: EvaluatorOptions & EvaluateOptions = {},
): Promise<Scores> {
  return new Evaluator(model, options).evaluate(data, options);
}
