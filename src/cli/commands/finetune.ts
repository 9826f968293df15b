/** `fovea finetune`: what a network has learnt elsewhere, for pictures of other classes. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { ArgumentError } from "../../core/errors.js";
import * as models from "../../models/index.js";
import type { ModelEntry } from "../../models/registry.js";
import { freezeThrough } from "../../nn/chop.js";
import type { CheckpointInfo } from "../../train/checkpoint.js";
import { type Borrowed, borrow, entryOf, startFrom, weightsPath } from "../borrowing.js";
import { isDataName } from "../data.js";
import { findNamedModel, type NamingFlags } from "../named-model.js";
import { realNumber, useDevice, wholeNumber } from "../options.js";
import { isArrays } from "../own-pictures.js";
import { goalOf, networkOptions, type PixelGoal, pixelRate, suitPixels } from "../pixels.js";
import { RunFolder } from "../run-folder.js";
import { defaultRates, type FinetuneFlags } from "../settings.js";
import { stoppable } from "../stopping.js";
import { runTraining } from "../training.js";
import { reportResult } from "../training-texts.js";
import { bestOption, modelOrRun, weightsHelp, weightsNeeded } from "../weights-file.js";
import { newRun, openRun, withTrainingOptions } from "./train.js";

const help = `
Example:
  $ fovea finetune resnet18 --weights torchvision/resnet18 --data photos
  $ fovea finetune runs/first --data photos --head-only
  $ fovea finetune resnet50 --weights resnet50.pth --data photos.zip --freeze layer3 --augment flip,crop:8
  $ fovea train lenet5 --epochs 3 --out runs/digits
  $ fovea finetune runs/digits --data faces --out runs/faces
  $ fovea finetune lenet5 --out runs/faces --resume
  $ fovea finetune runs/unet-shapes --data cells    # a class for every pixel

The weights' classifier is replaced by one for the classes of the pictures. First
this head is trained alone: what the rest of the network makes of each picture is
computed once, and kept in the cache folder for other heads. Then all of it goes on
learning, with a lower rate, and lower still towards the input.

Of unet and segnet the last convolution is replaced, for the classes of the masks; all
else is computed anew for each of its 3 epochs. They need pictures with as many
channels as the weights were trained with.

The pictures get the normalization and the size that the weights were trained with.
The run's folder is as fovea train makes it: evaluate, predict, report and export
take it.`;

/** Times to go through the pictures, with the head alone and with all of the network. */
const [headEpochs, epochs] = [20, 5];
/** Of a network for pixels, all of which is computed for each. */
const pixelHeadEpochs = 3;
const rateDecay = 0.5;
/** Of the rate that a network of random weights would get. */
const rateShare = 0.1;

export function finetuneCommand(): Command {
  const command = new Command("finetune")
    .description("train a network that has learnt elsewhere on other pictures")
    .argument("<model>", modelOrRun)
    .option("--weights <file or name>", `${weightsHelp}; or a run's folder`)
    .addOption(bestOption())
    .option(
      "--head-epochs <n>",
      "times to go through the training set with the new head alone",
      wholeNumber(0),
      headEpochs,
    )
    .option("--head-lr <x>", "learning rate of that (default: 0.05 for sgd, 0.001 for adam and adamw)", realNumber(0))
    .option("--head-only", "leave all else as it is")
    .option("--epochs <n>", "times to go through it after that, with the whole network", wholeNumber(1), epochs)
    .option(
      "--lr <x>",
      "learning rate of the head then (default: 0.005 for sgd, 0.0001 for adam and adamw)",
      realNumber(0),
    )
    .option("--rate-decay <x>", "what a stage's rate is of that of the stage above it", realNumber(0, 1), rateDecay)
    .option("--freeze <layer>", "leave the network as it is from the input through this layer, such as layer3")
    .option(
      "--copies <n>",
      "looks at each picture for the head: as it is, and as --augment changes it",
      wholeNumber(1),
      1,
    )
    .option("--no-cache", "compute all features, and keep none on the disk");
  return withTrainingOptions(command)
    .addHelpText("after", help)
    .action((model: string, _: FinetuneFlags, command: Command) =>
      stoppable((signal) => finetune(model, command, signal)),
    );
}

async function finetune(given: string, command: Command, signal: AbortSignal): Promise<void> {
  const { resume, out } = command.opts<FinetuneFlags>();
  if (!resume && out !== undefined) await RunFolder.checkFree(out);
  const named = await findNamedModel(given, command.opts<NamingFlags>());
  const folder = resume ? await openRun(named?.entry.name ?? given, command) : undefined;
  const entry = named?.entry ?? (resume ? models.find(given) : weightsNeeded(command));
  if (folder === undefined && named !== undefined) {
    const weights = weightsPath(named.weights);
    command.setOptionValueWithSource("weights", existsSync(weights) ? resolve(weights) : weights, "config");
  }
  const goal = goalOf(entry, command.opts<FinetuneFlags>().data);
  suitPixels(entry, command, rateShare);
  if (goal !== undefined && command.getOptionValueSource("headEpochs") === "default")
    command.setOptionValueWithSource("headEpochs", pixelHeadEpochs, "config");
  const device = await useDevice(command.opts<FinetuneFlags>());
  const checkpoint = await folder?.readCheckpoint();
  const { weights } = command.opts<FinetuneFlags>();
  const borrowed: Borrowed =
    checkpoint === undefined ? await borrow(entry, weights, signal) : reopen(entry, checkpoint.info);
  const flags = flagsFor(borrowed, command, goal);
  if (flags.freeze !== undefined) freezeThrough(borrowed.network, flags.freeze);
  const result = await runTraining({
    entry: borrowed.entry,
    flags,
    device,
    makeFolder: () => folder ?? newRun(entry.name, flags),
    start: startFrom(borrowed, flags),
    resuming: resume === true,
    signal,
  });
  reportResult(result, flags);
}

/** What a run that goes on has borrowed; its checkpoint has the weights. */
function reopen(entry: ModelEntry, { settings, normalization }: CheckpointInfo): Borrowed {
  return { entry: entryOf(entry, settings), network: entry.create(networkOptions(settings)), normalization, settings };
}

/** The flags, and where they say nothing, what suits the weights. */
function flagsFor({ settings }: Borrowed, command: Command, goal: PixelGoal | undefined): FinetuneFlags {
  const flags = command.opts<FinetuneFlags>();
  const { optimizer, headOnly, headEpochs, copies, augment } = flags;
  if (headOnly && headEpochs === 0)
    throw new ArgumentError("--head-only with --head-epochs 0 trains nothing. Fix: leave out one of them.");
  if (copies > 1 && augment === undefined) {
    throw new ArgumentError(
      `--copies ${copies}: without --augment all copies would be the same. Fix: --augment flip, or leave out --copies.`,
    );
  }
  if (copies > 1 && goal !== undefined)
    throw new ArgumentError(
      `--copies ${copies} is for networks that name pictures: for pixels each epoch has a look of its own. Fix: --head-epochs, or leave it out.`,
    );
  const rate = goal !== undefined && optimizer === "adam" ? pixelRate : defaultRates[optimizer];
  const common = { lr: rateShare * rate, headLr: rate };
  if (goal !== undefined) {
    const { width = 1, depth, batchNorm } = networkOptions(settings);
    return { ...common, ...flags, width, ...(depth && { depth }), ...(batchNorm !== undefined && { batchNorm }) };
  }
  const { imageSize } = settings;
  const resized = typeof imageSize === "number" && !isDataName(flags.data) && !isArrays(flags.data);
  return { ...common, ...(resized && { imageSize }), ...flags };
}
