/**
 * Every network at its full size: its parameters, a forward pass, a training step, and where torchvision has it too,
 * the same outputs, evaluating and training. CI has narrow networks and small pictures instead (test/models).
 *
 *   npm run zoo [-- name…]
 *
 * Torchvision is compared with where Debian's python3-torchvision is installed.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setDevice } from "../src/device.js";
import {
  add,
  crossEntropy,
  evaluate,
  grad,
  manualSeed,
  mean,
  models,
  mul,
  normal,
  onWarning,
  type Tensor,
  zeros,
} from "../src/index.js";
import { parameterCounts } from "../test/models/parameters.js";
import { Golden } from "../test/support/golden.js";
import { inTorchvision, type TorchvisionCase, torchvisionError } from "../test/support/torchvision.js";

const allowed = 1e-4;
const script = fileURLToPath(new URL("../../test/goldens/networks.py", import.meta.url));
const python = "/usr/bin/python3";
const folder = mkdtempSync(join(tmpdir(), "fovea-zoo-"));
const format = new Intl.NumberFormat("en");

async function seconds(task: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await task();
  return (performance.now() - begun) / 1000;
}

/** One forward pass and all gradients, of a batch of two. */
async function run(entry: models.ModelEntry): Promise<{ forward: number; training: number }> {
  manualSeed(0);
  const network = entry.create();
  const pictures = normal([2, ...entry.inputShape]);
  const forward = await seconds(() => network.eval()(pictures).data());
  const training = await seconds(async () => {
    const { logits, auxiliary } = network.train().outputs(pictures);
    const lossOf = (scores: Tensor) =>
      crossEntropy(scores, zeros([2, ...scores.shape.slice(2)], { dtype: "int32" })) as Tensor;
    const loss = auxiliary.reduce<Tensor>(
      (sum, each) => add(sum, mul(lossOf(each.logits), each.weight)),
      lossOf(logits),
    );
    const gradients = grad(loss, network.parameters());
    // One number of each is enough to see that it is finite, and does not bring them all here.
    const sizes = gradients.map((gradient) => mean(mul(gradient, gradient)));
    await evaluate(loss, ...sizes);
    for (const size of [loss, ...sizes])
      if (!Number.isFinite(await size.item())) throw new Error("the loss or a gradient is not finite");
  });
  return { forward, training };
}

/** How far the outputs are from torchvision's; undefined without it. */
async function compare(entry: models.ModelEntry): Promise<number | undefined> {
  const path = join(folder, "outputs.safetensors");
  const [, size] = entry.inputShape;
  const cases = JSON.stringify([{ name: entry.name, size, classes: entry.numClasses }]);
  const { status } = spawnSync(python, [script, path, cases], { stdio: ["ignore", "ignore", "pipe"] });
  return status === 0 ? torchvisionError(new Golden<TorchvisionCase>(entry.name, path), 0) : undefined;
}

const names = process.argv.slice(2);
const entries = names.length === 0 ? models.list() : names.map((name) => models.find(name));
const hasTorchvision = spawnSync(python, ["-c", "import torchvision"]).status === 0;
onWarning(() => {});
const device = setDevice("auto");
await device.ready;
console.log(`On ${device.variant} with ${device.threads} threads; batches of 2; seconds with the program's making.`);
if (!hasTorchvision) console.log(`${python} has no torchvision: nothing to compare with.`);
console.log(
  `${"".padEnd(16)}${"parameters".padStart(14)}${"forward".padStart(10)}${"training".padStart(10)}  torchvision`,
);

let failed = false;
for (const entry of entries) {
  try {
    const count = entry.create().parameterCount();
    if (count !== parameterCounts[entry.name]) throw new Error(`has ${format.format(count)} parameters`);
    const { forward, training } = await run(entry);
    let against = inTorchvision.some((name) => name === entry.name) ? "not compared" : "has no such network";
    if (hasTorchvision && against === "not compared") {
      const error = await compare(entry);
      if (error === undefined) throw new Error("torchvision failed");
      against = `differs by ${error.toExponential(1)}`;
      if (!(error < allowed)) throw new Error(`${against}, more than ${allowed}`);
    }
    const times = [forward, training].map((time) => `${time.toFixed(2)} s`.padStart(10));
    console.log(`${entry.name.padEnd(16)}${format.format(count).padStart(14)}${times.join("")}  ${against}`);
  } catch (error) {
    failed = true;
    console.log(`${entry.name.padEnd(16)}WRONG: ${error instanceof Error ? error.message : error}`);
  }
}
rmSync(folder, { recursive: true });
if (failed) process.exitCode = 1;
