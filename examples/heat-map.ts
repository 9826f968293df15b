/** Where a sliding network sees something: a heat map as text, and over the picture as SVG. */

import type { Canvas, Placed } from "./canvas.js";
import { drawPixels } from "./terminal.js";

/** A probability for each place of a window, row by row. */
export interface HeatMap {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
  /** Pixels from one window to the next, and to the middle of the first, down and across. */
  readonly stride: number;
  readonly middle: number;
}

/** A digit that was seen. */
export interface Found extends Placed {
  readonly probability: number;
}

/** The map in shades, two columns to each place, with the digits where they were found. */
export function heatMapText({ rows, columns, values, stride, middle }: HeatMap, found: readonly Found[]): string[] {
  const lines = drawPixels(values, columns).map((line) => [...line]);
  const place = (pixel: number, last: number) => Math.min(last, Math.max(0, Math.round((pixel - middle) / stride)));
  for (const { digit, row, column } of found) {
    const line = lines[place(row, rows - 1)];
    const at = 2 * place(column, columns - 1);
    line.splice(at, 2, String(digit), " ");
  }
  return [`┌${"─".repeat(2 * columns)}┐`, ...lines.map((line) => `│${line.join("")}│`), `└${"─".repeat(2 * columns)}┘`];
}

/** Light to dark blue, as even steps to the eye. */
const heatColours = ["#e8f1fa", "#c6dcf0", "#98c1e4", "#63a2d4", "#3580bf", "#155d9c", "#083f72"];
/** Ink in so many shades: as many paths. */
const inkShades = 6;

/** The picture with a frame around each digit that was found, and below it the heat map, place by place. */
export function heatMapSvg(canvas: Canvas, heat: HeatMap, found: readonly Found[]): string {
  const scale = 4;
  const [width, height] = [canvas.width * scale, canvas.height * scale];
  const ink = inkPaths(canvas);
  const window = 2 * heat.middle;
  const frames = found.map(({ digit, row, column, probability }) => {
    const [x, y] = [column - heat.middle, row - heat.middle];
    // Above the frame, or at the upper edge inside.
    const label = Math.max(0, y - 5.5);
    return (
      `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${window}" height="${window}" class="frame"/>` +
      `<rect x="${(x - 0.3).toFixed(1)}" y="${label.toFixed(1)}" width="18" height="5.5" fill="#d9480f"/>` +
      `<text x="${(x + 1).toFixed(1)}" y="${(label + 4.5).toFixed(1)}">${digit}<tspan class="share" dx="1.2">${Math.round(100 * probability)} %</tspan></text>`
    );
  });
  const panel = (top: number, title: string, ...content: readonly string[]) =>
    `<g transform="translate(16 ${top})"><text y="-8" class="title">${title}</text>` +
    `<g transform="scale(${scale})">${content.join("\n")}</g>` +
    `<rect width="${width}" height="${height}" fill="none" stroke="#c8ccd2"/></g>`;
  const total = 2 * height + 96;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width + 32} ${total}" font-family="sans-serif">`,
    "<title>Digits that a sliding LeNet-5 found, and its heat map</title>",
    "<style>.title{font-size:15px;font-weight:bold;fill:#22262c}.scale{font-size:13px;font-weight:normal;fill:#22262c}" +
      ".frame{fill:none;stroke:#d9480f;stroke-width:.6}text{font-size:5px;font-weight:bold;fill:#fff}" +
      ".share{font-size:3.4px;font-weight:normal}</style>",
    `<rect width="${width + 32}" height="${total}" fill="#fff"/>`,
    panel(32, "What it found, and how sure it is", ...ink, ...frames),
    panel(
      height + 80,
      `How likely a digit is in the middle of each of ${heat.rows}×${heat.columns} windows`,
      ...heatPaths(heat),
      `<g opacity="0.35">${ink.join("")}</g>`,
    ),
    colourScale(width - 164, height + 60),
    "</svg>\n",
  ].join("\n");
}

/** What the colours of the heat map stand for. */
function colourScale(left: number, top: number): string {
  const boxes = heatColours.map((colour, i) => `<rect x="${34 + 13 * i}" width="13" height="12" fill="${colour}"/>`);
  return `<g transform="translate(${left} ${top})"><text class="scale" y="11">0 %</text>${boxes.join("")}<text class="scale" x="${40 + 13 * heatColours.length}" y="11">100 %</text></g>`;
}

/** Runs of pixels of the same shade, a path for each shade. */
function inkPaths({ pixels, height, width }: Canvas): string[] {
  const paths = new Array<string>(inkShades + 1).fill("");
  const shadeAt = (row: number, column: number) => Math.round((pixels[row * width + column] / 255) * inkShades);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; ) {
      const shade = shadeAt(row, column);
      const start = column;
      while (column < width && shadeAt(row, column) === shade) column++;
      if (shade > 0) paths[shade] += `M${start} ${row}h${column - start}v1h${start - column}z`;
    }
  }
  return paths.flatMap((path, shade) =>
    path === "" ? [] : [`<path fill="#22262c" fill-opacity="${(shade / inkShades).toFixed(2)}" d="${path}"/>`],
  );
}

/** A square for each window, around its middle. */
function heatPaths({ rows, columns, values, stride, middle }: HeatMap): string[] {
  const paths = new Array<string>(heatColours.length).fill("");
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column];
      const colour = Math.min(heatColours.length - 1, Math.floor(value * heatColours.length));
      const [x, y] = [middle + (column - 0.5) * stride, middle + (row - 0.5) * stride];
      paths[colour] += `M${x} ${y}h${stride}v${stride}h${-stride}z`;
    }
  }
  return paths.flatMap((path, i) => (path === "" ? [] : [`<path fill="${heatColours[i]}" d="${path}"/>`]));
}
