/** Running modules in Chromium: bundles them, serves them, calls a function of theirs in a page or in a worker. */

import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";

const candidates = [
  process.env.FOVEA_CHROMIUM ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const executablePath = candidates.find((path) => path !== "" && existsSync(path));

/** Why there is no browser here; false where there is one. */
export const noBrowser: string | false =
  executablePath === undefined && "no Chromium was found (npm test installs it on Debian; FOVEA_CHROMIUM names one)";

export function launch(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath ?? "",
    args: [
      ..."--no-sandbox --disable-gpu --no-first-run --disable-background-networking".split(" "),
      ..."--disable-component-update --disable-sync".split(" "),
      ...args,
    ],
  });
}

/** Files by their path, such as `/index.html`. */
export type Files = ReadonlyMap<string, string | Uint8Array>;

/** A compiled module, and all that it imports, as a browser loads it: `/<name>.js` and chunks beside it. */
export async function bundle(entry: URL, name = "entry"): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: { [name]: entry.pathname },
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform: "browser",
    outdir: "/",
    chunkNames: "chunks/[name]-[hash]",
  });
  return new Map(outputFiles.map(({ path, contents }) => [path, contents]));
}

const types: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
  css: "text/css",
  svg: "image/svg+xml",
  json: "application/json",
};

export interface Server {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Serves files; `isolated` adds the headers that let pages share memory among workers. */
export async function serve(files: Files, { isolated = false } = {}): Promise<Server> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = files.get(path === "/" ? "/index.html" : path);
    requests.push(path);
    if (isolated) {
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    }
    response.setHeader("Content-Type", types[path.split(".").pop() ?? ""] ?? "text/html");
    response.writeHead(file !== undefined ? 200 : path === "/favicon.ico" ? 204 : 404).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The entry's exports in a worker, which is told the name of one to call. */
const workerScript = `
import * as entry from "/entry.js";
onmessage = async ({ data: { name, args } }) => {
  try { postMessage({ value: await entry[name](...args) }); }
  catch (error) { postMessage({ error: String(error?.stack ?? error) }); }
};`;

/** What a page needs to call the exports of `/entry.js`, beside the bundle. */
export const pageFiles: Files = new Map([
  ["/index.html", "<!doctype html><title>test</title>"],
  ["/worker.js", workerScript],
]);

/**
 * Calls an export of `/entry.js` in a fresh page, or in a worker of it, and returns what it resolves to, as JSON.
 * Whatever the page writes to its console as an error, other than what is `expected`, is an error here too.
 */
export async function callInBrowser<T>(
  browser: Browser,
  server: Server,
  name: string,
  args: readonly unknown[] = [],
  { worker = false, expected }: { readonly worker?: boolean; readonly expected?: RegExp } = {},
): Promise<T> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !expected?.test(message.text())) complaints.push(message.text());
  });
  try {
    await page.goto(server.url);
    const value = await page.evaluate(
      async ({ name, args, worker }) => {
        if (!worker) {
          const path = "/entry.js";
          const entry = await import(path);
          return entry[name](...args);
        }
        const thread = new Worker("/worker.js", { type: "module" });
        const answer = await new Promise<{ value?: unknown; error?: string }>((resolve, reject) => {
          thread.onmessage = ({ data }) => resolve(data);
          thread.onerror = (event) => reject(new Error(event.message));
          thread.postMessage({ name, args });
        });
        thread.terminate();
        if (answer.error !== undefined) throw new Error(answer.error);
        return answer.value;
      },
      { name, args: [...args], worker },
    );
    if (complaints.length > 0) throw new Error(complaints.join("\n"));
    return value as T;
  } finally {
    await page.close();
  }
}

/** Path of a module of the tests, compiled. */
export function compiledTest(path: string): URL {
  return new URL(join("..", path), import.meta.url);
}
