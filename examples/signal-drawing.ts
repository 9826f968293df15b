/** A signal in time with the events in it, as SVG. */

import type { SeriesEvent } from "fovea";

const [width, height, left] = [720, 220, 56];
const colours = ["#2a6fdb", "#d9580d", "#1a8754", "#7b4fc9", "#b8860b"];

export interface Marks {
  readonly kinds: readonly string[];
  readonly there: readonly SeriesEvent[];
  readonly found: readonly SeriesEvent[];
}

/** The signal; below it two rows of bars: the events that are there, and those that were found. */
export function drawSignal(signal: Float32Array, { kinds, there, found }: Marks): string {
  const [low, high] = signal.reduce(([l, h], value) => [Math.min(l, value), Math.max(h, value)], [-1, 1]);
  const x = (t: number) => (left + (t / signal.length) * (width - left - 8)).toFixed(1);
  const y = (value: number) => (24 + ((high - value) / (high - low)) * 120).toFixed(1);
  const bars = (events: readonly SeriesEvent[], top: number) =>
    events.map(
      ({ kind, start, end }) =>
        `<rect x="${x(start)}" y="${top}" width="${(Number(x(end)) - Number(x(start))).toFixed(1)}" height="18" rx="3" fill="${colours[kind % colours.length]}"/>` +
        `<text x="${((Number(x(start)) + Number(x(end))) / 2).toFixed(1)}" y="${top + 13}" text-anchor="middle" fill="#fff">${kinds[kind]}</text>`,
    );
  const points = Array.from(signal, (value, t) => `${x(t + 0.5)},${y(value)}`).join(" ");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    "<title>A signal, the events in it, and those that were found</title>",
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<polyline fill="none" stroke="#59636e" stroke-width="1.5" points="${points}"/>`,
    `<text x="8" y="175" fill="#59636e">there</text>`,
    ...bars(there, 162),
    `<text x="8" y="203" fill="#59636e">found</text>`,
    ...bars(found, 190),
    "</svg>\n",
  ].join("\n");
}
