/** What processors do (Linux: /proc/stat): whether they still work, and what the host of a virtual machine gives to others. */

import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";

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

/** Between two looks. A tick is 10 ms. */
const lookMilliseconds = 60;
/** Of the processors' time, what others may take of an idle machine. */
const mostAtRest = 0.1;
const mostLooks = 16;

/**
 * Waits until the processors rest, at most about a second: threads of the side that had its turn before look for more work
 * for up to 0.1 s, and would take the next one's cores meanwhile.
 */
export async function untilIdle(): Promise<void> {
  const most = Math.ceil((mostAtRest * cpus().length * lookMilliseconds) / 10);
  for (let look = 0; look < mostLooks; look++) {
    const { worked } = readTicks();
    await new Promise((resolve) => setTimeout(resolve, lookMilliseconds));
    if (readTicks().worked - worked <= most) return;
  }
}
