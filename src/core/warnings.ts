/** Advice that is no error. The library prints nothing itself: `onWarning` says who is told. */

export type WarningHandler = (message: string) => void;

let handler: WarningHandler | undefined;
const said = new Set<string>();

/**
 * Has `listener` told of warnings instead of the default: Node's process warnings, the browser's console.
 *
 * @example onWarning((message) => log.info(message));
 */
export function onWarning(listener: WarningHandler): void {
  handler = listener;
}

/** Used where nobody called `onWarning`. @internal */
export function setDefaultWarningHandler(listener: WarningHandler): void {
  handler ??= listener;
}

/** Says `message`, once however often it is called. */
export function warnOnce(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  handler?.(message);
}
