/**
 * Pooling after convolution: where the largest of each 2×2 elements is all that is wanted of what Winograd's algorithm makes,
 * a thread takes it of each strip as soon as it has that one. Then the larger picture needs no memory and no way through it.
 */

import type { Buffer, CombinedStep, Step } from "../backend.js";
import { countUsers } from "./blocking.js";
import { isNamed, makeStep } from "./encode.js";
import { makeLocal } from "./fields.js";
import { poolingKinds } from "./kernels/pooling.js";
import { placeStrip } from "./kernels/winograd.js";

/** As `Buffer.slot` has it. */
const arenaSlot = 0;

/** The steps, with such pooling done by the convolution right before it, if both are on the same side of `commitStart`. */
export function poolStrips(
  steps: readonly CombinedStep[],
  commitStart: number,
  temporary: (bytes: number) => Buffer,
  threads: number,
): CombinedStep[] {
  const users = countUsers(steps.map(({ step }) => step));
  const combined: CombinedStep[] = [];
  for (const each of steps) {
    const before = combined.at(-1);
    const parts = [...(before?.parts ?? []), ...each.parts];
    const isApart = parts.some((part) => part < commitStart !== parts[0] < commitStart);
    const step = isApart || before === undefined ? undefined : join(before.step, each.step, users, temporary, threads);
    if (step === undefined) combined.push(each);
    else combined[combined.length - 1] = { step, parts };
  }
  return combined;
}

function join(
  convolution: Step,
  pooling: Step,
  users: ReadonlyMap<Buffer, number>,
  temporary: (bytes: number) => Buffer,
  threads: number,
): Step | undefined {
  if (!isNamed(convolution, "winograd") || !isNamed(pooling, "poolLast")) return undefined;
  const { fields } = convolution;
  const whole = fields.output;
  const isAllThatIsWanted = whole.slot === arenaSlot && users.get(whole) === 2 && pooling.fields.input === whole;
  const isInPlace = fields.epilogue?.outputs.every(({ buffer }) => buffer === whole) ?? true;
  if (!isAllThatIsWanted || !isInPlace || !takesLargestOfFour(pooling.fields)) return undefined;
  const { blockAt, scratchFloats } = placeStrip(fields);
  makeLocal(whole);
  const joined = makeStep("winograd", {
    ...fields,
    output: pooling.fields.output,
    scratch: temporary(4 * scratchFloats * threads),
    ...{ pooled: 1, blockAt, scratchFloats },
  });
  return { ...joined, chosen: convolution.chosen };
}

/** Whether each result is that of a 2×2 square of its own, and they are nowhere cut short. */
function takesLargestOfFour({
  kind,
  kernel,
  stride,
  padding,
  dilation,
  inputSize,
  outputSize,
  epilogue,
}: {
  readonly kind: number;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly inputSize: readonly number[];
  readonly outputSize: readonly number[];
  readonly epilogue: object | undefined;
}): boolean {
  return (
    kind === poolingKinds.maximum &&
    epilogue === undefined &&
    [0, 1].every((axis) => kernel[axis] === 2 && stride[axis] === 2 && dilation[axis] === 1) &&
    padding.every((width) => width === 0) &&
    [0, 1].every((axis) => outputSize[axis] === Math.floor(inputSize[axis] / 2))
  );
}
