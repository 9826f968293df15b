/**
 * Finding, not only naming: LeNet-5 learns ten digits and "nothing" from windows of 28×28, and then slides over a larger picture,
 * as in section VII of its paper, "space displacement neural networks" (LeCun, Bottou, Bengio & Haffner, 1998).
 * `models.toConvolutional` makes its fully connected layers convolutions, so that one pass looks at every window.
 */

import { writeFileSync } from "node:fs";
import { Command } from "commander";
import {
  digits,
  fit,
  manualSeed,
  models,
  normalizePixels,
  RandomStream,
  SGD,
  softmax,
  type Tensor,
  tensor,
  toConvolutional,
  vision,
} from "fovea";
import { type Canvas, cutWindows, drawCanvas, type Placed } from "./canvas.js";
import { type Found, type HeatMap, heatMapSvg, heatMapText } from "./heat-map.js";
import { whole } from "./options.js";
import { drawHalfHeight } from "./terminal.js";

interface Settings {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly learn: number;
  readonly seed: number;
  readonly svg?: string;
}

async function train({ learn, seed }: Settings): Promise<models.LeNet5> {
  manualSeed(seed);
  const windows = cutWindows(await digits({ split: "train", size: learn, seed }), new RandomStream(seed, 1));
  const model = models.create("lenet5", { numClasses: windows.classNames.length });
  const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const begun = performance.now();
  const records = await fit(model, windows, { optimizer, epochs: 3, seed });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const accuracy = (100 * (records.at(-1)?.train.accuracy ?? 0)).toFixed(1);
  console.log(
    `LeNet-5 has seen ${windows.size} windows of 28×28, half of them with nothing to name: ${accuracy} % right, ${seconds} s.`,
  );
  return model;
}

/** The classes' probabilities in every window, 11×rows×columns. */
function look(sliding: ReturnType<typeof toConvolutional>, { pixels, height, width }: Canvas): Tensor {
  const picture = tensor(pixels, [1, 1, height, width], { dtype: "uint8" });
  return softmax(sliding(normalizePixels(picture)), 1).squeeze(0);
}

/** Peaks of the heat map: the digit is what is likeliest in that window, its middle that of the heat around it. */
async function findDigits(probabilities: Tensor, heat: HeatMap): Promise<Found[]> {
  const { rows, columns, values, stride, middle } = heat;
  const perClass = await probabilities.data();
  // Digits are 24 pixels apart or more, which are six places.
  const peaks = await vision.findPeaks(tensor(values, [rows, columns]), {
    count: Number.POSITIVE_INFINITY,
    threshold: 0.5,
    distance: 3,
  });
  return peaks.map(({ row, column }) => {
    const scores = Array.from({ length: 10 }, (_, digit) => perClass[(digit * rows + row) * columns + column]);
    const probability = Math.max(...scores);
    let [sum, down, across] = [0, 0, 0];
    for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++) {
      for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++) {
        const value = values[y * columns + x];
        sum += value;
        down += value * y;
        across += value * x;
      }
    }
    return {
      digit: scores.indexOf(probability),
      row: middle + (stride * down) / sum,
      column: middle + (stride * across) / sum,
      probability,
    };
  });
}

/** The found digit that lies nearest to where one was put, if any is near. */
function nearest(found: readonly Found[], { row, column }: Placed): Found | undefined {
  const distances = found.map((each) => Math.hypot(each.row - row, each.column - column));
  const least = Math.min(...distances);
  return least <= 6 ? found[distances.indexOf(least)] : undefined;
}

function report({ placed }: Canvas, found: readonly Found[]): void {
  const at = ({ row, column }: Placed) => `${row.toFixed(0).padStart(4)}, ${column.toFixed(0).padStart(3)}`;
  console.log("put       at   found       at   probability");
  const inOrder = placed.toSorted((a, b) => a.column - b.column);
  let right = 0;
  for (const each of inOrder) {
    const match = nearest(found, each);
    if (match?.digit === each.digit) right++;
    const outcome =
      match === undefined
        ? "nothing"
        : `${String(match.digit).padStart(5)}${at(match)}   ${match.probability.toFixed(3)}${match.digit === each.digit ? "" : "  wrong"}`;
    console.log(`${String(each.digit).padStart(3)}${at(each)}   ${outcome}`);
  }
  const extra = found.filter((each) => !placed.some((other) => nearest([each], other) !== undefined));
  for (const each of extra)
    console.log(
      `${"".padStart(14)}${String(each.digit).padStart(5)}${at(each)}   ${each.probability.toFixed(3)}  where none is`,
    );
  console.log(`\n${right} of ${placed.length} digits found and named, ${extra.length} where there are none.`);
}

/** The largest of each 2×2 pixels, from 0 to 1. */
function halved({ pixels, height, width }: Canvas): Float32Array {
  const columns = width >> 1;
  return Float32Array.from({ length: (height >> 1) * columns }, (_, i) => {
    const at = 2 * Math.floor(i / columns) * width + 2 * (i % columns);
    return Math.max(pixels[at], pixels[at + 1], pixels[at + width], pixels[at + width + 1]) / 255;
  });
}

async function run(settings: Settings): Promise<void> {
  const { count, height, width, seed, svg } = settings;
  const data = await digits({ split: "test", size: count, seed });
  const canvas = drawCanvas(data, [0, count], [height, width], new RandomStream(seed, 2));
  const sliding = toConvolutional((await train(settings)).eval());
  const probabilities = look(sliding, canvas);
  const [classes, rows, columns] = probabilities.shape;
  const nothing = await probabilities.slice(classes - 1).data();
  const heat: HeatMap = {
    rows,
    columns,
    values: Float32Array.from(nothing, (probability) => 1 - probability),
    stride: sliding.stride,
    middle: sliding.window[0] / 2,
  };
  const found = await findDigits(probabilities, heat);
  console.log(`\nThe picture, ${height}×${width}:\n`);
  console.log(drawHalfHeight(halved(canvas), width >> 1).join("\n"));
  console.log(`\nWhere it sees digits: ${rows}×${columns} windows, ${heat.stride} pixels apart, in one pass.\n`);
  console.log(`${heatMapText(heat, found).join("\n")}\n`);
  report(canvas, found);
  if (svg !== undefined) {
    writeFileSync(svg, heatMapSvg(canvas, heat, found));
    console.log(`\nWritten: ${svg}`);
  }
}

export const command = new Command("find-digits")
  .description("trains LeNet-5 for seconds, slides it over a larger picture, and says where which digits are")
  .option("--count <n>", "how many digits to put there", whole(1), 10)
  .option("--height <pixels>", "of the picture", whole(28), 112)
  .option("--width <pixels>", "of the picture", whole(28), 224)
  .option("--learn <n>", "how many digits to learn from", whole(100), 6000)
  .option("--seed <n>", "decides how digits are drawn, where they are put, and the training", whole(0), 0)
  .option("--svg <file>", "write the picture and the heat map there, too")
  .action(run);
