/** Whether saved tensors fit the states of a module, and saying how they do not. */

import { StateDictError } from "../core/errors.js";
import { formatShape, type Shape, sameShape } from "../core/shape.js";

/** What a tensor or a state is, without its values. */
export interface Described {
  readonly shape: Shape;
  /** Of elements, as states and files name them. */
  readonly dtype: string;
}

/** Which saved tensors belong where; all names are the model's. */
export interface LoadReport {
  /** Names in the model that have no saved tensor. */
  readonly missing: readonly string[];
  /** Names of saved tensors that the model does not have. */
  readonly unexpected: readonly string[];
  /** Names whose saved tensors are of another shape or type than the model's; they are left as they were. */
  readonly misshaped: readonly string[];
}

/**
 * Compares the states of a model with what is to be loaded.
 *
 * @param source what is loaded, for errors; "" where it has no name
 * @throws StateDictError naming all that does not fit, if `strict`
 */
export function checkFit(
  model: string,
  states: ReadonlyMap<string, Described>,
  saved: ReadonlyMap<string, Described>,
  { strict, source = "" }: { readonly strict: boolean; readonly source?: string },
): LoadReport {
  const missing = [...states.keys()].filter((name) => !saved.has(name));
  const unexpected = [...saved.keys()].filter((name) => !states.has(name));
  const misshaped: string[] = [];
  const described: string[] = [];
  for (const [name, state] of states) {
    const found = saved.get(name);
    if (found === undefined || (sameShape(found.shape, state.shape) && found.dtype === state.dtype)) continue;
    misshaped.push(name);
    described.push(`${name} is ${describe(found)} in the file but ${describe(state)} in the model`);
  }
  if (strict && missing.length + unexpected.length + misshaped.length > 0) {
    const parts: string[] = [];
    if (described.length > 0) parts.push(`Misshaped: ${list(described)}.`);
    if (missing.length > 0) parts.push(`Missing: ${list(missing)}.`);
    if (unexpected.length > 0) parts.push(`Unexpected: ${list(unexpected)}.`);
    const mend =
      described.length > 0
        ? "build the model with the sizes that it was saved with, or pass { strict: false } to leave out what does not fit"
        : "load the weights of this model, or pass { strict: false }";
    const where = source === "" ? "" : `${source}: `;
    throw new StateDictError(`${where}the saved weights do not fit ${model}. ${parts.join(" ")} Fix: ${mend}.`);
  }
  return { missing, unexpected, misshaped };
}

function describe({ shape, dtype }: Described): string {
  return `${formatShape(shape)} ${dtype}`;
}

function list(names: readonly string[]): string {
  return names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");
}
