/** Receptive fields and pixel use: against what notices when single pixels change, and against published values. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LayerSummary, pixelUse, seenFrom, summarize } from "../../src/analysis/index.js";
import {
  add,
  concat,
  conv2d,
  convTranspose2d,
  FoveaError,
  flatten,
  grad,
  localResponseNorm,
  matmul,
  maxPool2dWithIndices,
  maxUnpool2d,
  models,
  mul,
  nn,
  ones,
  onWarning,
  pad,
  pixelShuffle,
  pixelUnshuffle,
  relu,
  reshape,
  type Shape,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
  transpose,
  upsample,
} from "../../src/index.js";
import { Draw } from "../support/configurations/draw.js";
import { referenceDevice, useDevice } from "../support/devices.js";
import { seed } from "../support/numbers.js";

useDevice(referenceDevice);
onWarning(() => {});

type Net = (x: Tensor) => Tensor;

/** A map of the output: for each place, by row and column, which pixels it notices. */
interface Measured {
  readonly places: Shape;
  notices(place: readonly number[], pixel: readonly number[]): boolean;
}

/** Pictures of ones with a large number in one pixel each; all weights are positive, so that no change is lost. */
async function measure(net: Net, [channels, height, width]: readonly [number, number, number]): Promise<Measured> {
  const pixels = height * width;
  const plane = channels * pixels;
  const spikes = new Float32Array((pixels + 1) * plane).fill(1);
  for (let i = 0; i < pixels; i++) {
    for (let channel = 0; channel < channels; channel++) spikes[(i + 1) * plane + channel * pixels + i] = 1e4;
  }
  const maps = sum(net(tensor(spikes, [pixels + 1, channels, height, width])), 1);
  const [, ...places] = maps.shape;
  const values = await maps.data();
  const count = values.length / (pixels + 1);
  return {
    places,
    notices: ([row, column], [y, x]) => {
      const place = row * places[1] + column;
      return values[(y * width + x + 1) * count + place] > 1.001 * values[place] + 1e-3;
    },
  };
}

const range = (length: number) => Array.from({ length }, (_, i) => i);

/** Checks, for every place of the output, the rows and columns that it notices. */
async function check(net: Net, input: readonly [number, number, number], text: string): Promise<void> {
  const [, ...size] = input;
  const { places, notices } = await measure(net, input);
  const rows = range(places[0]).map(() => new Set<number>());
  const columns = range(places[1]).map(() => new Set<number>());
  // Going back up, neighbours' fields differ; a mirrored border sees what is elsewhere; cut off is no border.
  const isRegular = !/nearest|size|transposed|places|mirrored|parts|piece/.test(text.replaceAll(/ size \d+/g, ""));
  const { receptiveField } = summarize(net, [1, ...input], { memory: false }).root;
  for (const row of range(places[0])) {
    for (const column of range(places[1])) {
      const place = [row, column];
      const seen = seenFrom(net, [1, ...input], place);
      const noticed = [
        range(size[0]).filter((y) => range(size[1]).some((x) => notices(place, [y, x]))),
        range(size[1]).filter((x) => range(size[0]).some((y) => notices(place, [y, x]))),
      ];
      for (const [axis, list] of noticed.entries()) {
        const message = `${text}: place ${place} of ${places} sees along axis ${axis} ${list}`;
        const { first, last, count } = seen[axis];
        assert.deepEqual([first, last, count], [list[0] ?? 0, list.at(-1) ?? -1, list.length], message);
        for (const pixel of list) (axis === 0 ? rows : columns)[place[axis]].add(pixel);
        if (isRegular) checkRule(receptiveField, axis, place[axis], list, size[axis], message);
      }
    }
  }
  const used = [rows, columns].map((places, axis) =>
    range(size[axis]).map((pixel) => places.filter((seen) => seen.has(pixel)).length),
  );
  const [rowUse, columnUse] = pixelUse(net, [1, ...input]);
  const isSeen = used.every((counts) => counts.some((count) => count > 0));
  if (isSeen) assert.deepEqual([rowUse, columnUse], used, text);
}

