/** How many threads a device uses. */

import { platform } from "#platform";
import { show } from "../../core/check.js";
import { ArgumentError } from "../../core/errors.js";

/** As the options say, or FOVEA_THREADS, or as many as the machine runs at once. Results never depend on it. */
export function chooseThreads(given: number | undefined, most: number): number {
  const variable = platform.environment("FOVEA_THREADS");
  const threads = given ?? (variable ? Number(variable) : undefined);
  if (threads === undefined) return Math.max(1, Math.min(platform.hardwareThreads(), most));
  if (!Number.isInteger(threads) || threads < 1 || threads > most) {
    const [name, value] = given === undefined ? ["FOVEA_THREADS", show(variable)] : ["threads", show(given)];
    throw new ArgumentError(`${name} is ${value}. Expected an integer from 1 to ${most}.`);
  }
  return threads;
}
