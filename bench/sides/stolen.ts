/** What the host of a virtual machine gives to others while this one wants its processors (Linux: /proc/stat). */

import { existsSync, readFileSync } from "node:fs";

const path = "/proc/stat";

/** Ticks that the processors worked, and that they were to but the host had others work. */
function readTicks(): { readonly worked: number; readonly stolen: number } {
  if (!existsSync(path)) return { worked: 0, stolen: 0 };
  return parseTicks(readFileSync(path, "latin1"));
}

export function parseTicks(text: string): { readonly worked: number; readonly stolen: number } {
  const [user = 0, nice = 0, system = 0, , , interrupt = 0, soft = 0, stolen = 0] = text
    .slice(0, text.indexOf("\n"))
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { worked: user + nice + system + interrupt + soft, stolen };
}

/** Starts to count. @returns what tells the share stolen since, 0 … 1; 0 on machines that do not know */
export function stolenSince(): () => number {
  const begin = readTicks();
  return () => {
    const end = readTicks();
    const stolen = end.stolen - begin.stolen;
    return stolen / Math.max(1, end.worked - begin.worked + stolen);
  };
}
