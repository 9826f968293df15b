/** The report on a run that has learnt masks, or pictures without noise. */

import { escapeMarkup } from "../core/markup.js";
import type { PngPicture } from "../formats/png.js";
import type { SegmentationReport } from "../train/metrics/index.js";
import type { DenoisingReport } from "../train/pixelEvaluation.js";
import type { EpochRecord } from "../train/records.js";
import { confusions, figureBoxes, htmlPage, percent, pictureTag, section, settingsTable, table } from "./page.js";
import { drawPlot } from "./plot.js";

/** Pictures beside one another: one that was tested, and what became of it. */
export interface PictureStrip {
  readonly caption: string;
  /** From left to right, each with what it is: the same for all strips. */
  readonly pictures: readonly { readonly what: string; readonly picture: PngPicture }[];
}

type Scores = EpochRecord["train"];

/** An epoch, with what was measured of the test pictures besides. */
export type PixelEpoch = EpochRecord & {
  readonly validation?:
    | (Scores & {
        readonly meanIou?: number;
        /** Of each class, by name. */
        readonly classIou?: Readonly<Record<string, number>>;
        readonly psnr?: number;
      })
    | undefined;
};

export interface PixelsRunReport {
  /** Such as `unet on shapes`. */
  readonly title: string;
  /** Epoch by epoch; none leaves the curves out. */
  readonly epochs: readonly PixelEpoch[];
  readonly scores: SegmentationReport | DenoisingReport;
  /** Colours of the classes in masks, as CSS has them; none leaves the legend out. */
  readonly colours?: readonly string[] | undefined;
  /** The first are shown first. */
  readonly worst: readonly PictureStrip[];
  /** Names and values of what the run was started with. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
}

/**
 * The report as one HTML file: curves, scores of each class of pixels and which is taken for which (of denoising: decibels
 * before and after), the worst pictures and settings. It refers to nothing outside itself, holds no script, and shows every text as it is.
 *
 * @example await writeFile("report.html", await pixelsReportPage({ title, epochs, scores, worst, settings }));
 */
export async function pixelsReportPage(report: PixelsRunReport): Promise<string> {
  const { title, epochs, scores, colours, worst, settings } = report;
  const masks = "meanIou" in scores;
  return htmlPage(title, [
    figureBoxes(masks ? maskFigures(scores) : cleanFigures(scores)),
    ...(epochs.length === 0 ? [] : section("Training", `<div class="row">${curves(epochs, masks)}</div>`)),
    ...(masks
      ? section("Classes of pixels", classTable(scores), confusions(scores))
      : section("Before and after", qualityTable(scores))),
    ...(worst.length === 0 ? [] : section("Worst pictures", legend(report, colours), await strips(worst))),
    ...section("Settings", settingsTable(settings)),
  ]);
}

function maskFigures({ meanIou, meanDice, accuracy, pixels }: SegmentationReport): [string, string][] {
  return [
    [percent(meanIou), "mean IoU"],
    [percent(meanDice), "mean Dice"],
    [percent(accuracy), `right of ${pixels.toLocaleString("en")} pixels`],
  ];
}

function cleanFigures({ after, gain, count }: DenoisingReport): [string, string][] {
  return [
    [decibels(after.psnr), `PSNR, the mean of ${count.toLocaleString("en")} pictures`],
    [decibels(gain), "gain"],
    ...(after.ssim === undefined ? [] : [[after.ssim.toFixed(4), "SSIM"] satisfies [string, string]]),
  ];
}

function decibels(value: number): string {
  return `${value.toFixed(2)} dB`;
}

/** More would share colours. */
const mostClassCurves = 4;

function curves(epochs: readonly PixelEpoch[], masks: boolean): string {
  const plot = (
    title: string,
    yAxis: string,
    lines: Readonly<Record<string, (epoch: PixelEpoch) => number | undefined>>,
  ) => {
    const drawn = Object.entries(lines).map(([name, read]) => ({
      name,
      points: epochs.flatMap((record) => {
        const value = read(record);
        return value === undefined ? [] : [[record.epoch, value] as const];
      }),
    }));
    const known = drawn.filter(({ points }) => points.length > 0);
    return known.length === 0 ? [] : [drawPlot(known, { title, xAxis: "epoch", yAxis })];
  };
  const both = (score: "loss" | "accuracy") => ({
    training: ({ train }: PixelEpoch) => train[score],
    test: ({ validation }: PixelEpoch) => validation?.[score],
  });
  const classes = Object.keys(epochs.find(({ validation }) => validation?.classIou)?.validation?.classIou ?? {});
  const each = Object.fromEntries(
    classes.map((name) => [name, ({ validation }: PixelEpoch) => validation?.classIou?.[name]]),
  );
  return [
    ...plot("Loss", "loss", both("loss")),
    ...(masks ? plot("Pixels right", "share right", both("accuracy")) : []),
    ...plot("Mean IoU", "mean IoU", { test: ({ validation }) => validation?.meanIou }),
    ...(classes.length > mostClassCurves ? [] : plot("IoU of each class", "IoU of test pictures", each)),
    ...plot("PSNR", "dB", { test: ({ validation }) => validation?.psnr }),
    ...plot("Learning rate at the end of the epoch", "", { rate: ({ learningRate }) => learningRate }),
  ].join("\n");
}

function classTable({ classes, meanIou, meanDice, pixels }: SegmentationReport): string {
  const share = (value: number | undefined) => (value === undefined ? "" : percent(value));
  const rows = classes.map(({ name, iou, dice, precision, recall, pixels }) => [
    name,
    ...[iou, dice, precision, recall].map(share),
    pixels.toLocaleString("en"),
  ]);
  return table(
    ["class", "IoU", "Dice", "precision", "recall", "pixels"],
    [...rows, ["mean", percent(meanIou), percent(meanDice), "", "", pixels.toLocaleString("en")]],
  );
}

function qualityTable({ before, after }: DenoisingReport): string {
  const rows = Object.entries({ before, after }).map(([name, { psnr, ssim }]) => [
    name,
    decibels(psnr),
    ssim === undefined ? "" : ssim.toFixed(4),
  ]);
  return table(["", "PSNR", "SSIM"], rows);
}

/** What the pictures of each strip are, and the colours of masks. */
function legend({ worst, scores }: PixelsRunReport, colours: readonly string[] | undefined): string {
  const order = worst[0].pictures.map(({ what }) => escapeMarkup(what)).join(", ");
  const names = "meanIou" in scores && colours !== undefined ? scores.classes : [];
  const swatches = names.map(
    ({ name }, i) =>
      `<span><i style="background:${escapeMarkup(colours?.[i] ?? "")}"></i> ${escapeMarkup(name)}</span>`,
  );
  return `<p>From left to right: ${order}.</p>${swatches.length === 0 ? "" : `<p class="legend">${swatches.join("")}</p>`}`;
}

/** Pictures wider than so many pixels have a row of the page for each strip. */
const wide = 96;

async function strips(worst: readonly PictureStrip[]): Promise<string> {
  const figures = await Promise.all(
    worst.map(async ({ caption, pictures }) => {
      const tags = await Promise.all(pictures.map(({ what, picture }) => pictureTag(picture, what)));
      return `<figure><div>${tags.join("")}</div><figcaption>${escapeMarkup(caption)}</figcaption></figure>`;
    }),
  );
  const isWide = worst.some(({ pictures }) => pictures.some(({ picture }) => picture.width > wide));
  return `<div class="strips${isWide ? " wide" : ""}">${figures.join("")}</div>`;
}
