/** Normalizations as JSON. */

import { FormatError } from "../../core/errors.js";
import type { Normalization } from "../../core/normalization.js";
import { sizeOf } from "../../core/shape.js";
import { type FittedNormalization, normalizationGroups, normalizationMethods } from "./fit.js";

/**
 * A normalization as text, to keep beside weights.
 *
 * @example await writeFile("normalization.json", normalizationToJson(normalization));
 */
export function normalizationToJson(normalization: Normalization): string {
  const { matrix } = normalization;
  return JSON.stringify({ ...normalization, ...(matrix && { rows: matrix.rows, matrix: [...matrix.values] }) });
}

/** Reads what `normalizationToJson` wrote. @throws FormatError where the text is something else */
export function normalizationFromJson(text: string): Normalization | FittedNormalization {
  try {
    return parseNormalization(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError("the normalization is not JSON. Expected what normalizationToJson gives.", { cause });
  }
}

/**
 * A normalization from JSON.
 *
 * @param values of its matrix, where they are kept elsewhere
 * @throws FormatError that says what is missing or wrong
 */
export function parseNormalization(json: unknown, values?: ArrayLike<number>): Normalization | FittedNormalization {
  const found = fields(json);
  const mean = numbers("mean", found.mean);
  const std = numbers("std", found.std);
  if (mean.length !== std.length) throw wrong("std", `${std.length} numbers for ${mean.length} means`);
  if (std.some((deviation) => !(deviation > 0))) throw wrong("std", "numbers that are not above 0");
  const entries = values ?? (found.matrix === undefined ? undefined : numbers("matrix", found.matrix));
  const [rows] = found.rows === undefined ? [(entries?.length ?? 0) / mean.length] : numbers("rows", [found.rows]);
  const base = { mean, std, ...(entries && { matrix: toMatrix(entries, rows) }) };
  if (found.method === undefined) return base;
  const method = normalizationMethods.find((each) => each === found.method);
  const per = normalizationGroups.find((each) => each === found.per);
  if (method === undefined) throw wrong("method", JSON.stringify(found.method));
  if (per === undefined) throw wrong("per", JSON.stringify(found.per));
  const shape = numbers("shape", found.shape);
  const groups = { all: 1, channel: shape[0], feature: sizeOf(shape) }[per];
  if (shape.some((length) => !Number.isInteger(length) || length < 1) || groups !== mean.length)
    throw wrong("shape", `[${shape.join(", ")}] for ${mean.length} means`);
  const [count] = numbers("count", [found.count]);
  const [low, high] = found.range === undefined ? [] : numbers("range", found.range);
  const [epsilon] = found.epsilon === undefined ? [] : numbers("epsilon", [found.epsilon]);
  return {
    ...{ ...base, method, per, shape, count },
    ...(low !== undefined && high !== undefined && { range: [low, high] }),
    ...(epsilon !== undefined && { epsilon }),
  };
}

function toMatrix(values: ArrayLike<number>, rows: number): Normalization["matrix"] {
  if (!Number.isInteger(rows) || rows < 1 || values.length % rows !== 0)
    throw wrong("matrix", `${values.length} numbers in ${rows} rows`);
  return { rows, values: Float64Array.from(values) };
}

function fields(value: unknown): Record<string, unknown> {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return { ...value };
  throw new FormatError("the normalization is no object. Expected what normalizationToJson gives.");
}

function numbers(name: string, value: unknown): number[] {
  if (Array.isArray(value) && value.length > 0 && value.every((item) => Number.isFinite(item))) return value;
  throw wrong(name, JSON.stringify(value)?.slice(0, 80) ?? "missing");
}

function wrong(name: string, what: string): FormatError {
  return new FormatError(
    `the normalization is damaged: its ${name} is ${what}. Fix: another copy, or learn it anew with fitNormalization.`,
  );
}