/** Where the field does not reach beyond the borders, it is what size, stride and start say. */
function checkRule(
  field: LayerSummary["receptiveField"],
  axis: number,
  position: number,
  noticed: readonly number[],
  length: number,
  message: string,
): void {
  if (field === undefined || noticed.length === 0) return;
  const [size, stride, start] = [field.size, field.stride, field.start].map((value) =>
    typeof value === "number" ? value : value[axis],
  );
  if (stride === 0) return;
  assert.ok(noticed.length <= size, message);
  const first = start + stride * position;
  if (first < 0 || first + size > length) return;
  assert.deepEqual(
    [noticed[0], noticed.at(-1)],
    [first, first + size - 1],
    `${message}, not ${size}/${stride}/${start}`,
  );
}

const channels = 2;

/** A layer with positive weights and random settings. */
function randomLayer(draw: Draw): readonly [text: string, layer: Net] {
  const kernel = draw.pair(1, 3);
  const stride = draw.pair(1, 2);
  const padding = draw.pair(0, 2);
  const dilation = draw.pair(1, 2);
  const weight = ones([channels, channels, ...kernel]);
  const size = draw.between(3, 9);
  const settings = `kernel ${kernel} stride ${stride} padding ${padding} dilation ${dilation} size ${size}`;
  const halves = kernel.map((length, axis) => Math.min(padding[axis], Math.floor(length / 2)));
  const layers: readonly (readonly [string, Net])[] = [
    ["convolution", (x) => conv2d(x, weight, null, { stride, padding, dilation })],
    [
      "convolution with mirrored border",
      (x) => conv2d(x, weight, null, { stride, padding: 1, paddingMode: "reflect" }),
    ],
    ["max pooling", new nn.MaxPool2d(kernel, { stride, padding: halves, ceilMode: draw.oneIn(2) })],
    ["average pooling", new nn.AvgPool2d(kernel, { stride, padding: halves, ceilMode: draw.oneIn(2) })],
    ["transposed convolution", (x) => convTranspose2d(x, weight, null, { stride, padding: halves, dilation })],
    ["nearest neighbours", (x) => upsample(x, { scale: kernel })],
    ["to a size", (x) => upsample(x, { size: [size, 7] })],
    ["even parts", new nn.AdaptiveAvgPool2d([draw.between(2, 3), draw.between(2, 3)])],
    ["a piece", (x) => slice(x, null, null, [padding[0], null, stride[0]], [null, -1 - padding[1]])],
    ["a border", (x) => pad(x, [padding, padding], 1)],
    ["turned", (x) => slice(x, null, null, [null, null, -1], [null, null, -1])],
    ["channels to places", (x) => pixelShuffle(concat([x, x], 1), 2)],
    ["places to channels", (x) => conv2d(pixelUnshuffle(x, 2), ones([channels, 4 * channels, 1, 1]))],
    ["local response", (x) => localResponseNorm(x, 2, { alpha: 1e-9 })],
    ["rectified", (x) => relu(x)],
  ];
  const [name, layer] = draw.pick(layers);
  return [`${name} (${settings})`, layer];
}

