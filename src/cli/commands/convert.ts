/** `fovea convert`: weights from one file format to another. */

import { existsSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { ArgumentError } from "../../core/errors.js";
import { openTensorFile } from "../../formats/open.js";
import { type StoredTensor, storedBytes, type TensorFile } from "../../formats/tensor-file.js";
import { convertedType, rewritten, type WriteDType, writerFor } from "../../formats/write.js";
import * as models from "../../models/index.js";
import { checkFit } from "../../nn/fit.js";
import { statesByName } from "../../nn/module.js";
import { type Renaming, renameTensors } from "../../nn/renaming.js";
import { openFileSource } from "../../node/file-source.js";
import { writeFile } from "../../node/files.js";
import { isCheckpoint } from "../../train/checkpoint.js";
import { formatBytes, formatCount, printJson, say } from "../output.js";
import { clearProgress, showProgress } from "../progress.js";
import { stoppable } from "../stopping.js";
import { publishedFile } from "../weights-file.js";

const help = `
Example:
  $ fovea convert resnet56.th resnet56.safetensors --model resnet56
  $ fovea convert checkpoint.pth weights.npz --map '^features\\.=layers.'
  $ fovea convert vgg16.safetensors half.pth --dtype float16

Formats: .safetensors, .npz (NumPy) and .pth, .pt, .th, .bin (PyTorch; written in
the layout of version 1.6 and newer). What a file holds tells how it is read, its
name how it is written. Of a checkpoint the weights are taken, and the optimizer
is left out. --map replaces what a regular expression matches in each name; $1
stands for its first group. With --model the result is checked: it has the names
and shapes of that model.`;

interface ConvertFlags {
  readonly model?: string;
  readonly map: readonly (readonly [RegExp, string])[];
  readonly prefix?: string;
  readonly dtype?: WriteDType;
  readonly force?: true;
  readonly json?: true;
}

export function convertCommand(): Command {
  return new Command("convert")
    .description("write weights in another format")
    .argument("<input>", "a file of weights, or the name of published ones")
    .argument("<output>", "the file to write; its name tells the format")
    .option("--model <name>", "a model whose names and shapes the result must have")
    .option("--map <from=to>", "replace a part of each name; may be given several times", addReplacement, [])
    .option("--prefix <text>", "what to leave out at the beginning of the names (default: found)")
    .addOption(
      new Option("--dtype <type>", "type of floating-point numbers (default: as they are)").choices([
        "float16",
        "bfloat16",
        "float32",
        "float64",
      ]),
    )
    .option("--force", "replace the output if it exists")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", help)
    .action((input: string, output: string, flags: ConvertFlags) => {
      return stoppable((signal) => convert(input, output, flags, signal));
    });
}

function addReplacement(
  text: string,
  others: readonly (readonly [RegExp, string])[],
): readonly (readonly [RegExp, string])[] {
  const split = text.indexOf("=");
  if (split < 1) throw new InvalidArgumentError("Expected a regular expression, = and what to write instead.");
  try {
    return [...others, [new RegExp(text.slice(0, split)), text.slice(split + 1)]];
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? `${error.message}.` : String(error));
  }
}

async function convert(input: string, output: string, flags: ConvertFlags, signal: AbortSignal): Promise<void> {
  const writer = writerFor(output);
  if (existsSync(output) && flags.force !== true)
    throw new ArgumentError(`${output} exists already. Fix: --force to replace it, or another name.`);
  const file = await openTensorFile(await openFileSource(await publishedFile(input)));
  try {
    const { found, ignored, renamed, prefix } = chooseTensors(file, flags);
    const tensors = [...found].map(([name, { name: inFile, tensor }]) => {
      const dtype = writer.typeOf(convertedType(tensor.dtype, flags.dtype));
      return rewritten(name, tensor, dtype, `${file.name}: ${inFile}`);
    });
    const total = tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0);
    const metadata = isCheckpoint(file.metadata) ? {} : file.metadata;
    const counter = { bytes: 0 };
    const pieces = counted(writer.pieces(tensors, metadata), counter, total);
    await writeFile(output, pieces, { signal }).finally(clearProgress);
    const { bytes } = counter;
    if (flags.json) {
      const names = tensors.map(({ name }) => name);
      printJson({
        input,
        output,
        from: file.format,
        to: writer.format,
        bytes,
        prefix,
        tensors: names,
        ignored,
        renamed,
      });
      return;
    }
    const left = ignored.length === 0 ? "" : `; left out: ${shorten(ignored)}`;
    const stripped = prefix === "" ? "" : ` without ${JSON.stringify(prefix)}`;
    say(`${input} (${file.format}) → ${output} (${writer.format})`);
    say(`${formatCount(tensors.length)} tensors${stripped}, ${formatBytes(bytes)}${left}`);
  } finally {
    await file.close();
  }
}

/** The tensors that are to be written, under their new names. */
function chooseTensors(file: TensorFile, flags: ConvertFlags): Renaming<StoredTensor> {
  const { map, prefix, model } = flags;
  const renaming = { map, prefix };
  const network = model === undefined ? undefined : models.find(model).create();
  const states = network && statesByName(network);
  const chosen = renameTensors(file, renaming, states);
  if (network !== undefined && states !== undefined) {
    const saved = [...chosen.found].map(([name, { tensor }]) => {
      return [name, { shape: tensor.shape, dtype: states.get(name)?.dtype ?? tensor.dtype }] as const;
    });
    checkFit(network.constructor.name, states, new Map(saved), { strict: true, source: file.name });
  } else if (chosen.found.size === 0) {
    throw new ArgumentError(
      `${file.name} holds no tensors to write. Fix: check --prefix, and that this is the right file.`,
    );
  }
  return chosen;
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  counter: { bytes: number },
  total: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    counter.bytes += piece.length;
    showProgress("writing", Math.min(counter.bytes, total), Math.max(1, total));
    yield piece;
  }
}

function shorten(names: readonly string[]): string {
  return names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
}
