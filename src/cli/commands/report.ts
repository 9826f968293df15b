/** `fovea report`: a run as one page. */

import { join } from "node:path";
import { Command } from "commander";
import { ArgumentError } from "../../core/errors.js";
import { writeFile } from "../../node/files.js";
import { reportPage, tasksReportPage } from "../../report/index.js";
import { attributeNames, detailsOf, openTarget } from "../evaluation.js";
import { type DataFlags, type DeviceFlags, wholeNumber, withDataOptions, withDeviceOptions } from "../options.js";
import { explain, formatShare, printJson } from "../output.js";
import { readRun } from "../run-record.js";
import { worstMistakes } from "../scoring.js";
import { stoppable } from "../stopping.js";
import { taskLines, taskReportsOf, taskScoresOf } from "../task-evaluation.js";

const help = `
Example:
  $ fovea report runs/first
  $ fovea report runs/first --out report.html --mistakes 50
  $ fovea report runs/faces --by gender,smile

One HTML file: training curves, scores of each class, confusion matrix,
calibration, the worst mistakes as pictures, settings. It needs no other file
and no network, so it can be sent as it is.`;

interface ReportFlags extends DataFlags, DeviceFlags {
  readonly out?: string;
  readonly mistakes: number;
  readonly by?: readonly string[];
  readonly json?: true;
}

export function reportCommand(): Command {
  const command = new Command("report")
    .description("write a run's curves, scores and mistakes as one HTML page")
    .argument("<run>", "the folder of a run");
  return withDeviceOptions(withDataOptions(command))
    .option("--out <file>", "where to write it (default: report.html in the run's folder)")
    .option("--mistakes <n>", "how many of the worst mistakes to show", wholeNumber(0, 1000), 24)
    .option("--by <attributes>", "compare groups of pictures, such as gender,smile", attributeNames)
    .option("--json", "the scores and the page's path as one JSON object on standard output")
    .addHelpText("after", help)
    .action((run: string, _: ReportFlags, command: Command) =>
      stoppable((signal) => writeReport(run, command, signal)),
    );
}

async function writeReport(path: string, command: Command, signal: AbortSignal): Promise<void> {
  const run = await readRun(path);
  if (run.settings.width !== undefined)
    throw new ArgumentError(
      `${path} answers for every pixel, and reports are for runs that name pictures. Fix: fovea evaluate ${path}, which tells IoU and Dice of each class, or PSNR.`,
    );
  const opened = await openTarget<ReportFlags>(path, command, signal);
  const { entry, data, saved, flags } = opened;
  const file = flags.out ?? join(path, "report.html");
  if (saved.tasks !== undefined) {
    const scores = await taskScoresOf(opened, saved.tasks, signal);
    const tasks = await taskReportsOf(opened, saved.tasks, flags.by ?? [], signal);
    const { loss, accuracy, count } = scores;
    const title = `${entry.name} on ${data.name}`;
    await writeFile(file, tasksReportPage({ title, epochs: run.epochs, loss, tasks, settings: run.settings }));
    if (flags.json) printJson({ report: file, accuracy, loss, count, tasks: scores.tasks });
    else explain(`${taskLines(scores).join("; ")}. The report: ${file}`);
    return;
  }
  const { scored, report, subgroups } = await detailsOf(opened, flags, signal);
  const { accuracy, loss, count } = scored.scores;
  const page = await reportPage({
    title: `${entry.name} on ${data.name}`,
    epochs: run.epochs,
    scores: report,
    loss,
    subgroups,
    mistakes: await worstMistakes(scored, data, saved.classNames, flags.mistakes),
    settings: run.settings,
  });
  await writeFile(file, page);
  if (flags.json)
    printJson({ report: file, accuracy, loss, count, expectedCalibrationError: report.calibration.expectedError });
  else explain(`${formatShare(accuracy)} of ${count.toLocaleString("en")} pictures right. The report: ${file}`);
}
