/**
 * What becomes of the gradient in a very deep network? A chain of fully connected layers, 1,000 or 10,000 of them, and the size
 * of the error that arrives at each, for tanh, ReLU and the logistic sigmoid.
 *
 * The chain rule multiplies the error by the weights and by the slope σ′(z) at every layer. The weights here are orthogonal
 * matrices, which keep its length: what is left is the work of the slope.
 */

import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { add, grad, matmul, mul, RandomStream, relu, sigmoid, stack, sub, sum, type Tensor, tanh, tensor } from "fovea";
import { positive, whole } from "./options.js";
import { type Line, plotSvg, plotText } from "./plot.js";
import { show } from "./terminal.js";

interface Settings {
  readonly layers: number;
  readonly width: number;
  readonly input: "zero" | "random";
  readonly gain: number;
  readonly seed: number;
  readonly svg?: string;
}

interface Unit {
  readonly name: string;
  readonly mark: string;
  readonly colour: string;
  /** What it makes of 0. */
  readonly atZero: number;
  apply(z: Tensor): Tensor;
}

const units: readonly Unit[] = [
  { name: "tanh", mark: "t", colour: "#1f77b4", atZero: 0, apply: (z) => tanh(z) },
  { name: "ReLU", mark: "r", colour: "#2ca02c", atZero: 0, apply: (z) => relu(z) },
  { name: "sigmoid", mark: "s", colour: "#d62728", atZero: 0.5, apply: (z) => sigmoid(z) },
];

interface Layer {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/**
 * An orthogonal matrix times `gain`: the reflection at a random plane, I − 2vvᵀ / |v|². With an input of zero the bias takes off
 * what the weights make of the units below, so that every z is 0; else it is 0.
 */
function makeLayer(settings: Settings, index: number, below: number): Layer {
  const { width, gain, seed, input } = settings;
  const random = new RandomStream(seed, 1, index);
  const v = Array.from({ length: width }, () => random.normal());
  const square = v.reduce((total, value) => total + value * value, 0);
  const weight = new Float32Array(width * width);
  const bias = new Float32Array(width);
  for (let from = 0; from < width; from++) {
    for (let to = 0; to < width; to++) {
      const value = gain * ((from === to ? 1 : 0) - (2 * v[from] * v[to]) / square);
      weight[from * width + to] = value;
      if (input === "zero") bias[to] -= below * value;
    }
  }
  return { weight: tensor(weight, [width, width]), bias: tensor(bias, [1, width]) };
}

/** The length of each row of a tensor of L×…, in float64: squares of small numbers would be 0 in float32. */
async function lengths(rows: Tensor): Promise<number[]> {
  const data = await rows.data();
  const size = data.length / rows.shape[0];
  return Array.from({ length: rows.shape[0] }, (_, row) => Math.hypot(...data.subarray(row * size, (row + 1) * size)));
}

/** Sizes of ∂f/∂z and ∂f/∂W at each layer, the first at the input. */
async function measure(unit: Unit, settings: Settings): Promise<{ errors: number[]; weights: number[] }> {
  const { layers, width, input, seed } = settings;
  const random = new RandomStream(seed, 2, 0);
  const vector = (value: () => number) => tensor(Float32Array.from({ length: width }, value), [1, width]);
  const network = Array.from({ length: layers }, (_, i) => makeLayer(settings, i, i === 0 ? 0 : unit.atZero));
  let value: Tensor = vector(() => (input === "zero" ? 0 : random.normal()));
  const sums = network.map(({ weight, bias }, i) => {
    const z = add(matmul(value, weight), bias) as Tensor;
    // The last layer has no activation: its sums are the answer.
    if (i < layers - 1) value = unit.apply(z);
    return z;
  });
  const wanted = vector(() => random.normal());
  const difference = sub(sums[layers - 1], wanted);
  const loss = mul(sum(mul(difference, difference)), 0.5) as Tensor<[]>;
  const gradients = grad(loss, [...sums, ...network.map(({ weight }) => weight)]);
  const [errors, weights] = [stack(gradients.slice(0, layers)), stack(gradients.slice(layers))];
  return { errors: await lengths(errors), weights: await lengths(weights) };
}

/** In words: what one layer does to the error, and where nothing is left of it. */
function describe(errors: readonly number[]): string {
  if (!errors.every(Number.isFinite)) return "beyond what float32 can hold";
  const from = errors.findIndex((size) => size !== 0);
  if (from < 0) return "there is no error to begin with";
  const gone = from === 0 ? "" : `; exactly 0 from layer ${from} down`;
  if (from === errors.length - 1) return `stops at the first unit${gone}`;
  // The smallest numbers of float32 have few digits: better not to measure there.
  const known = errors.findIndex((size) => size > 1e-35);
  const factor = (errors[known] / errors[errors.length - 1]) ** (1 / (errors.length - 1 - known));
  return `times ${factor.toPrecision(3)} a layer${gone}`;
}

const title = (what: string, { layers, input, gain }: Settings) =>
  `${what}, ${layers} layers, ${input === "zero" ? "every z = 0" : "a random input"}${gain === 1 ? "" : `, weights × ${gain}`}`;

async function run(settings: Settings): Promise<void> {
  const lines: Line[] = [];
  const table = [["", "first layer", "middle", "last layer", "∂f/∂W first", "∂f/∂W last", "the error going down"]];
  for (const unit of units) {
    // Ten thousand layers take a while.
    if (process.stderr.isTTY) process.stderr.write(`${unit.name} …\x1b[K\r`);
    const { errors, weights } = await measure(unit, settings);
    const last = settings.layers - 1;
    lines.push({ ...unit, values: errors });
    const sizes = [errors[0], errors[last >> 1], errors[last], weights[0], weights[last]].map(show);
    table.push([unit.name, ...sizes, describe(errors)]);
  }
  if (process.stderr.isTTY) process.stderr.write("\x1b[K");
  const text = { title: title("Size of the error ∂f/∂z at each layer", settings), xAxis: "layer" };
  console.log(plotText(lines, text).join("\n"));
  console.log("");
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table) {
    const cells = row.map((cell, i) =>
      i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]),
    );
    console.log(cells.join("  ").trimEnd());
  }
  if (settings.input === "zero") {
    console.log(`
The slopes at 0 are 1 for tanh, 0 for ReLU (by convention: it has a corner there) and 1/4 for the sigmoid.
tanh and ReLU make 0 of 0, so that ∂f/∂W, the error times what comes in, is 0 for them whatever the slope:
the weights learn nothing, only the biases do. --input random shows layers that have something to say.`);
  }
  if (settings.svg !== undefined) {
    writeFileSync(settings.svg, plotSvg(lines, text));
    console.log(`\nWritten: ${settings.svg}`);
  }
}

export const command = new Command("deep-gradients")
  .description("how the gradient shrinks or grows on its way through 1,000 or 10,000 layers")
  .option("--layers <n>", "how many", whole(2), 1000)
  .option("--width <n>", "units in each", whole(1), 16)
  .addOption(new Option("--input <what>", "zero: every sum z is 0").choices(["zero", "random"]).default("zero"))
  .option("--gain <factor>", "what the orthogonal weights are multiplied by", positive, 1)
  .option("--seed <n>", "decides weights and input", whole(0), 0)
  .option("--svg <file>", "write the plot there, too")
  .action(run);
