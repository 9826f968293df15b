/** Colours and letters of all charts, for light and dark pages. */

/** Blue, orange, green, violet: apart also for those who do not tell red from green. */
const series: readonly (readonly [light: string, dark: string])[] = [
  ["#2a6fdb", "#6ea8ff"],
  ["#d9580d", "#ff9a5c"],
  ["#1a8754", "#5cc794"],
  ["#7b4fc9", "#b795f5"],
];

export function seriesClass(index: number): string {
  return `series-${index % series.length}`;
}

const seriesStyle = (theme: 0 | 1) =>
  series
    .map(
      (pair, i) =>
        `.chart .series-${i}{stroke:${pair[theme]}}.chart .series-${i}.dot,.chart .series-${i}.bar{fill:${pair[theme]}}`,
    )
    .join("");

export const chartStyle = [
  ".chart text{font:12px system-ui,sans-serif;fill:#59636e}",
  ".chart .title{font-weight:600;font-size:14px;fill:#1f2328}",
  ".chart .paper{fill:#fff}.chart .grid{stroke:#e4e8ec;fill:none}.chart .axis{stroke:#8c959f;fill:none}",
  ".chart .diagonal{stroke:#8c959f;stroke-dasharray:4 4;fill:none}",
  ".chart polyline,.chart path[class^=series]{fill:none;stroke-width:2}.chart .bar{stroke:none}",
  ".chart .cell{fill:#2a6fdb}.chart .wrong{fill:#d9580d}.chart .frame{fill:none;stroke:#d0d7de}",
  ".chart .on-dark{fill:#fff}",
  seriesStyle(0),
  "@media(prefers-color-scheme:dark){",
  ".chart text{fill:#9198a1}.chart .title{fill:#e6edf3}.chart .paper{fill:#0d1117}.chart .grid{stroke:#21262d}",
  ".chart .cell{fill:#6ea8ff}.chart .wrong{fill:#ff9a5c}.chart .frame{stroke:#30363d}.chart .on-dark{fill:#0d1117}",
  `${seriesStyle(1)}}`,
].join("");
