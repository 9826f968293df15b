/** Sizes shared by the kernels that work on packed panels (kernels/tiles.h). */

import type { Machine } from "../lowering.js";

/** Vectors in a row of a full panel: `PANEL_VECTORS` in C. */
export function panelVectors(machine: Machine): number {
  return machine.vectorWidth === 8 ? 2 : 4;
}

/** Floats in a row of a full panel. */
export function panelWidth(machine: Machine): number {
  return panelVectors(machine) * machine.vectorWidth;
}

/** Panels that a convolution's target channels are cut into: `count_panels` in C. */
export function countPanels(targetChannels: number, machine: Machine): number {
  const panels = ceilDiv(ceilDiv(targetChannels, machine.vectorWidth), panelVectors(machine));
  return machine.vectorWidth === 16 && panels > 1 && panels < 8 ? panels + (panels % 2) : panels;
}

/** Units of work that are enough to keep any number of threads busy that is in use. */
export const enoughUnits = 16;

/** Multiply-adds below which a unit of work is not worth a thread's attention. */
export const smallestUnit = 1 << 15;

export function ceilDiv(a: number, b: number): number {
  return Math.ceil(a / b);
}

export function roundUp(a: number, multiple: number): number {
  return ceilDiv(a, multiple) * multiple;
}

/** Lays out pieces of a thread's working memory: float offsets that are multiples of 64 bytes. */
export class ScratchLayout {
  floats = 0;

  place(floats: number): number {
    const at = this.floats;
    this.floats += roundUp(floats, 16);
    return at;
  }
}
