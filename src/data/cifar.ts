/** CIFAR-10 and CIFAR-100: what their files are called and hold. */

import { cifar10Classes, cifar100Classes, cifar100Superclasses } from "../classes/cifar.js";
import { type CifarLabels, type CifarSource, readCifarRecords } from "../formats/cifar.js";
import { ImageDataset } from "./images.js";
import type { PublishedFile } from "./mnist.js";

export type CifarName = "cifar10" | "cifar100";
export type CifarSplit = "train" | "test";
/** Which of CIFAR-100's labels: one of 100 classes, or one of the 20 groups that they form. */
export type CifarLabelKind = "fine" | "coarse";

export interface CifarCollection {
  readonly title: string;
  /** Folders on the web that hold the archive, best first. */
  readonly mirrors: readonly string[];
  /** A .tar.gz of the files below. */
  readonly archive: PublishedFile;
  /** The folder in the archive. */
  readonly folder: string;
  readonly files: Readonly<Record<CifarSplit, readonly string[]>>;
  /** The label bytes of a record. */
  readonly labels: CifarLabels;
}

// Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
const mirrors = ["https://www.cs.toronto.edu/~kriz/"];

export const cifarCollections: Readonly<Record<CifarName, CifarCollection>> = {
  cifar10: {
    title: "CIFAR-10",
    mirrors,
    archive: {
      name: "cifar-10-binary.tar.gz",
      bytes: 170052171,
      sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    },
    folder: "cifar-10-batches-bin",
    files: { train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), test: ["test_batch.bin"] },
    labels: [{ name: "label", classes: 10 }],
  },
  cifar100: {
    title: "CIFAR-100",
    mirrors,
    archive: {
      name: "cifar-100-binary.tar.gz",
      bytes: 168513733,
      sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    },
    folder: "cifar-100-binary",
    files: { train: ["train.bin"], test: ["test.bin"] },
    labels: [
      { name: "coarse label", classes: 20 },
      { name: "fine label", classes: 100 },
    ],
  },
};

/**
 * Reads a split from its files, compressed with gzip or not: from a file input of a page, say, or from the network.
 *
 * @param kind which labels of CIFAR-100; default `"fine"`
 * @throws FormatError for files of another layout, cut short or damaged
 * @example
 * const test = await readCifar("cifar10", "test", [{ name: "test_batch.bin", bytes }]);
 */
export async function readCifar(
  collection: CifarName,
  split: CifarSplit,
  sources: Iterable<CifarSource> | AsyncIterable<CifarSource>,
  kind: CifarLabelKind = "fine",
): Promise<ImageDataset> {
  const { title, labels: layout } = cifarCollections[collection];
  const { images, labels } = await readCifarRecords(sources, layout);
  const coarse = collection === "cifar100" && kind === "coarse";
  const fineClasses = collection === "cifar10" ? cifar10Classes : cifar100Classes;
  return new ImageDataset({
    name: title,
    split,
    images,
    labels: coarse ? labels[0] : labels[labels.length - 1],
    shape: [3, 32, 32],
    classNames: coarse ? cifar100Superclasses : fineClasses,
  });
}
