/**
 * How long WebAssembly takes to start: workers, compiling and instantiating the kernels, the first prediction of LeNet-5, in
 * this Node, a newer one and Chromium. Each run has a process or a browser of its own; medians of interleaved runs.
 */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { namesOf, scriptCommand, wholeNumber } from "../scripts/command.js";
import { bundle, callInBrowser, launch, noBrowser, pageFiles, serve } from "../test/support/browser.js";
import { newerNode } from "./sides/packages.js";
import type { StartUp } from "./sides/startup.js";
import { median } from "./statistics.js";

const goalMilliseconds = 100;
const places = ["node", "newer-node", "chromium"] as const;

const options = scriptCommand(
  "bench:startup",
  "Times the start of WebAssembly up to the first prediction of LeNet-5, from the loaded library on.",
  "--places node --threads 1 --rounds 20",
)
  .option("--places <names>", `of ${places.join(", ")}`, namesOf(places), [...places])
  .option("--threads <n>", "threads of the device", wholeNumber(1, 64), 1)
  .option("--rounds <n>", "runs in each place", wholeNumber(1), 9)
  .option("--json", "a line of JSON for each place")
  .parse()
  .opts<{ places: (typeof places)[number][]; threads: number; rounds: number; json?: true }>();

/** Somewhere to start. */
interface Place {
  readonly name: string;
  start(): Promise<StartUp>;
  close(): Promise<void>;
}

const script = fileURLToPath(new URL("sides/startup-process.js", import.meta.url));

async function nodePlace(node: string): Promise<Place> {
  const execute = promisify(execFile);
  const { stdout } = await execute(node, ["--version"]);
  return {
    name: `Node ${stdout.trim().slice(1)}`,
    start: async () => JSON.parse((await execute(node, [script, `${options.threads}`])).stdout),
    close: async () => undefined,
  };
}

async function chromiumPlace(): Promise<Place> {
  const files = await bundle(new URL("sides/startup.js", import.meta.url));
  const server = await serve(new Map([...pageFiles, ...files]), { isolated: true });
  const first = await launch();
  const name = `Chromium ${first.version()}`;
  await first.close();
  return {
    name,
    // A browser of its own, for it keeps what it has compiled.
    async start() {
      const browser = await launch();
      try {
        return await callInBrowser<StartUp>(browser, server, "startUp", [options.threads]);
      } finally {
        await browser.close();
      }
    },
    close: () => server.close(),
  };
}

async function openPlaces(): Promise<Place[]> {
  const opened: Place[] = [];
  for (const name of options.places) {
    const newer = newerNode();
    if (name === "node") opened.push(await nodePlace(process.execPath));
    else if (name === "newer-node" && newer === undefined)
      console.error("left out: npm run bench:peers brings a newer Node");
    else if (name === "newer-node" && newer !== undefined) opened.push(await nodePlace(newer));
    else if (noBrowser !== false) console.error(`left out: ${noBrowser}`);
    else opened.push(await chromiumPlace());
  }
  return opened;
}

const opened = await openPlaces();
const runs = new Map<Place, StartUp[]>(opened.map((place) => [place, []]));
for (let round = 0; round < options.rounds; round++) {
  for (const [place, list] of runs) list.push(await place.start());
}
const columns = ["library", "ready", "first", "processor", "second"] as const;
if (!options.json) {
  const titles = ["library", "device ready", "first scores", "processor", "second", "goal"].map((title) =>
    title.padStart(14),
  );
  console.log(`milliseconds, ${options.threads} thread${options.threads === 1 ? "" : "s"}; median (least)`);
  console.log("".padEnd(36), titles.join(""));
}
for (const [place, list] of runs) {
  const [{ variant }] = list;
  const times = columns.map((column) => list.flatMap((run) => run[column] ?? []));
  const medians = Object.fromEntries(
    columns.map((column, i) => [column, times[i].length > 0 ? median(times[i]) : null]),
  );
  const met = median(list.map(({ first }) => first)) <= goalMilliseconds;
  if (options.json) {
    console.log(
      JSON.stringify({ place: place.name, variant, threads: options.threads, ...medians, goalMilliseconds, met }),
    );
  } else {
    const cells = times.map((each) =>
      each.length === 0 ? "?" : `${median(each).toFixed(1)} (${Math.min(...each).toFixed(1)})`,
    );
    const title = `${place.name}, ${variant}`.padEnd(36);
    console.log(title, [...cells, met ? "met" : "missed"].map((cell) => cell.padStart(14)).join(""));
  }
  await place.close();
}
