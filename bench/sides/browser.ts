export const launchBrowser: undefined | (() => void) = undefined;

import type { Side } from "./side.js";
export async function startPage(_: string, __: number): Promise<Side> {
  throw new Error("todo");
}
