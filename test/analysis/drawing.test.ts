/** Drawings: what is a box, that boxes keep apart, and that any name makes a valid file. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { layOut } from "../../src/analysis/drawing/layout.js";
import { drawNetwork, summarize } from "../../src/analysis/index.js";
import { add, models, nn, onWarning, relu, type Tensor } from "../../src/index.js";
import { Draw } from "../support/configurations/draw.js";
import { referenceDevice, useDevice } from "../support/devices.js";
import { seed } from "../support/numbers.js";

useDevice(referenceDevice);
onWarning(() => {});

const quick = { memory: false } as const;

const titles = (svg: string) =>
  [...svg.matchAll(/<g class="(\w+)">.*?<text[^>]*>(.*?)<\/text>/g)].map(([, , title]) => title);

describe("a drawing", () => {
  it("has a box for each layer, with what only finishes it, and lines past what is skipped", () => {
    class Block extends nn.Module {
      conv = new nn.Conv2d(3, 3, 3, { padding: 1 });
      bn = new nn.BatchNorm2d(3);

      forward(x: Tensor) {
        return relu(add(this.bn(this.conv(x)), x));
      }
    }
    const svg = drawNetwork(summarize(new Block(), [1, 3, 8, 8], quick));
    assert.deepEqual(titles(svg), ["Block", "conv · Conv2d", "add"]);
    assert.match(svg, />BatchNorm2d</);
    // Weights and biases of the convolution and of the normalization.
    assert.match(svg, />3×8×8 · 90 parameters · 5\.18K MACs</);
    assert.equal(svg.match(/class="line"/g)?.length, 3);
  });

  it("takes modules together to a depth, by itself where there are many", () => {
    const { inputShape, create } = models.find("googlenet2014");
    const summary = summarize(create({ width: 0.25 }), [1, ...inputShape], quick);
    assert.ok(titles(drawNetwork(summary, { depth: 1 })).includes("inception3a · Inception"));
    assert.ok(titles(drawNetwork(summary, { boxes: 30 })).length <= 31);
  });

  it("is valid whatever names are in it", () => {
    const svg = drawNetwork(summarize(new nn.Linear(2, 2), [1, 2], quick), { title: 'a < b & "c"' });
    assert.match(svg, /aria-label="a &lt; b &amp; &quot;c&quot;"/);
    assert.match(svg, />a &lt; b &amp; &quot;c&quot;</);
    assert.doesNotMatch(svg, /NaN|undefined/);
  });
});

describe("the layout", () => {
  it("of any graph keeps boxes apart and lines going down", (t) => {
    t.diagnostic(`seed ${seed}`);
    const draw = new Draw(seed, 79);
    for (let round = 0; round < 30; round++) {
      const count = draw.between(1, 25);
      const sizes = Array.from({ length: count }, () => ({
        width: draw.between(20, 200),
        height: draw.between(20, 60),
      }));
      const edges = Array.from({ length: count - 1 }, (_, i) => [draw.between(0, i), i + 1] as const);
      for (let more = draw.between(0, count); more > 0; more--) {
        const [a, b] = [draw.between(0, count - 1), draw.between(0, count - 1)];
        if (a < b && !edges.some(([from, to]) => from === a && to === b)) edges.push([a, b]);
      }
      const { places, lines, width, height } = layOut(sizes, edges);
      const message = `seed ${seed}, round ${round}`;
      for (const [i, a] of places.entries()) {
        const [halfWidth, halfHeight] = [sizes[i].width / 2, sizes[i].height / 2];
        assert.ok(a.x >= halfWidth - 1e-6 && a.x <= width - halfWidth + 1e-6, message);
        assert.ok(a.y >= halfHeight - 1e-6 && a.y <= height - halfHeight + 1e-6, message);
        for (const [j, b] of places.entries()) {
          if (i === j) continue;
          const apart =
            Math.abs(a.x - b.x) >= halfWidth + sizes[j].width / 2 ||
            Math.abs(a.y - b.y) >= halfHeight + sizes[j].height / 2;
          assert.ok(apart, `${message}: boxes ${i} and ${j} overlap`);
        }
      }
      for (const [i, points] of lines.entries()) {
        const ys = points.map(([, y]) => y);
        assert.deepEqual(
          ys,
          [...ys].sort((a, b) => a - b),
          `${message}: line ${i}`,
        );
        const [from, to] = edges[i];
        assert.deepEqual([points[0][0], points.at(-1)?.[0]], [places[from].x, places[to].x], message);
      }
    }
  });
});
