/** Scores as tables for people. */

import { alignColumns } from "../analysis/table.js";
import { frequentConfusions } from "../report/index.js";
import type { ClassificationReport, ClassScores, Estimate, SubgroupReport } from "../train/metrics/index.js";
import { formatCount, formatShare } from "./output.js";

/** Rows of a table of classes; more are in --json. */
const mostRows = 40;

/** Top-k, calibration, a line for each class, and what is taken for what. */
export function reportLines(report: ClassificationReport, width: number): string[] {
  const { topK, calibration, brier } = report;
  const top = topK.filter(({ k }) => k > 1).map(({ k, accuracy }) => `top-${k} ${formatShare(accuracy)}`);
  return [
    ...(top.length > 0 ? [top.join(", ")] : []),
    `expected calibration error ${formatShare(calibration.expectedError)}, Brier score ${brier.toFixed(4)}`,
    "",
    ...classLines(report, width),
    "",
    ...confusionLines(report, width),
  ];
}

function classLines({ classes, macro, weighted }: ClassificationReport, width: number): string[] {
  const cells = ({ precision, recall, f1, support }: ClassScores) => [
    formatShare(precision),
    formatShare(recall),
    formatShare(f1),
    formatCount(support),
  ];
  const shown = classes.length <= mostRows ? classes : [...classes].sort((a, b) => a.f1 - b.f1).slice(0, mostRows);
  const rows = shown.map((each) => [each.name, ...cells(each), each.rocArea?.toFixed(4) ?? ""]);
  const table = alignColumns(
    [
      ["class", "precision", "recall", "F1", "samples", "ROC area"],
      ...rows,
      ["mean", ...cells(macro), ""],
      ["weighted mean", ...cells(weighted), ""],
    ],
    1,
    width,
  );
  return shown.length < classes.length ? [...table, `(the ${mostRows} worst of ${classes.length} classes)`] : table;
}

/** The matrix where it fits; otherwise, and of many classes, only what is mistaken most often. */
function confusionLines({ classes, confusion }: ClassificationReport, width: number): string[] {
  const names = classes.map(({ name }) => name);
  const most = 10;
  const digits = Math.max(...confusion.flat().map((count) => String(count).length));
  const cell = 2 + Math.max(digits, Math.min(6, ...names.map(({ length }) => length)));
  const first = Math.min(16, Math.max(...names.map(({ length }) => length)));
  if (first + cell * classes.length <= width) {
    const short = (name: string, room: number) => (name.length > room ? `${name.slice(0, room - 1)}…` : name);
    const head = names.map((name) => short(name, cell - 2).padStart(cell)).join("");
    return [
      "rows: what it is; columns: what it was taken for",
      " ".repeat(first) + head,
      ...confusion.map(
        (row, k) =>
          short(names[k], first).padEnd(first) +
          row.map((count) => (count === 0 ? "·" : String(count)).padStart(cell)).join(""),
      ),
    ];
  }
  const pairs = frequentConfusions(confusion).slice(0, most);
  if (pairs.length === 0) return ["nothing is taken for anything else"];
  const rows = pairs.map(({ label, answer, count, share }) => [
    names[label],
    names[answer],
    formatCount(count),
    formatShare(share),
  ]);
  return alignColumns([["is", "taken for", "times", "of the class"], ...rows], 2, width);
}

const rateTitles = [
  ["positiveRate", "positive"],
  ["truePositiveRate", "TPR"],
  ["falsePositiveRate", "FPR"],
] as const;

/** A table for each attribute and for all combined; then what they do not allow to say. */
export function subgroupLines({ overall, partitions, warnings }: SubgroupReport, width: number): string[] {
  const known = rateTitles.filter(([name]) => overall.rates[name] !== undefined);
  const share = (rate: Estimate | undefined) => (rate === undefined ? "" : formatShare(rate.value));
  const tables = partitions.flatMap(({ groups, differences, worst }) => {
    const rows = [...groups, overall].map(({ name, count, tooSmall, rates }) => [
      tooSmall ? `${name} (too few)` : name,
      formatCount(count),
      share(rates.accuracy),
      rates.accuracy === undefined ? "" : bounds(rates.accuracy),
      ...known.map(([rate]) => share(rates[rate])),
    ]);
    const head = ["group", "samples", "accuracy", "95 of 100", ...known.map(([, title]) => title)];
    const gap = differences.accuracy;
    const said =
      gap === undefined || worst === undefined
        ? []
        : [
            `worst: ${worst.name}, ${(100 * gap.value).toFixed(1)} points below ${gap.highest} (${bounds(gap)})` +
              (gap.low > 0 ? "" : ": may be chance"),
          ];
    return ["", ...alignColumns([head, ...rows], 1, width), ...said];
  });
  return [...tables, ...(warnings.length > 0 ? [""] : []), ...warnings.map((warning) => `note: ${warning}`)];
}

function bounds({ low, high }: { readonly low: number; readonly high: number }): string {
  return `${(100 * low).toFixed(1)} … ${(100 * high).toFixed(1)}`;
}
