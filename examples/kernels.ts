/** What hand-made kernels see in a drawn digit. */

import { Command } from "commander";
import { digits, type Tensor, tensor, vision } from "fovea";
import { whole } from "./options.js";
import { drawHalfHeight, sideBySide } from "./terminal.js";

interface Settings {
  readonly index: number;
  readonly seed: number;
}

const kernels: readonly { readonly name: string; readonly kernel: () => vision.Kernel }[] = [
  { name: "box(5)", kernel: () => vision.box(5) },
  { name: "gaussian(7, 1.5)", kernel: () => vision.gaussian(7, 1.5) },
  { name: "sobelX()", kernel: vision.sobelX },
  { name: "sobelY()", kernel: vision.sobelY },
  { name: "laplacian()", kernel: vision.laplacian },
  { name: "blobDetector()", kernel: vision.blobDetector },
  { name: "sharpen()", kernel: vision.sharpen },
  { name: "emboss()", kernel: vision.emboss },
];

/** The size of each value as a share of the largest: dark to bright and bright to dark look the same. */
async function drawSizes(response: Tensor): Promise<string[]> {
  const sizes = (await response.data()).map(Math.abs);
  const most = sizes.reduce((largest, size) => Math.max(largest, size), 0);
  return drawHalfHeight(
    sizes.map((size) => size / most),
    response.shape[1],
  );
}

async function run({ index, seed }: Settings): Promise<void> {
  const data = await digits({ split: "test", size: index + 1, seed });
  const [, height, width] = data.shape;
  const pixels = Float32Array.from(data.get(index).image, (value) => value / 255);
  const picture = tensor(pixels, [height, width]);
  const blocks = [["the picture", ...(await drawSizes(picture))]];
  for (const { name, kernel } of kernels) {
    blocks.push([name, ...(await drawSizes(vision.applyKernel(picture, kernel())))]);
  }
  for (let first = 0; first < blocks.length; first += 3) {
    console.log(`${sideBySide(blocks.slice(first, first + 3), 2).join("\n")}\n`);
  }
}

export const command = new Command("kernels")
  .description("what box, Gaussian, Sobel, Laplacian and other kernels make of a drawn digit")
  .option("--index <n>", "which test digit", whole(0), 0)
  .option("--seed <n>", "decides how the digits are drawn", whole(0), 0)
  .action(run);
