/**
 * Events found in signals: a convolutional network gives a score for each kind of event at each moment, a timeline of when a
 * feature appeared. What is shifted in time is found as well, later; a fully connected network must learn each moment by itself.
 */

import { Command } from "commander";
import {
  Adam,
  CosineLR,
  compile,
  crossEntropy,
  DataLoader,
  manualSeed,
  nn,
  type SeriesDataset,
  type SeriesEvent,
  type Shape,
  series,
  type Tensor,
  tensor,
} from "fovea";
import { writeFile } from "fovea/node";
import { withSpread } from "./comparison.js";
import { type Flags, fileToWrite, type Plans, planOf, summarize, tableRow, withPlanOptions } from "./experiment.js";
import { drawSignal } from "./signal-drawing.js";

const plans: Plans = {
  full: { size: 4000, testSize: 500, epochs: 12, seeds: 3 },
  quick: { size: 600, testSize: 50, epochs: 6, seeds: 1 },
};
const length = 128;
const longer = 1024;
/** Moments by which the middle of an event may be missed. */
const tolerance = 4;
/** What lasts less is no event: the shortest last 16. */
const shortest = 6;
const kinds = ["bump", "step", "ramp", "burst"] as const;
const classes = kinds.length + 1;

const networks: Readonly<Record<"cnn" | "mlp", () => nn.Layer>> = {
  cnn: () =>
    new nn.Sequential(
      new nn.Conv1d(1, 16, 9, { padding: "same" }),
      new nn.ReLU(),
      new nn.Conv1d(16, 16, 9, { padding: "same", dilation: 2 }),
      new nn.ReLU(),
      new nn.Conv1d(16, 16, 9, { padding: "same", dilation: 4 }),
      new nn.ReLU(),
      new nn.Conv1d(16, classes, 1),
    ),
  mlp: () =>
    new nn.Sequential(
      new nn.Flatten(),
      new nn.Linear(length, 100),
      new nn.ReLU(),
      new nn.Linear(100, classes * length),
    ),
};

/** N×classes×L scores of N×1×L signals. */
const scoresOf = (network: nn.Layer, signals: Tensor): Tensor =>
  network(signals).reshape([signals.shape[0], classes, signals.shape[2]]);

async function learn(make: () => nn.Layer, train: SeriesDataset, epochs: number, seed: number): Promise<nn.Layer> {
  manualSeed(seed);
  const network = make();
  const loader = new DataLoader(train, { batchSize: 50, shuffle: true, seed });
  const optimizer = new Adam(network.parameters(), { lr: 0.005 });
  const schedule = new CosineLR(optimizer, { steps: epochs * loader.batchesPerEpoch });
  const step = compile((signals: Tensor, masks: Tensor<Shape, "int32">) => {
    const loss = crossEntropy(scoresOf(network, signals), masks);
    loss.backward();
    void optimizer.step();
    return loss;
  });
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const { signals, masks, shape, size } of loader.epoch(epoch)) {
      await step(tensor(signals, [...shape]), tensor(masks, [size, shape[2]], { dtype: "int32" }));
      schedule.step();
    }
  }
  return network;
}

/** The events on a timeline: as long as the same kind has the largest score. */
function eventsOn(scores: Float32Array, moments: number): SeriesEvent[] {
  const best = Array.from({ length: moments }, (_, t) => {
    const column = Array.from({ length: classes }, (_, k) => scores[k * moments + t]);
    return column.indexOf(Math.max(...column));
  });
  const found: SeriesEvent[] = [];
  for (let start = 0, t = 1; t <= moments; t++) {
    if (t < moments && best[t] === best[start]) continue;
    if (best[start] > 0 && t - start >= shortest) found.push({ kind: best[start] - 1, start, end: t });
    start = t;
  }
  return found;
}

