/** `fovea train`: trains a model and keeps the run in a folder. */

import { join } from "node:path";
import { Command, Option } from "commander";
import { ArgumentError, StateDictError } from "../../core/errors.js";
import { normalizationGroups } from "../../data/normalization/fit.js";
import * as models from "../../models/index.js";
import { augmentationText } from "../augmentation.js";
import { isDataName } from "../data.js";
import { checkNoEvents } from "../events.js";
import { positiveNumber, realNumber, useDevice, wholeNumber, withDataOptions, withDeviceOptions } from "../options.js";
import { maskClassList, suitPixels } from "../pixels.js";
import { RunFolder } from "../run-folder.js";
import {
  commandOf,
  defaults,
  type FinetuneFlags,
  normalizeNames,
  optimizerNames,
  restoreSettings,
  resumeCommand,
  scheduleNames,
  type TrainFlags,
  toSettings,
  watchNames,
} from "../settings.js";
import { stoppable } from "../stopping.js";
import { taskList, taskWeightList } from "../tasks.js";
import { runTraining } from "../training.js";
import { reportResult } from "../training-texts.js";

const help = `
Example:
  $ fovea train lenet5 --data digits --epochs 5 --out runs/first
  $ fovea train lenet5 --data mnist --data-dir ~/mnist --json
  $ fovea train resnet18 --data photos --image-size 64 --validation 0.2
  $ fovea train lenet5 --data pneumoniamnist.npz
  $ fovea train lenet5 --normalize z-score
  $ fovea train lenet5 --out runs/first --resume
  $ fovea train resnet20 --data faces --tasks smile,gender,age:regression
  $ fovea train resnet20 --data cifar10 --augment crop:4,flip,cutout:8
  $ fovea train unet --data shapes    # a class for every pixel
  $ fovea train unet --data noisy     # pictures without noise
  $ fovea train unet --data cells --mask-classes cell=255,membrane=0 \\
      --augment crop:0:size=128,flip --epochs 100
  $ fovea train lenet5 --tensorboard logs    # tensorboard --logdir logs
  $ fovea train resnet18 --data photos --batch 16 --accumulate 4 --average 0.99

The run's folder holds config.json (the settings), metrics.jsonl (a line for
each epoch), checkpoint.safetensors (the weights, and all else that --resume
goes on from, with the same result as if nothing had happened) and
best.safetensors (the weights of the epoch with the lowest test loss, which
--best of evaluate, predict, report and export uses). Ctrl-C writes the
checkpoint and stops.

Pictures of your own lie in folders, one a class (photos/cat/1.jpg), and those
in parts that are ready-made if you like (photos/train/cat/1.jpg, photos/val/…).
What cannot be read is left out and listed.

unet and segnet learn a class for every pixel, from drawn shapes or a folder
with images/ and masks/ (files of the same names); with noisy they learn to
remove noise. Unless told otherwise they have an eighth of their channels, and
steps of 8 pictures with adam. Large pictures are best learnt from in crops.`;

export function trainCommand(): Command {
  const command = new Command("train").description("train a model on labelled pictures").argument(
    "<model>",
    `a model's name: ${models
      .list()
      .map((entry) => entry.name)
      .join(", ")}`,
  );
  return withTrainingOptions(
    command
      .option("--epochs <n>", "times to go through the training set", wholeNumber(1), defaults.epochs)
      .option("--lr <x>", "learning rate (default: 0.05 for sgd, 0.001 for adam and adamw)", realNumber(0))
      .addOption(
        new Option("--normalize <method>", "what pixels become: as the model says, or as learnt from the training set")
          .choices(normalizeNames)
          .default(defaults.normalize),
      )
      .addOption(
        new Option("--normalize-per <group>", "what shares a range or a mean, with min-max and z-score")
          .choices(normalizationGroups)
          .default(defaults.normalizePer),
      )
      .option(
        "--tasks <list>",
        "learn several things at once, by name: smile,age:regression (columns of a .csv, or what a generated set knows)",
        taskList,
      )
      .option(
        "--task-weights <list>",
        "how much each counts: smile=1,age=0.5, or learned (default: all 1)",
        taskWeightList,
      )
      .option("--width <x>", "of unet and segnet: share of the channels (default: 0.125)", positiveNumber)
      .option(
        "--depth <n>",
        "of unet: how often it halves the resolution (default: 3; 2 for noisy)",
        wholeNumber(1, 6),
      ),
  )
    .addHelpText("after", help)
    .action((model: string, _: TrainFlags, command: Command) => stoppable((signal) => train(model, command, signal)));
}

