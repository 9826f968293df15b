/** A training run as one page that needs nothing else. */

import { escapeMarkup } from "../core/markup.js";
import { encodePng, type PngPicture } from "../formats/png.js";
import type { ClassificationReport, Estimate, SubgroupReport } from "../train/metrics/index.js";
import type { EpochRecord } from "../train/records.js";
import { drawConfusion, mostDrawnClasses } from "./confusion.js";
import { drawPlot } from "./plot.js";
import { drawReliability } from "./reliability.js";

/** A picture that was named wrongly. */
export interface Mistake {
  readonly picture: PngPicture;
  /** Names of its class and of what it was taken for. */
  readonly label: string;
  readonly answer: string;
  /** Probability that the model gave its answer, 0 … 1. */
  readonly confidence: number;
}

export interface RunReport {
  /** Such as `lenet5 on MNIST`. */
  readonly title: string;
  /** Epoch by epoch; none leaves the curves out. */
  readonly epochs: readonly EpochRecord[];
  readonly scores: ClassificationReport;
  /** Mean loss on the same samples. */
  readonly loss?: number | undefined;
  readonly subgroups?: SubgroupReport | undefined;
  /** The first are shown first. */
  readonly mistakes: readonly Mistake[];
  /** Names and values of what the run was started with. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
}

/**
 * The report as one HTML file: curves, per-class scores, confusion matrix, calibration, subgroups, worst mistakes and
 * settings. It refers to nothing outside itself, holds no script, and shows every text as it is.
 *
 * @example await writeFile("report.html", await reportPage({ title, epochs, scores, mistakes, settings }));
 */
export async function reportPage(report: RunReport): Promise<string> {
  const { title, epochs, scores, subgroups, mistakes, settings } = report;
  return htmlPage(title, [
    figures(report),
    ...(epochs.length === 0 ? [] : section("Training", `<div class="row">${curves(epochs)}</div>`)),
    ...section("Classes", classTable(scores), confusions(scores)),
    ...section("Calibration", drawReliability(scores.calibration)),
    ...(subgroups === undefined ? [] : section("Subgroups", subgroupTables(subgroups))),
    ...section("Worst mistakes", await mistakeGrid(mistakes)),
    ...section("Settings", settingsTable(settings)),
  ]);
}

/** A page that refers to nothing outside itself. */
export function htmlPage(title: string, contents: readonly string[]): string {
  const text = escapeMarkup(title);
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${text}</title>`,
    `<style>${style}</style>`,
    "</head>",
    "<body>",
    `<h1>${text}</h1>`,
    ...contents,
    "</body>",
    "</html>\n",
  ].join("\n");
}

export function settingsTable(settings: RunReport["settings"]): string {
  return table(
    ["setting", "value"],
    Object.entries(settings).map(([name, value]) => [name, String(value ?? "")]),
  );
}

export function section(title: string, ...content: readonly string[]): string[] {
  return ["<section>", `<h2>${escapeMarkup(title)}</h2>`, ...content, "</section>"];
}

function figures({ scores, loss }: RunReport): string {
  const { accuracy, topK, calibration, brier, macro, count } = scores;
  const all: readonly (readonly [string, string])[] = [
    [percent(accuracy), `right of ${count.toLocaleString("en")}`],
    ...topK.filter(({ k }) => k > 1).map(({ k, accuracy }) => [percent(accuracy), `among the first ${k}`] as const),
    [percent(macro.f1), "mean F1 of the classes"],
    ...(loss === undefined ? [] : [[loss.toFixed(4), "loss"] as const]),
    [percent(calibration.expectedError), "expected calibration error"],
    [brier.toFixed(4), "Brier score"],
  ];
  return figureBoxes(all);
}

/** Values, large, each with what it is. */
export function figureBoxes(all: readonly (readonly [value: string, what: string])[]): string {
  const boxes = all.map(
    ([value, what]) => `<div><b>${escapeMarkup(value)}</b><span>${escapeMarkup(what)}</span></div>`,
  );
  return `<div class="figures">${boxes.join("")}</div>`;
}

function curves(epochs: readonly EpochRecord[]): string {
  const line = (part: "train" | "validation", score: "loss" | "accuracy") => ({
    name: part === "train" ? "training" : "test",
    points: epochs.flatMap((record) => {
      const scores = record[part];
      return scores === undefined ? [] : [[record.epoch, scores[score]] as const];
    }),
  });
  const both = (score: "loss" | "accuracy") =>
    [line("train", score), line("validation", score)].filter(({ points }) => points.length > 0);
  const rate = { name: "rate", points: epochs.map(({ epoch, learningRate }) => [epoch, learningRate] as const) };
  return [
    drawPlot(both("loss"), { title: "Loss", xAxis: "epoch", yAxis: "loss" }),
    drawPlot(both("accuracy"), { title: "Accuracy", xAxis: "epoch", yAxis: "share right" }),
    drawPlot([rate], { title: "Learning rate at the end of the epoch", xAxis: "epoch", yAxis: "" }),
  ].join("\n");
}

/** More classes are in the JSON of `fovea evaluate`. */
const mostRows = 100;

export function classTable({ classes, macro, weighted }: ClassificationReport): string {
  const cells = ({ precision, recall, f1, support }: typeof macro) => [
    percent(precision),
    percent(recall),
    percent(f1),
    support.toLocaleString("en"),
  ];
  const worst = [...classes].sort((a, b) => a.f1 - b.f1).slice(0, mostRows);
  const shown = classes.length > mostRows ? worst : classes;
  const rows = shown.map((each) => [
    each.name,
    ...cells(each),
    each.rocArea === undefined ? "" : each.rocArea.toFixed(4),
  ]);
  return [
    ...(shown.length < classes.length ? [`<p>The ${mostRows} worst of ${classes.length} classes.</p>`] : []),
    table(
      ["class", "precision", "recall", "F1", "samples", "ROC area"],
      [...rows, ["mean", ...cells(macro), ""], ["weighted mean", ...cells(weighted), ""]],
    ),
  ].join("\n");
}

/** Classes, of pictures or of pixels, and which of them are taken for which. */
export interface Confused {
  readonly classes: readonly { readonly name: string }[];
  /** Rows are true classes, columns what they were taken for. */
  readonly confusion: readonly (readonly number[])[];
}

export function confusions({ classes, confusion }: Confused): string {
  const names = classes.map(({ name }) => name);
  const drawn = classes.length <= mostDrawnClasses ? [drawConfusion(confusion, names)] : [];
  const rows = frequentConfusions(confusion)
    .slice(0, 10)
    .map(({ label, answer, count, share }) => [
      names[label],
      names[answer],
      count.toLocaleString("en"),
      percent(share),
    ]);
  const pairs = rows.length === 0 ? [] : [table(["is", "taken for", "times", "of the class"], rows)];
  return [...drawn, ...pairs].join("\n");
}

/** A class that was taken for another. */
export interface Confusion {
  readonly label: number;
  readonly answer: number;
  readonly count: number;
  /** Of the samples of the class. */
  readonly share: number;
}

/** What is taken for what, the most frequent first. @param confusion as `metrics.confusionMatrix` gives it */
export function frequentConfusions(confusion: readonly (readonly number[])[]): Confusion[] {
  return confusion
    .flatMap((row, label) => {
      const total = row.reduce((sum, count) => sum + count, 0);
      return row.flatMap((count, answer) =>
        count === 0 || answer === label ? [] : [{ label, answer, count, share: count / total }],
      );
    })
    .sort((a, b) => b.count - a.count);
}

export function subgroupTables({ overall, partitions, warnings }: SubgroupReport): string {
  const names = [
    ["accuracy", "accuracy"],
    ["positiveRate", "called positive"],
    ["truePositiveRate", "true positives"],
    ["falsePositiveRate", "false positives"],
  ] as const;
  const known = names.filter(([name]) => overall.rates[name] !== undefined);
  const cell = (rate: Estimate | undefined) =>
    rate === undefined
      ? ""
      : `${percent(rate.value, 1)} (${(100 * rate.low).toFixed(1)} … ${(100 * rate.high).toFixed(1)})`;
  const tables = partitions.map(({ groups, differences, worst }) => {
    const rows = [...groups, overall].map(({ name, count, tooSmall, rates }) => [
      `${name}${tooSmall ? " (too few)" : ""}`,
      count.toLocaleString("en"),
      ...known.map(([rate]) => cell(rates[rate])),
    ]);
    const gap = differences.accuracy;
    const said =
      gap === undefined || worst === undefined
        ? ""
        : `<p>Worst: <b>${escapeMarkup(worst.name)}</b>, ${points(gap.value)} below ${escapeMarkup(gap.highest)} (${points(gap.low)} … ${points(gap.high)}).</p>`;
    return table(["group", "samples", ...known.map(([, title]) => title)], rows) + said;
  });
  const list = warnings.map((warning) => `<li>${escapeMarkup(warning)}</li>`);
  return [...tables, ...(list.length === 0 ? [] : [`<ul class="warnings">${list.join("")}</ul>`])].join("\n");
}

async function mistakeGrid(mistakes: readonly Mistake[]): Promise<string> {
  if (mistakes.length === 0) return "<p>None: every picture was named rightly.</p>";
  const boxes = await Promise.all(
    mistakes.map(async ({ picture, label, answer, confidence }) => {
      const image = await pictureTag(picture, `${label}, taken for ${answer}`);
      return `<figure>${image}<figcaption>is <b>${escapeMarkup(label)}</b><br>named <b>${escapeMarkup(answer)}</b><br>${percent(confidence)} sure</figcaption></figure>`;
    }),
  );
  return `<div class="mistakes">${boxes.join("")}</div>`;
}

/** The picture within the page, with words for those who cannot see it. */
export async function pictureTag(picture: PngPicture, text: string): Promise<string> {
  const what = escapeMarkup(text);
  return `<img src="data:image/png;base64,${toBase64(await encodePng(picture))}" alt="${what}" title="${what}">`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: "th" | "td", row: readonly string[]) =>
    row.map((cell) => `<${tag}>${escapeMarkup(cell)}</${tag}>`).join("");
  return [
    '<div class="table"><table>',
    `<thead><tr>${cells("th", head)}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n")}</tbody>`,
    "</table></div>",
  ].join("\n");
}

