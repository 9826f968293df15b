/** The optimizer and the schedule of learning rates that a training's flags ask for. */

import { ArgumentError } from "../core/errors.js";
import type { UncertaintyWeights } from "../nn/layers/uncertaintyWeights.js";
import { Adam, AdamW } from "../optim/adam.js";
import type { Trainable } from "../optim/groups.js";
import type { Optimizer } from "../optim/optimizer.js";
import { ConstantLR, CosineLR, OneCycleLR, PlateauLR, type Schedule, StepLR, WarmupLR } from "../optim/schedules.js";
import { SGD } from "../optim/sgd.js";
import { defaultRates, type TrainFlags } from "./settings.js";

export function makeOptimizer(trainable: Trainable, flags: TrainFlags, taskWeights?: UncertaintyWeights): Optimizer {
  const { average, clip } = flags;
  const optimizer = makePlainOptimizer(trainable, flags, taskWeights);
  if (average !== undefined) optimizer.averageWeights(average);
  if (clip !== undefined) optimizer.clipGradients(clip);
  return optimizer;
}

function makePlainOptimizer(
  trainable: Trainable,
  flags: TrainFlags,
  taskWeights: UncertaintyWeights | undefined,
): Optimizer {
  const { momentum, weightDecay, lr = defaultRates[flags.optimizer] } = flags;
  // Decay would pull all tasks' weights to 1.
  const learned = taskWeights === undefined ? [] : [{ parameters: taskWeights.parameters(), weightDecay: 0 }];
  const parameters = [...trainable, ...learned];
  if (flags.optimizer === "sgd") return new SGD(parameters, { lr, momentum, weightDecay });
  const options = { lr, weightDecay };
  return flags.optimizer === "adam" ? new Adam(parameters, options) : new AdamW(parameters, options);
}

export function makeSchedule(optimizer: Optimizer, flags: TrainFlags, stepsPerEpoch: number): Schedule {
  const { schedule, warmup, epochs } = flags;
  if (warmup === 0) return makeMainSchedule(optimizer, flags, epochs * stepsPerEpoch);
  if (schedule === "one-cycle") throw new ArgumentError("--warmup: one-cycle warms up by itself. Fix: leave it out.");
  if (warmup >= epochs)
    throw new ArgumentError(`--warmup: ${warmup} of ${epochs} epochs leave none for training. Expected fewer.`);
  // A plateau is looked for after each epoch, all else moves with each step.
  const steps = schedule === "plateau" ? Math.ceil(warmup) : Math.max(1, Math.round(warmup * stepsPerEpoch));
  return new WarmupLR(optimizer, {
    steps,
    next: makeMainSchedule(optimizer, flags, Math.max(1, epochs * stepsPerEpoch - steps)),
  });
}

/** @param steps of the training that the schedule has */
function makeMainSchedule(optimizer: Optimizer, flags: TrainFlags, steps: number): Schedule {
  switch (flags.schedule) {
    case "constant":
      return new ConstantLR(optimizer);
    case "step":
      // Divided by ten after each third of the training.
      return new StepLR(optimizer, { stepSize: Math.ceil(steps / 3), gamma: 0.1 });
    case "cosine":
      return new CosineLR(optimizer, { steps });
    case "one-cycle":
      return new OneCycleLR(optimizer, { steps });
    case "plateau":
      return new PlateauLR(optimizer);
  }
}