async function eventsIn(network: nn.Layer, test: SeriesDataset): Promise<SeriesEvent[][]> {
  const { signals, shape, size } = test.batch(Uint32Array.from({ length: test.size }, (_, i) => i));
  const scores = await scoresOf(network, tensor(signals, [...shape])).data();
  const each = classes * shape[2];
  return Array.from({ length: size }, (_, i) => eventsOn(scores.subarray(i * each, (i + 1) * each), shape[2]));
}

interface Found {
  /** In percent: of what was said to be an event, and of the events. */
  readonly precision: number;
  readonly recall: number;
}

/** An event is found by one of its kind whose middle is near; each counts once. */
function judge(found: readonly SeriesEvent[][], test: SeriesDataset): Found {
  let [right, said, there] = [0, 0, 0];
  const middle = ({ start, end }: SeriesEvent) => (start + end) / 2;
  for (const [i, events] of found.entries()) {
    const left = [...test.get(i).events];
    said += events.length;
    there += left.length;
    for (const event of events) {
      const at = left.findIndex(
        (other) => other.kind === event.kind && Math.abs(middle(other) - middle(event)) <= tolerance,
      );
      if (at < 0) continue;
      left.splice(at, 1);
      right++;
    }
  }
  return { precision: (100 * right) / Math.max(1, said), recall: (100 * right) / there };
}

async function run(settings: Flags & { readonly svg?: string }): Promise<void> {
  const { json = false, svg } = settings;
  const begun = performance.now();
  const { size, testSize, epochs, seeds } = planOf(settings, plans);
  const train = await series({ split: "train", size, kinds, length, count: [1, 3] });
  const test = await series({ split: "test", size: testSize, kinds, length, count: [1, 3] });
  const long = await series({
    split: "test",
    size: Math.ceil(testSize / 8),
    kinds,
    length: longer,
    count: [8, 20],
    duration: [length >> 3, length >> 2],
  });
  const say = (text: string) => json || console.log(text);
  const headings = ["precision, %", "recall, %", `of ${longer}: prec.`, "recall"];
  say(
    `series: ${size} signals of ${length} moments to learn from, ${testSize} to test with, ${seeds} seed${seeds === 1 ? "" : "s"}.\n`,
  );
  say(tableRow("", headings));
  const rows = [];
  for (const name of ["cnn", "mlp"] as const) {
    const outcomes: Found[][] = [];
    for (let seed = 0; seed < seeds; seed++) {
      const network = await learn(networks[name], train, epochs, seed);
      const found = await eventsIn(network, test);
      // Fully connected layers take signals of one length.
      const tests = name === "cnn" ? [judge(await eventsIn(network, long), long)] : [];
      outcomes.push([judge(found, test), ...tests]);
      if (svg !== undefined && name === "cnn" && seed === 0) {
        const drawing = drawSignal(test.get(0).signal, { kinds, there: test.get(0).events, found: found[0] });
        await writeFile(svg, new TextEncoder().encode(drawing));
      }
    }
    const [here, there] = [0, 1].map((i) => {
      if (outcomes[0].length <= i) return null;
      const of = (part: keyof Found) => summarize(outcomes.map((tests) => tests[i][part]));
      return { precision: of("precision"), recall: of("recall") };
    });
    rows.push({ name, signals: here, longer: there });
    const cells = [here, there].flatMap((part) =>
      part ? [withSpread(part.precision), withSpread(part.recall)] : [null, null],
    );
    say(tableRow(name.toUpperCase(), cells));
  }
  const seconds = (performance.now() - begun) / 1000;
  if (json) console.log(JSON.stringify({ size, testSize, epochs, seeds, tolerance, rows, seconds }));
  if (svg !== undefined) say(`\nWritten: ${svg}: a signal, the events in it, and what the CNN found.`);
  say(`\n${seconds.toFixed(0)} s.`);
}

export const command = withPlanOptions(
  new Command("events")
    .description("events found in signals, and how well, by a CNN and an MLP (30 s; 7 s a seed)")
    .option("--svg <file>", "draw a signal there with what is in it and what was found", fileToWrite),
  plans,
).action(run);
