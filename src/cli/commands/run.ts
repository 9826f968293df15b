/** `fovea run`: an ONNX model on data from files. */

import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { DType } from "../../core/dtype.js";
import { ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import { closestName } from "../../core/suggest.js";
import { toPlanar } from "../../data/pixels.js";
import type { AnyTensor } from "../../graph/tensor.js";
import { dtypeOf } from "../../interop/onnx/elementTypes.js";
import { load } from "../../interop/onnx/load.js";
import type { OnnxModel, OnnxValue } from "../../interop/onnx/model.js";
import { makeFolder, readFile, writeFile } from "../../node/files.js";
import { readPixels } from "../../node/image.js";
import { fromNpy, toNpy } from "../../npy.js";
import { tensorOver } from "../../ops/create.js";
import { type DeviceFlags, useDevice, wholeNumber, withDeviceOptions } from "../options.js";
import { printJson, say } from "../output.js";

const help = `
Example:
  $ fovea run mnist.onnx --input Input3=digit.png --range 0,255
  $ fovea run detector.onnx --input image=street.npy --output results
  $ fovea run classifier.onnx --random --dim batch=4 --json

An input's file is an array that NumPy saved (.npy), or a picture, which is
resized to the model's size. Its pixels become numbers in --range, unless the
model's metadata say by which mean and std they are normalized, as those of
fovea export do. The name may be left out where there is one input.`;

interface RunFlags extends DeviceFlags {
  readonly input?: readonly string[];
  readonly random?: true;
  readonly dim?: ReadonlyMap<string, number>;
  readonly range?: readonly [number, number];
  readonly output?: string;
  readonly seed: number;
  readonly json?: true;
}

export function runCommand(): Command {
  const command = new Command("run")
    .description("run an ONNX model")
    .argument("<model.onnx>", "the model's file")
    .option("--input <name=file>", "a .npy file or a picture; once for each input", collect)
    .option("--random", "fill the inputs without a file with random numbers")
    .option("--dim <name=length>", "length of a dimension that the model leaves open (default: 1)", dimension)
    .option("--range <low,high>", "what black and white become (default: 0,1)", range)
    .option("--output <folder>", "save each output as a .npy file there");
  return withDeviceOptions(command)
    .option("--seed <n>", "seed of --random", wholeNumber(0), 0)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", help)
    .action(runModel);
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function dimension(text: string, before: ReadonlyMap<string, number> = new Map()): ReadonlyMap<string, number> {
  const [, name, length] = /^(.+)=(\d+)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("Expected a name and a length, such as batch=4.");
  return new Map([...before, [name, Number(length)]]);
}

function range(text: string): readonly [number, number] {
  const bounds = text.split(",").map(Number);
  if (bounds.length !== 2 || !bounds.every(Number.isFinite) || text.split(",").some((part) => part.trim() === ""))
    throw new InvalidArgumentError("Expected two numbers, such as 0,255.");
  return [bounds[0], bounds[1]];
}

async function runModel(file: string, flags: RunFlags): Promise<void> {
  await useDevice(flags);
  const model = await load(file);
  const files = filesByInput(model, flags.input ?? []);
  checkDimensions(model, flags.dim);
  const inputs: Record<string, AnyTensor> = {};
  const random = new RandomStream(flags.seed);
  for (const input of model.inputs) {
    const path = files.get(input.name);
    if (path !== undefined) inputs[input.name] = await readInput(model, input, path, flags);
    else if (flags.random) inputs[input.name] = randomTensor(input, lengthsOf(input, flags.dim), random);
  }
  const missing = model.inputs.filter(({ name }) => inputs[name] === undefined);
  if (missing.length > 0) {
    throw new ArgumentError(
      `${file} takes ${model.inputs.map(describe).join("; ")}. Fix: ${missing.map(({ name }) => `--input ${name}=FILE`).join(" ")}, or --random.`,
    );
  }
  const started = performance.now();
  const outputs = await model.run(inputs);
  for (const output of Object.values(outputs)) await output.data();
  const milliseconds = performance.now() - started;
  const saved = flags.output === undefined ? new Map<string, string>() : await save(outputs, flags.output);
  const results = await Promise.all(
    model.outputs.map(async ({ name, dtype }) => ({
      name,
      dtype,
      file: saved.get(name),
      ...(await summary(outputs[name])),
    })),
  );
  if (flags.json) {
    const given = model.inputs.map(({ name, dtype }) => ({
      name,
      shape: inputs[name].shape,
      dtype,
      file: files.get(name),
    }));
    printJson({ model: file, inputs: given, outputs: results, milliseconds });
    return;
  }
  for (const input of model.inputs) {
    const source = files.get(input.name) ?? "random numbers";
    say(`input   ${describe({ ...input, shape: inputs[input.name].shape })}  from ${source}`);
  }
  for (const { name, dtype, shape, min, mean, max, file: path } of results) {
    const range = min === undefined ? "" : `  ${short(min)} … ${short(max)}, mean ${short(mean)}`;
    say(`output  ${describe({ name, dtype, shape })}${range}${path === undefined ? "" : `  in ${path}`}`);
    if (path === undefined) for (const line of `${outputs[name]}`.split("\n").slice(1)) say(`  ${line}`);
  }
  say(`${milliseconds.toFixed(1)} ms with planning`);
}

function short(value: number | undefined): string {
  return value === undefined ? "" : Number(value.toPrecision(4)).toString();
}

function describe({ name, shape, dtype }: OnnxValue): string {
  return `${name} ${shape === undefined ? "of any shape" : shape.join("×") || "scalar"} ${dtype}`;
}

/** Which file belongs to which input. */
function filesByInput(model: OnnxModel, given: readonly string[]): ReadonlyMap<string, string> {
  const names = model.inputs.map(({ name }) => name);
  const files = new Map<string, string>();
  for (const text of given) {
    const name = names.find((each) => text.startsWith(`${each}=`));
    if (name === undefined && (names.length !== 1 || (!existsSync(text) && text.includes("=")))) {
      throw new ArgumentError(`--input ${text} names no input. Expected name=file, with one of ${names.join(", ")}.`);
    }
    const input = name ?? names[0];
    if (files.has(input)) throw new ArgumentError(`--input ${input} is there twice. Fix: one file for each input.`);
    files.set(input, name === undefined ? text : text.slice(name.length + 1));
  }
  return files;
}

/** Throws for a dimension that no input has. */
function checkDimensions({ inputs }: OnnxModel, dims: ReadonlyMap<string, number> = new Map()): void {
  const open = [...new Set(inputs.flatMap(({ shape = [] }) => shape.filter((length) => typeof length === "string")))];
  for (const name of dims.keys()) {
    if (open.includes(name)) continue;
    const meant = closestName(name, open);
    const expected = open.length === 0 ? "The model leaves none open." : `Expected one of: ${open.join(", ")}.`;
    throw new ArgumentError(
      `--dim ${name}: no input has a dimension of that name.${meant === undefined ? "" : ` Did you mean ${meant}?`} ${expected}`,
    );
  }
}

/** Elements of an input that is made here: 2 GB of float32. */
const mostElements = 2 ** 29;

/** The lengths of an input whose open dimensions are given, or 1. */
function lengthsOf({ name, shape }: OnnxValue, dims: ReadonlyMap<string, number> = new Map()): number[] {
  if (shape === undefined)
    throw new ArgumentError(`the model does not say which shape ${name} has. Fix: --input ${name}=FILE.`);
  const lengths = shape.map((length) => (typeof length === "number" ? length : (dims.get(length) ?? 1)));
  if (sizeOf(lengths) > mostElements) {
    throw new ArgumentError(
      `${name} would be ${lengths.join("×")}: more than ${mostElements} elements. Fix: a smaller --dim.`,
    );
  }
  return lengths;
}

function randomTensor({ dtype }: OnnxValue, shape: Shape, random: RandomStream): AnyTensor {
  const computed = dtypeOf(dtype);
  const count = sizeOf(shape);
  if (computed === "float32")
    return tensorOver(
      Float32Array.from({ length: count }, () => random.uniform()),
      shape,
      computed,
    );
  if (computed === "int32")
    return tensorOver(
      Int32Array.from({ length: count }, () => random.integer(2)),
      shape,
      computed,
    );
  const most = computed === "bool" ? 2 : 256;
  return tensorOver<Shape, DType>(
    Uint8Array.from({ length: count }, () => random.integer(most)),
    shape,
    computed,
  );
}

async function readArray(input: OnnxValue, path: string): Promise<AnyTensor> {
  const array = fromNpy(await readFile(path), path);
  const isFloat = (dtype: DType) => dtype === "float32";
  const expected = dtypeOf(input.dtype);
  const fits =
    isFloat(array.dtype) === isFloat(expected) &&
    (input.shape === undefined ||
      (input.shape.length === array.rank &&
        input.shape.every((length, i) => typeof length === "string" || length === array.shape[i])));
  if (fits) return array;
  const { dtype, shape } = array;
  throw new ArgumentError(
    `${path} holds ${describe({ name: "an array", dtype, shape })}. Expected ${describe(input)}. ` +
      `Fix: save one of that shape and type, with array.reshape(…) and array.astype("${expected}") in NumPy.`,
  );
}

async function readInput(model: OnnxModel, input: OnnxValue, path: string, flags: RunFlags): Promise<AnyTensor> {
  if (extname(path).toLowerCase() === ".npy") return readArray(input, path);
  const [batch, channels, height, width] = lengthsOf(input, flags.dim);
  if (input.shape?.length !== 4 || batch !== 1 || (channels !== 1 && channels !== 3)) {
    throw new ArgumentError(
      `${input.name} is ${describe(input)}, and a picture is 1×1×H×W or 1×3×H×W. Fix: a .npy file.`,
    );
  }
  const open = input.shape.slice(2).some((length) => typeof length === "string" && !flags.dim?.has(length));
  const size = open ? undefined : ([height, width] as const);
  const pixels = await readPixels(path, { channels, ...(size === undefined ? {} : { size }) });
  const shape = [1, channels, pixels.height, pixels.width];
  const bytes = toPlanar(pixels);
  const computed = dtypeOf(input.dtype);
  if (computed !== "float32")
    return tensorOver<Shape, DType>(computed === "int32" ? Int32Array.from(bytes) : bytes, shape, computed);
  const values = Float32Array.from(bytes, (value) => value / 255);
  const plane = values.length / channels;
  const { mean, std } = normalization(model, flags.range, channels);
  return tensorOver(
    values.map((value, i) => (value - mean[Math.floor(i / plane)]) / std[Math.floor(i / plane)]),
    shape,
    computed,
  );
}

/** What is taken away from values between 0 and 1, and what they are divided by then. */
function normalization(
  { metadata }: OnnxModel,
  given: readonly [number, number] | undefined,
  channels: number,
): { readonly mean: readonly number[]; readonly std: readonly number[] } {
  const lists = given === undefined ? [metadata.mean, metadata.std] : [];
  const [mean, std] = lists.map((text) => (text === undefined ? undefined : numbers(text, channels)));
  if (mean !== undefined && std !== undefined) return { mean, std };
  const [low, high] = given ?? [0, 1];
  const all = (value: number) => Array.from({ length: channels }, () => value);
  if (low === high)
    throw new ArgumentError(`--range ${low},${high} makes all pixels equal. Fix: two numbers that differ.`);
  return { mean: all(-low / (high - low)), std: all(1 / (high - low)) };
}

function numbers(text: string, count: number): readonly number[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    if (!Array.isArray(list) || list.length !== count) return undefined;
    return list.every((value) => typeof value === "number") ? list : undefined;
  } catch {
    return undefined;
  }
}

/** Values of outputs that are at most this large are part of the JSON. */
const listed = 1000;

interface Summary {
  readonly shape: Shape;
  readonly min: number | undefined;
  readonly mean: number | undefined;
  readonly max: number | undefined;
  readonly values: readonly number[] | undefined;
}

async function summary(output: AnyTensor): Promise<Summary> {
  const data = await output.data();
  let [min, sum, max] = [Number.POSITIVE_INFINITY, 0, Number.NEGATIVE_INFINITY];
  for (const value of data) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  const values = data.length <= listed ? [...data] : undefined;
  if (data.length === 0) return { shape: output.shape, min: undefined, mean: undefined, max: undefined, values };
  return { shape: output.shape, min, mean: sum / data.length, max, values };
}

/** Writes each output under its name, as far as file names allow; says which file is whose. */
async function save(
  outputs: Readonly<Record<string, AnyTensor>>,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  await makeFolder(folder);
  const saved = new Map<string, string>();
  for (const [name, output] of Object.entries(outputs)) {
    const base = name.replaceAll(/[^\w.-]+/g, "_").replace(/^\.+/, "") || "output";
    let path = join(folder, `${base}.npy`);
    for (let i = 2; [...saved.values()].includes(path); i++) path = join(folder, `${base}-${i}.npy`);
    await writeFile(path, await toNpy(output));
    saved.set(name, path);
  }
  return saved;
}
