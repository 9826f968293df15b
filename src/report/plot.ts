/** Curves as SVG. */

import { ArgumentError } from "../core/errors.js";
import { escapeMarkup } from "../core/markup.js";
import { chartStyle, seriesClass } from "./style.js";

export interface PlotLine {
  readonly name: string;
  /** x and y; what is not finite is left out. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface PlotOptions {
  readonly title: string;
  readonly xAxis: string;
  readonly yAxis: string;
  /** Least and most on an axis. Default: what the points need. */
  readonly xRange?: readonly [number, number];
  /** `log`: from each power of ten to the next is equally far; what is not above 0 is left out. Default `linear`. */
  readonly xScale?: "linear" | "log";
  readonly yRange?: readonly [number, number];
  /** A thin line from corner to corner: of guessing, or of perfect calibration. */
  readonly diagonal?: boolean;
}

const [width, height] = [480, 320];
const [left, right, top, bottom] = [56, 16, 52, 44];
/** More points than pixels would only make the file large. */
const mostPoints = 480;

/**
 * Lines over two axes.
 *
 * @returns the text of an SVG file, with colours for light and dark pages
 * @example drawPlot([{ name: "test", points: [[1, 0.9], [2, 0.95]] }], { title: "Accuracy", xAxis: "epoch", yAxis: "share" })
 */
export function drawPlot(lines: readonly PlotLine[], options: PlotOptions): string {
  const { title, xAxis, yAxis, xScale = "linear", diagonal = false } = options;
  if (xScale === "log" && options.xRange?.some((end) => !(end > 0))) {
    throw new ArgumentError(
      `drawPlot: xRange is [${options.xRange.join(", ")}]. Expected numbers above 0, as the axis is logarithmic.`,
    );
  }
  const scaled = xScale === "log" ? Math.log10 : (value: number) => value;
  const drawn = lines.map(({ name, points }) => ({
    name,
    points: points.filter(([x, y]) => Number.isFinite(scaled(x)) && Number.isFinite(y)),
  }));
  const all = drawn.flatMap(({ points }) => points);
  // Powers of ten have whole logarithms.
  const wholeX = xScale === "log" || all.every(([x]) => Number.isInteger(x));
  const xRange = rangeOf((options.xRange ?? all.map(([x]) => x)).map(scaled));
  const xTicks = ticksOf(xRange, options.xRange !== undefined, wholeX);
  const yTicks = ticksOf(options.yRange ?? rangeOf(all.map(([, y]) => y)), options.yRange !== undefined);
  const x = (value: number) => place(scaled(value), xTicks, left, width - right);
  const y = (value: number) => place(value, yTicks, height - bottom, top);
  const grid = [
    ...yTicks.marks.map(
      (mark) =>
        `<path class="grid" d="M${left} ${y(mark)}H${width - right}"/><text x="${left - 8}" y="${y(mark) + 4}" text-anchor="end">${label(mark)}</text>`,
    ),
    ...xTicks.marks.map(
      (mark) =>
        `<text x="${place(mark, xTicks, left, width - right)}" y="${height - bottom + 18}" text-anchor="middle">${label(xScale === "log" ? 10 ** mark : mark)}</text>`,
    ),
  ];
  const curves = drawn.map(({ points }, series) => {
    const every = Math.ceil(points.length / mostPoints);
    const kept = points.filter((_, i) => i % every === 0 || i === points.length - 1);
    const place = kept.map(([px, py]) => `${x(px)},${y(py)}`).join(" ");
    // A single point is no line.
    const [only] = kept;
    if (kept.length === 1)
      return `<circle class="${seriesClass(series)} dot" cx="${x(only[0])}" cy="${y(only[1])}" r="3.5"/>`;
    return `<polyline class="${seriesClass(series)}" points="${place}"/>`;
  });
  const keys = drawn.length < 2 ? [] : keysOf(drawn.map(({ name }) => name));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" class="chart" role="img" aria-label="${escapeMarkup(title)}">`,
    `<style>${chartStyle}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    `<text class="title" x="${left}" y="20">${escapeMarkup(title)}</text>`,
    ...keys,
    ...grid,
    ...(diagonal ? [`<path class="diagonal" d="M${left} ${height - bottom}L${width - right} ${top}"/>`] : []),
    ...curves,
    `<path class="axis" d="M${left} ${height - bottom}H${width - right}"/>`,
    `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${escapeMarkup(xAxis)}</text>`,
    `<text transform="translate(14 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeMarkup(yAxis)}</text>`,
    "</svg>\n",
  ].join("\n");
}

function keysOf(names: readonly string[]): string[] {
  let at = left;
  return names.map((name, series) => {
    const x = at;
    at += 30 + 6.6 * name.length;
    return `<path class="${seriesClass(series)}" d="M${x} 36h14"/><text x="${x + 19}" y="40">${escapeMarkup(name)}</text>`;
  });
}

interface Ticks {
  readonly low: number;
  readonly high: number;
  readonly marks: readonly number[];
}

function rangeOf(values: readonly number[]): readonly [number, number] {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** Round numbers, about five of them; the axis ends at such ones unless its ends are given. */
function ticksOf([least, most]: readonly [number, number], fixed: boolean, whole = false): Ticks {
  const rough = (most - least) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const round = ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  // There is nothing between two epochs.
  const step = whole ? Math.max(1, round) : round;
  const low = fixed ? least : Math.floor(least / step) * step;
  const high = fixed ? most : Math.ceil(most / step) * step;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return { low, high, marks: Array.from({ length: count }, (_, i) => (first + i) * step) };
}

function place(value: number, { low, high }: Ticks, from: number, to: number): number {
  const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return Math.round(10 * (from + share * (to - from))) / 10;
}

function label(value: number): string {
  return String(Number(value.toPrecision(4)));
}
