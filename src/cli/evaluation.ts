/** Saved weights on a test set: the scores, and what reports add to them. */

import { type Command, InvalidArgumentError } from "commander";
import { ArgumentError, NotFiniteError } from "../core/errors.js";
import type { View } from "../data/augment/views.js";
import type { ModelEntry } from "../models/registry.js";
import { Evaluator } from "../train/evaluation.js";
import {
  type Attributes,
  type ClassificationReport,
  classificationReport,
  type SubgroupReport,
  subgroupReport,
} from "../train/metrics/index.js";
import type { Scores } from "../train/sums.js";
import { type DescribedData, loadTest } from "./data.js";
import { findNamedModel, type NamingFlags } from "./named-model.js";
import { type DataFlags, type DeviceFlags, useDevice } from "./options.js";
import { loadPixelTest, type PixelSet } from "./pixels.js";
import { clearProgress, showProgress } from "./progress.js";
import { loadSavedModel, type SavedModel } from "./saved-model.js";
import { type ScoredSet, scoreSet } from "./scoring.js";
import { withRunData } from "./settings.js";
import { weightsNeeded } from "./weights-file.js";

export interface OpenedTarget<Flags extends DataFlags = DataFlags> extends DescribedData {
  readonly entry: ModelEntry;
  readonly weights: string;
  readonly saved: SavedModel;
  /** The pictures with all that is known of their pixels, for weights that answer for every pixel. */
  readonly pixels?: PixelSet;
  /** As given, and where they were not, on data, as the run has them. */
  readonly flags: Flags;
}

/**
 * Reads the weights and test pictures that a command names: a model and `--weights`, or the folder of a run.
 *
 * @throws ArgumentError where the pictures have more classes than the weights tell apart
 */
export async function openTarget<Flags extends DataFlags & DeviceFlags & NamingFlags>(
  name: string,
  command: Command,
  signal: AbortSignal,
): Promise<OpenedTarget<Flags>> {
  const given = command.opts<Flags>();
  const { entry, weights } = (await findNamedModel(name, given)) ?? weightsNeeded(command);
  await useDevice(given);
  const saved = await loadSavedModel(entry, weights, signal);
  const tasks = saved.tasks && { tasks: Object.keys(saved.tasks).join(",") };
  const flags = { ...withRunData<Flags>(command, saved.settings, given.weights === undefined), ...tasks };
  if (saved.goal !== undefined) {
    const pixels = await loadPixelTest(entry, flags, { ...saved, goal: saved.goal }, signal);
    return { entry, weights, saved, data: pixels.pictures, attributes: {}, pixels, flags };
  }
  const { data, attributes } = await loadTest(entry, flags, saved, signal);
  if (tasks === undefined && data.classNames.length > saved.classNames.length) {
    throw new ArgumentError(
      `${weights} tells ${saved.classNames.length} classes apart, but ${data.name} has ${data.classNames.length}. Fix: other weights, or another data set.`,
    );
  }
  return { entry, weights, saved, data, attributes, flags };
}

/** Loss and accuracy. @throws NotFiniteError for weights that have diverged */
export async function scoresOf(opened: OpenedTarget, signal: AbortSignal): Promise<Scores> {
  const { saved, data } = opened;
  const { model, normalization } = saved;
  const scores = await new Evaluator(model, { normalization })
    .evaluate(data, { signal, onProgress: (done, total) => showProgress("testing", done, total) })
    .finally(clearProgress);
  checkLoss(opened, scores);
  return scores;
}

function checkLoss({ weights, data }: OpenedTarget, { loss }: Scores): void {
  if (Number.isFinite(loss)) return;
  throw new NotFiniteError(
    `${weights}: the loss on ${data.name} is ${loss}, as after a training that diverged. Expected a finite number. Fix: train with a lower learning rate.`,
  );
}

/** All that can be said of the answers. */
export interface Details {
  readonly scored: ScoredSet;
  readonly report: ClassificationReport;
  readonly subgroups: SubgroupReport | undefined;
}

export interface DetailOptions {
  /** Attributes to compare groups by; none for no groups. */
  readonly by?: readonly string[] | undefined;
  readonly views?: readonly View[] | undefined;
}

/** All that can be said of the answers, in one go through the pictures. @throws NotFiniteError for weights that have diverged */
export async function detailsOf(
  opened: OpenedTarget,
  { by = [], views }: DetailOptions,
  signal: AbortSignal,
): Promise<Details> {
  const { saved, data, attributes } = opened;
  if (by.length > 0) checkAttributes(data.name, attributes, by);
  const scored = await scoreSet(saved, data, views, signal);
  checkLoss(opened, scored.scores);
  const { probabilities, labels, predicted } = scored;
  const { classNames } = saved;
  return {
    scored,
    report: classificationReport(probabilities, labels, { classNames }),
    subgroups:
      by.length === 0
        ? undefined
        : subgroupReport(predicted, labels, attributes, { by, positive: classNames.length === 2 ? 1 : null }),
  };
}

/** Says so before anything is computed. */
export function checkAttributes(data: string, attributes: Attributes, by: readonly string[]): void {
  const missing = by.filter((name) => !Object.hasOwn(attributes, name));
  if (missing.length === 0) return;
  const names = Object.keys(attributes);
  throw new ArgumentError(
    `--by: ${data} has no attribute ${missing.map((name) => JSON.stringify(name)).join(", ")}. ` +
      (names.length === 0
        ? "Expected a data set that says more of its pictures than their class, such as faces."
        : `Expected some of: ${names.join(", ")}.`),
  );
}

/** Names with commas between them, as `--by` takes them. */
export function attributeNames(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.some((name) => name === "")) throw new InvalidArgumentError("Expected names with commas between them.");
  return [...new Set(names)];
}
