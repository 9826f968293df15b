/** Where in the user's code something happened, read from stack traces. */

/** The folder (or bundle) that Fovea itself was loaded from: frames inside it are not where the user's call is. */
const ownFolder = (import.meta.url ?? "").replace(/core\/stack\.js.*$/, "").replace(/^file:\/\//, "");

const frames = { searched: 500, kept: 10 };

function isUserFrame(line: string): boolean {
  return /:\d+:\d+\)?$/.test(line) && !line.includes(ownFolder) && !/[ (]node:/.test(line);
}

/**
 * Leaves Fovea's own frames out of the stack of a new error, so that it begins at the user's call. It stays as it is where
 * that cannot be told: in bundles that hold Fovea and the user's code in one file, and when only Fovea is on the stack.
 */
export function showUserFrames(error: Error): void {
  if (typeof Error.captureStackTrace !== "function") return;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = frames.searched;
  Error.captureStackTrace(error, error.constructor as () => unknown);
  Error.stackTraceLimit = limit;
  const header = `${error.name}: ${error.message}\n`;
  const { stack = "" } = error;
  const lines = stack.slice(stack.startsWith(header) ? header.length : 0).split("\n");
  const kept = lines.some(isUserFrame) ? lines.filter((line) => !line.includes(ownFolder)) : lines;
  error.stack = header + kept.slice(0, Math.min(limit, frames.kept)).join("\n");
}

/** The line of user code that `site` was captured at, such as `train.ts:12:20`; undefined where it cannot be told. */
export function describeSite(site: Error | undefined): string | undefined {
  const line = (site?.stack ?? "").split("\n").slice(1).find(isUserFrame);
  return line === undefined ? undefined : line.trim().replace(/^at /, "");
}

/** Remembers where it was called, cheaply: the text is made only if `describeSite` asks for it. */
export function captureSite(): Error | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 16;
  const site = new Error();
  Error.stackTraceLimit = limit;
  return site;
}
