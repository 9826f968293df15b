/** What becomes of a training, for programs that draw it while it goes on. */

import { checkCount } from "../core/check.js";
import { sizeOf } from "../core/shape.js";
import { contactSheet } from "../data/contactSheet.js";
import { fromPlanar, type PixelImage, toByte } from "../data/pixels.js";
import type { SavedTensor, StateDict } from "../nn/state-dict.js";
import type { Callbacks } from "./options.js";
import type { Scores } from "./sums.js";
import type { Trainer } from "./trainer.js";

/** Takes what is to be shown, such as the `EventWriter` of `fovea/node`, which writes it for TensorBoard. */
export interface EventSink {
  scalars(values: Readonly<Record<string, number>>, step: number): Promise<void>;
  histogram(tag: string, values: ArrayLike<number>, step: number): Promise<void>;
  image(tag: string, picture: PixelImage, step: number): Promise<void>;
}

export interface LogOptions {
  /** Also the means over the epoch so far, and the learning rate, after each so many steps. Default: only after epochs. */
  readonly every?: number | undefined;
  /** How the values of each weight are distributed, and the first kernels as a picture, after each epoch. Default true. */
  readonly weights?: boolean | undefined;
}

/**
 * Callbacks that log a training: after each epoch loss, accuracy, learning rate and speed, and its weights; counted in steps of
 * the optimizer.
 *
 * @example
 * const events = await EventWriter.open("logs/first");
 * await trainer.fit(train, { epochs: 5, validation, callbacks: logTraining(trainer, events) });
 * await events.close();
 */
export function logTraining(
  trainer: Trainer,
  events: EventSink,
  { every, weights = true }: LogOptions = {},
): Required<Callbacks> {
  if (every !== undefined) checkCount("logTraining", "every", every);
  let logged = trainer.optimizer.steps;
  return {
    async onBatch({ scores, learningRate }) {
      const { steps } = trainer.optimizer;
      // Of several batches to a step the first that come after it are none.
      if (every === undefined || steps === logged || steps % every !== 0) return;
      logged = steps;
      const means = scores && scalarsOf(scores, (what) => `step/${what}`);
      await events.scalars({ "step/learning rate": learningRate, ...means }, steps);
    },
    async onEpoch({ epoch, train, validation, learningRate, samplesPerSecond }) {
      const { steps } = trainer.optimizer;
      const tested = validation && scalarsOf(validation, (what) => `${what}/test`);
      const values = { ...scalarsOf(train, (what) => `${what}/train`), ...tested };
      await events.scalars({ ...values, "learning rate": learningRate, samplesPerSecond, epoch }, steps);
      if (!weights) return;
      const state = (await trainer.state()).weights;
      for (const [name, { data }] of Object.entries(state)) {
        if (data instanceof Float32Array && data.length > 1) await events.histogram(`weights/${name}`, data, steps);
      }
      const kernels = kernelPicture(state);
      if (kernels !== undefined) await events.image("kernels", kernels, steps);
    },
  };
}

/** Loss and accuracy; of several tasks also those of each, and the errors of numbers, where anything is known. */
function scalarsOf({ loss, accuracy, tasks = {} }: Scores, nameOf: (what: string) => string): Record<string, number> {
  const values: [what: string, value: number | null][] = [
    ["loss", loss],
    ["accuracy", accuracy],
    ...Object.entries(tasks).flatMap(([name, scores]): [string, number | null][] => [
      [`${name} loss`, scores.loss],
      scores.kind === "classification" ? [`${name} accuracy`, scores.accuracy] : [`${name} error`, scores.error],
    ]),
  ];
  return Object.fromEntries(
    values.flatMap(([what, value]) => (value === null || Number.isNaN(value) ? [] : [[nameOf(what), value]])),
  );
}

/** The kernels of the first convolution of pictures with 1 or 3 channels, each from its least value (black) to its largest. */
function kernelPicture(weights: StateDict): PixelImage | undefined {
  const first = Object.values(weights).find(isPictures);
  if (first === undefined) return undefined;
  const [count, channels, height, width] = first.shape;
  const length = sizeOf([channels, height, width]);
  const pictures = Array.from({ length: count }, (_, i) => {
    const values = Float32Array.from(first.data.subarray(i * length, (i + 1) * length));
    const least = values.reduce((a, b) => Math.min(a, b));
    const range = values.reduce((a, b) => Math.max(a, b)) - least || 1;
    const bytes = Uint8Array.from(values, (value) => toByte((255 * (value - least)) / range));
    return fromPlanar(bytes, [channels === 1 ? 1 : 3, height, width]);
  });
  return contactSheet(pictures, { columns: 8, scale: Math.max(1, Math.round(32 / width)) });
}

function isPictures({ shape }: SavedTensor): boolean {
  return shape.length === 4 && (shape[1] === 1 || shape[1] === 3) && shape[2] > 1 && shape[3] > 1;
}
