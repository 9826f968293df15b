/** A run of `fovea train`: from settings to scores, with checkpoints on the way. */

import { AbortedError, DataError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import { annotate } from "../data/annotated.js";
import type { LoaderAugmentation } from "../data/augment/augmentation.js";
import type { ImageBatch } from "../data/batches.js";
import type { LabelledImages } from "../data/images.js";
import { balancedWeights } from "../data/sampling.js";
import type { Device } from "../index.js";
import type { ModelEntry } from "../models/registry.js";
import type { Network } from "../nn/network.js";
import { manualSeed } from "../ops/random/generator.js";
import type { Checkpoint, CheckpointInfo } from "../train/checkpoint.js";
import { earlyStopping } from "../train/earlyStopping.js";
import { improvement } from "../train/improvement.js";
import { logTraining } from "../train/logging.js";
import type { EpochRecord } from "../train/records.js";
import { Trainer } from "../train/trainer.js";
import { loadAugmentation } from "./augmentation.js";
import { fingerprint } from "./data.js";
import { EventAlbum, logMistakes, logPixels, openEvents } from "./events.js";
import { showMistakes } from "./mistakes.js";
import { makeOptimizer, makeSchedule } from "./optimizing.js";
import { explain, formatCount, printJson, say } from "./output.js";
import { pixelBatch, pixelScores, trainTexts, watched } from "./pixel-evaluation.js";
import { objectiveOf, type PixelGoal, pixelsTrainedWith } from "./pixels.js";
import { clearProgress, showProgress } from "./progress.js";
import type { EpochLine, RunFolder } from "./run-folder.js";
import { checkSameSettings, resumeCommand, type TrainFlags, toSettings } from "./settings.js";
import { type Start, startAnew } from "./starting.js";
import { type Asked, loadSubject } from "./subject.js";
import { announce, describeEpoch, type TrainingResult } from "./training-texts.js";

export interface TrainingRun {
  readonly entry: ModelEntry;
  readonly flags: TrainFlags;
  readonly device: Device;
  /** Called when the data have been read: a run that cannot begin leaves no folder behind. */
  readonly makeFolder: () => RunFolder | Promise<RunFolder>;
  /** What it begins with, for the pictures to learn from and so many scores. Default: a network with random weights. */
  readonly start?: (trainSet: LabelledImages, numScores: number) => Start | Promise<Start>;
  readonly resuming: boolean;
  readonly signal: AbortSignal;
}

export async function runTraining(run: TrainingRun): Promise<TrainingResult> {
  const { entry, flags, device, signal } = run;
  const { train: trainSet, test: testSet, asked } = await loadSubject(entry, flags, signal);
  const augment = await loadAugmentation(
    flags.augment,
    flags.workers,
    asked === undefined ? trainSet : annotate(trainSet, asked.train),
  );
  manualSeed(flags.seed);
  const classNames = asked === undefined ? trainSet.classNames : asked.classNames;
  const start = run.start ?? startAnew(entry, flags, signal);
  const { model, normalization, trainable, before } = await start(trainSet, classNames.length);
  const optimizer = makeOptimizer(trainable, flags, asked?.taskWeights);
  const stepsPerEpoch = Math.ceil(Math.ceil(trainSet.size / flags.batch) / flags.accumulate);
  const schedule = makeSchedule(optimizer, flags, stepsPerEpoch);
  const scheduleEvery = flags.schedule === "plateau" ? "epoch" : "step";
  const { accumulate, labelSmoothing } = flags;
  const trainer = new Trainer(model, {
    ...{ optimizer, normalization, schedule, scheduleEvery, accumulate, labelSmoothing },
    objective: asked?.goal && objectiveOf(asked.goal),
    tasks: asked?.tasks,
    taskWeights: asked?.taskWeights,
  });

  const folder = await run.makeFolder();
  const dataFingerprint = fingerprint(trainSet, testSet) + (asked?.fingerprint ?? "");
  const lines = run.resuming ? await goOn(trainer, folder, device, dataFingerprint) : [];
  // Only now is it certain that the run can go on with them.
  await folder.changeSettings(toSettings(entry.name, flags));
  announce(run, model, trainSet, testSet, folder);
  const checkpointNow = async (): Promise<Checkpoint> => {
    const info: CheckpointInfo = {
      model: entry.name,
      variant: device.variant,
      classNames,
      tasks: asked?.tasks,
      normalization,
      metricsBytes: folder.metricsBytes,
      settings: { ...folder.settings, dataFingerprint, ...(asked?.goal && pixelsTrainedWith(asked.goal, trainSet)) },
    };
    return { info, state: await trainer.state() };
  };
  const saveCheckpoint = async () => folder.writeCheckpoint(await checkpointNow());
  const saveBest = async () => folder.writeBest(await checkpointNow());
  if (before !== undefined && lines.length === 0 && trainer.position.batch === 0) {
    const onEpoch = (record: EpochRecord, epochs: number) =>
      keepEpoch({ event: "epoch", phase: "head", ...record }, epochs, run, folder, lines, asked?.goal);
    const pixels = asked?.goal && {
      objective: objectiveOf(asked.goal),
      train: annotate(trainSet, asked.train),
      validation: annotate(testSet, asked.test),
      validationBatchSize: pixelBatch(testSet.shape),
      augment,
    };
    await before({ trainSet, testSet, pixels, signal, onEpoch }).catch((error: unknown) => {
      throw tellHowToGoOn(error, folder);
    });
    // Its epochs are counted with the others.
    trainer.restore({ ...(await trainer.state()), position: { epoch: lines.length, batch: 0 } });
    await saveCheckpoint();
  }
  const saving = { saveCheckpoint, saveBest };
  await fit({ run, model, trainer, normalization, trainSet, testSet, asked, augment, folder, lines, ...saving });
  if (!flags.json && asked === undefined)
    await optimizer.withAverage(() => showMistakes(model, testSet, normalization));
  const last = lines[lines.length - 1];
  const seconds = lines.reduce((sum, line) => sum + line.seconds, 0);
  return {
    train: last.train,
    test: last.validation ?? last.train,
    seconds,
    samplesPerSecond: (trainSet.size * lines.length) / seconds,
    epochs: lines.length,
    best: bestOf(lines, flags),
    bestWeights: folder.bestPath,
    checkpoint: folder.checkpointPath,
    folder: folder.path,
  };
}

/** Writes a line of metrics, and says what it says. */
async function keepEpoch(
  line: EpochLine,
  epochs: number,
  { flags: { json } }: TrainingRun,
  folder: RunFolder,
  lines: EpochLine[],
  goal?: PixelGoal,
): Promise<void> {
  await folder.appendMetrics(line);
  lines.push(line);
  if (json) printJson(line);
  else say(describeEpoch(line, epochs, goal));
}

/** The error, after saying how to go on if the training was only stopped. */
function tellHowToGoOn(error: unknown, { settings, path }: RunFolder): unknown {
  if (error instanceof AbortedError) {
    say("Stopped. Go on with:");
    say(`  ${resumeCommand(settings, path)}`);
  }
  return error;
}

interface Fit {
  readonly run: TrainingRun;
  readonly model: Network;
  readonly trainer: Trainer;
  readonly normalization: Normalization;
  readonly trainSet: LabelledImages;
  readonly testSet: LabelledImages;
  readonly asked: Asked | undefined;
  readonly augment: LoaderAugmentation<ImageBatch> | undefined;
  readonly folder: RunFolder;
  /** Epochs that are done; new ones are added. */
  readonly lines: EpochLine[];
  readonly saveCheckpoint: () => Promise<void>;
  /** Keeps the weights as those of the best epoch. */
  readonly saveBest: () => Promise<void>;
}

/** Epochs of the whole network, without those of a new head alone. */
function ownEpochs(lines: readonly EpochLine[]): EpochLine[] {
  return lines.filter(({ phase }) => phase === undefined);
}

function bestOf(lines: readonly EpochLine[], { watch }: TrainFlags): EpochLine | undefined {
  const isBest = improvement("best epoch", { measure: watch });
  return ownEpochs(lines)
    .filter((line) => isBest(watched(line)))
    .at(-1);
}

/** Trains, and keeps metrics and checkpoints on the way. */
async function fit(parts: Fit): Promise<void> {
  const { run, model, trainer, normalization, trainSet, testSet, asked, augment, folder, lines } = parts;
  const { saveCheckpoint, saveBest } = parts;
  const { batch: batchSize, seed, checkpointSeconds, balance, patience, watch, tensorboardSteps } = run.flags;
  const own = ownEpochs(lines);
  const epochs = lines.length - own.length + (folder.settings.headOnly === true ? 0 : run.flags.epochs);
  const stopping = patience === undefined ? () => undefined : earlyStopping({ patience, measure: watch });
  const isBest = improvement("best epoch", { measure: watch });
  const best = own.filter((line) => isBest(watched(line))).at(-1)?.epoch;
  const { epoch, batch } = trainer.position;
  // Killed after the checkpoint of its best epoch, before these were kept.
  if (best === epoch && batch === 0) await saveBest();
  // A run that had stopped has nothing to go on with.
  if (own.map((line) => stopping(watched(line))).at(-1) === "stop" || epoch >= epochs) return;
  const { signal } = run;
  const { optimizer } = trainer;
  const events = await openEvents(run.flags, folder, trainer, trainSet.size, run.resuming);
  const log = events && logTraining(trainer, events, { every: tensorboardSteps });
  let saved = performance.now();
  const validation = asked === undefined ? testSet : annotate(testSet, asked.test);
  /** What an epoch came to, with what only networks for pixels are measured by. */
  const measure = async (record: EpochRecord, album: EventAlbum | undefined): Promise<EpochLine> => {
    const { validation: scores } = record;
    if (asked?.goal === undefined || scores === undefined) return { event: "epoch", ...record };
    const { goal, classNames } = asked;
    const options = { classNames, normalization, signal, album };
    const measured = await optimizer.withAverage(() => pixelScores(goal, model, validation, options));
    return { event: "epoch", ...record, validation: { ...scores, ...measured } };
  };
  try {
    await trainer.fit(asked === undefined ? trainSet : annotate(trainSet, asked.train), {
      epochs,
      batchSize,
      seed,
      weights: balance && balancedWeights(trainSet),
      augment,
      validation,
      ...(asked?.goal && { validationBatchSize: pixelBatch(testSet.shape) }),
      signal,
      callbacks: {
        async onBatch(progress) {
          const { epoch, batch, batches, scores, samplesPerSecond } = progress;
          showProgress(`epoch ${epoch + 1}/${epochs}`, batch, batches, [
            ...(scores === undefined ? [] : trainTexts(scores, asked?.goal, "accuracy ")),
            `${formatCount(samplesPerSecond)} pictures/s`,
          ]);
          await log?.onBatch(progress);
          if (performance.now() - saved < 1000 * checkpointSeconds) return;
          await saveCheckpoint();
          saved = performance.now();
        },
        async onEpoch(record) {
          const album = events && asked?.goal && new EventAlbum();
          const line = await measure(record, album);
          await keepEpoch(line, epochs, run, folder, lines, asked?.goal);
          const answer = stopping(watched(line));
          const isEnd = answer === "stop" || record.epoch === epochs;
          // Before the checkpoint: what it counts as done is not logged again.
          await log?.onEpoch(record);
          if (events && album && line.validation)
            await logPixels(events, line.validation, album, { step: optimizer.steps, isEnd });
          if (events !== undefined && asked === undefined && isEnd) {
            const saved = { model, normalization };
            await optimizer.withAverage(() => logMistakes(events, saved, testSet, optimizer.steps, signal));
          }
          await saveCheckpoint();
          if (isBest(watched(line))) await saveBest();
          saved = performance.now();
          return answer;
        },
      },
    });
  } catch (error) {
    if (error instanceof AbortedError) await saveCheckpoint();
    throw tellHowToGoOn(error, folder);
  } finally {
    clearProgress();
    await events?.close();
  }
}

/** Takes up the run where its last checkpoint left it; returns the epochs that it has behind it. */
async function goOn(
  trainer: Trainer,
  folder: RunFolder,
  device: Device,
  dataFingerprint: string,
): Promise<EpochLine[]> {
  const checkpoint = await folder.readCheckpoint();
  if (checkpoint === undefined) {
    explain(`${folder.path} has no checkpoint yet: starting from the beginning`);
    return folder.takeUpMetrics(0, 0);
  }
  const { info, state } = checkpoint;
  const { dataFingerprint: earlier, ...settings } = info.settings;
  checkSameSettings(folder.settings, settings, folder.path);
  if (earlier !== dataFingerprint) {
    throw new DataError(
      `--resume: the pictures or labels are not those that the run in ${folder.path} was started with. Fix: name the same data with --data and --data-dir, or start a new run.`,
    );
  }
  const lines = await folder.takeUpMetrics(info.metricsBytes, state.position.epoch);
  trainer.restore(state);
  if (info.variant !== device.variant) {
    explain(
      `fovea: the run was begun on ${info.variant} and goes on on ${device.variant}: its results will differ in the last bits`,
    );
  }
  const { epoch, batch } = state.position;
  explain(`going on after ${epoch} epoch${epoch === 1 ? "" : "s"}${batch > 0 ? ` and ${batch} batches` : ""}`);
  return lines;
}
