/** Advice on sizes that windows do not cover evenly. */

import { warnOnce } from "../../core/warnings.js";
import { currentFrame, pathOf } from "../../graph/context.js";
import { type Windows, windowSpan } from "./geometry.js";

/** Modules that have been told, so that a layer's name is looked up once. */
const told = new WeakMap<object, Set<string>>();

const axisNames: Readonly<Record<number, readonly string[]>> = {
  1: ["elements"],
  2: ["rows", "columns"],
  3: ["slices", "rows", "columns"],
};

/**
 * Warns when the last windows end before the input does: those elements have no influence at all. Where only padding is
 * left out nothing is lost, and nothing is said.
 *
 * @param positions how many windows there are along each axis
 */
export function adviseOnBorder(
  op: string,
  { size, kernel, stride, dilation }: Windows,
  padding: readonly number[],
  positions: readonly number[],
  mend: string,
): void {
  if (currentFrame()?.quiet) return;
  for (const [axis, length] of size.entries()) {
    const reached = (positions[axis] - 1) * stride[axis] + windowSpan(kernel[axis], dilation[axis]) - padding[2 * axis];
    const ignored = length - reached;
    // Windows further apart than they are long leave out more than a border; whoever asks for that means it.
    if (ignored <= 0 || stride[axis] > windowSpan(kernel[axis], dilation[axis])) continue;
    const what = axisNames[size.length][axis];
    const missing = stride[axis] - ignored;
    say(
      `${op}: windows of ${kernel[axis]} at steps of ${stride[axis]} leave out the last ${ignored} of ${length} ${what}. ` +
        `Mend: ${missing} more of padding (or of input) for another window, or ${mend}.`,
    );
  }
}

function say(message: string): void {
  const frame = currentFrame();
  if (frame === null) {
    warnOnce(message);
    return;
  }
  const messages = told.get(frame.module) ?? new Set();
  told.set(frame.module, messages);
  if (messages.has(message)) return;
  messages.add(message);
  const path = pathOf(frame);
  warnOnce(path === "" ? message : `${path}: ${message}`);
}
