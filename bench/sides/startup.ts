/** The first prediction of a process or page. */

import type { Tensor } from "fovea";

/** Milliseconds. */
export interface StartUp {
  /** The kernels' variant. */
  readonly variant: string;
  /** Loading the library. */
  readonly library: number;
  /** From then until the device was ready: workers started, kernels compiled and instantiated. */
  readonly ready: number;
  /** From then, too, until LeNet-5 had been made and the scores of a picture were there. */
  readonly first: number;
  /** Of the processors, for all threads of the process up to then: other programs change it less. Browsers do not tell. */
  readonly processor?: number;
  /** The scores of another picture. */
  readonly second: number;
}

function processorTime(): number | undefined {
  if (typeof process === "undefined") return undefined;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** To be called once in a process or page. */
export async function startUp(threads: number): Promise<StartUp> {
  const begun = performance.now();
  const { compile, models, setDevice, zeros } = await import("fovea");
  const [imported, used] = [performance.now(), processorTime()];
  const device = setDevice("wasm", { threads });
  const ready = device.ready.then(() => performance.now() - imported);
  const network = models.create("lenet5").eval();
  const predict = compile((picture: Tensor) => network(picture));
  const shape = [1, 1, 28, 28] as const;
  await (await predict(zeros(shape))).data();
  const first = performance.now() - imported;
  const usedThen = processorTime();
  await (await predict(zeros(shape))).data();
  const second = performance.now() - imported - first;
  const times = { library: imported - begun, ready: await ready, first, second };
  if (used === undefined || usedThen === undefined) return { variant: device.variant, ...times };
  return { variant: device.variant, ...times, processor: usedThen - used };
}
