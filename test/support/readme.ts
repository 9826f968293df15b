/** The TypeScript in README.md and docs/, so that tests use what people read. */

import { readdirSync, readFileSync } from "node:fs";

const root = new URL("../../../", import.meta.url);
const text = readFileSync(new URL("README.md", root), "utf8");
const pages = readdirSync(new URL("docs/", root)).filter((name) => name.endsWith(".md"));

const blocksOf = (page: string) => [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, block]) => block);

/** Every block of TypeScript in README.md, in order. */
export const blocks: readonly string[] = blocksOf(text);

/** Every block of TypeScript in docs/. */
export const pageBlocks: readonly string[] = pages.flatMap((name) =>
  blocksOf(readFileSync(new URL(`docs/${name}`, root), "utf8")),
);

/** The one under the heading "Ten lines". */
export const tenLines: string = /^## Ten lines\n+```ts\n(.*?)^```/ms.exec(text)?.[1] ?? "";
