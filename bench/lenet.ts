/**
 * A training step of LeNet-5 on every device, compiled and in a plain loop, against PyTorch where there is one: medians of
 * interleaved runs, and their ratios. Run with `npm run bench:lenet`; `--json` for programs.
 */

import { cpus } from "node:os";
import {
  compile,
  crossEntropy,
  type Device,
  type DeviceName,
  listDevices,
  manualSeed,
  models,
  SGD,
  type Shape,
  setDevice,
  type Tensor,
  tensor,
} from "fovea";
import { scriptCommand } from "../scripts/command.js";
import { Peer } from "./peer.js";
import { median } from "./statistics.js";

const rounds = 15;
const stepsPerRound = 10;
const { json } = scriptCommand(
  "bench:lenet",
  "Times a step of training of LeNet-5 on every device, compiled and in a plain loop, against PyTorch where there is one.",
  "--json",
)
  .option("--json", "a line of JSON for each figure")
  .parse()
  .opts<{ json?: true }>();

/** Something that makes `steps` training steps and says how many milliseconds each took. */
interface Runner {
  readonly name: string;
  run(threads: number, batch: number, steps: number): Promise<number>;
}

class FoveaRunner implements Runner {
  readonly name: string;
  readonly #steps = new Map<string, () => Promise<number>>();

  constructor(
    private readonly device: DeviceName,
    private readonly compiled: boolean,
  ) {
    this.name = `${device}${compiled ? "" : ", plain loop"}`;
  }

  async run(threads: number, batch: number, steps: number): Promise<number> {
    const key = `${threads} ${batch}`;
    setDevice(this.device, { threads });
    let step = this.#steps.get(key);
    if (step === undefined) {
      step = this.#prepare(batch);
      this.#steps.set(key, step);
    }
    const begun = performance.now();
    for (let n = 0; n < steps; n++) await step();
    return (performance.now() - begun) / steps;
  }

  #prepare(batch: number): () => Promise<number> {
    manualSeed(0);
    const model = models.create("lenet5");
    const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
    const body = (x: Tensor, y: Tensor<Shape, "int32">) => {
      const loss = crossEntropy(model(x), y);
      loss.backward();
      void optimizer.step();
      return loss;
    };
    const pixels = Float32Array.from({ length: batch * 784 }, () => Math.random());
    const x = tensor(pixels, [batch, 1, 28, 28]);
    const y = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10));
    const step = this.compiled ? compile(body) : async () => body(x, y);
    return async () => (await step(x, y)).item();
  }
}

class TorchRunner implements Runner {
  readonly name = "PyTorch";
  readonly peer = new Peer("torch_lenet.py");

  run(threads: number, batch: number, steps: number): Promise<number> {
    return this.peer.ask(`${threads} ${batch} ${steps}`);
  }
}

/** The whole table: all runners in turn, round after round, so that they share the machine's moods. */
async function compare(runners: readonly Runner[], threads: number, batch: number): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(runners.map((runner) => [runner.name, []]));
  for (const runner of runners) await runner.run(threads, batch, 5);
  for (let round = 0; round < rounds; round++) {
    for (const runner of runners) times.get(runner.name)?.push(await runner.run(threads, batch, stepsPerRound));
  }
  return times;
}

const torch = new TorchRunner();
const hasTorch = await torch.peer.start();
const usable = listDevices().filter(({ device }: { device?: Device }) => device !== undefined);
const names = (["native", "wasm"] as const).filter((name) => usable.some((device) => device.name === name));
const runners: Runner[] = [
  ...names.flatMap((name) => [new FoveaRunner(name, true), new FoveaRunner(name, false)]),
  ...(hasTorch ? [torch] : []),
];
const machine = `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}${hasTorch ? `, PyTorch ${torch.peer.version}` : ""}`;
const variants = usable.map(({ device }) => device?.variant).join(", ");
if (!json)
  console.log(
    `${machine}\ndevices: ${variants}\nmilliseconds a training step, median of ${rounds} interleaved rounds of ${stepsPerRound}\n`,
  );

const medians = new Map<string, number>();
for (const batch of [64, 256]) {
  for (const threads of [1, 2]) {
    const times = await compare(runners, threads, batch);
    const reference = times.get("PyTorch");
    for (const [name, values] of times) {
      medians.set(`${name} ${batch} ${threads}`, median(values));
      const ratio =
        reference && name !== "PyTorch" ? median(values.map((value, i) => value / reference[i])) : undefined;
      const row = {
        work: "LeNet-5 training step",
        name,
        batch,
        threads,
        milliseconds: median(values),
        least: Math.min(...values),
        timesPyTorch: ratio,
      };
      if (json) console.log(JSON.stringify({ machine, ...row }));
      else {
        const share = ratio === undefined ? "" : `  ${ratio.toFixed(2)} × PyTorch`;
        console.log(
          `batch ${String(batch).padEnd(3)}  ${threads} thread${threads === 1 ? " " : "s"}  ${name.padEnd(20)} ${median(values).toFixed(2).padStart(7)}${share}`,
        );
      }
    }
  }
}
/** How many times faster two threads are than one, in turn as well. */
async function speedUp(runner: Runner, batch: number): Promise<number> {
  const ratios: number[] = [];
  for (let round = 0; round < 2 * rounds; round++) {
    const one = await runner.run(1, batch, stepsPerRound);
    ratios.push(one / (await runner.run(2, batch, stepsPerRound)));
  }
  return median(ratios);
}

if (!json) console.log("");
for (const [i, name] of names.entries()) {
  for (const batch of [64, 256]) {
    const ratio = await speedUp(runners[2 * i], batch);
    if (json) console.log(JSON.stringify({ machine, name, batch, twoThreadsTimesOne: ratio }));
    else console.log(`${name}, batch ${batch}: two threads are ${ratio.toFixed(2)} times as fast as one`);
  }
  const plain = (medians.get(`${name}, plain loop 64 1`) ?? 0) / (medians.get(`${name} 64 1`) ?? 1);
  if (json) console.log(JSON.stringify({ machine, name, plainLoopTimesCompiled: plain }));
  else console.log(`${name}: a plain loop takes ${plain.toFixed(2)} times the compiled step`);
}
torch.peer.stop();
