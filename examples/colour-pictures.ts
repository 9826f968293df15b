/** The pictures of the experiments with CIFAR-10. */

import { statSync } from "node:fs";
import type { Command } from "commander";
import { ImageDataset, shapes, splitDataset } from "fovea";
import { cifar10, imageFolder, imageZip, type PictureDataset } from "fovea/node";
import { type Flags, type Plan, type Plans, withPlanOptions } from "./experiment.js";

/** Options of experiments with colour pictures. */
export function withColourOptions(command: Command, plans: Plans): Command {
  const what =
    "folder of CIFAR-10's binary files, or a folder or .zip of 32×32 pictures, train/<class>/… and test/<class>/… (default: shapes that are drawn)";
  return withPlanOptions(command.option("--data-dir <path>", what), plans);
}

/** Of each class an equal share of CIFAR-10, or as many pictures of shapes that are drawn. */
export async function loadColourPictures({ dataDir }: Flags, { size, testSize }: Pick<Plan, "size" | "testSize">) {
  const load = async (split: "train" | "test", count: number) =>
    dataDir === undefined ? drawShapes(split, count) : someOf(await readPictures(dataDir, split), count);
  const train = await load("train", size);
  return { name: dataDir === undefined ? "drawn shapes" : train.name, train, test: await load("test", testSize) };
}

async function drawShapes(split: "train" | "test", size: number): Promise<ImageDataset> {
  return (
    await shapes({
      split,
      size,
      kinds: ["circle", "cross", "star"],
      count: [1, 1],
      radius: [0.25, 0.4],
      noise: 0.02,
      shading: 0,
      contrast: 0.3,
    })
  ).pictures;
}

async function readPictures(path: string, split: "train" | "test"): Promise<ImageDataset> {
  const size = 32;
  if (/\.zip$/i.test(path)) return inMemory(await imageZip(path, { size, split }));
  const isFolder = statSync(`${path}/${split}`, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder) return inMemory(await imageFolder(path, { size, split }));
  return cifar10({ split, dataDir: path });
}

async function inMemory(pictures: PictureDataset): Promise<ImageDataset> {
  const { name, split, shape, classNames, labels, size } = pictures;
  const { images } = await pictures.batch(Uint32Array.from({ length: size }, (_, i) => i));
  return new ImageDataset({ name, split, shape, classNames, labels, images });
}

function someOf(data: ImageDataset, count: number): ImageDataset {
  return count < data.size ? splitDataset(data, [count / data.size])[0] : data;
}
