/** `npm run docs:tables`: writes the tables of docs/arithmetic.md anew, from summaries of the networks. */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compareStacks, type LayerSummary, pixelUse, type Summary, summarize } from "../src/analysis/index.js";
import { formatShort, formatWhole } from "../src/analysis/table.js";
import { createReferenceDevice } from "../src/backends/reference/device.js";
import { onWarning } from "../src/core/warnings.js";
import { setDefaultDevice } from "../src/graph/device.js";
import * as models from "../src/models/index.js";
import * as nn from "../src/nn/index.js";
import { table } from "./markdown.js";

function summaryOf(name: string): Summary {
  const { inputShape, create } = models.find(name);
  return summarize(create(), [1, ...inputShape], { memory: false });
}

const sumOf = (layers: readonly LayerSummary[], of: (layer: LayerSummary) => number) =>
  layers.reduce((sum, layer) => sum + of(layer), 0);

/** K as L1's table counts them. */
const kibi = (value: number) => `${(value / 1024).toFixed(1)} K`;

/** The columns of the paper's table 1, from what the networks really consist of. */
function vggTable(): string {
  const names = ["vgg-a", "vgg-a-lrn", "vgg-b", "vgg-c", "vgg-d", "vgg-e"];
  const summaries = names.map(summaryOf);
  const blocks = names.map((name) => {
    const cells = [""];
    for (const [, module] of models.find(name).create().namedModules()) {
      if (module instanceof nn.Conv2d) add(cells, `${String(module.kernelSize)}-${module.outChannels}`);
      if (module instanceof nn.LocalResponseNorm) add(cells, "LRN");
      if (module instanceof nn.MaxPool2d) cells.push("");
      if (module instanceof nn.Linear) add(cells, `FC-${module.outFeatures}`);
    }
    return cells;
  });
  const heads = ["block 1", "block 2", "block 3", "block 4", "block 5", "head"];
  return table(
    ["", ...names.map((name) => `\`${name}\``)],
    [
      ...heads.map((head, i) => [head, ...blocks.map((cells) => cells[i])]),
      ["weight layers", ...summaries.map(({ depth }) => String(depth))],
      ["parameters", ...summaries.map(({ parameters }) => formatWhole(parameters))],
      ["multiply-adds", ...summaries.map(({ macs }) => formatWhole(macs))],
      ["receptive field", ...summaries.map((summary) => String(lastMapField(summary)))],
    ],
  );
}

function add(cells: string[], text: string): void {
  const last = cells.length - 1;
  cells[last] = cells[last] === "" ? text : `${cells[last]}, ${text}`;
}

function lastMapField({ layers }: Summary): unknown {
  return layers.filter(({ type }) => type === "MaxPool2d").at(-1)?.receptiveField?.size;
}

/** What counts as VGG-16's memory. */
function vggMemoryTable(): string {
  const { layers } = summaryOf("vgg-d");
  const values = (types: readonly string[]) => {
    return sumOf(
      layers.filter(({ type }) => types.includes(type)),
      ({ activations }) => activations,
    );
  };
  const row = (title: string, count: number) => [title, formatWhole(count), `${((4 * count) / 1e6).toFixed(1)} MB`];
  const counted = ["Conv2d", "MaxPool2d", "Linear"];
  return table(
    ["outputs of", "values", "bytes"],
    [
      row("convolutions", values(["Conv2d"])),
      row("convolutions, max pooling, fully connected layers", values(counted)),
      row("these, and ReLU", values([...counted, "ReLU"])),
      row(
        "the two blocks at 224×224 and 112×112, with ReLU and pooling",
        sumOf(layers.slice(0, 10), (l) => l.activations),
      ),
    ],
  );
}

/** What L1's table says, as K parameters and M multiply-adds. */
const deck: Readonly<Record<string, readonly [parameters: string, macs: string]>> = {
  conv1: ["2.7K", "34M"],
  "conv2, conv3": ["112K", "360M"],
  inception3a: ["159K", "128M"],
  inception3b: ["380K", "304M"],
  inception4a: ["364K", "73M"],
  inception4b: ["437K", "88M"],
  inception4c: ["463K", "100M"],
  inception4d: ["580K", "119M"],
  inception4e: ["840K", "170M"],
  inception5a: ["1072K", "54M"],
  inception5b: ["1388K", "71M"],
  fc: ["1000K", "1M"],
};

