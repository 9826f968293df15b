/** Options that several commands have, and the checks of their values. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { type MemoryMode, setMemory } from "../core/memory.js";
import { onWarning } from "../core/warnings.js";
import { setDevice } from "../device.js";
import type { Device } from "../index.js";
import { explain } from "./output.js";
import type { OwnPicturesFlags } from "./own-pictures.js";

export interface DeviceFlags {
  readonly device: "auto" | "native" | "wasm" | "reference";
  readonly threads?: number;
  readonly memory?: MemoryMode;
}

export interface DataFlags extends OwnPicturesFlags {
  readonly dataDir?: string;
}

export function withDeviceOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--device <name>", "where to compute; auto takes native where there is an addon, else wasm")
        .choices(["auto", "native", "wasm", "reference"])
        .default("auto"),
    )
    .option("--threads <n>", "threads that compute (default: one for each core)", wholeNumber(1, 1024))
    .addOption(
      new Option("--memory <mode>", "low: keep no copies of the weights that only save time")
        .choices(["fast", "low"])
        .default("fast"),
    );
}

export function withDataOptions(command: Command): Command {
  return command
    .option(
      "--data <name or path>",
      "digits, shapes, faces, faces-lecture, noisy, mnist, fashion-mnist, cifar10, cifar100; or pictures of your own: a folder with one folder a class, a .zip of it, a .csv of files and labels, a .parquet of both, an .npz of arrays; or a folder of IDX files",
      "digits",
    )
    .option("--data-dir <folder>", "folder that holds the files of mnist, cifar10 … (default: downloaded)")
    .option("--image-size <n>", "pixels of a side that pictures of your own get (default: the model's)", wholeNumber(1))
    .option(
      "--label-column <name>",
      "column of a .csv or .parquet with the classes (default: label, class or category)",
    )
    .option(
      "--file-column <name>",
      "column of a .csv with the files (default: file, path, filename or image), of a .parquet with the pictures (image)",
    );
}

/** Makes the device that the flags ask for the one that everything uses. */
export async function useDevice({ device, threads, memory = "fast" }: DeviceFlags): Promise<Device> {
  onWarning((message) => explain(`fovea: ${message}`));
  setMemory(memory);
  const chosen = setDevice(device, { threads });
  await chosen.ready;
  return chosen;
}

/** A parser of integers from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`Expected a whole number ${range}.`);
    }
    return value;
  };
}

/** A parser of numbers from `least` up to, but not including, `limit`. */
export function realNumber(least: number, limit = Number.POSITIVE_INFINITY): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= least && value < limit)) {
      throw new InvalidArgumentError(
        limit === Number.POSITIVE_INFINITY
          ? `Expected a number of ${least} or more.`
          : `Expected a number from ${least} to below ${limit}.`,
      );
    }
    return value;
  };
}

/** A parser of numbers above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw new InvalidArgumentError("Expected a number above 0.");
  return value;
}

/** A parser of a picture's size: 3x224x224, channels first. */
export function pictureShape(text: string): readonly number[] {
  const lengths = text.split(/[x×]/i).map(Number);
  if (lengths.length !== 3 || lengths.some((length) => !Number.isInteger(length) || length < 1))
    throw new InvalidArgumentError("Expected channels, height and width, such as 3x224x224.");
  return lengths;
}
