/** The report on a run that has learnt several things at once. */

import type { ClassificationReport, RegressionReport, SubgroupReport } from "../train/metrics/index.js";
import type { EpochRecord } from "../train/records.js";
import {
  classTable,
  confusions,
  figureBoxes,
  htmlPage,
  percent,
  section,
  settingsTable,
  subgroupTables,
  table,
} from "./page.js";
import { drawPlot } from "./plot.js";
import { drawReliability } from "./reliability.js";

/** What the answers to one task came to. */
export type TaskSection = { readonly name: string } & (
  | {
      readonly kind: "classification";
      readonly report: ClassificationReport;
      readonly subgroups?: SubgroupReport | undefined;
    }
  | { readonly kind: "regression"; readonly report: RegressionReport }
);

export interface TasksRunReport {
  /** Such as `resnet20 on faces`. */
  readonly title: string;
  /** Epoch by epoch; none leaves the curves out. */
  readonly epochs: readonly EpochRecord[];
  /** Sum of the tasks' losses on the same samples. */
  readonly loss: number;
  readonly tasks: readonly TaskSection[];
  /** Names and values of what the run was started with. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
}

/**
 * The report as one HTML file: curves of each task, then its scores, confusions and calibration, or its errors.
 *
 * @example await writeFile("report.html", tasksReportPage({ title, epochs, loss, tasks, settings }));
 */
export function tasksReportPage({ title, epochs, loss, tasks, settings }: TasksRunReport): string {
  return htmlPage(title, [
    figureBoxes([[loss.toFixed(4), "loss of all"], ...tasks.map(figure)]),
    ...(epochs.length === 0 ? [] : section("Training", `<div class="row">${curves(epochs, tasks)}</div>`)),
    ...tasks.flatMap((task) => section(task.name, ...contents(task))),
    ...section("Settings", settingsTable(settings)),
  ]);
}

function figure(task: TaskSection): readonly [string, string] {
  const { name, report } = task;
  const of = `${name}, of ${report.count.toLocaleString("en")}`;
  if (task.kind === "classification") return [percent(task.report.accuracy), of];
  return [task.report.meanAbsoluteError.toPrecision(3), `off: ${of}`];
}

function contents(task: TaskSection): string[] {
  if (task.kind === "classification") {
    const { report, subgroups } = task;
    return [
      classTable(report),
      confusions(report),
      drawReliability(report.calibration),
      ...(subgroups === undefined ? [] : [subgroupTables(subgroups)]),
    ];
  }
  const { count, meanAbsoluteError, rootMeanSquaredError, bias, explained } = task.report;
  const row = [
    count.toLocaleString("en"),
    ...[meanAbsoluteError, rootMeanSquaredError, bias].map((x) => x.toPrecision(4)),
  ];
  return [
    table(
      ["samples", "mean absolute error", "root mean square", "bias", "variance explained"],
      [[...row, percent(explained)]],
    ),
  ];
}

/** The loss of all, and accuracy or error of each task. */
function curves(epochs: readonly EpochRecord[], tasks: readonly TaskSection[]): string {
  type Scores = EpochRecord["train"];
  const lines = (read: (scores: Scores) => number | null | undefined) =>
    [
      { name: "training", points: pointsOf(({ train }) => read(train)) },
      { name: "test", points: pointsOf(({ validation }) => validation && read(validation)) },
    ].filter(({ points }) => points.length > 0);
  const pointsOf = (read: (record: EpochRecord) => number | null | undefined) =>
    epochs.flatMap((record) => {
      const value = read(record);
      return typeof value === "number" ? [[record.epoch, value] as const] : [];
    });
  const plots = [
    drawPlot(
      lines(({ loss }) => loss),
      { title: "Loss of all", xAxis: "epoch", yAxis: "loss" },
    ),
  ];
  for (const { name, kind } of tasks) {
    const read = ({ tasks: scores }: Scores) => {
      const each = scores?.[name];
      return each?.kind === "classification" ? each.accuracy : each?.error;
    };
    const drawn = lines(read);
    if (drawn.length === 0) continue;
    const yAxis = kind === "classification" ? "share right" : "off by";
    plots.push(drawPlot(drawn, { title: name, xAxis: "epoch", yAxis }));
  }
  return plots.join("\n");
}
