/** The instruction sets that there are kernels for. */

import type { Machine } from "./lowering.js";

type Set = Pick<Machine, "vectorWidth" | "registers">;

/** Lanes and registers of each, by the name of its kernels. */
export const instructionSets = {
  "native-avx512": { vectorWidth: 16, registers: 32 },
  "native-avx2": { vectorWidth: 8, registers: 16 },
  "native-sse2": { vectorWidth: 4, registers: 16 },
  "native-neon": { vectorWidth: 4, registers: 32 },
  "wasm-simd": { vectorWidth: 4, registers: 16 },
  "wasm-relaxed": { vectorWidth: 4, registers: 16 },
} as const satisfies Record<string, Set>;

export type Variant = keyof typeof instructionSets;

export const variants = Object.keys(instructionSets) as readonly Variant[];

export function machineOf(variant: Variant, threads: number): Machine {
  return { variant, threads, ...instructionSets[variant] };
}
