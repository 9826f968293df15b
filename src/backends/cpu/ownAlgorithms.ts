/** One's own tables of algorithms: checked before they are used. */

import { platform } from "#platform";
import { type AlgorithmTables, replaceTables } from "../../core/algorithms.js";
import { kindOf, show } from "../../core/check.js";
import { ArgumentError } from "../../core/errors.js";
import { shapesIn } from "./algorithms.js";
import { algorithms } from "./kernels/algorithm.js";
import { algorithmsOf, caseOf, convolutionOps } from "./kernels/convolutionCase.js";
import type { Machine } from "./lowering.js";
import { machineOf, variants } from "./machines.js";

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => kindOf(value) === "an object";

const example = '{"native-avx2": {"conv2d batch 1 3x3 padding 1": {"winograd-4x4": "64x56>64"}}}';

/**
 * Chooses the algorithms of convolutions from now on, for kernels that `tables` names, in place of those that the project
 * has measured; programs that have been compiled with others are compiled anew. Convolutions that are not in a table get
 * what takes the fewest operations. Results differ by rounding only. docs/kernels.md describes tables;
 * `npm run bench:algorithms` writes them for the machine it runs on.
 *
 * @param tables by kernels, such as `native-avx2` or `wasm-relaxed`; `null` for the project's own again
 * @throws ArgumentError for what is no table, and for algorithms that cannot compute the convolution they are named for
 * @example
 * setAlgorithms({ "native-avx2": { "conv2d batch 1 3x3 padding 1": { "winograd-2x2": "64x56>64 512x7>512" } } });
 */
export function setAlgorithms(tables: AlgorithmTables | null): void {
  if (tables !== null) checkTables("setAlgorithms", tables);
  isDecided = true;
  replaceTables(tables ?? {});
}

/** Whether the tables have been chosen: by a call, or by the environment when the first device was made. */
let isDecided = false;

/** Takes the tables of the file that `FOVEA_ALGORITHMS` names, unless others have been chosen. */
export function useEnvironment(): void {
  const path = platform.environment("FOVEA_ALGORITHMS");
  if (isDecided || path === undefined || path === "") return;
  let text: string;
  try {
    text = platform.readText(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ArgumentError(`FOVEA_ALGORITHMS is ${path}: ${reason}. Expected a JSON file such as ${example}.`);
  }
  setAlgorithms(parseTables(`FOVEA_ALGORITHMS: ${path}`, text));
}

/** Tables from the text of a JSON file. @throws ArgumentError, which `who` begins, where it holds something else */
export function parseTables(who: string, text: string): AlgorithmTables {
  let tables: unknown;
  try {
    tables = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ArgumentError(`${who}: not valid JSON: ${reason}. Expected ${example}.`);
  }
  checkTables(who, tables);
  return tables;
}

/** @throws ArgumentError where it is not what `setAlgorithms` takes; `who` begins its message */
function checkTables(who: string, tables: unknown): asserts tables is AlgorithmTables {
  if (!isRecord(tables)) throw new ArgumentError(`${who}: the tables are ${kindOf(tables)}. Expected ${example}.`);
  for (const [name, table] of Object.entries(tables)) {
    const variant = variants.find((each) => each === name);
    if (variant === undefined)
      throw new ArgumentError(`${who}: there are no kernels named ${show(name)}. Expected ${variants.join(", ")}.`);
    if (!isRecord(table))
      throw new ArgumentError(`${who}: ${name} is ${kindOf(table)}. Expected a table, as in ${example}.`);
    const machine = machineOf(variant, 1);
    for (const [group, byAlgorithm] of Object.entries(table)) {
      if (!isRecord(byAlgorithm))
        throw new ArgumentError(`${who}: ${name}: ${show(group)} is ${kindOf(byAlgorithm)}, not as in ${example}.`);
      checkGroup(`${who}: ${name}: ${group}`, group, byAlgorithm, machine);
    }
  }
}

function checkGroup(where: string, group: string, byAlgorithm: Readonly<Record<string, unknown>>, machine: Machine) {
  const seen = new Set<string>();
  for (const [name, shapes] of Object.entries(byAlgorithm)) {
    const algorithm = algorithms.find((each) => each === name);
    if (algorithm === undefined)
      throw new ArgumentError(`${where}: there is no algorithm ${show(name)}. Expected ${algorithms.join(", ")}.`);
    if (typeof shapes !== "string")
      throw new ArgumentError(`${where}: ${name} is ${kindOf(shapes)}. Expected a text such as "64x56>64 128x28>128".`);
    for (const shape of shapesIn(shapes)) {
      const found = caseOf({ group, shape });
      if (found === undefined)
        throw new ArgumentError(
          `${where}: ${show(shape)} is no such convolution. Expected a group such as "conv2d batch 1 3x3 padding 1", of ` +
            `${convolutionOps.join(", ")}, and a shape such as "64x56>128": channels, size, and channels of the output.`,
        );
      if (seen.has(shape))
        throw new ArgumentError(`${where}: ${shape} is there twice. Fix: name one algorithm for it.`);
      seen.add(shape);
      const usable = algorithmsOf(found, machine);
      if (!usable.includes(algorithm))
        throw new ArgumentError(
          `${where}: ${name} cannot compute ${shape}. Expected ${usable.length === 0 ? "no entry: it is a matrix product" : usable.join(" or ")}.`,
        );
    }
  }
}
