/**
 * Changes of colour as torchvision computes them on floating-point pictures. Values are 0 … 255 in C×H×W order, changed in
 * place; they are rounded to bytes only at the end, when all changes are done.
 */

import { ArgumentError } from "../../core/errors.js";
import type { PictureShape } from "./augmentation.js";

/** Channels must be grey, or red, green and blue. */
export function checkColors(name: string, [channels]: PictureShape): void {
  if (channels === 1 || channels === 3) return;
  throw new ArgumentError(
    `augment ${name}: the pictures have ${channels} channels. Expected 1 for grey, or 3 for red, green and blue.`,
  );
}

/** How bright a pixel looks: the weights that torchvision has. */
export function luminance(red: number, green: number, blue: number): number {
  return 0.2989 * red + 0.587 * green + 0.114 * blue;
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}

function greyOf(values: Float64Array, plane: number, i: number): number {
  return values.length === plane ? values[i] : luminance(values[i], values[plane + i], values[2 * plane + i]);
}

/** 0 gives black, 1 the picture itself, 2 one twice as bright. */
export function adjustBrightness(values: Float64Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = clamp(values[i] * factor);
}

/** 0 gives the mean grey, 1 the picture itself. */
export function adjustContrast(values: Float64Array, plane: number, factor: number): void {
  let sum = 0;
  for (let i = 0; i < plane; i++) sum += greyOf(values, plane, i);
  const shift = (1 - factor) * (sum / plane);
  for (let i = 0; i < values.length; i++) values[i] = clamp(values[i] * factor + shift);
}

/** 0 gives greys, 1 the picture itself. Grey pictures stay. */
export function adjustSaturation(values: Float64Array, plane: number, factor: number): void {
  if (values.length === plane) return;
  for (let i = 0; i < plane; i++) {
    const shift = (1 - factor) * greyOf(values, plane, i);
    for (let at = i; at < values.length; at += plane) values[at] = clamp(values[at] * factor + shift);
  }
}

/** Turns the circle of colours by so many rounds; grey pictures stay. */
export function adjustHue(values: Float64Array, plane: number, rounds: number): void {
  if (values.length === plane) return;
  for (let i = 0; i < plane; i++) {
    const [red, green, blue] = [values[i], values[plane + i], values[2 * plane + i]];
    const most = Math.max(red, green, blue);
    const spread = most - Math.min(red, green, blue);
    // Greys have no hue.
    if (spread === 0) continue;
    let hue = 4 + (red - green) / spread;
    if (red === most) hue = (green - blue) / spread;
    else if (green === most) hue = 2 + (blue - red) / spread;
    const sixth = 6 * fraction(hue / 6 + rounds);
    const sector = Math.floor(sixth);
    const part = sixth - sector;
    const low = most - spread;
    const [falling, rising] = [most - spread * part, most - spread * (1 - part)];
    const colors = [
      [most, rising, low],
      [falling, most, low],
      [low, most, rising],
      [low, falling, most],
      [rising, low, most],
      [most, low, falling],
    ][sector % 6];
    for (let channel = 0; channel < 3; channel++) values[channel * plane + i] = clamp(colors[channel]);
  }
}

function fraction(value: number): number {
  return value - Math.floor(value);
}
