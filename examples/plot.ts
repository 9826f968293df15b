/** Lines over a logarithmic axis, as text and as SVG. */

export interface Line {
  readonly name: string;
  /** One letter, which draws the line in text. */
  readonly mark: string;
  readonly colour: string;
  /** Sizes from 0 up, the first at the left. Zeros and what is not finite are left out. */
  readonly values: readonly number[];
}

export interface PlotText {
  readonly title: string;
  readonly xAxis: string;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

const isDrawn = (value: number) => value > 0 && Number.isFinite(value);

/** Whole powers of ten around all that is drawn. */
function powersOfTen(lines: readonly Line[]): Range {
  const logs = lines.flatMap(({ values }) => values.filter(isDrawn).map(Math.log10));
  const low = logs.reduce((least, value) => Math.min(least, Math.floor(value)), 0);
  const high = logs.reduce((most, value) => Math.max(most, Math.ceil(value)), low + 1);
  return { low, high };
}

/** The plot as lines of text; where lines meet, the later one is seen. */
export function plotText(lines: readonly Line[], { title, xAxis }: PlotText, width = 64, height = 14): string[] {
  const { low, high } = powersOfTen(lines);
  const grid = Array.from({ length: height }, () => Array.from({ length: width }, () => " "));
  for (const { values, mark } of lines) {
    values.forEach((value, i) => {
      if (!isDrawn(value)) return;
      const column = values.length === 1 ? 0 : Math.round((i / (values.length - 1)) * (width - 1));
      const row = Math.round(((high - Math.log10(value)) / (high - low)) * (height - 1));
      grid[row][column] = mark;
    });
  }
  const label = (row: number) => {
    if (row % 3 !== 1 && row !== 0 && row !== height - 1) return "";
    return `1e${Math.round(high - (row / (height - 1)) * (high - low))}`;
  };
  const last = String(Math.max(...lines.map(({ values }) => values.length)));
  const axis = `1${xAxis.padStart(Math.floor((width + xAxis.length) / 2) - 1).padEnd(width - 1 - last.length)}${last}`;
  return [
    title,
    ...grid.map((cells, row) => `${label(row).padStart(7)} ┤${cells.join("").trimEnd()}`),
    `${" ".repeat(8)}└${"─".repeat(width)}`,
    `${" ".repeat(9)}${axis}`,
    `${" ".repeat(9)}${lines.map(({ mark, name }) => `${mark} ${name}`).join("   ")}`,
  ];
}

/** The plot as an SVG file. */
export function plotSvg(lines: readonly Line[], { title, xAxis }: PlotText): string {
  const [width, height, left, top, right, bottom] = [640, 360, 64, 40, 96, 48];
  const { low, high } = powersOfTen(lines);
  const most = Math.max(2, ...lines.map(({ values }) => values.length));
  const x = (i: number) => left + (i / (most - 1)) * (width - left - right);
  const y = (log: number) => top + ((high - log) / (high - low)) * (height - top - bottom);
  const step = Math.max(1, Math.ceil((high - low) / 6));
  const ticks = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => high - i * step);
  const grid = ticks.map(
    (log) =>
      `<path d="M${left} ${y(log).toFixed(1)}H${width - right}" stroke="#ddd"/>` +
      `<text x="${left - 8}" y="${(y(log) + 4).toFixed(1)}" text-anchor="end">1e${log}</text>`,
  );
  const curves = lines.map(({ name, colour, values }, place) => {
    // More points than pixels would only make the file large.
    const every = Math.ceil(values.length / 480);
    const points = values.flatMap((value, i) =>
      isDrawn(value) && (i % every === 0 || values.length - i <= 80)
        ? [`${x(i).toFixed(1)},${y(Math.log10(value)).toFixed(1)}`]
        : [],
    );
    const label = `<text x="${width - right + 10}" y="${top + 16 + 20 * place}" fill="${colour}">${name}</text>`;
    return `<polyline fill="none" stroke="${colour}" stroke-width="2.5" stroke-linecap="round" points="${points.join(" ")}"/>${label}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${left}" y="24" font-weight="bold">${title}</text>`,
    ...grid,
    ...curves,
    `<text x="${left}" y="${height - bottom + 20}">1</text>`,
    `<text x="${(left + width - right) / 2}" y="${height - 10}" text-anchor="middle">${xAxis}</text>`,
    `<text x="${width - right}" y="${height - bottom + 20}" text-anchor="end">${most}</text>`,
    "</svg>\n",
  ].join("\n");
}
