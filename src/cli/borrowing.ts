/** What `fovea finetune` begins with: a network with the weights of another training, and a new head on it. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { ArgumentError, StateDictError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import { parse } from "../data/augment/parse.js";
import type { LabelledImages } from "../data/images.js";
import { balancedWeights } from "../data/sampling.js";
import { cachedFeatures } from "../features.js";
import type { ModelEntry } from "../models/registry.js";
import { freezeThrough, splitClassifier } from "../nn/chop.js";
import { statesByName } from "../nn/module.js";
import type { Network } from "../nn/network.js";
import { earlyStopping } from "../train/earlyStopping.js";
import { extractFeatures } from "../train/features.js";
import { layerwiseRates } from "../train/layerwiseRates.js";
import { Trainer } from "../train/trainer.js";
import { makeOptimizer, makeSchedule } from "./optimizing.js";
import { clearProgress, showProgress } from "./progress.js";
import { checkpointName } from "./run-folder.js";
import { checkpointInfo, loadSavedModel } from "./saved-model.js";
import { defaultRates, type FinetuneFlags, type Settings } from "./settings.js";
import type { BeforeTraining, Start } from "./starting.js";
import { findWeights } from "./weights-file.js";

export interface Borrowed {
  readonly network: Network;
  /** The registry's, with the resizing that the weights were trained with. */
  readonly entry: ModelEntry;
  readonly normalization: Normalization;
  /** Of the run that the weights are of; empty for other weights. */
  readonly settings: Settings;
}

/** The entry with the size of the pictures that a run for pixels took; others bring pictures to that of the entry. */
export function entryOf(entry: ModelEntry, { inChannels, pictureHeight, pictureWidth }: Settings): ModelEntry {
  if (typeof inChannels !== "number") return entry;
  return { ...entry, inputShape: [inChannels, Number(pictureHeight), Number(pictureWidth)] };
}

/** The file of weights that `--weights` means: in a run's folder its checkpoint. */
export function weightsPath(given: string): string {
  return statSync(given, { throwIfNoEntry: false })?.isDirectory() ? join(given, checkpointName) : given;
}

/**
 * Loads all but the classifier, which may be of any number of classes.
 *
 * @throws StateDictError for the weights of another network
 */
export async function borrow(entry: ModelEntry, weights: string, signal: AbortSignal): Promise<Borrowed> {
  const { path, resizing } = await findWeights(entry, weights, signal);
  const network = entry.create();
  if (path.endsWith(".json") || (await checkpointInfo(path)) !== undefined) {
    const { model, normalization, settings } = await loadSavedModel(entry, path, signal);
    return { network: model, entry: entryOf(entry, settings), normalization, settings };
  }
  const { missing, misshaped } = await network.load(path, { strict: false, finite: true, signal });
  checkBody(network, [...missing, ...misshaped], `${path} does not hold weights of ${entry.name}`);
  return {
    network,
    entry: resizing === undefined ? entry : { ...entry, resizing },
    normalization: entry.normalization,
    settings: {},
  };
}

/** Throws unless all that is lacking belongs to classifiers. */
function checkBody(network: Network, lacking: readonly string[], what: string): void {
  const before = statesByName(network);
  network.resetClassifier(2);
  const after = statesByName(network);
  const body = new Set([...before].filter(([name, state]) => after.get(name) === state).map(([name]) => name));
  const wrong = lacking.filter((name) => body.has(name));
  if (wrong.length === 0) return;
  const names = wrong.slice(0, 4).join(", ") + (wrong.length > 4 ? ", …" : "");
  throw new StateDictError(
    `${what}: ${wrong.length} of the ${body.size} tensors before its classifier are missing or of another shape (${names}). ` +
      "Expected all of them; only the classifier may differ. Fix: name the model that the weights are of, or other weights.",
  );
}

/** The network with a new head, for the classes that there are. */
export function startFrom({ network, normalization, entry }: Borrowed, flags: FinetuneFlags) {
  return ({ name, shape }: LabelledImages, numScores: number): Start => {
    const [channels] = entry.inputShape;
    if (shape[0] !== channels)
      throw new ArgumentError(
        `the weights take pictures of ${channels} ${channels === 1 ? "channel" : "channels"}, but those of ${name} have ${shape[0]}. Fix: other pictures, or weights of a network for them.`,
      );
    network.resetClassifier(numScores);
    return {
      model: network,
      normalization,
      trainable: layerwiseRates(network, { decay: flags.rateDecay }),
      ...(flags.headEpochs > 0 && { before: (context) => trainHead(network, normalization, flags, context) }),
    };
  };
}

/** Trains the new head alone, on what the rest makes of the pictures. */
async function trainHead(
  network: Network,
  normalization: Normalization,
  flags: FinetuneFlags,
  { trainSet, testSet, pixels, signal, onEpoch }: BeforeTraining,
): Promise<void> {
  const { headEpochs: epochs, batch: batchSize, seed, balance, patience, watch, accumulate, labelSmoothing } = flags;
  const { copies, augment } = flags;
  const featuresOf = (set: LabelledImages, what: string, copies: number) => {
    const onProgress = (done: number, total: number) => showProgress(`features of the ${what}`, done, total);
    const augmentation = augment === undefined ? undefined : parse(augment);
    const options = { normalization, copies, augment: augmentation, seed, signal, onProgress };
    return (flags.cache ? cachedFeatures : extractFeatures)(network, set, options).finally(clearProgress);
  };
  const fromFeatures = async () => {
    const train = await featuresOf(trainSet, "pictures to learn from", copies);
    const validation = await featuresOf(testSet, "test pictures", 1);
    return { train, validation, weights: balance && balancedWeights(train) };
  };
  const { train, ...others } = pixels ?? (await fromFeatures());
  const { classifier } = splitClassifier(network);
  const { average: _, headLr: lr = defaultRates[flags.optimizer], ...rest } = flags;
  const headFlags = { ...rest, lr, epochs, warmup: 0 };
  const optimizer = makeOptimizer(classifier.parameters(), headFlags);
  const schedule = makeSchedule(optimizer, headFlags, Math.ceil(Math.ceil(train.size / batchSize) / accumulate));
  const scheduleEvery = flags.schedule === "plateau" ? "epoch" : "step";
  // Features of every pixel would take too much memory: the network makes them anew each time, and stays as it is.
  if (pixels !== undefined) {
    network.freeze();
    classifier.unfreeze();
  }
  const trainer = new Trainer(pixels === undefined ? classifier : network, {
    ...{ optimizer, schedule, scheduleEvery, accumulate, labelSmoothing },
    ...(pixels && { objective: pixels.objective, normalization }),
  });
  const stopping = patience === undefined ? () => undefined : earlyStopping({ patience, measure: watch });
  await trainer
    .fit(train, {
      ...others,
      epochs,
      batchSize,
      seed,
      signal,
      callbacks: {
        onBatch: ({ epoch, batch, batches }) => showProgress(`head, epoch ${epoch + 1}/${epochs}`, batch, batches),
        async onEpoch(record) {
          await onEpoch(record, epochs);
          return stopping(record);
        },
      },
    })
    .finally(clearProgress);
  if (pixels === undefined) return;
  network.unfreeze();
  if (flags.freeze !== undefined) freezeThrough(network, flags.freeze);
}
