/** Which classes are taken for which, as a picture. */

import { ArgumentError } from "../core/errors.js";
import { escapeMarkup } from "../core/markup.js";
import { chartStyle } from "./style.js";

/** Beyond it cells would be smaller than letters. */
export const mostDrawnClasses = 64;

/**
 * A confusion matrix: rows are true classes, columns what they were taken for; the darker, the larger the share of the row.
 * Right answers are blue, wrong ones orange.
 *
 * @param confusion K rows of K counts, as `metrics.confusionMatrix` gives; K at most 64
 * @returns the text of an SVG file, with colours for light and dark pages
 */
export function drawConfusion(confusion: readonly (readonly number[])[], classNames: readonly string[]): string {
  const classes = confusion.length;
  if (classes < 1 || classes > mostDrawnClasses || classNames.length !== classes) {
    throw new ArgumentError(
      `drawConfusion: ${classes} classes and ${classNames.length} names. Expected as many names as classes, and at most ${mostDrawnClasses} classes.`,
    );
  }
  const names = classNames.map((name) => (name.length > longest ? `${name.slice(0, longest - 1)}…` : name));
  const margin = 24 + 6.8 * Math.max(...names.map(({ length }) => length));
  const largest = Math.max(...confusion.flat());
  const cell = Math.max(18, Math.min(44, 560 / classes), classes > 24 ? 0 : 10 + 7 * String(largest).length);
  const [left, top] = [margin + 14, 40 + margin];
  const side = cell * classes;
  // Wide enough for the caption.
  const [width, height] = [Math.max(320, left + side + 16), top + side + 16].map(Math.ceil);
  const cells = confusion.flatMap((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.flatMap((count, predicted) => {
      if (count === 0) return [];
      const share = count / total;
      const [x, y] = [left + predicted * cell, top + label * cell].map(round);
      const kind = label === predicted ? "cell" : "wrong";
      // Few mistakes among many must still be seen.
      const opacity = (0.12 + 0.88 * Math.sqrt(share)).toFixed(2);
      const what = escapeMarkup(`${classNames[label]} taken for ${classNames[predicted]}: ${count} of ${total}`);
      const text =
        classes > 24
          ? ""
          : `<text${share > 0.3 ? ' class="on-dark"' : ""} x="${round(x + cell / 2)}" y="${round(y + cell / 2 + 4)}" text-anchor="middle">${count}</text>`;
      return [
        `<g><title>${what}</title><rect class="${kind}" fill-opacity="${opacity}" x="${x}" y="${y}" width="${round(cell)}" height="${round(cell)}"/>${text}</g>`,
      ];
    });
  });
  const labels = names.flatMap((name, i) => {
    const middle = round((i + 0.5) * cell);
    const text = escapeMarkup(name);
    return [
      `<text x="${left - 6}" y="${round(top + middle + 4)}" text-anchor="end">${text}</text>`,
      `<text transform="translate(${round(left + middle + 4)} ${top - 6}) rotate(-90)">${text}</text>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" class="chart" role="img" aria-label="Confusion matrix">`,
    `<style>${chartStyle}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    `<text class="title" x="16" y="20">Confusion matrix</text>`,
    `<text x="16" y="38">rows: what it is; columns: what it was taken for</text>`,
    ...cells,
    `<rect class="frame" x="${left}" y="${top}" width="${round(side)}" height="${round(side)}"/>`,
    ...labels,
    "</svg>\n",
  ].join("\n");
}

/** Letters of a class's name. */
const longest = 20;

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
