/**
 * Every network at its full size: its parameters, a forward pass, a training step; where torchvision has it too, the same
 * outputs, evaluating and training; as an ONNX file, ONNX Runtime's outputs and those of the file read again and written
 * again. CI has narrow networks and small pictures instead (test/models, test/onnx).
 *
 *   npm run zoo [-- name…]
 *
 * Each network has a process of its own. Torchvision is compared with where Debian's python3-torchvision is installed; ONNX
 * Runtime is installed when it is first needed.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Argument, Option } from "commander";
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
import { exportModel } from "../src/interop/onnx/export/export.js";
import { load } from "../src/interop/onnx/load.js";
import { parameterCounts } from "../test/models/parameters.js";
import { Golden } from "../test/support/golden.js";
import { relativeError } from "../test/support/numbers.js";
import { loadOnnxRuntime } from "../test/support/onnxruntime.js";
import { fillByFormula, inTorchvision, type TorchvisionCase, torchvisionError } from "../test/support/torchvision.js";
import { scriptCommand } from "./command.js";

const allowed = 1e-4;
const script = fileURLToPath(new URL("../../test/goldens/networks.py", import.meta.url));
const python = "/usr/bin/python3";
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

const hasTorchvision = () => spawnSync(python, ["-c", "import torchvision"]).status === 0;

/** How far the outputs are from torchvision's. */
async function compareWithTorchvision(entry: models.ModelEntry): Promise<string> {
  if (!inTorchvision.some((name) => name === entry.name)) return "has it not";
  if (!hasTorchvision()) return "not there";
  const folder = mkdtempSync(join(tmpdir(), "fovea-zoo-"));
  try {
    const path = join(folder, "outputs.safetensors");
    const [, size] = entry.inputShape;
    const cases = JSON.stringify([{ name: entry.name, size, classes: entry.numClasses }]);
    const { status, stderr } = spawnSync(python, [script, path, cases], { stdio: ["ignore", "ignore", "pipe"] });
    if (status !== 0) throw new Error(`torchvision failed: ${stderr}`);
    return within("torchvision", await torchvisionError(new Golden<TorchvisionCase>(entry.name, path), 0));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How far ONNX Runtime's outputs are, and those of the file read again; what is written of that must stay the same. */
async function compareAsOnnx(entry: models.ModelEntry): Promise<[runtime: string, again: string]> {
  manualSeed(0);
  const network = entry.create().eval();
  // Not fresh weights: in deep networks without training little but the last bias would arrive.
  fillByFormula(network);
  const picture = normal([1, ...entry.inputShape]);
  const expected = await network(picture).data();
  const bytes = await exportModel(network, { inputs: picture.shape });
  const read = await load(bytes);
  const { output } = await read.run({ input: picture });
  const again = within("the file read again", relativeError(await output.data(), expected));
  const written = await exportModel(read);
  if (Buffer.compare(written, await exportModel(await load(written))) !== 0)
    throw new Error("an exported file that is read and exported once more is another one");
  const runtime = await loadOnnxRuntime();
  if (typeof runtime === "string") return ["not there", again];
  const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const feeds = { input: new runtime.Tensor("float32", await picture.data(), picture.shape) };
  const results = await session.run(feeds);
  const found = Float32Array.from(results.output.data, Number);
  // Unpooling is not continuous: where two values of a window are nearly equal, rounding decides their place, and with it much
  // that is around. A picture that is changed by 2·10⁻⁷ gives as different scores.
  const error = entry.name === "segnet" ? medianError(found, expected) : relativeError(found, expected);
  return [within("ONNX Runtime", error), again];
}

/** What half of the values differ by at most, as a share of the largest. */
function medianError(found: Float32Array, expected: ArrayLike<number>): number {
  const differences = found.map((value, i) => Math.abs(value - expected[i])).sort();
  const largest = found.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return differences[differences.length >> 1] / largest;
}

/** @throws Error where an output differs too much */
function within(from: string, error: number): string {
  const difference = error.toExponential(1);
  if (!(error < allowed)) throw new Error(`differs by ${difference} from ${from}, more than ${allowed}`);
  return difference;
}

const columns = (cells: readonly string[]) => cells.map((cell) => cell.padStart(14)).join("");

/** Does everything with one network, and prints its row. */
async function examine(entry: models.ModelEntry): Promise<void> {
  onWarning(() => {});
  await setDevice("auto").ready;
  const count = entry.create().parameterCount();
  if (count !== parameterCounts[entry.name]) throw new Error(`has ${format.format(count)} parameters`);
  const { forward, training } = await run(entry);
  const times = [forward, training].map((time) => `${time.toFixed(2)} s`);
  const outputs = [await compareWithTorchvision(entry), ...(await compareAsOnnx(entry))];
  console.log(`${entry.name.padEnd(16)}${columns([format.format(count), ...times, ...outputs])}`);
}

const command = scriptCommand(
  "zoo",
  "Compares every network at its full size with torchvision and ONNX Runtime, and trains it for a step.\n" +
    "Exits with 1 when one is wrong.",
  "lenet5 resnet18",
)
  .addArgument(
    new Argument("[networks...]", "which of them (default: all)").choices(models.list().map(({ name }) => name)),
  )
  // Used between the processes.
  .addOption(new Option("--one <name>").hideHelp())
  .parse();
const { one } = command.opts<{ one?: string }>();
if (one !== undefined) {
  try {
    await examine(models.find(one));
  } catch (error) {
    console.log(`${one.padEnd(16)}WRONG: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
} else {
  const entries = command.args.length === 0 ? models.list() : command.args.map((name) => models.find(name));
  const device = setDevice("auto");
  await device.ready;
  console.log(`On ${device.variant} with ${device.threads} threads; batches of 2; seconds with the program's making.`);
  console.log(
    "How far outputs are from torchvision's, from ONNX Runtime's, and from those of the ONNX file read again:\n",
  );
  const titles = ["parameters", "forward", "training", "torchvision", "ONNX Runtime", "read again"];
  console.log(`${"".padEnd(16)}${columns(titles)}`);
  for (const { name } of entries) {
    const { status, signal } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--one", name], {
      stdio: "inherit",
    });
    if (signal !== null) console.log(`${name.padEnd(16)}WRONG: the process ended with ${signal}`);
    if (status !== 0) process.exitCode = 1;
  }
}
