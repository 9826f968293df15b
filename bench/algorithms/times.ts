/**
 * Times of one convolution by several algorithms, as a network finds it: weights come from memory, since a network's do not
 * fit into caches. In a step of training everything else has been pushed out of them, too; in inference, the layer
 * before has just left the input there.
 */

import type { Buffer, Device, Handle, Program, Step } from "../../src/backends/backend.js";
import { CpuCompiler } from "../../src/backends/cpu/compiler.js";
import type { Algorithm } from "../../src/backends/cpu/kernels/algorithm.js";
import { machineOf, type Variant } from "../../src/backends/cpu/machines.js";
import { setAlgorithms } from "../../src/backends/cpu/ownAlgorithms.js";
import { sizeOf } from "../../src/core/shape.js";
import { median, quantile } from "../statistics.js";
import type { FoundCase } from "./cases.js";

/** Microseconds of one convolution. */
export type Times = Partial<Record<Algorithm, number>>;

/** More than caches hold: what has not been used for so many bytes comes from memory. */
const cacheBytes = 96 << 20;
/** Milliseconds of the processor that a sample takes, about. */
const sampleMilliseconds = 30;
const mostCopies = 512;
/** Copies of one convolution in a sample, even if they take longer. */
const fewestCopies = 3;
/** Rounds after which algorithms are left out that took so many times the fastest's time in every one of them. */
const trialRounds = 2;
const hopeless = 1.5;

const [arenaSlot, memorySlot] = [0, 2];

