/** What every side of a comparison can be asked for, whether it is another process or a page of a browser. */

import type { Work } from "./works.js";

/** The work, and where its weights, model and pictures are: paths or URLs. */
export interface Job {
  readonly work: Work;
  readonly threads: number;
  /** What gradient descent is set to. */
  readonly training: { readonly lr: number; readonly momentum: number };
  /** The same for all sides; none: each initialises its own, as for measuring memory. */
  readonly files?: {
    /** A state dict in PyTorch's format. */
    readonly weights: string;
    /** Float32, without a header. */
    readonly pictures: string;
    /** An ONNX model with the same weights; of inference only. */
    readonly onnx?: string;
  };
}

/** A network that is ready to run. */
export interface Session {
  /** What computes, such as the variant of the kernels. */
  readonly description: string;
  /**
   * Inference: the scores of all pictures. Training: the losses of so many steps, without dropout, which is put in
   * place afterwards. Asked for once, before anything is timed.
   */
  outputs(steps: number): Promise<ArrayLike<number>>;
  /** The milliseconds that each of so many runs takes, one after another, results read. */
  time(runs: number, clock: Clock): Promise<readonly number[]>;
}

/** Time as it passes, or the process's time on the processors, which says more where others use them too. */
export type Clock = "wall" | "cpu";

/** Times `once` so many times. */
async function timeRuns(runs: number, clock: Clock, once: () => unknown): Promise<number[]> {
  const now = () => {
    if (clock === "wall") return performance.now();
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const begun = now();
    await once();
    times.push(now() - begun);
  }
  return times;
}

/** A session in which a run computes the scores of all pictures. */
export function inference(description: string, scores: () => Promise<ArrayLike<number>>): Session {
  return { description, outputs: scores, time: (runs, clock) => timeRuns(runs, clock, scores) };
}

/** A session in which a run is a step of training, which gives its loss. */
export function training(description: string, step: () => Promise<number>): Session {
  return {
    description,
    async outputs(steps) {
      const losses: number[] = [];
      for (let i = 0; i < steps; i++) losses.push(await step());
      return losses;
    },
    time: (runs, clock) => timeRuns(runs, clock, step),
  };
}

/** The pictures of a job, or others where it has none. */
export async function picturesOf(
  { work, files }: Job,
  read: (path: string) => Promise<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer>> {
  if (files !== undefined) return new Float32Array(await read(files.pictures));
  return randomPictures(work);
}

/** Numbers between −1 and 1, the same every time. */
export function randomPictures({ batch, input }: Work): Float32Array<ArrayBuffer> {
  let state = 1;
  return Float32Array.from({ length: batch * input[0] * input[1] * input[2] }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}
