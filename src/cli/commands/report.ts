/** `fovea report`: a run as one page. */

import { join } from "node:path";
import { Command } from "commander";
import { ArgumentError } from "../../core/errors.js";
import { classColour } from "../../data/maskColours.js";
import { writeFile } from "../../node/files.js";
import { pixelsReportPage, reportPage, tasksReportPage } from "../../report/index.js";
import { attributeNames, detailsOf, type OpenedTarget, openTarget } from "../evaluation.js";
import type { NamingFlags } from "../named-model.js";
import { type DataFlags, type DeviceFlags, wholeNumber, withDataOptions, withDeviceOptions } from "../options.js";
import { explain, formatShare, printJson } from "../output.js";
import { pixelLines, pixelReportOf } from "../pixel-evaluation.js";
import { WorstPictures } from "../pixel-strips.js";
import { type RunRecord, readRun } from "../run-record.js";
import { worstMistakes } from "../scoring.js";
import { stoppable } from "../stopping.js";
import { taskLines, taskReportsOf, taskScoresOf } from "../task-evaluation.js";
import { terminalWidth } from "../terminal.js";
import { pixelViewsOf, type ViewsName, viewsOf, viewsOption } from "../views.js";
import { bestOption } from "../weights-file.js";

const help = `
Example:
  $ fovea report runs/first
  $ fovea report runs/first --out report.html --mistakes 50
  $ fovea report runs/faces --by gender,smile
  $ fovea report runs/unet-shapes --mistakes 12 --views turns

One HTML file: training curves, scores of each class, confusion matrix,
calibration, the worst mistakes as pictures, settings; of networks for pixels
IoU and Dice of each class, or PSNR, and the worst masks beside the true ones.
It needs no other file and no network, so it can be sent as it is.`;

interface ReportFlags extends DataFlags, DeviceFlags, NamingFlags {
  readonly out?: string;
  readonly mistakes: number;
  readonly by?: readonly string[];
  readonly views?: ViewsName;
  readonly json?: true;
}

export function reportCommand(): Command {
  const command = new Command("report")
    .description("write a run's curves, scores and mistakes as one HTML page")
    .argument("<run>", "the folder of a run")
    .addOption(bestOption());
  return withDeviceOptions(withDataOptions(command))
    .option("--out <file>", "where to write it (default: report.html in the run's folder)")
    .option("--mistakes <n>", "how many of the worst mistakes to show", wholeNumber(0, 1000), 24)
    .option("--by <attributes>", "compare groups of pictures, such as gender,smile", attributeNames)
    .addOption(viewsOption())
    .option("--json", "the scores and the page's path as one JSON object on standard output")
    .addHelpText("after", help)
    .action((run: string, _: ReportFlags, command: Command) =>
      stoppable((signal) => writeReport(run, command, signal)),
    );
}

async function writeReport(path: string, command: Command, signal: AbortSignal): Promise<void> {
  const run = await readRun(path);
  const opened = await openTarget<ReportFlags>(path, command, signal);
  const { entry, data, saved, flags } = opened;
  const file = flags.out ?? join(path, "report.html");
  if (saved.goal !== undefined) return writePixelReport(opened, run, file, signal);
  const { views } = flags;
  if (saved.tasks !== undefined) {
    if (views !== undefined)
      throw new ArgumentError(
        `--views is for weights that name classes or pixels, and these answer ${Object.keys(saved.tasks).join(", ")}. Fix: leave it out.`,
      );
    const scores = await taskScoresOf(opened, saved.tasks, signal);
    const tasks = await taskReportsOf(opened, saved.tasks, flags.by ?? [], signal);
    const { loss, accuracy, count } = scores;
    const title = `${entry.name} on ${data.name}`;
    await writeFile(file, tasksReportPage({ title, epochs: run.epochs, loss, tasks, settings: run.settings }));
    if (flags.json) printJson({ report: file, accuracy, loss, count, tasks: scores.tasks });
    else explain(`${taskLines(scores).join("; ")}. The report: ${file}`);
    return;
  }
  const { scored, report, subgroups } = await detailsOf(opened, { by: flags.by, views: viewsOf(views) }, signal);
  const { accuracy, loss, count } = scored.scores;
  const page = await reportPage({
    title: `${entry.name} on ${data.name}`,
    epochs: run.epochs,
    scores: report,
    loss,
    subgroups,
    mistakes: await worstMistakes(scored, data, saved.classNames, flags.mistakes),
    settings: { ...run.settings, ...(views && { views }) },
  });
  await writeFile(file, page);
  if (flags.json)
    printJson({ report: file, accuracy, loss, count, expectedCalibrationError: report.calibration.expectedError });
  else explain(`${formatShare(accuracy)} of ${count.toLocaleString("en")} pictures right. The report: ${file}`);
}

/** The same for weights that answer for every pixel. */
async function writePixelReport(
  opened: OpenedTarget<ReportFlags>,
  run: RunRecord,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const { entry, data, saved, flags } = opened;
  if (flags.by !== undefined)
    throw new ArgumentError(
      "--by is for weights that name pictures, and these answer for every pixel. Fix: leave it out.",
    );
  const worst = new WorstPictures(flags.mistakes);
  const scores = await pixelReportOf(opened, signal, { views: pixelViewsOf(flags.views), album: worst });
  const page = await pixelsReportPage({
    title: `${entry.name} on ${data.name}`,
    epochs: run.epochs,
    scores,
    colours: saved.classNames.map((_, kind) => `#${classColour(kind).toString(16).padStart(6, "0")}`),
    worst: worst.strips,
    settings: { ...run.settings, ...(flags.views && { views: flags.views }) },
  });
  await writeFile(file, page);
  const { goal: _, ...figures } = scores;
  if (flags.json) printJson({ report: file, ...figures });
  else explain(`${pixelLines(scores, terminalWidth()).head}. The report: ${file}`);
}
