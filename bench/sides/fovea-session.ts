/** Fovea's side of a comparison, in Node and in browsers. */

import type { Tensor } from "fovea";
import { compile, crossEntropy, type DeviceName, manualSeed, nn, SGD, type Shape, setDevice, tensor } from "fovea";
import { inference, type Job, picturesOf, type Session, training } from "./session.js";
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
    return inference(description, async () => (await forward(tensor(pictures, shape, { copy: false }))).data());
  }
  const steps = new Training(network, job.training);
  const [x, y] = [tensor(pictures, shape, { copy: false }), tensor(labelsOf(work))];
  if (files === undefined) steps.useDropout();
  const session = training(description, async () => (await steps.run(x, y)).item());
  return {
    ...session,
    async outputs(count) {
      const losses = await session.outputs(count);
      steps.useDropout();
      return losses;
    },
  };
}

/** Steps of a network, at first without its dropout, whose draws no two frameworks share. */
class Training {
  readonly #dropouts: readonly (readonly [nn.Dropout, number])[];
  readonly #optimizer: SGD;
  run: (x: Tensor, y: Tensor<Shape, "int32">) => Promise<Tensor>;

  constructor(
    readonly network: nn.Layer,
    settings: Job["training"],
  ) {
    const modules = [...network.namedModules()].map(([, module]) => module);
    this.#dropouts = modules.flatMap((module) => (module instanceof nn.Dropout ? [[module, module.p] as const] : []));
    for (const [dropout] of this.#dropouts) dropout.p = 0;
    this.#optimizer = new SGD(network.parameters(), settings);
    network.train();
    this.run = this.#compile();
  }

  useDropout(): void {
    for (const [dropout, p] of this.#dropouts) dropout.p = p;
    this.run = this.#compile();
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
