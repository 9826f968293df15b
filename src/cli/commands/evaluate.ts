/** `fovea evaluate`: scores saved weights on a test set. */

import { extname } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { ArgumentError } from "../../core/errors.js";
import { writeFile } from "../../node/files.js";
import { loadSharp } from "../../node/image.js";
import { type Confused, drawConfusion } from "../../report/index.js";
import type { Tasks } from "../../train/tasks/task.js";
import { skippedFiles } from "../data.js";
import { attributeNames, type Details, detailsOf, type OpenedTarget, openTarget, scoresOf } from "../evaluation.js";
import type { NamingFlags } from "../named-model.js";
import { type NormalizationSource, normalizationSources, normalizeAnew } from "../normalizing.js";
import { type DataFlags, type DeviceFlags, withDataOptions, withDeviceOptions } from "../options.js";
import { explain, formatCount, formatShare, printJson, say } from "../output.js";
import { pixelLines, pixelReportOf } from "../pixel-evaluation.js";
import { reportLines, subgroupLines } from "../score-tables.js";
import { stoppable } from "../stopping.js";
import { taskLines, taskReportLines, taskReportsOf, taskScoresOf } from "../task-evaluation.js";
import { terminalWidth } from "../terminal.js";
import { pixelViewsOf, type ViewsName, viewsOf, viewsOption } from "../views.js";
import { bestOption, modelOrRun, weightsHelp } from "../weights-file.js";

const help = `
Example:
  $ fovea evaluate runs/first --report
  $ fovea evaluate runs/first --best    # the weights of its best epoch
  $ fovea evaluate runs/pets --data more-photos
  $ fovea evaluate runs/faces --by gender,smile --json
  $ fovea evaluate runs/cifar --views flips
  $ fovea evaluate runs/unet-shapes    # IoU and Dice of each class of pixels
  $ fovea evaluate runs/unet-shapes --views turns
  $ fovea evaluate runs/first --data scans --normalize own
  $ fovea evaluate lenet5 --weights runs/first/checkpoint.safetensors \\
      --data mnist --data-dir ~/mnist --confusion confusion.svg

A run's folder stands for its model and weights; without --data it is tested
with what it was not trained with of its own data: the test pictures, or those
of a folder of pictures that were held out.

--normalize own learns the pixels' ranges, deviations or whitening from the test
pictures, by the method of the run (z-score by channel where it has none): a
shift of light between the sets is evened out, but the scores rest on knowledge
of what is tested.

Attributes for --by are further columns of a .csv, or what a generated set
knows of its pictures. Of two classes the second is the positive one: "positive"
is the share called so, TPR and FPR are the shares of the second and of the
first class called so. Intervals are where 95 of 100 resamples of the pictures
lie (bootstrap). Groups of fewer than 30 pictures are called too few to say.`;

interface EvaluateFlags extends DataFlags, DeviceFlags, NamingFlags {
  readonly report?: true;
  readonly by?: readonly string[];
  readonly confusion?: string;
  readonly views?: ViewsName;
  readonly normalize: NormalizationSource;
  readonly json?: true;
}

export function evaluateCommand(): Command {
  const command = new Command("evaluate")
    .description("score saved weights on the test pictures of a data set")
    .argument("<model>", modelOrRun)
    .option("--weights <file or name>", weightsHelp)
    .addOption(bestOption());
  return withDeviceOptions(withDataOptions(command))
    .option("--report", "also top-k, scores of each class, the confusion matrix, calibration")
    .option("--by <attributes>", "compare groups of pictures, such as gender,smile", attributeNames)
    .option("--confusion <file>", "draw the confusion matrix: .svg or .png", pictureName)
    .addOption(viewsOption())
    .addOption(
      new Option(
        "--normalize <source>",
        "as the weights were trained, or own: as learnt from the test pictures themselves",
      )
        .choices(normalizationSources)
        .default("trained"),
    )
    .option("--json", "the scores as one JSON object on standard output")
    .addHelpText("after", help)
    .action((name: string, _: EvaluateFlags, command: Command) =>
      stoppable((signal) => evaluate(name, command, signal)),
    );
}

function pictureName(text: string): string {
  if (![".svg", ".png"].includes(extname(text).toLowerCase()))
    throw new InvalidArgumentError("Expected the name of an .svg or a .png file.");
  return text;
}

