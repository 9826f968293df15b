/** Runs as they lie in their folders, for those who only look. */

import { basename, resolve } from "node:path";
import { type EpochLine, readMetrics, readSettings } from "./run-folder.js";
import type { Settings } from "./settings.js";

export interface RunRecord {
  readonly path: string;
  readonly name: string;
  readonly settings: Settings;
  /** One for each epoch that is done. */
  readonly epochs: readonly EpochLine[];
}

/** @throws FileError where there is no run in `path`; FormatError where its files are damaged */
export async function readRun(path: string): Promise<RunRecord> {
  const settings = await readSettings(path);
  return { path, name: basename(resolve(path)), settings, epochs: await readMetrics(path) };
}
