/** Runs as they lie in their folders, for those who only look. */

import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { configName, type EpochLine, readMetrics, readSettings } from "./run-folder.js";
import type { Settings } from "./settings.js";

export interface RunRecord {
  readonly path: string;
  readonly name: string;
  readonly settings: Settings;
  /** One for each epoch that is done. */
  readonly epochs: readonly EpochLine[];
}

/** Whether a folder holds a run. */
export function isRun(path: string): boolean {
  return existsSync(join(path, configName));
}

/** @throws FileError where there is no run in `path`; FormatError where its files are damaged */
export async function readRun(path: string): Promise<RunRecord> {
  const settings = await readSettings(path);
  return { path, name: basename(resolve(path)), settings, epochs: await readMetrics(path) };
}