describe("receptive fields", () => {
  it("of random stacks are what notices a change of each pixel, at every place", async (t) => {
    t.diagnostic(`seed ${seed}`);
    const draw = new Draw(seed, 77);
    for (let checked = 0; checked < 25; ) {
      const stack = range(draw.between(1, 4)).map(() => randomLayer(draw));
      const net: Net = (x) => stack.reduce((value, [, layer]) => layer(value), x);
      const input = [channels, draw.between(7, 10), draw.between(7, 10)] as const;
      const text = `seed ${seed}: ${stack.map(([name]) => name).join(", ")} on ${input}`;
      try {
        summarize(net, [1, ...input], { memory: false });
      } catch (error) {
        // Windows that do not fit, and the like.
        if (error instanceof FoveaError && error.code !== "FOVEA_INTERNAL") continue;
        throw error;
      }
      await check(net, input, text);
      checked++;
    }
  });

  it("of networks with branches span what any path sees", async (t) => {
    t.diagnostic(`seed ${seed}`);
    const draw = new Draw(seed, 78);
    for (let checked = 0; checked < 6; checked++) {
      const branches = range(draw.between(2, 3)).map((): Net => {
        const kernels = range(draw.between(1, 3)).map(() => [1 + 2 * draw.between(0, 2), 1 + 2 * draw.between(0, 2)]);
        const dilation = draw.between(1, 2);
        const layers = kernels.map((kernel): Net => {
          const weight = ones([channels, channels, ...kernel]);
          return (x) => conv2d(x, weight, null, { padding: "same", dilation });
        });
        return (x) => layers.reduce((value, layer) => layer(value), x);
      });
      const join = draw.pick([
        (parts: Tensor[]) => concat(parts, 1),
        (parts: Tensor[]) => parts.reduce((a, b) => add(a, b)),
      ]);
      const size = 11;
      const net: Net = (x) => new nn.AvgPool2d(2)(join([...branches.map((branch) => branch(x)), x]));
      const { notices, places } = await measure(net, [channels, size, size]);
      for (const place of [
        [0, 0],
        [2, 2],
        [4, 1],
      ]) {
        const seen = seenFrom(net, [1, channels, size, size], place);
        const noticed = [
          range(size).filter((y) => range(size).some((x) => notices(place, [y, x]))),
          range(size).filter((x) => range(size).some((y) => notices(place, [y, x]))),
        ];
        const ends = (list: readonly number[]) => [list[0], list.at(-1)];
        assert.deepEqual(
          seen.map(({ first, last }) => [first, last]),
          noticed.map(ends),
          `seed ${seed}: place ${place} of ${places}`,
        );
      }
    }
  });

  it("are where the gradient of the output's middle is not zero", async () => {
    const shape = [1, 3, 44, 44] as const;
    const nets: Readonly<Record<string, Net>> = {
      "a residual block": (x) => {
        const kernel = ones([3, 3, 3, 3]);
        const down = conv2d(x, kernel, null, { stride: 2, padding: 1 });
        return add(conv2d(conv2d(down, kernel, null, { padding: 1 }), kernel, null, { padding: 1 }), down);
      },
      "down and up again": (x) => {
        const down = new nn.AvgPool2d(4)(conv2d(x, ones([3, 3, 5, 5]), null, { padding: 2 }));
        return concat([upsample(down, { scale: 4, mode: "linear" }), x], 1);
      },
      "rows beside columns": (x) =>
        concat([conv2d(x, ones([1, 3, 7, 1])), conv2d(slice(x, null, null, [0, 38]), ones([1, 3, 1, 1]))], 1),
    };
    for (const [name, net] of Object.entries(nets)) {
      const x = ones(shape);
      const maps = sum(net(x), 1);
      const place = [Math.floor(maps.shape[1] / 2), Math.floor(maps.shape[2] / 2)];
      const [slope] = grad(sum(slice(maps, null, place[0], place[1])), [x]);
      const values = await sum(slope, [0, 1]).data();
      const touched = range(44 * 44).filter((pixel) => values[pixel] > 0);
      const bounds = (list: readonly number[]) => [Math.min(...list), Math.max(...list)];
      assert.deepEqual(
        seenFrom(net, shape, place).map(({ first, last }) => [first, last]),
        [bounds(touched.map((pixel) => Math.floor(pixel / 44))), bounds(touched.map((pixel) => pixel % 44))],
        name,
      );
    }
  });

  it("are empty in a border around what has come down to one place", () => {
    const around: Readonly<Record<string, Net>> = {
      "global average": (x) =>
        pad(
          new nn.AdaptiveAvgPool2d(1)(x),
          [
            [1, 1],
            [1, 1],
          ],
          1,
        ),
      "places to channels": (x) => {
        const parts = pixelUnshuffle(new nn.AdaptiveAvgPool2d(2)(x), 2);
        return pad(
          conv2d(parts, ones([2, 8, 1, 1])),
          [
            [1, 1],
            [1, 1],
          ],
          1,
        );
      },
      "a convolution's own border": (x) =>
        conv2d(new nn.AdaptiveAvgPool2d(1)(x), ones([2, 2, 1, 1]), null, { padding: 1 }),
    };
    for (const [name, net] of Object.entries(around)) {
      const nothing = { first: 0, last: -1, count: 0 };
      assert.deepEqual(seenFrom(net, [1, 2, 9, 7], [0, 0]), [nothing, nothing], name);
      assert.deepEqual(seenFrom(net, [1, 2, 9, 7], [0, 1]), [nothing, nothing], name);
      assert.deepEqual(
        seenFrom(net, [1, 2, 9, 7], [1, 1]),
        [
          { first: 0, last: 8, count: 9 },
          { first: 0, last: 6, count: 7 },
        ],
        name,
      );
      assert.deepEqual(pixelUse(net, [1, 2, 9, 7]), [Array(9).fill(1), Array(7).fill(1)], name);
    }
  });

  it("stay with the places of which every second row goes to channels, also where it sees less than a place", async () => {
    const net: Net = (x) => {
      const pooled = new nn.MaxPool2d(1, { stride: [2, 1] })(x);
      const spread = convTranspose2d(pooled, ones([2, 2, 3, 2]), null, { padding: [1, 0], dilation: [2, 1] });
      return conv2d(pixelUnshuffle(spread, 2), ones([2, 8, 1, 1]));
    };
    assert.deepEqual(seenFrom(net, [1, 2, 8, 7], [0, 0])[0], { first: 0, last: 4, count: 3 });
    await check(net, [2, 8, 7], "every second row, then places to channels");
    // Where each place sees the whole picture, the rule goes on.
    const wide: Net = (x) => pixelUnshuffle(conv2d(x, ones([2, 2, 17, 17]), null, { padding: 8 }), 2);
    assert.deepEqual(summarize(wide, [1, 2, 8, 8], { memory: false }).root.receptiveField, {
      size: 18,
      stride: 2,
      start: -8,
    });
  });

  it("follow max-unpooling back to the windows", async () => {
    const net: Net = (x) => {
      const { values, indices } = maxPool2dWithIndices(x, 2);
      return maxUnpool2d(conv2d(values, ones([2, 2, 3, 3]), null, { padding: 1 }), indices, [12, 12]);
    };
    const { receptiveField } = summarize(net, [1, 2, 12, 12], { memory: false }).root;
    assert.deepEqual(receptiveField, { size: 6, stride: 1, start: -2 });
    assert.deepEqual(seenFrom(net, [1, 2, 12, 12], [5, 11]), [
      { first: 2, last: 7, count: 6 },
      { first: 8, last: 11, count: 4 },
    ]);
  });

  it("are pairs where the axes differ, and numbers for one axis", () => {
    const flat = summarize(new nn.Conv2d(1, 1, [1, 7], { stride: [1, 2], padding: [0, 3] }), [1, 1, 9, 20], {
      memory: false,
    });
    assert.deepEqual(flat.root.receptiveField, { size: [1, 7], stride: [1, 2], start: [0, -3] });
    const sound = new nn.Sequential(
      new nn.Conv1d(1, 4, 5, { stride: 2 }),
      new nn.MaxPool1d(2),
      new nn.Conv1d(4, 4, 3, { dilation: 2 }),
    );
    assert.deepEqual(summarize(sound, [1, 1, 100], { memory: false }).root.receptiveField, {
      size: 23,
      stride: 4,
      start: 0,
    });
    const video = summarize(new nn.Conv3d(1, 2, [3, 5, 7]), [1, 1, 8, 9, 10], { memory: false });
    assert.deepEqual(video.root.receptiveField, { size: [3, 5, 7], stride: 1, start: 0 });
    assert.equal(video.macs, 2 * 6 * 5 * 4 * 3 * 5 * 7);
  });

  it("are the whole input after global operations, and from there on", () => {
    const gate = new nn.Sequential(new nn.GlobalAvgPool(), new nn.Linear(4, 4), new nn.Sigmoid());
    const nets: Readonly<Record<string, Net>> = {
      "global pooling": new nn.AdaptiveAvgPool2d(1),
      "squeeze and excitation": (x) => mul(x, reshape(gate(x), [1, 4, 1, 1])),
      "normalization over a sample": new nn.GroupNorm(2, 4),
      "attention over places": (x) => {
        const rows = reshape(x, [4, -1]);
        return softmax(matmul(transpose(rows), rows));
      },
      "fully connected": (x) =>
        new nn.Linear(4 * 9 * 9, 3)(flatten(conv2d(x, ones([4, 4, 3, 3]), null, { padding: 1 }))),
    };
    for (const [name, net] of Object.entries(nets)) {
      assert.deepEqual(
        summarize(net, [1, 4, 9, 9], { memory: false }).root.receptiveField,
        { size: 9, stride: 0, start: 0 },
        name,
      );
    }
  });

  it("ignore the statistics of a batch, in training as in evaluation", () => {
    const net = new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.BatchNorm2d(2), new nn.ReLU());
    for (const training of [false, true]) {
      const { root } = summarize(net, [4, 1, 9, 9], { memory: false, training });
      assert.deepEqual(root.receptiveField, { size: 3, stride: 1, start: 0 });
    }
  });

  it("use each pixel as often as the lecture's figure for 1×1, 2×2 and 3×3 kernels says", () => {
    const uses = [1, 2, 3].map((kernel) => pixelUse(new nn.Conv2d(1, 1, kernel), [1, 1, 6, 6])[0]);
    assert.deepEqual(uses, [
      [1, 1, 1, 1, 1, 1],
      [1, 2, 2, 2, 2, 1],
      [1, 2, 3, 3, 2, 1],
    ]);
    const { pixelUse: use } = summarize(new nn.Conv2d(1, 1, 3, { padding: 1 }), [1, 1, 6, 6]).root;
    assert.deepEqual(use, { least: 4, most: 9, mean: 256 / 36 });
  });
});

