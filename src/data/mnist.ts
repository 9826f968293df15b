/** MNIST and Fashion-MNIST: what their files are called and hold, and how two IDX arrays become a data set. */

import { DataError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import type { ByteChunks, StoredArray } from "../formats/array.js";
import { readIdx } from "../formats/idx.js";
import { ImageDataset } from "./images.js";

export type MnistName = "mnist" | "fashion-mnist";
export type MnistSplit = "train" | "test";
export type MnistPart = "images" | "labels";

/** A file as it is published, compressed. */
export interface PublishedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface MnistCollection {
  readonly title: string;
  readonly classNames: readonly string[];
  /** Folders on the web that hold the files, best first. */
  readonly mirrors: readonly string[];
  readonly files: Readonly<Record<MnistSplit, Readonly<Record<MnistPart, PublishedFile>>>>;
}

export const mnistCollections: Readonly<Record<MnistName, MnistCollection>> = {
  // LeCun, Cortes & Burges, "The MNIST database of handwritten digits".
  mnist: {
    title: "MNIST",
    classNames: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    mirrors: [
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
      "https://storage.googleapis.com/cvdf-datasets/mnist/",
      "http://yann.lecun.com/exdb/mnist/",
    ],
    files: {
      train: {
        images: {
          name: "train-images-idx3-ubyte.gz",
          bytes: 9912422,
          sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        },
        labels: {
          name: "train-labels-idx1-ubyte.gz",
          bytes: 28881,
          sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        },
      },
      test: {
        images: {
          name: "t10k-images-idx3-ubyte.gz",
          bytes: 1648877,
          sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        },
        labels: {
          name: "t10k-labels-idx1-ubyte.gz",
          bytes: 4542,
          sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
      },
    },
  },
  // Xiao, Rasul & Vollgraf, "Fashion-MNIST" (2017), https://github.com/zalandoresearch/fashion-mnist (MIT).
  "fashion-mnist": {
    title: "Fashion-MNIST",
    classNames: [
      "T-shirt/top",
      "Trouser",
      "Pullover",
      "Dress",
      "Coat",
      "Sandal",
      "Shirt",
      "Sneaker",
      "Bag",
      "Ankle boot",
    ],
    mirrors: [
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ],
    files: {
      train: {
        images: {
          name: "train-images-idx3-ubyte.gz",
          bytes: 26421880,
          sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        },
        labels: {
          name: "train-labels-idx1-ubyte.gz",
          bytes: 29515,
          sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        },
      },
      test: {
        images: {
          name: "t10k-images-idx3-ubyte.gz",
          bytes: 4422102,
          sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        },
        labels: {
          name: "t10k-labels-idx1-ubyte.gz",
          bytes: 5148,
          sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
      },
    },
  },
};

/** Where one of the two files of a split comes from. */
export interface MnistSource {
  /** What error messages call it. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer> | ByteChunks;
  /** Bytes that chunks hold together. */
  readonly size?: number;
}

/** Reads a split from its two IDX files, compressed or not: from a file input of a page, say, or from the network. */
export async function readMnist(
  collection: MnistName,
  split: MnistSplit,
  images: MnistSource,
  labels: MnistSource,
): Promise<ImageDataset> {
  // Labels first: they are small, and a mix-up shows before the images are decompressed.
  const labelArray = await readIdx(labels.bytes, { name: labels.name, size: labels.size });
  checkPart(labelArray, "labels", labels.name);
  const imageArray = await readIdx(images.bytes, { name: images.name, size: images.size });
  checkPart(imageArray, "images", images.name);
  const [count, height, width] = imageArray.shape;
  if (imageArray.dtype !== "uint8" || labelArray.dtype !== "uint8") throw wrongPart(images.name, imageArray, "images");
  if (count !== labelArray.shape[0]) {
    throw new DataError(
      `${images.name} holds ${count} images, but ${labels.name} holds ${labelArray.shape[0]} labels. ` +
        "Expected one label for each image. Fix: use the two files that belong together.",
    );
  }
  const { title, classNames } = mnistCollections[collection];
  const wrong = labelArray.data.findIndex((label) => label >= classNames.length);
  if (wrong !== -1) {
    throw new DataError(
      `${labels.name}: label ${labelArray.data[wrong]} at index ${wrong} names no class. ` +
        `Expected 0 to ${classNames.length - 1}. Fix: number the classes from 0, or check that these are the labels.`,
    );
  }
  return new ImageDataset({
    name: title,
    split,
    images: imageArray.data,
    labels: labelArray.data,
    shape: [1, height, width],
    classNames,
  });
}

function checkPart(array: StoredArray, part: MnistPart, name: string): void {
  const rank = part === "images" ? 3 : 1;
  if (array.dtype !== "uint8" || array.shape.length !== rank) throw wrongPart(name, array, part);
}

function wrongPart(name: string, { dtype, shape }: StoredArray, part: MnistPart): DataError {
  const expected = part === "images" ? "uint8 images, N×28×28" : "uint8 labels, one axis";
  const mixedUp = shape.length === (part === "images" ? 1 : 3) ? "Images and labels are mixed up: swap them." : "";
  return new DataError(
    `${name} holds ${formatShape(shape)} ${dtype}. Expected ${expected}. ` +
      `Fix: ${mixedUp || "use the original file, such as train-images-idx3-ubyte.gz."}`,
  );
}