async function evaluate(name: string, command: Command, signal: AbortSignal): Promise<void> {
  const trained = await openTarget<EvaluateFlags>(name, command, signal);
  const { entry, data, flags } = trained;
  if (trained.saved.goal !== undefined) return evaluatePixels(trained, signal);
  const opened = flags.normalize === "own" ? await normalizeAnew(trained, signal) : trained;
  const { report, by, confusion, views, json } = flags;
  if (opened.saved.tasks !== undefined) return evaluateTasks({ ...opened, flags }, opened.saved.tasks, signal);
  const detailed = [report, by, confusion, views].some((flag) => flag !== undefined);
  const details = detailed ? await detailsOf(opened, { by, views: viewsOf(views) }, signal) : undefined;
  const { accuracy, loss, count } = details?.scored.scores ?? (await scoresOf(opened, signal));
  if (confusion !== undefined && details !== undefined) await writeConfusion(confusion, details.report);
  if (json) {
    printJson({ accuracy, loss, count, ...detailsJson(details, report), ...skippedFiles(data) });
    return;
  }
  explain(
    `${entry.name} on ${data.name}: ${formatShare(accuracy)} of ${formatCount(count)} pictures right, loss ${loss.toFixed(4)}`,
  );
  if (details === undefined) return;
  const lines = report ? reportLines(details.report, terminalWidth()) : [];
  for (const line of lines) say(line);
  if (details.subgroups === undefined) return;
  for (const line of subgroupLines(details.subgroups, terminalWidth())) explain(line);
}

/** The same for weights that answer for every pixel. */
async function evaluatePixels(opened: OpenedTarget<EvaluateFlags>, signal: AbortSignal): Promise<void> {
  const { entry, data, flags } = opened;
  const { report, by, confusion, views, normalize } = flags;
  const own = normalize === "own" || undefined;
  const [refused] = Object.entries({ report, by, normalize: own }).find(([, value]) => value !== undefined) ?? [];
  if (refused !== undefined)
    throw new ArgumentError(
      `--${refused} is for weights that name pictures, and these answer for every pixel. Fix: leave it out; the scores of each class are always told.`,
    );
  if (confusion !== undefined && opened.saved.goal === "denoising")
    throw new ArgumentError(
      "--confusion is for weights that tell classes apart, and these remove noise. Fix: leave it out.",
    );
  const scores = await pixelReportOf(opened, signal, { views: pixelViewsOf(views) });
  if (confusion !== undefined && scores.goal === "segmentation") await writeConfusion(confusion, scores);
  if (flags.json) {
    const { goal: _, ...figures } = scores;
    printJson(figures);
    return;
  }
  const { head, rows } = pixelLines(scores, terminalWidth());
  explain(`${entry.name} on ${data.name}: ${head}`);
  for (const row of rows) say(row);
}

/** The same for weights that answer several tasks. */
async function evaluateTasks(opened: OpenedTarget<EvaluateFlags>, tasks: Tasks, signal: AbortSignal): Promise<void> {
  const { entry, data, flags } = opened;
  const { report, by = [], confusion, views, json } = flags;
  const [refused] = Object.entries({ confusion, views }).find(([, value]) => value !== undefined) ?? [];
  if (refused !== undefined)
    throw new ArgumentError(
      `--${refused} is for weights that name classes, and these answer ${Object.keys(tasks).join(", ")}. Fix: leave it out; --report tells of each.`,
    );
  const scores = await taskScoresOf(opened, tasks, signal);
  const reports = report || by.length > 0 ? await taskReportsOf(opened, tasks, by, signal) : [];
  if (json) {
    const { loss, accuracy, count } = scores;
    const details = reports.map((each) => [
      each.name,
      {
        ...(report && { report: each.report }),
        ...(each.kind === "classification" && each.subgroups && { subgroups: each.subgroups }),
      },
    ]);
    const more = reports.length > 0 && { details: Object.fromEntries(details) };
    printJson({ accuracy, loss, count, tasks: scores.tasks, ...more, ...skippedFiles(data) });
    return;
  }
  explain(`${entry.name} on ${data.name}, loss ${scores.loss.toFixed(4)}`);
  for (const line of taskLines(scores)) explain(line);
  for (const each of reports) for (const line of taskReportLines(each, report === true, terminalWidth())) say(line);
}

function detailsJson(details: Details | undefined, withReport: true | undefined): object {
  if (details === undefined) return {};
  const { report, subgroups } = details;
  const { topK, classes, macro, weighted, confusion, calibration, brier } = report;
  return {
    ...(withReport && { topK, classes, macro, weighted, confusion, calibration, brier }),
    ...(subgroups !== undefined && { subgroups }),
  };
}

async function writeConfusion(path: string, { confusion, classes }: Confused): Promise<void> {
  const names = classes.map(({ name }) => name);
  const svg = drawConfusion(confusion, names);
  if (extname(path).toLowerCase() === ".svg") return writeFile(path, svg);
  const open = await loadSharp();
  // Twice as many pixels as the drawing's own, for sharp letters.
  await writeFile(path, await open(new TextEncoder().encode(svg), { density: 144 }).png().toBuffer());
}
