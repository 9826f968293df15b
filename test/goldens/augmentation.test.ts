/** Augmentations with given parameters, compared with torchvision, SciPy and Pillow: every byte. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { Augmentation, type Picture } from "../../src/data/augment/augmentation.js";
import { mixPictures, pasteWindows } from "../../src/data/augment/mix.js";
import { augmentationNames, findAugmentation } from "../../src/data/augment/registry.js";
import { newImageBatch } from "../../src/data/batches.js";
import { Golden } from "../support/golden.js";

interface Case {
  readonly name: string;
  readonly options: object;
  readonly parameters: Readonly<Record<string, unknown>> & { readonly share: number };
}

const golden = new Golden<Case>("augmentation");
const bytes = (key: string) => Uint8Array.from(golden.get(key).data);

/** Fields that are arrays are kept beside the others. */
function parametersOf(i: number): object {
  const arrays = ["x", "y", "noise"].filter((name) => golden.has(`${i}.${name}`));
  const entries = arrays.map((name) => [name, Float64Array.from(golden.get(`${i}.${name}`).data)]);
  return { ...golden.cases[i].parameters, ...Object.fromEntries(entries) };
}

function pictureOf(i: number): Picture {
  const [channels, height, width] = golden.get(`${i}.image`).shape;
  const mask = golden.has(`${i}.mask`) ? bytes(`${i}.mask`) : undefined;
  return { shape: [channels, height, width], image: bytes(`${i}.image`), mask };
}

for (const [i, { name, options, parameters }] of golden.cases.entries()) {
  it(`${name} ${JSON.stringify(parameters)} ${JSON.stringify(options)}`, () => {
    const augmentation = findAugmentation(name).create(options);
    const { shape } = golden.get(`${i}.result`);
    if (!(augmentation instanceof Augmentation)) {
      const [, channels, height, width] = shape;
      const batch = newImageBatch(Uint32Array.of(0, 1, 2), [channels, height, width]);
      batch.images.set(bytes(`${i}.image`));
      const { share, ...rest } = parameters;
      const window = { top: 0, left: 0, height: 0, width: 0, ...rest };
      const { images } = name === "mixup" ? mixPictures(batch, share) : pasteWindows(batch, window);
      assert.deepEqual(images, bytes(`${i}.result`));
      return;
    }
    const picture = pictureOf(i);
    const before = picture.image.slice();
    const result = augmentation.apply(picture, parametersOf(i));
    assert.deepEqual(result.shape, shape);
    assert.deepEqual(result.image, bytes(`${i}.result`));
    if (golden.has(`${i}.moved`)) assert.deepEqual(result.mask, bytes(`${i}.moved`));
    assert.deepEqual(picture.image, before, "the picture given is left as it is");
  });
}

it("every augmentation has a golden", () => {
  const known = new Set(golden.cases.map(({ name }) => name));
  // These are `affine` with some of its parameters.
  for (const name of ["rotate", "scale", "shear"]) known.add(name);
  assert.deepEqual(
    augmentationNames.filter((name) => !known.has(name)),
    [],
  );
});
