/** The TypeScript in README.md, so that tests use what people read. */

import { readFileSync } from "node:fs";

const text = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");

/** Every block of TypeScript, in order. */
export const blocks: readonly string[] = [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, block]) => block);

/** The one under the heading "Ten lines". */
export const tenLines: string = /^## Ten lines\n+```ts\n(.*?)^```/ms.exec(text)?.[1] ?? "";