/** Of Araujo, Norris & Sim, "Computing receptive fields of convolutional neural networks" (Distill 2019). */
describe("published receptive fields", () => {
  /** Of the last map before everything is pooled or connected. */
  function fieldOf(name: string, layer: string) {
    const { inputShape, create } = models.find(name);
    const { layers } = summarize(create({ width: 0.125 }), [1, ...inputShape], { memory: false });
    const found = layers.filter((each) => each.name === layer);
    assert.ok(found.length > 0, `${name} has ${layers.map((each) => each.name)}`);
    return found.at(-1)?.receptiveField;
  }

  const known = [
    ["alexnet", "features.12", { size: 195, stride: 32, start: -66 }],
    ["vgg16", "features.30", { size: 212, stride: 32, start: -90 }],
    ["mobilenet_v1", "features.13.1.relu", { size: 315, stride: 32, start: -157 }],
    ["inception_v3", "Mixed_7c.concat", { size: 1311, stride: 32, start: -618 }],
  ] as const;
  for (const [name, layer, field] of known) {
    it(`of ${name} is ${field.size}`, () => assert.deepEqual(fieldOf(name, layer), field));
  }

  it("of ResNet-50 differ with the place of the strides", () => {
    // As in torchvision: in the first 3×3 convolution of a stage.
    assert.deepEqual(fieldOf("resnet50", "layer4.2.relu"), { size: 427, stride: 32, start: -213 });
    // Before it, here at the end of the stage before: 483.
    const blocks = [3, 4, 6, 3].flatMap((count, stage) =>
      range(count).map((block) => (stage < 3 && block === count - 1 ? 2 : 1)),
    );
    const net = new nn.Sequential(
      new nn.Conv2d(1, 1, 7, { stride: 2, padding: 3 }),
      new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
      ...blocks.map((stride) => new nn.Conv2d(1, 1, 3, { stride, padding: 1 })),
    );
    assert.deepEqual(summarize(net, [1, 1, 224, 224], { memory: false }).root.receptiveField, {
      size: 483,
      stride: 32,
      start: -241,
    });
  });
});
