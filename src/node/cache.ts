/** The folder where what was downloaded is kept: `FOVEA_CACHE`, or the platform's own place for caches. */

import { homedir } from "node:os";
import { join } from "node:path";

export function cacheFolder(): string {
  const { FOVEA_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (FOVEA_CACHE) return FOVEA_CACHE;
  if (process.platform === "win32") return join(LOCALAPPDATA || join(homedir(), "AppData", "Local"), "fovea");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "fovea");
  return join(XDG_CACHE_HOME || join(homedir(), ".cache"), "fovea");
}
