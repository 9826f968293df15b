/** What a program does with its slots: how far it reaches, what it reads, and what it leaves undefined if it fails. */

import { FoveaError } from "../../core/errors.js";
import type { Buffer, Program, Step } from "../backend.js";

/** Bits that the engine understands (kernels/engine.h). */
export const slotUse = {
  /** Reads what was there before. */
  reads: 1,
  /** Writes before the commit: undefined afterwards if the program fails. */
  writes: 2,
  commits: 4,
} as const;

/** For each slot, one byte of `slotUse` bits. */
export function slotFlags({ steps, commitStart, slots }: Program): Uint8Array<ArrayBuffer> {
  const flags = new Uint8Array(slots);
  for (const [index, { reads, writes }] of steps.entries()) {
    for (const { slot } of reads) {
      if ((flags[slot] & (slotUse.writes | slotUse.commits)) === 0) flags[slot] |= slotUse.reads;
    }
    for (const { slot } of writes) flags[slot] |= index < commitStart ? slotUse.writes : slotUse.commits;
  }
  return flags;
}

/** For each slot, the bytes up to the end of the last buffer in it. */
export function slotBytes({ steps, slots, arenaBytes, scalarBytes }: Program): Float64Array<ArrayBuffer> {
  const bytes = new Float64Array(slots);
  const reach = (buffer: Buffer) => {
    if (!(buffer.slot < slots)) throw new FoveaError("FOVEA_INTERNAL", `a buffer in slot ${buffer.slot} of ${slots}`);
    bytes[buffer.slot] = Math.max(bytes[buffer.slot], buffer.offset + buffer.bytes);
  };
  for (const { reads, writes, scratch } of steps) {
    for (const list of [reads, writes, scratch]) for (const buffer of list) reach(buffer);
  }
  if (bytes[0] > arenaBytes || bytes[1] > scalarBytes) {
    throw new FoveaError(
      "FOVEA_INTERNAL",
      `a program reaches ${bytes[0]} of ${arenaBytes} bytes of arena and ${bytes[1]} of ${scalarBytes} bytes of scalars`,
    );
  }
  return bytes;
}

/** What one thread moves in about the time that it takes to meet another, and to wake another. */
const bytesOfSmallStep = 8192;
const bytesOfSmallProgram = 32768;

function bytesMoved({ reads, writes }: Step): number {
  let bytes = 0;
  for (const list of [reads, writes]) for (const buffer of list) bytes += buffer.bytes;
  return bytes;
}

/** For each step, 1 if it touches so little memory that sharing it among threads would cost more than it saves. */
export function stepFlags({ steps }: Program): number[] {
  return steps.map((step) => (bytesMoved(step) <= bytesOfSmallStep ? 1 : 0));
}

/** The same for a whole program, which then leaves the other threads asleep. */
export function isSmall({ steps }: Program): boolean {
  const bytes = steps.map(bytesMoved);
  return Math.max(0, ...bytes) <= bytesOfSmallStep || bytes.reduce((sum, each) => sum + each, 0) <= bytesOfSmallProgram;
}