/** Milliseconds of all threads of this process on the processors. */
function clock(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export class Timer {
  readonly #compiler: CpuCompiler;
  #memory: { readonly handle: Handle; readonly bytes: number } | undefined;
  #empty = 0;

  constructor(
    private readonly device: Device,
    private readonly variant: Variant,
  ) {
    this.#compiler = new CpuCompiler(machineOf(variant, 1));
  }

  /** First quartiles of `rounds` rounds, in which the algorithms take turns: what else runs only ever makes them slower. */
  async time(found: FoundCase, algorithms: readonly Algorithm[], rounds: number): Promise<Times> {
    const samples = new Map<Algorithm, number[]>();
    const programs = new Map<Algorithm, { readonly program: Handle; readonly copies: number }>();
    try {
      for (const algorithm of algorithms) {
        // The first run makes WebAssembly compile for good; the second is timed.
        const probe = await this.#load(found, algorithm, 2);
        await this.#run(probe.program);
        const once = Math.max(0.001, (await this.#run(probe.program)) / 2);
        this.device.free(probe.program);
        const cold = Math.min(mostCopies, Math.ceil(cacheBytes / probe.coldBytes));
        const affordable = Math.max(fewestCopies, Math.round(sampleMilliseconds / once));
        programs.set(algorithm, await this.#load(found, algorithm, Math.max(2, Math.min(cold, affordable))));
        samples.set(algorithm, []);
      }
      for (let round = 0; round < rounds; round++) {
        for (const [algorithm, { program, copies }] of programs) {
          samples.get(algorithm)?.push((1000 * (await this.#run(program))) / copies);
        }
        if (round === trialRounds - 1) {
          const fastest = (algorithm: Algorithm) => Math.min(...(samples.get(algorithm) ?? []));
          const least = Math.min(...algorithms.map(fastest));
          for (const [algorithm, { program }] of programs) {
            if (fastest(algorithm) <= hopeless * least) continue;
            this.device.free(program);
            programs.delete(algorithm);
          }
          if (programs.size === 1) break;
        }
      }
    } finally {
      for (const { program } of programs.values()) this.device.free(program);
    }
    return Object.fromEntries([...samples].map(([algorithm, list]) => [algorithm, quantile(list, 0.25)]));
  }

  /** Milliseconds of a program; what it costs to run nothing is taken off. */
  async #run(program: Handle): Promise<number> {
    const memory = this.#memory;
    if (memory === undefined) throw new Error("nothing has been loaded");
    const begun = clock();
    await this.device.submit(program, [memory.handle], new Uint8Array(0));
    return clock() - begun - this.#empty;
  }

  /** A program of so many copies, at least two, each with memory of its own for what is to be cold. */
  async #load(
    { work, name, training }: FoundCase,
    algorithm: Algorithm,
    copies: number,
  ): Promise<{ readonly program: Handle; readonly copies: number; readonly coldBytes: number }> {
    const steps: Step[] = [];
    const place = new Place();
    const kept = new Map<string, Buffer>();
    let [arenaBytes, first] = [0, 0];
    setAlgorithms({ [this.variant]: { [name.group]: { [algorithm]: name.shape } } });
    try {
      for (let copy = 0; copy < copies; copy++) {
        const arena = new Place();
        const operand = (key: string, shape: readonly number[], isCold: boolean): Buffer => {
          const known = kept.get(key);
          if (!isCold && known !== undefined) return known;
          const made = place.buffer(memorySlot, 4 * sizeOf(shape));
          kept.set(key, made);
          return made;
        };
        const inputs = Object.entries(work.inputs).map(([key, given]) => {
          const buffer = operand(key, given.shape, training || key === "weight");
          return [key, { ...given, buffer }] as const;
        });
        const output = { ...work.output, buffer: operand("output", work.output.shape, training) };
        const temporaries = new Set<Buffer>();
        this.#compiler.lower(
          { kind: "op", op: work.op, params: work.params, inputs: Object.fromEntries(inputs), output },
          {
            step: (step) => {
              if (training || step.prepares === undefined) {
                steps.push(step);
                return;
              }
              // Has been done before: what it made lies in memory, as the weights would.
              const [made] = step.writes;
              Object.assign(made, place.next(made.bytes), { slot: memorySlot });
              temporaries.delete(made);
            },
            isKept: () => !training,
            isKeptState: () => !training,
            temporary: (bytes) => {
              const made = { id: 0, bytes, slot: arenaSlot, offset: 0 };
              temporaries.add(made);
              return made;
            },
          },
        );
        for (const made of temporaries) Object.assign(made, arena.next(made.bytes));
        arenaBytes = Math.max(arenaBytes, arena.bytes);
        if (copy === 0) first = place.bytes;
      }
    } finally {
      setAlgorithms(null);
    }
    await this.#reserve(place.bytes);
    const program: Program = { steps, commitStart: steps.length, arenaBytes, scalarBytes: 0, slots: 3 };
    return { program: this.device.load(program), copies, coldBytes: (place.bytes - first) / (copies - 1) };
  }

  /** Memory full of ordinary numbers. */
  async #reserve(bytes: number): Promise<void> {
    if (this.#memory !== undefined && this.#memory.bytes >= bytes) return;
    if (this.#memory !== undefined) this.device.free(this.#memory.handle);
    const size = Math.max(bytes, cacheBytes);
    const handle = this.device.allocate(size);
    const piece = Float32Array.from({ length: 1 << 20 }, (_, i) => Math.sin(12.9898 * i));
    for (let at = 0; at < size; at += piece.byteLength) {
      await this.device.write(handle, at, piece.slice(0, Math.min(piece.length, (size - at) / 4)));
    }
    this.#memory = { handle, bytes: size };
    const nothing = this.device.load({ steps: [], commitStart: 0, arenaBytes: 0, scalarBytes: 0, slots: 3 });
    const costs: number[] = [];
    this.#empty = 0;
    for (let i = 0; i < 20; i++) costs.push(await this.#run(nothing));
    this.#empty = median(costs);
    this.device.free(nothing);
  }
}

/** Lays out buffers one after the other. */
class Place {
  bytes = 0;

  next(bytes: number): { readonly offset: number } {
    const offset = this.bytes;
    this.bytes += Math.ceil(bytes / 64) * 64 + 64;
    return { offset };
  }

  buffer(slot: number, bytes: number): Buffer {
    return { id: 0, bytes, slot, ...this.next(bytes) };
  }
}
