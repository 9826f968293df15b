/** Fovea's side of a comparison, in Node and in browsers. */

import type { Tensor } from "fovea";
import { compile, crossEntropy, type DeviceName, manualSeed, nn, SGD, type Shape, setDevice, tensor } from "fovea";
import { type Job, picturesOf, type Session, timeRuns } from "./session.js";
import { createNetwork, labelsOf } from "./works.js";

export async function openFovea(
  device: DeviceName,
  job: Job,
  read: (path: string) => Promise<ArrayBuffer>,
): Promise<Session> {
  const { work, threads, files } = job;
  const chosen = setDevice(device, { threads });
  await chosen.ready;
  manualSeed(0);
  const network = createNetwork(work.network);
  if (files !== undefined) await network.load(files.weights, { strict: false });
  const pictures = await picturesOf(job, read);
  const shape = [work.batch, ...work.input];
  const description = chosen.variant;
  if (work.kind === "inference") {
    network.eval();
    const forward = compile((x: Tensor) => network(x));
    // A new tensor every time, as every picture is a new one.
    const scores = async () => (await forward(tensor(pictures, shape))).data();
    return { description, outputs: scores, time: (runs, clock) => timeRuns(runs, clock, scores) };
  }
  const training = new Training(network, job.training);
  const [x, y] = [tensor(pictures, shape), tensor(labelsOf(work))];
  if (files === undefined) training.useDropout();
  return {
    description,
    async outputs(steps) {
      const losses: number[] = [];
      for (let step = 0; step < steps; step++) losses.push(await (await training.step(x, y)).item());
      training.useDropout();
      return losses;
    },
    time: (runs, clock) => timeRuns(runs, clock, async () => (await training.step(x, y)).item()),
  };
}

/** Steps of a network, at first without its dropout, whose draws no two frameworks share. */
class Training {
  readonly #dropouts: readonly (readonly [nn.Dropout, number])[];
  readonly #optimizer: SGD;
  step: (x: Tensor, y: Tensor<Shape, "int32">) => Promise<Tensor>;

  constructor(
    readonly network: nn.Layer,
    settings: Job["training"],
  ) {
    const modules = [...network.namedModules()].map(([, module]) => module);
    this.#dropouts = modules.flatMap((module) => (module instanceof nn.Dropout ? [[module, module.p] as const] : []));
    for (const [dropout] of this.#dropouts) dropout.p = 0;
    this.#optimizer = new SGD(network.parameters(), settings);
    network.train();
    this.step = this.#compile();
  }

  useDropout(): void {
    for (const [dropout, p] of this.#dropouts) dropout.p = p;
    this.step = this.#compile();
  }

  #compile() {
    return compile((x: Tensor, y: Tensor<Shape, "int32">) => {
      const loss = crossEntropy(this.network(x), y);
      loss.backward();
      void this.#optimizer.step();
      return loss;
    });
  }
}
