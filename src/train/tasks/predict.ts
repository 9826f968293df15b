/** What a model with several tasks says about pictures. */

import { AbortedError } from "../../core/errors.js";
import type { Normalization } from "../../core/normalization.js";
import type { Shape } from "../../core/shape.js";
import type { BatchSource, ImageBatch } from "../../data/batches.js";
import { DataLoader } from "../../data/loader.js";
import { type CompiledFunction, compile } from "../../graph/compile.js";
import type { Tensor } from "../../graph/tensor.js";
import type { Layer } from "../../nn/layers/container.js";
import type { NamedLayer } from "../../nn/layers/multiHead.js";
import { tensorOver } from "../../ops/create.js";
import { softmax } from "../../ops/softmax.js";
import { switchToEvaluation } from "../evaluation.js";
import { normalizePixels } from "../pixels.js";
import { TaskOutputs } from "./outputs.js";
import { knownTarget, mapTasks } from "./targets.js";
import type { Task, Tasks } from "./task.js";

/** What a model answers to one task. */
export type Answer =
  | {
      readonly kind: "classification";
      /** The class of the highest probability. */
      readonly label: number;
      /** Of each class, by number. */
      readonly probabilities: Float32Array;
    }
  | {
      readonly kind: "regression";
      /** In the target's unit. */
      readonly value: number;
    };

/** What a model says about one picture. */
export interface TaskPrediction {
  readonly index: number;
  /** To each task, by name. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** What is right: a class number or a number; null where it is not known. */
  readonly targets: Readonly<Record<string, number | null>>;
}

export interface PredictTasksOptions {
  readonly tasks: Tasks;
  readonly normalization?: Normalization | undefined;
  /** Default 256. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Answers several tasks with one model; its program is made once for each size of batch. */
export class TaskPredictor {
  readonly #step: CompiledFunction<[Tensor<Shape, "uint8">], Readonly<Record<string, Tensor>>>;
  readonly #tasks: Tasks;

  constructor(
    private readonly model: Layer | NamedLayer,
    { tasks, normalization }: Pick<PredictTasksOptions, "tasks" | "normalization">,
  ) {
    this.#tasks = tasks;
    const answering = new TaskOutputs(model, tasks);
    this.#step = compile((images: Tensor<Shape, "uint8">) => {
      const outputs = answering(normalizePixels(images, normalization));
      return mapTasks(tasks, ({ kind }, name) =>
        kind === "classification" ? softmax(outputs[name], 1) : outputs[name],
      );
    });
  }

  /** The answers for each picture, in order. */
  async *predict(
    data: BatchSource<ImageBatch>,
    { batchSize = 256, signal }: Pick<PredictTasksOptions, "batchSize" | "signal"> = {},
  ): AsyncGenerator<TaskPrediction> {
    const tasks = this.#tasks;
    const restore = switchToEvaluation(this.model);
    try {
      for await (const batch of new DataLoader(data, { batchSize }).epoch(0)) {
        if (signal?.aborted) throw new AbortedError("the prediction was cancelled");
        const outputs = await this.#step(tensorOver(batch.images, batch.shape, "uint8"));
        const values: Record<string, Float32Array> = {};
        for (const [name, output] of Object.entries(outputs)) values[name] = await output.data();
        for (let i = 0; i < batch.size; i++) {
          yield {
            index: batch.indices[i],
            answers: mapTasks(tasks, (task, name) => answerOf(task, values[name], i)),
            targets: mapTasks(tasks, (task, name) => knownTarget(task, name, batch, i)),
          };
        }
      }
    } finally {
      restore();
    }
  }
}

function answerOf(task: Task, values: Float32Array, sample: number): Answer {
  if (task.kind === "regression") return { kind: "regression", value: values[sample] };
  const probabilities = values.subarray(sample * task.width, (sample + 1) * task.width);
  return { kind: "classification", label: probabilities.indexOf(Math.max(...probabilities)), probabilities };
}

/**
 * The answers to each task for each picture, in order.
 *
 * @example for await (const { answers } of tasks.predict(model, test, { tasks: asked })) console.log(answers.age);
 */
export function predict(
  model: Layer | NamedLayer,
  data: BatchSource<ImageBatch>,
  options: PredictTasksOptions,
): AsyncGenerator<TaskPrediction> {
  return new TaskPredictor(model, options).predict(data, options);
}
