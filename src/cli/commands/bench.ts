/** `fovea bench`: how fast a model runs, and how each of its convolutions is computed. */

import { Command } from "commander";
import { type Benchmark, benchmark } from "../../analysis/index.js";
import { ArgumentError } from "../../core/errors.js";
import { parseTables, setAlgorithms } from "../../device.js";
import * as models from "../../models/index.js";
import { readFile } from "../../node/files.js";
import { type DeviceFlags, pictureShape, useDevice, wholeNumber, withDeviceOptions } from "../options.js";
import { printJson, say } from "../output.js";
import { showProgress } from "../progress.js";
import { terminalWidth } from "../terminal.js";

const help = `
Example:
  $ fovea bench resnet18
  $ fovea bench vgg16 --explain --threads 1
  $ fovea bench lenet5 --training --batch 64 --device wasm --json

Random pictures, random weights. A line is an op with what is fused to it; "kernel"
is what computes it: "winograd" and "convolution" are two ways to convolve. GFLOP/s
counts two operations for each multiply-add of the definition, so that an algorithm
that multiplies less can be above the processor's peak. MB are read or written at
least once. --explain says which algorithm a convolution has, who chose it ("table":
measured on such machines; "model": the fewest operations), and how the work is cut.
--algorithms takes tables of your own: npm run bench:algorithms writes them.`;

interface BenchFlags extends DeviceFlags {
  readonly input?: readonly number[];
  readonly batch: number;
  readonly training?: true;
  readonly explain?: true;
  readonly algorithms?: string;
  readonly rounds: number;
  readonly json?: true;
}

export function benchCommand(): Command {
  const command = new Command("bench")
    .description("time a model, layer by layer, and explain how its convolutions are computed")
    .argument("[model]", "a model's name", "lenet5")
    .option("--input <CxHxW>", "size of a picture (default: the model's own)", pictureShape)
    .option("--batch <n>", "pictures at once", wholeNumber(1), 1)
    .option("--training", "a step of training instead: forward, backward and gradient descent")
    .option("--explain", "say below each convolution and product what its kernels are told")
    .option("--algorithms <file>", "choose algorithms by the tables of this JSON file")
    .option("--rounds <n>", "runs of which the fastest counts", wholeNumber(1), 10);
  return withDeviceOptions(command)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", help)
    .action(runBenchmark);
}

async function runBenchmark(name: string, flags: BenchFlags): Promise<void> {
  const entry = models.find(name);
  const { variant } = await useDevice(flags);
  if (flags.algorithms !== undefined) await useAlgorithms(flags.algorithms, variant);
  const { input = entry.inputShape, batch, training = false, explain = false, rounds } = flags;
  const [inChannels] = input;
  const model = entry.create(inChannels === entry.inputShape[0] ? {} : { inChannels });
  const result = await benchmark(model, [batch, ...input], {
    ...{ training, rounds },
    onRound: (round) => showProgress(`timing ${name}`, round, rounds + 1),
  });
  if (flags.json) printJson(toJson(name, input, batch, training, result));
  else say(result.toString({ width: terminalWidth(), explain }));
}

async function useAlgorithms(path: string, variant: string): Promise<void> {
  const tables = parseTables(`--algorithms ${path}`, new TextDecoder().decode(await readFile(path)));
  if (tables[variant] === undefined) {
    const names = Object.keys(tables).join(", ") || "none";
    throw new ArgumentError(
      `--algorithms ${path} has tables for ${names}, and the device is ${variant}. Fix: another --device, or npm run bench:algorithms -- --variant ${variant} --out ${path}`,
    );
  }
  setAlgorithms(tables);
}

function toJson(model: string, input: readonly number[], batch: number, training: boolean, result: Benchmark): object {
  const { device, threads, milliseconds, macs, gigaflops, work } = result;
  return { model, input, batch, training, device, threads, milliseconds, macs, gigaflops, work };
}
