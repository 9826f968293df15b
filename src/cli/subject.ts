/** What a training learns from, and what is to be learnt of it: classes, tasks or something for every pixel. */

import { ArgumentError } from "../core/errors.js";
import type { Annotations } from "../data/annotated.js";
import type { LabelledImages } from "../data/images.js";
import type { ModelEntry } from "../models/registry.js";
import { UncertaintyWeights } from "../nn/layers/uncertaintyWeights.js";
import type { Tasks } from "../train/tasks/task.js";
import { loadTraining, type TrainingSets } from "./data.js";
import { goalOf, loadPixelTraining, type PixelGoal, pixelClasses } from "./pixels.js";
import type { TrainFlags } from "./settings.js";
import { columnNames, makeTasks, targetsFingerprint, targetsFor } from "./tasks.js";

/** What is to be learnt instead of classes. */
export interface Asked {
  readonly tasks?: Tasks;
  readonly taskWeights?: UncertaintyWeights | undefined;
  /** For every pixel. */
  readonly goal?: PixelGoal;
  /** What the network's outputs are named. */
  readonly classNames: readonly string[];
  readonly train: Annotations;
  readonly test: Annotations;
  readonly fingerprint: string;
}

export interface Subject {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  readonly asked: Asked | undefined;
}

/** The pictures, and what is to be learnt of them. */
export async function loadSubject(entry: ModelEntry, flags: TrainFlags, signal: AbortSignal): Promise<Subject> {
  const goal = goalOf(entry, flags.data);
  if (goal === undefined) {
    const { train, test, attributes } = await loadTraining(entry, flags, signal);
    return { train, test, asked: askTasks(flags, train, attributes) };
  }
  const { train, test } = await loadPixelTraining(entry, flags, signal);
  const asked: Asked = {
    goal,
    classNames: pixelClasses(goal, train),
    train: train.annotations,
    test: test.annotations,
    fingerprint: targetsFingerprint(train.annotations, test.annotations),
  };
  return { train: train.pictures, test: test.pictures, asked };
}

function askTasks(flags: TrainFlags, { name }: LabelledImages, known: TrainingSets["attributes"]): Asked | undefined {
  const { tasks: list, taskWeights: weights, balance } = flags;
  if (list === undefined) {
    if (weights === undefined) return undefined;
    throw new ArgumentError("--task-weights is for --tasks. Fix: leave it out, or name the tasks.");
  }
  if (balance)
    throw new ArgumentError(
      "--balance is for classes, and --tasks names several things to learn. Fix: leave out one of them.",
    );
  const { tasks, learned } = makeTasks(list, weights, name, known.train);
  const [train, test] = [targetsFor(tasks, name, known.train), targetsFor(tasks, name, known.test)];
  const kinds = Object.fromEntries(Object.entries(tasks).map(([task, { kind }]) => [task, kind]));
  const taskWeights = learned ? new UncertaintyWeights(kinds) : undefined;
  const classNames = columnNames(tasks);
  return { tasks, taskWeights, classNames, train, test, fingerprint: targetsFingerprint(train, test) };
}
