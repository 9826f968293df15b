/**
 * The networks of the lectures on this machine, whole and layer by layer, against what the machine can do at most.
 * Run with `npm run bench`; bench/README.md says how to read it.
 */

import { cpus } from "node:os";
import { manualSeed, models, setDevice } from "fovea";
import { type Benchmark, benchmark, type WorkTime } from "fovea/analysis";
import { namesOf, scriptCommand, wholeNumber, wholeNumbers } from "../scripts/command.js";
import { nativePeak, type Peak, wasmGigaflops } from "./machine.js";
import { createNetwork, type NetworkName, works } from "./sides/works.js";

const defaultNetworks = ["vgg16", "resnet18", "googlenet", "alexnet", "lenet5"];
const networkNames = ["vgg6", ...models.list().map(({ name }) => name)];
const options = scriptCommand(
  "bench",
  "Times the networks of the lectures, whole and layer by layer, against what the machine can do at most.\n" +
    "bench/README.md says how to read it.",
  "--network vgg16,resnet18 --threads 1 --layers",
)
  .option("--network <names>", "of the models of `fovea models`, and vgg6", namesOf(networkNames), defaultNetworks)
  .option("--device <names>", "of native, wasm", namesOf(["native", "wasm"] as const), ["native" as const])
  .option("--threads <list>", "threads of the device", wholeNumbers, [1, 2])
  .option("--batch <n>", "pictures at once (default: that of bench:peers, else 1)", wholeNumber(1))
  .option("--training", "steps of training")
  .option("--layers", "a line for each piece of work")
  .option("--rounds <n>", "runs of which the fastest counts", wholeNumber(1), 10)
  .option("--json", "a line of JSON for each network, with all of its work")
  .parse()
  .opts<{
    network: string[];
    device: ("native" | "wasm")[];
    threads: number[];
    batch?: number;
    training?: true;
    layers?: true;
    rounds: number;
    json?: true;
  }>();

/** What convolutions and products reach of the peak at least, unless reading and writing takes most of their time. */
const wantedShare = 0.7;

/** Milliseconds that some work takes at least: its arithmetic at the peak, its bytes at memory's speed. */
function floors({ macs, bytes }: WorkTime, peak: Peak) {
  return { arithmetic: (2 * macs) / peak.gigaflops / 1e6, bytes: bytes / peak.gigabytes / 1e6 };
}

/** What is to be said of convolutions and products that stay below the wanted share of the peak. */
function remark(work: WorkTime, peak: Peak): string {
  const { arithmetic, bytes } = floors(work, peak);
  if (work.macs === 0 || arithmetic >= wantedShare * work.milliseconds) return "";
  const depthwise = work.settings.some(({ groups, sourceChannels }) => Number(groups) > 1 && sourceChannels === 1);
  if (depthwise) return "depthwise";
  return bytes >= wantedShare * work.milliseconds ? "bound by bytes" : "below 70 %";
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

function printLayers({ work }: Benchmark, peak: Peak | undefined): void {
  const width = Math.max(...work.map(({ layer, ops }) => (layer || ops.join("+")).length));
  console.log(`  ${"layer".padEnd(width)} ${"kernel".padEnd(32)}      ms GFLOP/s  peak      MB  GB/s`);
  for (const each of work) {
    const { layer, ops, kernels, milliseconds, macs, bytes } = each;
    const rate = macs === 0 || milliseconds === 0 ? "" : ((2 * macs) / milliseconds / 1e6).toFixed(1);
    const share = rate === "" || peak === undefined ? "" : percent(floors(each, peak).arithmetic / milliseconds);
    const speed = milliseconds === 0 ? "" : (bytes / milliseconds / 1e6).toFixed(1);
    const numbers = [milliseconds.toFixed(3).padStart(7), rate.padStart(7), share.padStart(5)];
    numbers.push((bytes / 1e6).toFixed(2).padStart(7), speed.padStart(5), peak === undefined ? "" : remark(each, peak));
    const line = [(layer || ops.join("+")).padEnd(width), kernels.join("+").padEnd(32), ...numbers];
    console.log(`  ${line.join(" ").trimEnd()}`);
  }
}

function printNetwork(title: string, result: Benchmark, peak: Peak | undefined): void {
  const { device, threads, milliseconds, gigaflops, work } = result;
  const rate = `${gigaflops.toFixed(1)} GFLOP/s`;
  const parts = [`${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`, rate];
  if (peak !== undefined) {
    parts.push(`${percent(gigaflops / peak.gigaflops)} of the peak`);
    const low = work.filter((each) => remark(each, peak) === "below 70 %").length;
    const products = work.filter(({ macs }) => macs > 0).length;
    parts.push(`${low} of ${products} convolutions and products below 70 %`);
  }
  console.log(`${title}, ${device}, ${threads} thread${threads === 1 ? "" : "s"}: ${parts.join(", ")}`);
}

async function run(): Promise<void> {
  const { device: devices, threads: threadCounts, rounds, network: names, training = false } = options;
  const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`;
  if (!options.json) console.log(machine);
  for (const device of devices) {
    for (const threads of threadCounts) {
      const chosen = setDevice(device, { threads });
      await chosen.ready;
      const native = nativePeak(threads);
      const peak: Peak | undefined = native && {
        ...native,
        ...(device === "wasm" && { gigaflops: await wasmGigaflops(chosen.variant.includes("relaxed"), threads) }),
      };
      if (!options.json) {
        const known =
          peak && `${peak.gigaflops.toFixed(1)} GFLOP/s of multiply-adds, ${peak.gigabytes.toFixed(1)} GB/s read`;
        console.log(
          `\n${chosen.variant}, ${threads} thread${threads === 1 ? "" : "s"}: at most ${known ?? "unknown: no C compiler"}`,
        );
      }
      for (const name of names) {
        const work = works.find((each) => each.network === name && (each.kind === "training") === training);
        const input = work?.input ?? (name === "vgg6" ? [3, 32, 32] : models.find(name).inputShape);
        const batch = options.batch ?? work?.batch ?? 1;
        manualSeed(0);
        const network = name === "vgg6" ? createNetwork(name as NetworkName) : models.find(name).create();
        const result = await benchmark(network, [batch, ...input], { training, rounds });
        if (options.json) console.log(JSON.stringify({ machine, network: name, batch, training, peak, ...result }));
        else {
          printNetwork(`${name}${training ? ", a step of training" : ""}, batch ${batch}`, result, peak);
          if (options.layers) printLayers(result, peak);
        }
      }
    }
  }
  // The devices' threads would keep the process.
  process.exit(0);
}

await run();