export function percent(share: number, decimals = 2): string {
  return `${(100 * share).toFixed(decimals)} %`;
}

function points(share: number): string {
  return `${(100 * share).toFixed(1)} points`;
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 2 ** 14) text += String.fromCharCode(...bytes.subarray(i, i + 2 ** 14));
  return btoa(text);
}

const style = [
  ":root{color-scheme:light dark}",
  "body{font:15px/1.5 system-ui,sans-serif;max-width:1040px;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}",
  "h1{font-size:1.6rem}h2{font-size:1.15rem;margin:2.2rem 0 .8rem;border-bottom:1px solid #d0d7de;padding-bottom:.3rem}",
  ".figures{display:flex;flex-wrap:wrap;gap:.8rem}.figures div{border:1px solid #d0d7de;border-radius:8px;padding:.6rem .9rem}",
  ".figures b{display:block;font-size:1.3rem}.figures span{color:#59636e;font-size:.85rem}",
  ".row{display:flex;flex-wrap:wrap;gap:1rem}svg{max-width:100%;height:auto}",
  ".table{overflow-x:auto;margin-bottom:1rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums}",
  "th,td{text-align:right;padding:.2rem .8rem;border-bottom:1px solid #e4e8ec;white-space:nowrap}",
  "th:first-child,td:first-child{text-align:left}th{font-weight:600}",
  ".mistakes{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;width:112px}figure img{width:112px;image-rendering:pixelated;border-radius:4px}",
  ".strips{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,480px),1fr));gap:1rem}.strips.wide{grid-template-columns:1fr}",
  ".strips figure{width:auto}.strips figure div{display:flex;gap:4px}.strips img{flex:1;min-width:0;width:auto}",
  ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem}.legend i{display:inline-block;width:.8em;height:.8em;border:1px solid #8c959f}",
  "figcaption{font-size:.8rem;line-height:1.35;overflow-wrap:anywhere}.warnings{color:#9a6700}",
  "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}h2,.figures div{border-color:#30363d}",
  "th,td{border-color:#21262d}.figures span{color:#9198a1}.warnings{color:#d29922}}",
].join("");
