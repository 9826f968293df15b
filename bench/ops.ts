/**
 * Forward and gradient of single ops against PyTorch, where there is one: medians of interleaved runs, and their ratios.
 * Run with `npm run bench:ops`.
 */

import { Option } from "commander";
import { compile, type DeviceName, grad, listDevices, normal, setDevice, type Tensor } from "fovea";
import { scriptCommand, wholeNumber } from "../scripts/command.js";
import { cases } from "./op-cases.js";
import { type OpRow, writeOpsPage } from "./ops-page.js";
import { Peer } from "./peer.js";
import { median } from "./statistics.js";

const millisecondsPerRound = 60;

/** Runs an op and its gradient once, and waits for them. */
function prepare(name: string): () => Promise<void> {
  const [shapes, call] = cases[name];
  const inputs = shapes.map((shape) => normal(shape));
  const upstream = normal(call(...inputs).shape);
  const step = compile((u: Tensor, ...list: Tensor[]) => {
    // The op's own result is asked for too: without it a convolution's forward pass would be left out.
    const value = call(...list);
    const gradients = grad(value, list, { upstream: u });
    return { results: [value, ...gradients], first: gradients[0].reshape([-1]).slice(0) };
  });
  return async () => {
    const { results, first } = await step(upstream, ...inputs);
    await first.item();
    // As PyTorch does when its results go out of scope; Fovea would leave it to the garbage collector.
    for (const result of [...results, first]) result.dispose();
  };
}

const command = scriptCommand(
  "bench:ops",
  "Times single ops with their gradients against PyTorch, where there is one: medians of interleaved runs.",
  "conv2d softmax --threads 2",
)
  .argument("[ops...]", "parts of the names of the ops to time (default: all)")
  .option("--threads <n>", "threads of each side", wholeNumber(1), 1)
  .option("--rounds <n>", "turns of each side, of which the median counts", wholeNumber(1), 7)
  .addOption(
    new Option("--clock <name>", "cpu: the processor's time, which other programs change less")
      .choices(["wall", "cpu"])
      .default("wall"),
  )
  .option("--json", "a line of JSON for each op and device")
  .option("--page", "write those that are furthest behind into docs/performance.md")
  .parse();
const { args: wanted } = command;
const options = command.opts<{ threads: number; rounds: number; clock: "wall" | "cpu"; json?: true; page?: true }>();
const { json, threads, rounds, clock } = options;

function milliseconds(): number {
  if (clock === "wall") return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function time(run: () => Promise<void>, repetitions: number): Promise<number> {
  const begun = milliseconds();
  for (let i = 0; i < repetitions; i++) await run();
  return (milliseconds() - begun) / repetitions;
}

const names = Object.keys(cases).filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
const devices: DeviceName[] = (["native", "wasm"] as const).filter((name) =>
  listDevices().some((each) => each.name === name && each.device !== undefined),
);
const width = Math.max(...names.map((name) => name.length)) + 1;
const torch = new Peer("torch_ops.py");
const hasTorch = await torch.start();
if (options.page && !hasTorch)
  throw new Error("--page: there is no PyTorch to compare with. Fix: install python3-torch");
if (!json) {
  console.log(
    `milliseconds for an op and its gradient, ${threads} thread${threads === 1 ? "" : "s"}; ratios to PyTorch`,
  );
  console.log(
    ["".padEnd(width), ...[...devices, ...(hasTorch ? ["PyTorch"] : [])].map((each) => each.padStart(15))].join(""),
  );
}
const rows: OpRow[] = [];
for (const name of names) {
  const runs = devices.map((device) => {
    const choose = () => void setDevice(device, { threads });
    choose();
    const run = prepare(name);
    // The first run records the op, which may make tensors of its own.
    return () => {
      choose();
      return run();
    };
  });
  for (const run of runs) await time(run, 2);
  const once = await time(runs[0], 1);
  const repetitions = Math.max(1, Math.round(millisecondsPerRound / once));
  if (hasTorch) await torch.ask(`${name} ${clock} ${threads} 2`);
  const times: number[][] = runs.map(() => []);
  const peers: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of runs.entries()) times[i].push(await time(run, repetitions));
    if (hasTorch) peers.push(await torch.ask(`${name} ${clock} ${threads} ${repetitions}`));
  }
  const ratios = times.map((list) => median(list.map((value, i) => value / peers[i])));
  for (const [i, device] of devices.entries()) {
    const timesPyTorch = hasTorch ? ratios[i] : undefined;
    const row = { op: name, device, milliseconds: median(times[i]), timesPyTorch };
    rows.push(row);
    if (json) console.log(JSON.stringify({ ...row, threads, clock }));
  }
  if (json) continue;
  const cells = times.map((list, i) => `${median(list).toFixed(2)}${hasTorch ? ` (${ratios[i].toFixed(2)})` : ""}`);
  console.log(
    [
      name.padEnd(width),
      ...[...cells, ...(hasTorch ? [median(peers).toFixed(2)] : [])].map((cell) => cell.padStart(15)),
    ].join(""),
  );
}
if (options.page) writeOpsPage(rows, { clock, threads, rounds, version: torch.version });
torch.stop();
process.exit(0);
