/** Weights as pictures. */

import type { PixelImage } from "fovea";

export const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);

/** White for 0, orange for what is above, blue for what is below; the largest is the strongest. Rows of `width`. */
export function drawSigned(values: ArrayLike<number>, width: number): PixelImage {
  const most = largest(values);
  const data = new Uint8Array(3 * values.length);
  for (let i = 0; i < values.length; i++) {
    const colour = values[i] > 0 ? [217, 88, 13] : [42, 111, 219];
    const share = Math.abs(values[i]) / most;
    for (let channel = 0; channel < 3; channel++) data[3 * i + channel] = 255 - share * (255 - colour[channel]);
  }
  return { width, height: values.length / width, channels: 3, data };
}
