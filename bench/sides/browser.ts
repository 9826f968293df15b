/** Sides of a comparison in Chromium. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { bundle, launch, noBrowser, type Server, serve } from "../../test/support/browser.js";
import { peersFolder } from "./packages.js";
import type { Job } from "./session.js";
import type { Side } from "./side.js";

export const hasBrowser = noBrowser === false;

/** What ONNX Runtime's page loads. */
const runtimeFiles = ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"];

/** A page of a browser of its own, which may share memory with its workers. */
class PageSide implements Side {
  constructor(
    readonly library: "fovea" | "onnxruntime",
    readonly files: Map<string, Uint8Array>,
    readonly server: Server,
    readonly browser: Browser,
    readonly page: Page,
  ) {}

  get version(): string {
    return `Chromium ${this.browser.version()}`;
  }

  async open(job: Job): Promise<string> {
    const { files } = job;
    if (files === undefined) throw new Error("a page needs files");
    const needed = this.library === "fovea" ? { weights: files.weights } : { onnx: files.onnx ?? "" };
    const served = Object.entries({ pictures: files.pictures, ...needed }).map(([name, path]) => {
      const url = name === "weights" ? "/weights.pt" : `/${name}`;
      this.files.set(url, readFileSync(path));
      return [name, url];
    });
    return this.#call("open", this.library, { ...job, files: Object.fromEntries(served) });
  }

  outputs(steps: number): Promise<readonly number[]> {
    return this.#call("outputs", steps);
  }

  time(runs: number): Promise<readonly number[]> {
    return this.#call("time", runs);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.close();
  }

  #call<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    return this.page.evaluate(
      async ({ name, args }) => {
        const path = "/page.js";
        const page = await import(path);
        return page[name](...args);
      },
      { name, args: [...args] },
    );
  }
}

export async function startPage(library: "fovea" | "onnxruntime"): Promise<Side> {
  const files = await bundle(new URL("page.js", import.meta.url), "page");
  files.set("/index.html", new TextEncoder().encode("<!doctype html><title>benchmark</title>"));
  if (library === "onnxruntime") {
    const folder = join(peersFolder, "node_modules", "onnxruntime-web", "dist");
    for (const name of runtimeFiles) files.set(`/onnxruntime/${name}`, readFileSync(join(folder, name)));
  }
  const server = await serve(files, { isolated: true });
  const browser = await launch();
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(server.url);
  return new PageSide(library, files, server, browser, page);
}
