/** Pictures, bars and lines in plain text, for the examples. */

const shades = " .:-=+*#%@";

/** Numbers from 0 to 1 as characters, two columns to each so that pixels come out square. */
export function drawPixels(values: ArrayLike<number>, width: number): string[] {
  return Array.from({ length: values.length / width }, (_, row) =>
    Array.from({ length: width }, (_, column) => {
      const value = Math.min(1, Math.max(0, values[row * width + column]));
      return shades[Math.round(value * (shades.length - 1))].repeat(2);
    }).join(""),
  );
}

/** Numbers from 0 to 1 as characters, each for two pixels, one above the other: half the size of `drawPixels`. */
export function drawHalfHeight(values: ArrayLike<number>, width: number): string[] {
  return Array.from({ length: Math.floor(values.length / width / 2) }, (_, row) =>
    Array.from({ length: width }, (_, column) => {
      const value = (values[2 * row * width + column] + values[(2 * row + 1) * width + column]) / 2;
      return shades[Math.round(Math.min(1, Math.max(0, value)) * (shades.length - 1))];
    }).join(""),
  );
}

/** Without empty lines above and below, and without empty columns at the left. */
export function trimLines(lines: readonly string[]): string[] {
  const isInked = (line: string) => line.trim() !== "";
  const inked = lines.slice(lines.findIndex(isInked), lines.findLastIndex(isInked) + 1);
  const left = Math.min(...inked.filter(isInked).map((line) => line.length - line.trimStart().length));
  return inked.map((line) => line.slice(left).trimEnd());
}

/** Blocks of lines next to one another. */
export function sideBySide(blocks: readonly (readonly string[])[], gap = 3): string[] {
  const height = Math.max(...blocks.map((lines) => lines.length));
  const widths = blocks.map((lines) => Math.max(...lines.map((line) => line.length)));
  return Array.from({ length: height }, (_, row) =>
    blocks
      .map((lines, i) => (lines[row] ?? "").padEnd(widths[i]))
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}

/** A bar as long as a share of `width`. */
export function bar(share: number, width: number): string {
  return "█".repeat(Math.round(Math.min(1, Math.max(0, share)) * width));
}

/** A number for people: 0.0123, 12.3, 1.2e-9. */
export function show(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}
