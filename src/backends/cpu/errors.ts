/** The errors that outcomes stand for. */

import { AbortedError, DeviceError, MemoryError } from "../../core/errors.js";
import { KernelFault } from "../backend.js";
import { type Outcome, outcomeCodes } from "./outcome.js";

const refusals = [
  "for no reason",
  "its length is not what its header says",
  "it does not start like a program",
  "it was encoded for kernels with another schema",
  "its number of slots is wrong",
  "its table of steps is damaged",
];

export function errorOf({ code, detail }: Outcome, device: string): Error {
  const [a = 0, b = 0, c = 0, d = 0] = detail;
  switch (code) {
    case outcomeCodes.indexOutOfRange:
      return new KernelFault("indexOutOfRange", a, b, c, d);
    case outcomeCodes.cancelled:
      return new AbortedError();
    case outcomeCodes.outOfMemory:
    case outcomeCodes.noArena:
      return new MemoryError(
        `${device} has no ${megabytes(a)} left for ${code === outcomeCodes.noArena ? "a program's working memory" : "a tensor"}: ` +
          `${megabytes(b)} of ${megabytes(c)} are in use. Fix: a smaller batch or input, or free what is no longer needed.`,
      );
    case outcomeCodes.programRefused:
      return new DeviceError(
        `${device} refuses a program: ${refusals[a] ?? "it is damaged"}. Fix: build the package and its kernels together (npm run setup).`,
      );
    case outcomeCodes.undefinedContents:
      return new DeviceError(
        `${device} cannot use memory that has never been written, or that a failed or cancelled program should have written.`,
      );
    default:
      return new DeviceError(`${device} was given a command that makes no sense (code ${code}, ${detail.join(", ")})`);
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
