/**
 * Feeds damaged files to every reader of files: each must be read, or refused with an error of Fovea's, within time and memory.
 *
 * Each reader runs in a process of its own, whose memory is limited and whose end would be noticed.
 */

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Argument, Option } from "commander";
import { onWarning } from "../src/index.js";
import { scriptCommand, wholeNumber } from "./command.js";
import { readers } from "./fuzz/readers.js";
import { type FuzzOptions, type FuzzReport, fuzz, limits, makeInput } from "./fuzz/run.js";

const names = readers.map(({ name }) => name);

const command = scriptCommand(
  "fuzz",
  "Feeds damaged files to every reader of files: each must be read, or refused with an error of Fovea's, within time and\n" +
    "memory. Exits with 1 when one is not.",
  "npz zip --count 5000\n  npm run fuzz -- npz --seed 3 --first 712 --count 1 --save input.npz",
)
  .addArgument(new Argument("[readers...]", "which of them (default: all)").choices(names))
  .option("--count <n>", "inputs for each", wholeNumber(1), 200_000)
  .option("--seed <n>", "what the inputs are made from", wholeNumber(0), 1)
  .option("--first <n>", "number of the first input", wholeNumber(0), 0)
  .option("--save <file>", "write the first input for the first of the readers instead of reading it")
  .option("--json", "a line of JSON for each reader")
  // Used between the processes.
  .addOption(new Option("--child").hideHelp())
  .parse();
const values = command.opts<FuzzOptions & { save?: string; json?: true; child?: true }>();
const options: FuzzOptions = { seed: values.seed, first: values.first, count: values.count };
const chosen = command.args.length === 0 ? readers : readers.filter(({ name }) => command.args.includes(name));

/** Inputs of one process, which says after each so many of them how far it is. */
const PORTION = 20_000;
const STRIDE = 100;

/** Milliseconds without a word after which a process hangs. On a busy machine it only waits for its turn. */
const SILENCE = 300_000;

/** Runs a portion in a process of its own. */
function inChild(name: string, { seed, first, count }: FuzzOptions): Promise<FuzzReport> {
  const flags = ["--expose-gc", "--max-old-space-size=96", "--max-semi-space-size=2"];
  const args = [name, "--child", "--seed", `${seed}`, "--first", `${first}`, "--count", `${count}`];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...flags, fileURLToPath(import.meta.url), ...args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    let [output, complaints, reached] = ["", "", first];
    child.stdout?.on("data", (data) => {
      output += data;
    });
    child.stderr?.on("data", (data) => {
      complaints += data;
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), SILENCE);
    child.on("message", (input) => {
      reached = Number(input);
      timer.refresh();
    });
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      if (status === 0) return resolve(JSON.parse(output));
      const what = `the process ended with ${signal ?? `status ${status}`} at one of ${STRIDE} inputs\n${complaints.slice(-2000)}`;
      const nothing = { inputs: count, accepted: 0, refused: 0, slowest: 0, growth: 0 };
      resolve({ reader: name, ...nothing, failures: [{ input: reached, what }] });
    });
  });
}

async function inPortions(name: string, { seed, first, count }: FuzzOptions): Promise<FuzzReport> {
  const parts: FuzzReport[] = [];
  for (let done = 0; done < count; done += PORTION) {
    const portion = { seed, first: first + done, count: Math.min(PORTION, count - done) };
    parts.push(await inChild(name, portion));
  }
  const sum = (of: (part: FuzzReport) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    reader: name,
    inputs: count,
    accepted: sum((part) => part.accepted),
    refused: sum((part) => part.refused),
    slowest: Math.max(...parts.map((part) => part.slowest)),
    growth: Math.max(...parts.map((part) => part.growth)),
    failures: parts.flatMap((part) => part.failures),
  };
}

if (values.child) {
  onWarning(() => {});
  const tell = (input: number) => {
    if (input % STRIDE === 0) process.send?.(input);
  };
  console.log(JSON.stringify(await fuzz(chosen[0], options, tell)));
  process.disconnect?.();
} else if (values.save !== undefined) {
  writeFileSync(values.save, await makeInput(chosen[0], await chosen[0].seeds(), options.seed, options.first));
} else {
  for (const { name } of chosen) {
    const report = await inPortions(name, options);
    const { accepted, refused, slowest, growth, failures } = report;
    if (failures.length > 0) process.exitCode = 1;
    if (values.json) {
      console.log(JSON.stringify(report));
      continue;
    }
    const figures = [
      `${accepted} read, ${refused} refused, ${failures.length} failed`,
      `slowest ${slowest.toFixed(0)} ms (limit ${limits.milliseconds})`,
      `memory +${(growth / 2 ** 20).toFixed(1)} MiB (limit ${limits.bytes / 2 ** 20} and twice the input)`,
    ];
    console.log(`${name.padEnd(14)} ${figures.join("; ")}`);
    for (const { input, what } of failures) {
      console.log(
        `  input ${input}: ${what}\n  npm run fuzz -- ${name} --seed ${options.seed} --first ${input} --save input`,
      );
    }
  }
}
