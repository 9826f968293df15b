/** Whether this machine's processors still work. */

import { cpus } from "node:os";

/** Between two looks. Systems count processors' time in steps of 10 ms. */
const lookMilliseconds = 60;
/** Of the processors' time, what others may take of an idle machine. */
const mostAtRest = 0.15;
const mostLooks = 16;

/**
 * Waits until the processors rest, at most about a second: threads of the side that had its turn before look for more work
 * for up to 0.1 s, and would take the next one's cores meanwhile.
 */
export async function untilIdle(): Promise<void> {
  for (let look = 0; look < mostLooks; look++) {
    const [busy, all] = processorTimes();
    await new Promise((resolve) => setTimeout(resolve, lookMilliseconds));
    const [busyNow, allNow] = processorTimes();
    if (busyNow - busy <= mostAtRest * (allNow - all)) return;
  }
}

/** Milliseconds of all processors since the start: at work, and in all. */
function processorTimes(): [busy: number, all: number] {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const worked = times.user + times.nice + times.sys + times.irq;
    busy += worked;
    all += worked + times.idle;
  }
  return [busy, all];
}
