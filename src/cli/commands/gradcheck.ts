/** `fovea gradcheck`: whether gradients are what differences of values say. */

import { Command, Option } from "commander";
import { allCases, type CheckCase, randomTensor } from "../../check/catalogue/index.js";
import { type GradcheckOptions, gradcheckCall, gradcheckModel } from "../../check/gradcheck.js";
import { describeElement, type GradcheckResult } from "../../check/report.js";
import { ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import { formatShape } from "../../core/shape.js";
import { onWarning } from "../../core/warnings.js";
import * as models from "../../models/index.js";
import { manualSeed } from "../../ops/random/generator.js";
import { normal } from "../../ops/random/random.js";
import { useDevice, wholeNumber } from "../options.js";
import { explain, formatCount, printJson, say } from "../output.js";
import { clearProgress, showProgress } from "../progress.js";
import { stoppable } from "../stopping.js";

const help = `
Example:
  $ fovea gradcheck
  $ fovea gradcheck conv2d
  $ fovea gradcheck lenet5 --elements 50 --device native

Gradients are compared with central differences of the values, which are always
computed in float64 from the ops' definitions. Without --device the gradients
are too: that checks the rules of differentiation. With --device they are those
that the device computes in float32: that checks its kernels. Elements at
corners of a function, such as ReLU's at 0, are passed over and counted. The
exit status is 1 where a gradient is wrong.`;

interface Flags {
  readonly device?: "auto" | "native" | "wasm" | "reference";
  readonly elements?: number;
  readonly seed: number;
  readonly json?: true;
}

/** Elements of each input: functions have small ones, networks take long for each. */
const elements = { functions: 500, models: 10 } as const;

export function gradcheckCommand(): Command {
  return new Command("gradcheck")
    .description("check gradients against differences of values")
    .argument("[op or model]", "a function, an op or a model by name (default: all functions and ops)")
    .addOption(
      new Option("--device <name>", "check the gradients that a device computes (default: the definitions)").choices([
        "auto",
        "native",
        "wasm",
        "reference",
      ]),
    )
    .option("--elements <n>", "elements of each input to look at (default: 500; of a model 10)", wholeNumber(1))
    .option("--seed <n>", "decides the inputs, and which elements are looked at", wholeNumber(0), 0)
    .option("--json", "one JSON object a line on standard output")
    .addHelpText("after", help)
    .action((name: string | undefined, flags: Flags) => stoppable((signal) => run(name, flags, signal)));
}

async function run(name: string | undefined, flags: Flags, signal: AbortSignal): Promise<void> {
  // Where the definitions are checked, tensors only carry numbers.
  await useDevice({ device: flags.device ?? "reference" });
  // Sizes that leave something out are checked on purpose.
  onWarning(() => {});
  const gradients = flags.device === undefined ? "definitions" : "device";
  const options: GradcheckOptions = { gradients, seed: flags.seed, elements: elements.functions, signal };
  const isModel = models.list().some((entry) => entry.name === name);
  const given = flags.elements === undefined ? {} : { elements: flags.elements };
  const right =
    isModel && name !== undefined
      ? await checkModel(name, flags, { ...options, elements: elements.models, ...given })
      : await checkFunctions(name, flags, { ...options, ...given });
  if (!right) process.exitCode = 1;
}

/** What one line of the table says. */
interface Row {
  readonly name: string;
  readonly passed: boolean;
  readonly checked: number;
  readonly kinks: number;
  readonly error: number;
}

async function checkModel(name: string, { seed, json }: Flags, options: GradcheckOptions): Promise<boolean> {
  manualSeed(seed);
  const { model, input, variant, options: own } = smallVariant(models.find(name));
  if (variant !== undefined && !json) explain(`${name} ${variant}`);
  const onProgress = (done: number, total: number) => showProgress(`checking ${name}`, done, total);
  const result = await gradcheckModel(model, input, { ...options, ...own, onProgress }).finally(clearProgress);
  if (json) {
    for (const { name: parameter, worst, ...report } of result.inputs)
      printJson({ name, input: parameter, ...report, passed: report.wrong === 0, worst });
    return result.passed;
  }
  printTable(
    result.inputs.map(({ name: parameter, wrong, checked, kinks, worst }) => {
      return { name: parameter, passed: wrong === 0, checked, kinks, error: worst?.error ?? 0 };
    }),
  );
  report([result]);
  return result.passed;
}

/** Networks with more parameters are checked narrow and on small pictures: the definitions are slow. */
const mostParameters = 100_000;

/** A network that can be checked in reasonable time, pictures for it, and what is small about it. */
function smallVariant(entry: models.ModelEntry) {
  const { inputShape, minimumSize } = entry;
  const full = entry.create({ dropout: 0 });
  if (full.parameterCount() <= mostParameters) return { model: full, input: normal([1, ...inputShape]), options: {} };
  const [channels, height, width] = inputShape;
  const shape = minimumSize === undefined ? [channels, height, width] : [channels, minimumSize, minimumSize];
  return {
    model: entry.create({ dropout: 0, width: 1 / 16 }),
    // Batch normalization wants more than one value for each channel.
    input: normal([2, ...shape]),
    // In many layers some rectifier is always near its corner.
    options: { step: 1e-6, mostKinks: 0.1 },
    variant: `is checked with a sixteenth of its channels, on pictures of ${formatShape(shape)}`,
  };
}

async function checkFunctions(
  name: string | undefined,
  { seed, json }: Flags,
  options: GradcheckOptions,
): Promise<boolean> {
  const named = name === undefined ? allCases : allCases.filter((each) => each.name === name);
  if (named.length === 0) throw unknown(name ?? "");
  const cases = named.filter((each) => options.gradients === "definitions" || each.draws !== true);
  const results: { readonly each: CheckCase; readonly result: GradcheckResult }[] = [];
  for (const [i, each] of cases.entries()) {
    showProgress("checking", i, cases.length, [each.name]);
    manualSeed(seed);
    const random = new RandomStream(seed, i);
    const inputs = each.inputs.map((input) => randomTensor(input, random));
    const result = await gradcheckCall(each.fn, inputs, options);
    results.push({ each, result });
    options.signal?.throwIfAborted();
    if (!json) continue;
    const { passed, precision, checked, kinks, wrong, tolerance, worst } = result;
    printJson({ name: each.name, setting: each.setting, passed, precision, checked, kinks, wrong, tolerance, worst });
  }
  clearProgress();
  const passed = results.every(({ result }) => result.passed);
  if (json) return passed;
  // Of all, a line for each name; of one, a line for each call.
  const titles = results.map(({ each }) => (name === undefined ? each.name : titleOf(each)));
  printTable(
    [...new Set(titles)].sort().map((title): Row => {
      const calls = results.filter((_, i) => titles[i] === title).map(({ result }) => result);
      return {
        name: title,
        passed: calls.every((call) => call.passed),
        checked: calls.reduce((sum, { checked }) => sum + checked, 0),
        kinks: calls.reduce((sum, { kinks }) => sum + kinks, 0),
        error: Math.max(...calls.map(({ worst }) => worst?.error ?? 0)),
      };
    }),
  );
  for (const { each, result } of results)
    if (!result.passed && result.worst !== undefined) explain(`${titleOf(each)}: ${describeElement(result.worst)}`);
  report(results.map(({ result }) => result));
  const left = named.length - cases.length;
  if (left > 0)
    explain(
      `Left out: ${left} call${left === 1 ? "" : "s"} that draw${left === 1 ? "s" : ""} random numbers, which a device would draw anew.`,
    );
  return passed;
}

function titleOf({ name, setting }: CheckCase): string {
  return `${name} ${setting}`.trim();
}

function printTable(rows: readonly Row[]): void {
  const widest = Math.max(8, ...rows.map(({ name }) => name.length));
  say(`  ${"".padEnd(widest)}  elements  corners  worst error`);
  for (const { name, passed, checked, kinks, error } of rows) {
    const numbers = [formatCount(checked).padStart(8), formatCount(kinks).padStart(7), short(error).padStart(11)];
    say(`${passed ? "✓" : "✗"} ${name.padEnd(widest)}  ${numbers.join("  ")}`);
  }
}

function short(error: number): string {
  return error === 0 ? "0" : error.toExponential(1);
}

function report(results: readonly GradcheckResult[]): void {
  const sum = (of: (result: GradcheckResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const [{ precision, tolerance }] = results;
  const [checked, wrong, kinks] = [sum((r) => r.checked), sum((r) => r.wrong), sum((r) => r.kinks)];
  const error = Math.max(...results.map(({ worst }) => worst?.error ?? 0));
  const verdict = wrong === 0 ? "no gradient is wrong" : `${formatCount(wrong)} gradients are wrong`;
  explain(
    `${formatCount(checked)} elements, gradients in ${precision}: ${verdict}; worst error ${short(error)}, allowed ${short(tolerance)}; ${formatCount(kinks)} at corners passed over.`,
  );
  const blind = results.filter(({ passed, wrong: bad }) => !passed && bad === 0).length;
  if (blind > 0) explain(`In ${blind} of ${results.length} checks too many elements lie at corners to say anything.`);
}

function unknown(name: string): ArgumentError {
  const names = [...new Set(allCases.map((each) => each.name))];
  const close = names.filter((each) => each.toLowerCase().includes(name.toLowerCase())).slice(0, 6);
  const expected = close.length > 0 ? close.join(", ") : "conv2d, gelu, crossEntropy, and the like";
  const list = models.list().map((entry) => entry.name);
  return new ArgumentError(
    `there is no function, op or model named "${name}". Expected ${expected}; or a model: ${list.join(", ")}. Without a name, all functions and ops are checked.`,
  );
}
