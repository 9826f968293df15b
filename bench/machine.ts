/** What this machine can do at most: multiply-adds between registers, and bytes read from memory. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./sides/packages.js";

export interface Peak {
  /** Billions of operations a second, two for each multiply-add. */
  readonly gigaflops: number;
  /** Billions of bytes read from memory a second. */
  readonly gigabytes: number;
}

/** Of native code, by so many threads together (kernels/machine/peak.c); undefined without a C compiler. */
export function nativePeak(threads: number): Peak | undefined {
  const folder = mkdtempSync(join(tmpdir(), "fovea-peak-"));
  try {
    const program = join(folder, "peak");
    const flags = "-O3 -march=native -ffp-contract=fast -std=gnu11 -D_GNU_SOURCE -pthread".split(" ");
    const source = join(root, "kernels/machine/peak.c");
    const compiled = [process.env.CC, "gcc", "clang", "cc"].some((compiler) => {
      return compiler !== undefined && spawnSync(compiler, [...flags, source, "-o", program]).status === 0;
    });
    if (!compiled) return undefined;
    return JSON.parse(spawnSync(program, [String(threads)], { encoding: "utf8" }).stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Independent sums: enough that none waits for another, few enough for the registers. */
const chains = 12;
/** Short rounds, of which some are undisturbed. */
const loops = 200_000;
const rounds = 100;

/**
 * Of WebAssembly in this process, on one thread, times `threads`: vectors multiplied and added with one rounding where
 * `relaxed`, in two instructions otherwise. What is read from memory is the machine's: see `nativePeak`.
 */
export async function wasmGigaflops(relaxed: boolean, threads: number): Promise<number> {
  const { instance } = await WebAssembly.instantiate(multiplyAddModule(relaxed));
  const { run } = instance.exports;
  if (typeof run !== "function") throw new Error("the module exports no function");
  let least = Number.POSITIVE_INFINITY;
  // The first rounds run code that is not optimised yet.
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    run(loops, 0.5, 1);
    least = Math.min(least, performance.now() - begun);
  }
  return (threads * 2 * 4 * chains * loops) / least / 1e6;
}

/** `run(loops: i32, factor: f32, summand: f32): f32`, as the bytes of a module. */
function multiplyAddModule(relaxed: boolean): Uint8Array<ArrayBuffer> {
  const [factor, summand, first] = [3, 4, 5];
  const get = (local: number) => [0x20, local];
  const set = (local: number) => [0x21, local];
  const vector = (instruction: number) => [0xfd, ...unsigned(instruction)];
  const splat = vector(0x13);
  const all = Array.from({ length: chains }, (_, chain) => first + chain);
  const body = [
    // The loops are counted in parameter 0; locals from 3 on are vectors.
    ...[...get(1), ...splat, ...set(factor), ...get(2), ...splat, ...set(summand)],
    // Chains begin with different numbers: equal ones would be computed once.
    ...all.flatMap((chain) => [0x43, ...new Uint8Array(new Float32Array([chain]).buffer), ...splat, ...set(chain)]),
    ...[0x03, 0x40],
    ...all.flatMap((chain) => {
      const operands = [...get(chain), ...get(factor)];
      const result = relaxed
        ? [...operands, ...get(summand), ...vector(0x105)]
        : [...operands, ...vector(0xe6), ...get(summand), ...vector(0xe4)];
      return [...result, ...set(chain)];
    }),
    ...[...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b],
    ...get(first),
    ...all.slice(1).flatMap((chain) => [...get(chain), ...vector(0xe4)]),
    ...[...vector(0x1f), 0, 0x0b],
  ];
  const code = [1, chains + 2, 0x7b, ...body];
  const section = (id: number, content: readonly number[]) => [id, ...unsigned(content.length), ...content];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, 0x7f, 0x7d, 0x7d, 1, 0x7d]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, ...new TextEncoder().encode("run"), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

/** A number as WebAssembly writes it. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}