/** The options of all that trains. */
export function withTrainingOptions(command: Command): Command {
  return withDeviceOptions(withDataOptions(command))
    .option("--batch <n>", "pictures in a step", wholeNumber(1), defaults.batch)
    .addOption(
      new Option("--optimizer <name>", "how weights change").choices(optimizerNames).default(defaults.optimizer),
    )
    .option("--momentum <x>", "of sgd", realNumber(0, 1), defaults.momentum)
    .option("--weight-decay <x>", "how strongly weights are pulled towards zero", realNumber(0), defaults.weightDecay)
    .addOption(
      new Option("--schedule <name>", "how the learning rate falls").choices(scheduleNames).default(defaults.schedule),
    )
    .option(
      "--augment <list>",
      "what happens to training pictures at random, such as crop:4,flip (see fovea augment)",
      augmentationText,
    )
    .option(
      "--workers <n>",
      "threads that augment; results do not depend on it (default: none where it is quick)",
      wholeNumber(0, 64),
    )
    .option("--warmup <epochs>", "in which the learning rate rises from 0 before that", realNumber(0), defaults.warmup)
    .option("--patience <n>", "stop after so many epochs without progress", wholeNumber(1))
    .addOption(
      new Option(
        "--watch <measure>",
        "what that and the best epoch go by, of the test pictures (default: loss)",
      ).choices(watchNames),
    )
    .option(
      "--accumulate <n>",
      "batches that make one step, as one of n times as many pictures",
      wholeNumber(1),
      defaults.accumulate,
    )
    .option("--average <decay>", "test and save a moving average of the weights, such as 0.999", realNumber(0, 1))
    .option("--clip <norm>", "shrink the gradients of a step to at most this norm", positiveNumber)
    .option(
      "--label-smoothing <x>",
      "share of the probability that targets leave to all classes",
      realNumber(0, 1),
      defaults.labelSmoothing,
    )
    .option(
      "--seed <n>",
      "decides initial weights, the order of pictures and how they are augmented",
      wholeNumber(0),
      defaults.seed,
    )
    .option(
      "--validation <x>",
      "share of pictures of your own to test with, where no folder val or test has some (default: 0.1)",
      realNumber(0, 1),
    )
    .option(
      "--mask-classes <list>",
      "what colours in masks of your own stand for: cell=255,membrane=0,ignore=#808080 (default: each is a class)",
      maskClassList,
    )
    .option("--balance", "draw every class equally often, however many pictures it has")
    .option(
      "--checkpoint-seconds <x>",
      "seconds of training that a crash may cost at most",
      realNumber(0),
      defaults.checkpointSeconds,
    )
    .option("--tensorboard <folder>", "also write what TensorBoard shows, to a folder of the run's name in this one")
    .option("--tensorboard-steps <n>", "there, also the loss so far, after each so many steps", wholeNumber(1))
    .option("--out <folder>", "where to keep the run (default: a new folder in runs/)")
    .option("--resume", "go on with the run in --out from its last checkpoint")
    .option("--json", "one JSON object a line on standard output; the last is the result");
}

async function train(name: string, command: Command, signal: AbortSignal): Promise<void> {
  const entry = models.find(name);
  const { resume, out, tensorboard } = command.opts<TrainFlags>();
  if (!resume && out !== undefined) {
    await RunFolder.checkFree(out);
    if (tensorboard !== undefined) await checkNoEvents(tensorboard, out);
  }
  const folder = resume ? await openRun(name, command) : undefined;
  suitPixels(entry, command);
  const flags = command.opts<TrainFlags>();
  const device = await useDevice(flags);
  const makeFolder = () => folder ?? newRun(name, flags);
  const result = await runTraining({ entry, flags, device, makeFolder, resuming: resume === true, signal });
  reportResult(result, flags);
}

/** A new folder for a run, as --out says. */
export function newRun(model: string, flags: TrainFlags | FinetuneFlags): Promise<RunFolder> {
  const settings = toSettings(model, flags);
  if (flags.out !== undefined) return RunFolder.create(flags.out, settings);
  const data = isDataName(flags.data) ? flags.data : "own";
  return RunFolder.createNew(join("runs", `${model}-${data}`), settings);
}

/** The folder of the run to go on with; the options of `command` become those that it was started with. */
export async function openRun(model: string, command: Command): Promise<RunFolder> {
  const { out } = command.opts<TrainFlags>();
  if (out === undefined) throw new ArgumentError("--resume needs --out, the folder of the run to go on with.");
  const folder = await RunFolder.open(out);
  const { settings } = folder;
  if (settings.model !== model || commandOf(settings) !== command.name()) {
    const what =
      settings.model === model
        ? `fovea ${commandOf(settings)}, not of fovea ${command.name()}`
        : `${settings.model}, not of ${model}`;
    throw new StateDictError(`${out} is a run of ${what}. Fix: ${resumeCommand(settings, out)}`);
  }
  restoreSettings(command, settings, out);
  return folder;
}
