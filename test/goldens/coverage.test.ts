/** Every exported function is compared with numbers that an independent library computed, or there is a reason. */

import assert from "node:assert/strict";
import { it } from "node:test";
import * as losses from "../../src/nn/losses/index.js";
import * as functions from "../../src/ops/index.js";
import { Golden } from "../support/golden.js";

/** Goldens whose cases are named after functions or their layers. */
const named = ["arranging", "convolutions-of-all-kinds", "kit", "losses-with-options", "normalization", "resizing"];

/** Goldens of one family each: their cases have only settings. */
const families: Readonly<Record<string, readonly string[]>> = {
  activations: ["prelu", ...new Golden<string>("activations").cases],
  convolution: ["conv2d"],
  pooling: ["maxPool2d", "avgPool2d"],
  unpooling: [1, 2, 3].flatMap((axes) => [`maxPool${axes}dWithIndices`, `maxUnpool${axes}d`]),
};

const others: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["normal", "uniform", "dropout", "featureDropout"].map((name) => [name, "draws other numbers than PyTorch does"]),
  ),
  ...Object.fromEntries(
    ["Generator", "manualSeed", "evaluate", "grad", "detach"].map((name) => [name, "computes no numbers of its own"]),
  ),
  ...Object.fromEntries(
    ["gradientReversal", "groupMeans", "groupWeightedMean"].map((name) => [
      name,
      "PyTorch has none: test/train/groups",
    ]),
  ),
  softDiceLoss: "is diceLoss of a softmax, worked out by hand: test/train/pixels",
  ...Object.fromEntries(["tensor", "full", "ones", "zeros"].map((name) => [name, "gives what it is given"])),
};

it("every exported function has a golden", (t) => {
  const known = new Set(Object.values(families).flat());
  for (const file of named) {
    for (const { name } of new Golden<{ readonly name: string }>(file).cases) {
      // Layers such as LayerNorm stand for functions such as layerNorm.
      known.add((name[0].toLowerCase() + name.slice(1)).replace(/(?<=Norm)\dd$/, ""));
    }
  }
  const exported = Object.keys({ ...functions, ...losses });
  assert.deepEqual(
    exported.filter((name) => !known.has(name) && !(name in others)),
    [],
  );
  assert.deepEqual(
    Object.keys(others).filter((name) => !exported.includes(name) || known.has(name)),
    [],
    "excused, but exported no more, or compared",
  );
  t.diagnostic(`${exported.length} functions; ${Object.keys(others).length} are not compared, each for a reason`);
});
