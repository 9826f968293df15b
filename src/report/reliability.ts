/** Whether a model is right as often as it says, as a picture. */

import type { Calibration } from "../train/metrics/index.js";
import { chartStyle, seriesClass } from "./style.js";

const [side, left, top] = [240, 56, 56];

/**
 * A reliability diagram: accuracy over confidence, a bar for each bin; on the diagonal a model is as sure as it is right.
 * The small bars below say how many samples there are in each bin.
 *
 * @returns the text of an SVG file, with colours for light and dark pages
 */
export function drawReliability({ bins, expectedError }: Calibration): string {
  const [width, height] = [left + side + 20, top + side + 96];
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const x = (share: number) => round(left + side * share);
  const bars = bins.flatMap(({ from, to, count, accuracy }) => {
    if (accuracy === undefined) return [];
    const [at, wide] = [x(from), round(side * (to - from) - 1)];
    const [high, share] = [round(side * accuracy), round((32 * count) / most)];
    return [
      `<rect class="${seriesClass(0)} bar" fill-opacity="0.75" x="${at}" y="${round(top + side - high)}" width="${wide}" height="${high}"/>` +
        `<rect class="${seriesClass(1)} bar" fill-opacity="0.75" x="${at}" y="${round(top + side + 58 - share)}" width="${wide}" height="${share}"/>`,
    ];
  });
  const ticks = [0, 0.5, 1].map(
    (mark) =>
      `<path class="grid" d="M${left} ${round(top + side * (1 - mark))}h${side}"/>` +
      `<text x="${left - 8}" y="${round(top + side * (1 - mark) + 4)}" text-anchor="end">${100 * mark} %</text>` +
      `<text x="${x(mark)}" y="${top + side + 18}" text-anchor="middle">${100 * mark} %</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" class="chart" role="img" aria-label="Reliability diagram">`,
    `<style>${chartStyle}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    `<text class="title" x="${left - 40}" y="20">Right as often as sure?</text>`,
    `<text x="${left - 40}" y="36">expected calibration error ${(100 * expectedError).toFixed(2)} %</text>`,
    ...ticks,
    ...bars,
    `<path class="diagonal" d="M${left} ${top + side}L${left + side} ${top}"/>`,
    `<text x="${left + side / 2}" y="${top + side + 76}" text-anchor="middle">confidence, and how many are so sure</text>`,
    `<text transform="translate(12 ${top + side / 2}) rotate(-90)" text-anchor="middle">accuracy</text>`,
    "</svg>\n",
  ].join("\n");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
