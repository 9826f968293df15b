/** A run of `fovea train`: from settings to scores, with checkpoints on the way. */

import { AbortedError, ArgumentError, DataError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import { type Annotations, annotate } from "../data/annotated.js";
import type { LoaderAugmentation } from "../data/augment/augmentation.js";
import type { ImageBatch } from "../data/batches.js";
import type { LabelledImages } from "../data/images.js";
import { balancedWeights } from "../data/sampling.js";
import type { Device } from "../index.js";
import type { ModelEntry } from "../models/registry.js";
import type { Layer } from "../nn/layers/container.js";
import { UncertaintyWeights } from "../nn/layers/uncertaintyWeights.js";
import type { Network } from "../nn/network.js";
import { manualSeed } from "../ops/random/generator.js";
import { Adam, AdamW } from "../optim/adam.js";
import type { Trainable } from "../optim/groups.js";
import type { Optimizer } from "../optim/optimizer.js";
import { ConstantLR, CosineLR, OneCycleLR, PlateauLR, type Schedule, StepLR, WarmupLR } from "../optim/schedules.js";
import { SGD } from "../optim/sgd.js";
import type { CheckpointInfo } from "../train/checkpoint.js";
import { earlyStopping } from "../train/earlyStopping.js";
import { logTraining } from "../train/logging.js";
import type { Scores } from "../train/sums.js";
import type { Tasks } from "../train/tasks/task.js";
import { type EpochRecord, Trainer } from "../train/trainer.js";
import { loadAugmentation } from "./augmentation.js";
import { fingerprint, loadTraining, skippedFiles, type TrainingSets } from "./data.js";
import { logMistakes, openEvents } from "./events.js";
import { showMistakes } from "./mistakes.js";
import { learnNormalization } from "./normalizing.js";
import { commandLine, explain, formatCount, formatSeconds, formatShare, printJson, say } from "./output.js";
import { pixelBatch, pixelScores, trainTexts } from "./pixel-evaluation.js";
import {
  goalOf,
  loadPixelTraining,
  networkOptions,
  objectiveOf,
  type PixelGoal,
  pixelClasses,
  pixelsTrainedWith,
} from "./pixels.js";
import { clearProgress, showProgress } from "./progress.js";
import type { EpochLine, RunFolder } from "./run-folder.js";
import { type PixelScores, scoreTexts } from "./score-texts.js";
import { checkSameSettings, defaultRates, resumeCommand, type TrainFlags, toSettings } from "./settings.js";
import { columnNames, makeTasks, targetsFingerprint, targetsFor } from "./tasks.js";
import { fold, terminalWidth } from "./terminal.js";

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

/** What a training begins with. */
export interface Start {
  readonly model: Network;
  readonly normalization: Normalization;
  /** What the optimizer changes. */
  readonly trainable: Trainable;
  /** What is learnt before the first epoch, in epochs of its own. */
  readonly before?: (context: BeforeTraining) => Promise<void>;
}

export interface BeforeTraining {
  readonly trainSet: LabelledImages;
  readonly testSet: LabelledImages;
  readonly signal: AbortSignal;
  /** Told of each epoch, of so many. */
  readonly onEpoch: (record: EpochRecord, epochs: number) => Promise<void>;
}

export interface TrainingResult {
  readonly train: Scores;
  readonly test: Scores & PixelScores;
  /** Spent training, over all epochs of this run. */
  readonly seconds: number;
  readonly samplesPerSecond: number;
  readonly checkpoint: string;
  /** The folder of the run. */
  readonly folder: string;
}

export async function runTraining(run: TrainingRun): Promise<TrainingResult> {
  const { entry, flags, device, signal } = run;
  const { train: trainSet, test: testSet, asked } = await loadSubject(run);
  const augment = await loadAugmentation(
    flags.augment,
    flags.workers,
    asked === undefined ? trainSet : annotate(trainSet, asked.train),
  );
  manualSeed(flags.seed);
  const classNames = asked === undefined ? trainSet.classNames : asked.classNames;
  const start = run.start ?? startAnew(run);
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
  const saveCheckpoint = async () => {
    const info: CheckpointInfo = {
      model: entry.name,
      variant: device.variant,
      classNames,
      tasks: asked?.tasks,
      normalization,
      metricsBytes: folder.metricsBytes,
      settings: { ...folder.settings, dataFingerprint, ...(asked?.goal && pixelsTrainedWith(asked.goal, trainSet)) },
    };
    await folder.writeCheckpoint({ info, state: await trainer.state() });
  };
  if (before !== undefined && lines.length === 0 && trainer.position.batch === 0) {
    const onEpoch = (record: EpochRecord, epochs: number) =>
      keepEpoch({ event: "epoch", phase: "head", ...record }, epochs, run, folder, lines);
    await before({ trainSet, testSet, signal, onEpoch }).catch((error: unknown) => {
      throw tellHowToGoOn(error, folder);
    });
    // Its epochs are counted with the others.
    trainer.restore({ ...(await trainer.state()), position: { epoch: lines.length, batch: 0 } });
    await saveCheckpoint();
  }
  await fit({ run, model, trainer, normalization, trainSet, testSet, asked, augment, folder, lines, saveCheckpoint });
  if (!flags.json && asked === undefined)
    await optimizer.withAverage(() => showMistakes(model, testSet, normalization));
  const last = lines[lines.length - 1];
  const seconds = lines.reduce((sum, line) => sum + line.seconds, 0);
  return {
    train: last.train,
    test: last.validation ?? last.train,
    seconds,
    samplesPerSecond: (trainSet.size * lines.length) / seconds,
    checkpoint: folder.checkpointPath,
    folder: folder.path,
  };
}

/** A network with random weights, and its own normalization or one learnt from the pictures: a resumed run learns the same again. */
function startAnew({ entry, flags, signal }: TrainingRun) {
  const { normalize, normalizePer } = flags;
  return async (trainSet: LabelledImages, numScores: number): Promise<Start> => {
    const model = createNetwork(entry, flags, numScores, trainSet);
    const normalization =
      normalize === "model"
        ? normalizationFor(entry, trainSet)
        : await learnNormalization(normalize, normalizePer, trainSet, signal);
    return { model, normalization, trainable: model.parameters() };
  };
}

function createNetwork(
  entry: ModelEntry,
  { width, depth, batchNorm }: TrainFlags,
  numClasses: number,
  { shape: [inChannels] }: LabelledImages,
): Network {
  // Only networks for pixels have a width here. Narrow ones have nothing to spare for dropout.
  if (width === undefined) return entry.create({ numClasses });
  return entry.create({ numClasses, dropout: 0, ...networkOptions({ width, depth, batchNorm, inChannels }) });
}

/** The network's own; of pictures with other channels than it was published for, values from −2 to 2. */
function normalizationFor({ normalization, inputShape }: ModelEntry, { shape }: LabelledImages): Normalization {
  const { mean } = normalization;
  return mean.length === 1 || shape[0] === inputShape[0] ? normalization : { mean: [0.5], std: [0.25] };
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

/** What is to be learnt instead of classes. */
interface Asked {
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

/** The pictures, and what is to be learnt of them. */
async function loadSubject({ entry, flags, start, signal }: TrainingRun): Promise<Subject> {
  const goal = start === undefined ? goalOf(entry, flags.data) : undefined;
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

interface Subject {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  readonly asked: Asked | undefined;
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
}

/** Trains, and keeps metrics and checkpoints on the way. */
async function fit(parts: Fit): Promise<void> {
  const { run, model, trainer, normalization, trainSet, testSet, asked, augment, folder, lines, saveCheckpoint } =
    parts;
  const { batch: batchSize, seed, checkpointSeconds, balance, patience, tensorboardSteps } = run.flags;
  const own = lines.filter(({ phase }) => phase === undefined);
  const epochs = lines.length - own.length + (folder.settings.headOnly === true ? 0 : run.flags.epochs);
  const stopping = patience === undefined ? () => undefined : earlyStopping({ patience });
  // A run that had stopped has nothing to go on with.
  if (own.map((line) => stopping(line)).at(-1) === "stop" || trainer.position.epoch >= epochs) return;
  const { signal } = run;
  const { optimizer } = trainer;
  const events = await openEvents(run.flags, folder, trainer, trainSet.size, run.resuming);
  const log = events && logTraining(trainer, events, { every: tensorboardSteps });
  let saved = performance.now();
  const validation = asked === undefined ? testSet : annotate(testSet, asked.test);
  /** What an epoch came to, with what only networks for pixels are measured by. */
  const measure = async (record: EpochRecord): Promise<EpochLine> => {
    const goal = asked?.goal;
    const { validation: scores } = record;
    if (goal === undefined || scores === undefined) return { event: "epoch", ...record };
    const measured = await optimizer.withAverage(() => pixelScores(goal, model, validation, { normalization, signal }));
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
          await keepEpoch(await measure(record), epochs, run, folder, lines, asked?.goal);
          const answer = stopping(record);
          // Before the checkpoint: what it counts as done is not logged again.
          await log?.onEpoch(record);
          if (events !== undefined && asked === undefined && (answer === "stop" || record.epoch === epochs)) {
            const saved = { model, normalization };
            await optimizer.withAverage(() => logMistakes(events, saved, testSet, optimizer.steps, signal));
          }
          await saveCheckpoint();
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

function announce(
  { flags, entry, device }: TrainingRun,
  model: Layer,
  trainSet: LabelledImages,
  testSet: LabelledImages,
  folder: RunFolder,
): void {
  const { epochs, batch, optimizer, schedule, seed } = flags;
  if (flags.json) {
    printJson({
      event: "start",
      model: entry.name,
      parameters: model.parameterCount(),
      data: trainSet.name,
      train: trainSet.size,
      test: testSet.size,
      ...skippedFiles(trainSet, testSet),
      epochs,
      batch,
      optimizer,
      schedule,
      augment: flags.augment ?? null,
      seed,
      device: device.variant,
      threads: device.threads,
      folder: folder.path,
    });
    return;
  }
  const threads = `${device.threads} thread${device.threads === 1 ? "" : "s"}`;
  explain(`${entry.name}: ${formatCount(model.parameterCount())} parameters, on ${device.variant} with ${threads}`);
  explain(
    `${trainSet.name}: ${formatCount(trainSet.size)} pictures to learn from, ${formatCount(testSet.size)} to test with`,
  );
}

function describeEpoch(line: EpochLine, epochs: number, goal?: PixelGoal): string {
  const { phase, epoch, train, validation, seconds } = line;
  const parts = [
    `${phase === undefined ? "" : `${phase}, `}epoch ${epoch}/${epochs}`,
    `train ${trainTexts(train, goal, "").join(", ")}`,
  ];
  if (validation !== undefined) parts.push(`test ${scoreTexts(validation, "").join(", ")}`);
  parts.push(formatSeconds(seconds));
  return fold(parts.join("  "), terminalWidth(), "  ");
}

/** Says what a training came to: to programs as the last line of JSON, to people with what to do next. */
export function reportResult(result: TrainingResult, flags: TrainFlags): void {
  const { train, test, seconds, samplesPerSecond, checkpoint, folder } = result;
  if (flags.json) {
    const scores = ({ loss, accuracy, tasks, meanIou, psnr }: Scores & PixelScores) => ({
      ...{ loss, accuracy, ...(tasks && { tasks }) },
      ...{ ...(meanIou !== undefined && { meanIou }), ...(psnr !== undefined && { psnr }) },
    });
    printJson({ event: "done", train: scores(train), test: scores(test), seconds, samplesPerSecond, checkpoint });
    return;
  }
  say();
  const speed = `${formatCount(samplesPerSecond)} pictures/s`;
  const came =
    test.tasks === undefined && test.meanIou === undefined && test.psnr === undefined
      ? `${formatShare(test.accuracy)} of the test pictures right`
      : `on the test pictures ${scoreTexts(test).join(", ")}`;
  explain(`Done in ${formatSeconds(seconds)} (${speed}): ${came}.`);
  say(`Weights and training state: ${checkpoint}`);
  say("Use them with:");
  say(`  ${commandLine("evaluate", folder)}`);
  say(`  ${commandLine("predict", folder)} PICTURE…`);
}

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
