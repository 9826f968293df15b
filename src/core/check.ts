/** Checking arguments, and describing those of the wrong kind. */

import { ArgumentError } from "./errors.js";

/** `null`, `a string`, `an array`: what a value is. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The value, which must be an integer of 1 or more. */
export function checkCount(op: string, name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new ArgumentError(`${op}: ${name} is ${show(value)}. Expected an integer of 1 or more.`);
}

/** A value as it is written in code. */
export function show(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
}
