/** Charts and the page of a run: what they show, and that no text breaks out of them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inflateSync } from "node:zlib";
import { reportLines, subgroupLines } from "../../src/cli/score-tables.js";
import { encodePng } from "../../src/formats/png.js";
import { type EpochRecord, metrics } from "../../src/index.js";
import { loadSharp } from "../../src/node/image.js";
import {
  drawConfusion,
  drawPlot,
  drawReliability,
  pixelsReportPage,
  type RunReport,
  reportPage,
} from "../../src/report/index.js";

const hostile = `<script>alert("1")</script>'&amp;`;
const classNames = ["zero", hostile, "two"];
const labels = [0, 0, 1, 1, 2, 2];
const probabilities = [
  [0.9, 0.1, 0],
  [0.2, 0.5, 0.3],
  [0.1, 0.8, 0.1],
  [0, 0, 1],
  [0.3, 0.3, 0.4],
  [0.1, 0.2, 0.7],
];
const scores = metrics.classificationReport(probabilities, labels, { classNames });
const epochs: EpochRecord[] = [1, 2, 3].map((epoch) => ({
  epoch,
  train: { loss: 1 / epoch, accuracy: 0.5 + epoch / 10, count: 6 },
  validation: { loss: 1.1 / epoch, accuracy: 0.45 + epoch / 10, count: 6 },
  learningRate: 0.1 / epoch,
  seconds: 1,
  samplesPerSecond: 6,
}));
const picture = { width: 3, height: 2, channels: 3, data: Uint8Array.from({ length: 18 }, (_, i) => 14 * i) } as const;
const report: RunReport = {
  title: hostile,
  epochs,
  scores,
  loss: 0.5,
  subgroups: metrics.subgroupReport(
    [0, 1, 1, 1],
    [0, 1, 0, 1],
    { team: [hostile, hostile, "b", "b"] },
    { by: ["team"] },
  ),
  mistakes: [{ picture, label: hostile, answer: "two", confidence: 0.75 }],
  settings: { model: hostile, [hostile]: 3, dataDir: null },
};

describe("reportPage", () => {
  it("shows figures, curves, classes, calibration, subgroups, mistakes and settings", async () => {
    const page = await reportPage(report);
    for (const part of ["Training", "Classes", "Calibration", "Subgroups", "Worst mistakes", "Settings"])
      assert.ok(page.includes(`<h2>${part}</h2>`), part);
    assert.match(page, /<b>66\.67 %<\/b><span>right of 6<\/span>/);
    assert.equal(page.match(/<svg /g)?.length, 5, "three curves, confusions, reliability");
    assert.match(page, /2 samples, too few to say/);
    assert.match(page, /75\.00 % sure/);
    const none = await reportPage({ ...report, epochs: [], subgroups: undefined, mistakes: [] });
    assert.doesNotMatch(none, /<h2>Training|<h2>Subgroups/);
    assert.match(none, /every picture was named rightly/);
  });

  it("needs nothing from outside, runs nothing, and shows texts as they are", async () => {
    const page = await reportPage(report);
    assert.doesNotMatch(page, /<script|alert\("1"\)|javascript:|@import|url\(/i);
    assert.ok(page.includes("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;amp;"));
    const outside = page.replaceAll('xmlns="http://www.w3.org/2000/svg"', "").match(/(?:https?:)?\/\/\w/g);
    assert.equal(outside, null);
    for (const [, source] of page.matchAll(/(?:src|href)="([^"]*)"/g)) assert.match(source, /^data:image\/png;base64,/);
    assert.match(page, /default-src 'none'/);
  });

  it("its pictures are PNG files of the very pixels", async (t) => {
    const page = await reportPage(report);
    const [, base64] = /data:image\/png;base64,([^"]+)"/.exec(page) ?? [];
    const bytes = Buffer.from(base64, "base64");
    assert.deepEqual(bytes, Buffer.from(await encodePng(picture)));
    // One chunk of pixels after the signature and the header; a byte for the filter before each row.
    const length = bytes.readUInt32BE(33);
    const rows = inflateSync(bytes.subarray(41, 41 + length));
    assert.deepEqual([...rows], [0, ...picture.data.subarray(0, 9), 0, ...picture.data.subarray(9)]);
    let open: Awaited<ReturnType<typeof loadSharp>>;
    try {
      open = await loadSharp();
    } catch (error) {
      return t.skip(String(error));
    }
    for (const drawn of [picture, { ...picture, channels: 1, data: picture.data.subarray(0, 6) } as const]) {
      const { data, info } = await open(await encodePng(drawn))
        .toColourspace(drawn.channels === 1 ? "b-w" : "srgb")
        .raw()
        .toBuffer({ resolveWithObject: true });
      assert.deepEqual([info.width, info.height, info.channels], [3, 2, drawn.channels]);
      assert.deepEqual([...data], [...drawn.data]);
    }
    await assert.rejects(encodePng({ ...picture, height: 3 }), /18 bytes for 3 rows of 3 pixels.*Expected 27/);
  });
});

describe("pixelsReportPage", () => {
  const grey = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) } as const;
  const strip = {
    caption: hostile,
    pictures: [
      { what: "picture", picture: grey },
      { what: hostile, picture },
    ],
  };

  it("shows classes of pixels, and what was measured of each epoch", async () => {
    const counts = new metrics.PixelCounts(4, { classNames: [...classNames, "nowhere"] });
    counts.add([0, 0, 1, 1, 2], [0, 1, 1, 1, 2]);
    const colours = ["#000000", '"><script>', "#112233", "#445566"];
    const measured = epochs.map((each) => ({
      ...each,
      validation: { loss: 1, accuracy: 0.5, count: 6, meanIou: each.epoch / 4, classIou: { [hostile]: 0.5, two: 0 } },
    }));
    const given = { title: hostile, epochs: measured, scores: counts.report(), settings: { [hostile]: hostile } };
    const page = await pixelsReportPage({ ...given, colours, worst: [strip] });
    assert.match(page, /<b>72\.22 %<\/b><span>mean IoU<\/span>/);
    // Precision and recall of the second class: two of two, two of three.
    assert.match(page, /<td>66\.67 %<\/td><td>80\.00 %<\/td><td>100\.00 %<\/td><td>66\.67 %<\/td><td>3<\/td>/);
    assert.ok(page.includes("<td>nowhere</td><td></td><td></td>"));
    for (const title of [
      "Loss",
      "Pixels right",
      "Mean IoU",
      "IoU of each class",
      "Learning rate at the end of the epoch",
    ])
      assert.ok(page.includes(`${title}</text>`), title);
    assert.doesNotMatch(page, /PSNR|<script|NaN|undefined/);
    const pictures = [...page.matchAll(/<img src="data:image\/png;base64,([^"]+)"/g)].map(([, data]) => data);
    assert.deepEqual(pictures, [
      Buffer.from(await encodePng(grey)).toString("base64"),
      Buffer.from(await encodePng(picture)).toString("base64"),
    ]);
    const bare = await pixelsReportPage({ ...given, epochs: [], worst: [] });
    assert.doesNotMatch(bare, /<h2>Training|<h2>Worst/);
  });

  it("shows decibels before and after", async () => {
    const scores = { count: 3, before: { psnr: 16.5, ssim: 0.5 }, after: { psnr: 20, ssim: undefined }, gain: 3.5 };
    const measured = epochs.map((each) => ({ ...each, validation: { loss: 1, accuracy: 0, count: 6, psnr: 20 } }));
    const page = await pixelsReportPage({ title: "t", epochs: measured, scores, worst: [strip], settings: {} });
    assert.match(page, /<b>20\.00 dB<\/b>.*<b>3\.50 dB<\/b>/);
    assert.match(page, /<td>before<\/td><td>16\.50 dB<\/td><td>0\.5000<\/td>/);
    assert.match(page, /<td>after<\/td><td>20\.00 dB<\/td><td><\/td>/);
    assert.ok(page.includes("PSNR</text>") && !page.includes("Pixels right</text>") && !page.includes("IoU"));
  });
});

describe("tables in a terminal", () => {
  it("show a line for each class, the matrix where it fits, and else the pairs that are confused", () => {
    const wide = reportLines(scores, 80);
    assert.match(
      wide.join("\n"),
      /^class +precision +recall +F1 +samples +ROC area\nzero +100\.00 % +50\.00 % +66\.67 % +2 /m,
    );
    assert.ok(wide.includes("rows: what it is; columns: what it was taken for"));
    for (const line of wide) assert.ok(line.length <= 80, line);
    const narrow = reportLines(scores, 30).join("\n");
    assert.match(narrow, /^zero +<script>.* 1 +50\.00 %$/m);
    assert.doesNotMatch(narrow, /columns: what/);
  });

  it("show groups with intervals, and say what may be chance", () => {
    const right = Array.from({ length: 80 }, (_, i) => (i % 5 === 0 ? 0 : 1));
    const team = right.map((_, i) => (i % 2 === 0 ? "a" : "b"));
    const given = metrics.subgroupReport(
      right,
      right.map(() => 1),
      { team },
      { by: ["team"] },
    );
    const lines = subgroupLines(given, 80);
    assert.match(lines[1], /^group +samples +accuracy +95 of 100 +positive +TPR/);
    assert.match(lines[2], /^team=a +40 +80\.00 % +\d+\.\d … \d+\.\d +80\.00 % +80\.00 %$/);
    assert.match(lines.join("\n"), /worst: team=\w, 0\.0 points below team=\w \(-.*\): may be chance/);
  });
});

describe("charts", () => {
  it("are SVG that a program for it reads", async (t) => {
    let open: Awaited<ReturnType<typeof loadSharp>>;
    try {
      open = await loadSharp();
    } catch (error) {
      return t.skip(String(error));
    }
    const one = [[1, Number.NaN] as const, [2, 0.5] as const];
    const drawings = [
      drawConfusion(scores.confusion, classNames),
      drawReliability(scores.calibration),
      drawPlot([{ name: hostile, points: one }], { title: hostile, xAxis: hostile, yAxis: hostile }),
      drawPlot([], { title: "", xAxis: "", yAxis: "" }),
    ];
    for (const svg of drawings) {
      assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
      const { width } = await open(Buffer.from(svg)).metadata();
      assert.ok(width >= 240);
    }
  });

  it("a confusion matrix has a cell for each pair that occurs, with its count", () => {
    const svg = drawConfusion(scores.confusion, classNames);
    assert.equal(
      svg.match(/class="(cell|wrong)"/g)?.length,
      scores.confusion.flat().filter((count) => count > 0).length,
    );
    assert.match(svg, /<title>zero taken for &lt;script&gt;.*: 1 of 2<\/title>/);
    assert.throws(() => drawConfusion([[1]], []), /1 classes and 0 names/);
    const many = Array.from({ length: 65 }, () => new Array<number>(65).fill(1));
    assert.throws(() => drawConfusion(many, many.map(String)), /at most 64 classes/);
  });

  it("a plot's axes end at round numbers, and epochs have no fractions", () => {
    const svg = drawPlot(
      [
        {
          name: "a",
          points: [
            [1, 0.123],
            [2, 0.881],
          ],
        },
      ],
      { title: "t", xAxis: "epoch", yAxis: "y" },
    );
    const numbers = [...svg.matchAll(/<text[^>]*>([\d.]+)<\/text>/g)].map(([, text]) => text);
    assert.deepEqual(numbers, ["0", "0.2", "0.4", "0.6", "0.8", "1", "1", "2"]);
  });

  it("a logarithmic axis has powers of ten, equally far apart, and no place for 0", () => {
    const points = [0, 10, 100, 6000].map((x, i) => [x, i] as const);
    const options = { title: "t", xAxis: "x", yAxis: "y", xScale: "log" } as const;
    const svg = drawPlot([{ name: "a", points }], options);
    const bottom = [...svg.matchAll(/<text x="([\d.]+)" y="294"[^>]*>(\d+)<\/text>/g)];
    assert.deepEqual(
      bottom.map(([, , label]) => label),
      ["10", "100", "1000", "10000"],
    );
    const places = bottom.map(([, x]) => Number(x));
    for (const i of [1, 2]) assert.ok(Math.abs(places[i + 1] - 2 * places[i] + places[i - 1]) < 0.3, String(places));
    const drawn = /<polyline[^>]* points="([^"]+)"/.exec(svg)?.[1].split(" ") ?? [];
    assert.deepEqual(
      drawn.slice(0, 2).map((point) => Number(point.split(",")[0])),
      places.slice(0, 2),
    );
    assert.equal(drawn.length, 3);
    assert.throws(() => drawPlot([], { ...options, xRange: [0, 10] }), /xRange is \[0, 10\].* above 0/);
  });
});