/** GoogLeNet as published: the paper's table 1, which L1 shows, counted anew. */
function googlenetTable(): string {
  const summary = summaryOf("googlenet2014");
  const modules = new Map(models.find("googlenet2014").create().namedModules());
  /** Weights without biases, as the paper counts. */
  const weights = (names: readonly string[]) => {
    const parameters = names.flatMap((name) => modules.get(name)?.parameters() ?? []);
    return parameters
      .filter(({ shape }) => shape.length > 1)
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  };
  const rows = Object.entries(deck).map(([names, [parameters, macs]]) => {
    const list = names.split(", ");
    const layers = summary.rows(1).filter(({ name }) => list.includes(name));
    const convolutions = list.flatMap((name) =>
      [...(modules.get(name)?.namedModules() ?? [])].flatMap(([, module]) =>
        module instanceof nn.Conv2d ? [`${module.outChannels}`] : [],
      ),
    );
    const output = layers.at(-1)?.output?.slice(1).join("×") ?? "";
    const count = weights(list);
    const isModule = names.startsWith("inception");
    return [
      names,
      output,
      isModule ? convolutions.join(", ") : "",
      formatWhole(count),
      kibi(count),
      parameters,
      formatShort(sumOf(layers, (l) => l.macs)),
      macs,
    ];
  });
  const total = weights([...Object.keys(deck)].flatMap((names) => names.split(", ")));
  const printed = Object.values(deck).reduce((sum, [parameters]) => sum + Number.parseFloat(parameters), 0);
  const all = ["all", "", "", formatWhole(total), kibi(total), `${printed.toFixed(1)}K`, formatShort(summary.macs), ""];
  const head = [
    "layer",
    "output",
    "1×1; 3×3 reduce, 3×3; 5×5 reduce, 5×5; pool projection",
    "weights",
    "÷ 1024",
    "L1",
    "multiply-adds",
    "L1",
  ];
  return table(head, [...rows, all]);
}

/** How many times fewer parameters than AlexNet, by what is counted. */
function fewerTable(): string {
  const alexnet = summaryOf("alexnet").parameters;
  const row = (what: string, count: number) => [what, formatWhole(count), `${(alexnet / count).toFixed(1)}×`];
  const paper = summaryOf("googlenet2014");
  const torchvision = summaryOf("googlenet");
  return table(
    ["GoogLeNet", "parameters", "fewer than AlexNet's"],
    [
      row("as published, without auxiliary heads", paper.parameters - paper.unused),
      row("as published, with them", paper.parameters),
      row("torchvision's, without auxiliary heads", torchvision.parameters - torchvision.unused),
      row("torchvision's, with them", torchvision.parameters),
    ],
  );
}

function fieldsTable(): string {
  const published: readonly (readonly [name: string, layer: string, value: string])[] = [
    ["alexnet", "features.12", "195"],
    ["vgg16", "features.30", "212"],
    ["inception_v2", "inception5b.concat", "699"],
    ["inception_v3", "Mixed_7c.concat", "1311"],
    ["resnet50", "layer4.2.relu", "483"],
    ["resnet101", "layer4.2.relu", "1027"],
    ["resnet152", "layer4.2.relu", "1507"],
    ["mobilenet_v1", "features.13.1.relu", "315"],
  ];
  return table(
    ["network", "last map", "size", "stride", "start", "Araujo et al."],
    published.map(([name, layer, value]) => {
      const field = summaryOf(name)
        .layers.filter((each) => each.name === layer)
        .at(-1)?.receptiveField;
      return [`\`${name}\``, `\`${layer}\``, String(field?.size), String(field?.stride), String(field?.start), value];
    }),
  );
}

function stacksTable(): string {
  const { stacks } = compareStacks(
    [
      [7],
      [3, 3, 3],
      [
        [1, 7],
        [7, 1],
      ],
    ],
    { channels: 256 },
  );
  return table(
    ["kernels", "layers", "field", "parameters", "multiply-adds on 32×32", "share"],
    stacks.map(({ name, layers, receptiveField, parameters, macs, share }) => {
      const numbers = [layers, receptiveField.size, formatWhole(parameters), formatWhole(macs)].map(String);
      return [name, ...numbers, `${(100 * share).toFixed(1)} %`];
    }),
  );
}

function pixelTable(): string {
  const kernels = [1, 2, 3];
  const rows = kernels.map((kernel) => pixelUse(new nn.Conv2d(1, 1, kernel), [1, 1, 6, 6])[0]);
  return table(
    ["kernel", "first row and column to last"],
    kernels.map((kernel, i) => [`${kernel}×${kernel}`, rows[i].join(" ")]),
  );
}

const tables: Readonly<Record<string, () => string>> = {
  vgg: vggTable,
  "vgg-memory": vggMemoryTable,
  googlenet: googlenetTable,
  fewer: fewerTable,
  fields: fieldsTable,
  stacks: stacksTable,
  pixels: pixelTable,
};

export const arithmeticFile = fileURLToPath(new URL("../../docs/arithmetic.md", import.meta.url));

/** The page with its tables as they should be: each between `<!-- table: name -->` and `<!-- end -->`. */
export function withTables(page: string): string {
  setDefaultDevice(createReferenceDevice());
  onWarning(() => {});
  const found = new Set<string>();
  const written = page.replace(/<!-- table: (.*?) -->\n.*?<!-- end -->/gs, (_, name: string) => {
    found.add(name);
    const make = tables[name];
    if (make === undefined) throw new Error(`docs/arithmetic.md asks for a table "${name}", which there is not`);
    return `<!-- table: ${name} -->\n\n${make()}\n\n<!-- end -->`;
  });
  for (const name of Object.keys(tables))
    if (!found.has(name)) throw new Error(`docs/arithmetic.md has no table "${name}"`);
  return written;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(arithmeticFile, withTables(readFileSync(arithmeticFile, "utf8")));
  process.stdout.write(`written: ${arithmeticFile}\n`);
}
