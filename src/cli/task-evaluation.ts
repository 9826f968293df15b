/** Saved weights that answer several tasks, on a test set: scores of each task, and what reports add to them. */

import { ArgumentError, NotFiniteError } from "../core/errors.js";
import { annotate } from "../data/annotated.js";
import { Evaluator } from "../train/evaluation.js";
import {
  type ClassificationReport,
  classificationReport,
  type RegressionReport,
  regressionReport,
  type SubgroupReport,
  subgroupReport,
} from "../train/metrics/index.js";
import type { Scores } from "../train/sums.js";
import { type TaskPrediction, TaskPredictor } from "../train/tasks/predict.js";
import type { Tasks } from "../train/tasks/task.js";
import { checkAttributes, type OpenedTarget } from "./evaluation.js";
import { formatCount, formatShare } from "./output.js";
import { clearProgress, showProgress } from "./progress.js";
import { reportLines, subgroupLines } from "./score-tables.js";
import { formatNumber, taskText } from "./score-texts.js";
import { targetsFor } from "./tasks.js";

/** All that can be said of the answers to one task. */
export type TaskReport = {
  readonly name: string;
  /** Pictures whose right answer is known. */
  readonly count: number;
} & (
  | {
      readonly kind: "classification";
      readonly report: ClassificationReport;
      readonly subgroups: SubgroupReport | undefined;
    }
  | { readonly kind: "regression"; readonly report: RegressionReport }
);

/** Loss, and scores of each task. @throws NotFiniteError for weights that have diverged */
export async function taskScoresOf(opened: OpenedTarget, tasks: Tasks, signal: AbortSignal): Promise<Scores> {
  const { weights, saved, data, attributes } = opened;
  const { model, normalization } = saved;
  const targets = targetsFor(tasks, data.name, attributes);
  const missing = Object.keys(tasks).filter((name) => targets[name] === undefined);
  if (missing.length > 0)
    throw new ArgumentError(
      `${weights} answers ${Object.keys(tasks).join(", ")}, but ${data.name} has no labels named ${missing.join(", ")}. Fix: name data that have them.`,
    );
  const scores = await new Evaluator(model, { normalization, tasks })
    .evaluate(annotate(data, targets), {
      signal,
      onProgress: (done, total) => showProgress("testing", done, total),
    })
    .finally(clearProgress);
  if (Number.isFinite(scores.loss)) return scores;
  throw new NotFiniteError(
    `${weights}: the loss on ${data.name} is ${scores.loss}, as after a training that diverged. Expected a finite number. Fix: train with a lower learning rate.`,
  );
}

/** @param by attributes to compare groups by, for tasks of classes; none for no groups */
export async function taskReportsOf(
  opened: OpenedTarget,
  tasks: Tasks,
  by: readonly string[],
  signal: AbortSignal,
): Promise<TaskReport[]> {
  const { saved, data, attributes } = opened;
  if (by.length > 0) checkAttributes(data.name, attributes, by);
  const predictions: TaskPrediction[] = [];
  const targets = targetsFor(tasks, data.name, attributes);
  const { model, normalization } = saved;
  try {
    const predictor = new TaskPredictor(model, { tasks, normalization });
    for await (const prediction of predictor.predict(annotate(data, targets), { signal })) {
      predictions.push(prediction);
      showProgress("asking for answers", predictions.length, data.size);
    }
  } finally {
    clearProgress();
  }
  return Object.keys(tasks).flatMap((name) => reportOf(name, tasks, predictions, attributes, by));
}

function reportOf(
  name: string,
  tasks: Tasks,
  predictions: readonly TaskPrediction[],
  attributes: OpenedTarget["attributes"],
  by: readonly string[],
): TaskReport[] {
  const task = tasks[name];
  const known = predictions.filter(({ targets }) => targets[name] !== null);
  if (known.length === 0) return [];
  const targets = known.map((each) => each.targets[name] ?? 0);
  const answers = known.map((each) => each.answers[name]);
  const count = known.length;
  if (task.kind === "regression") {
    const values = answers.flatMap((answer) => (answer.kind === "regression" ? [answer.value] : []));
    return [{ name, kind: "regression", count, report: regressionReport(values, targets) }];
  }
  const { classNames } = task;
  const named = answers.flatMap((answer) => (answer.kind === "classification" ? [answer] : []));
  const probabilities = named.map((answer) => answer.probabilities);
  const chosen = Object.fromEntries(by.map((each) => [each, known.map(({ index }) => attributes[each][index])]));
  const positive = classNames.length === 2 ? 1 : null;
  const labels = named.map(({ label }) => label);
  const subgroups = by.length === 0 ? undefined : subgroupReport(labels, targets, chosen, { by, positive });
  const report = classificationReport(probabilities, targets, { classNames });
  return [{ name, kind: "classification", count, report, subgroups }];
}

/** A line for each task. */
export function taskLines({ tasks = {} }: Scores): string[] {
  return Object.entries(tasks).map(
    ([name, scores]) =>
      `${name}: ${taskText(scores)}${scores.kind === "classification" ? " right" : " in the mean"}, of ${formatCount(scores.count)} pictures`,
  );
}

/** What reports add, for people. */
export function taskReportLines(report: TaskReport, withReport: boolean, width: number): string[] {
  const groups =
    report.kind === "classification" && report.subgroups !== undefined ? subgroupLines(report.subgroups, width) : [];
  if (!withReport) return groups.length === 0 ? [] : ["", report.name, ...groups];
  if (report.kind === "classification") return ["", report.name, ...reportLines(report.report, width), ...groups];
  const { meanAbsoluteError, rootMeanSquaredError, bias, explained } = report.report;
  return [
    "",
    report.name,
    `mean absolute error ${formatNumber(meanAbsoluteError)}, root mean square ${formatNumber(rootMeanSquaredError)}, ` +
      `bias ${formatNumber(bias)}, ${formatShare(explained)} of the variance explained`,
  ];
}
