/** Detection: boxes that are chosen, and the pictures in them. */

import { sizeOf } from "../../../core/shape.js";
import type { Tensor } from "../../../graph/tensor.js";
import { full, tensor } from "../../../ops/create.js";
import { mul } from "../../../ops/elementwise/arithmetic.js";
import { where } from "../../../ops/elementwise/select.js";
import { take } from "../../../ops/indexing/take.js";
import { scatterPlane } from "../../../ops/pooling/planes.js";
import { max } from "../../../ops/reduce/extreme.js";
import { expand, sum } from "../../../ops/reduce/sum.js";
import { stack } from "../../../ops/shape/concat.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { type Range, slice } from "../../../ops/shape/slice.js";
import type { Call } from "../call.js";
import { constantFrom } from "../constants.js";
import { define, float, int, ints, type OpTable, type Outputs, required, type Steps, string } from "../definition.js";
import { tensorValue } from "../value.js";

type Numbers = Float64Array<ArrayBuffer>;

/** The corners of box `i`, the lower ones first. */
function cornersOf(boxes: Numbers, i: number, centred: boolean): readonly [number, number, number, number] {
  const [a, b, c, d] = boxes.subarray(4 * i, 4 * i + 4);
  if (centred) return [a - c / 2, b - d / 2, a + c / 2, b + d / 2];
  return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
}

/** Whether two boxes share more than a part of the area that they cover together. */
function overlap(a: readonly number[], b: readonly number[], limit: number): boolean {
  const sides = [0, 1].map((i) => Math.min(a[i + 2], b[i + 2]) - Math.max(a[i], b[i]));
  if (sides[0] <= 0 || sides[1] <= 0) return false;
  const shared = sides[0] * sides[1];
  const areas = [a, b].map((box) => (box[2] - box[0]) * (box[3] - box[1]));
  if (areas[0] <= 0 || areas[1] <= 0) return false;
  return shared / (areas[0] + areas[1] - shared) > limit;
}

/** For each sample and class the boxes with the best scores, but for those that a better one overlaps. */
function* nonMaxSuppressed(
  call: Call,
  { center_point_box: centred }: { readonly center_point_box: number },
): Steps<Outputs> {
  const boxes = yield* call.numbers(0);
  const scores = yield* call.numbers(1);
  const most = call.has(2) ? yield* call.number(2) : 0;
  const limit = call.has(3) ? yield* call.number(3) : 0;
  const least = call.has(4) ? yield* call.number(4) : undefined;
  const [samples, classes, count] = call.shape(1);
  const chosen: number[] = [];
  for (let row = 0; row < samples * classes; row++) {
    const sample = Math.floor(row / classes);
    const own = scores.subarray(row * count, (row + 1) * count);
    const order = Array.from(own.keys())
      .filter((i) => least === undefined || own[i] > least)
      .sort((a, b) => own[b] - own[a] || a - b);
    const kept: (readonly number[])[] = [];
    for (const i of order) {
      if (kept.length >= most) break;
      const box = cornersOf(boxes, sample * count + i, centred !== 0);
      if (kept.some((better) => overlap(box, better, limit))) continue;
      kept.push(box);
      chosen.push(sample, row % classes, i);
    }
  }
  return tensorValue("int64", constantFrom("int64", [chosen.length / 3, 3], Float64Array.from(chosen)));
}

interface AlignSettings {
  readonly coordinate_transformation_mode: string;
  readonly mode: string;
  readonly output_height: number;
  readonly output_width: number;
  readonly sampling_ratio: number;
  readonly spatial_scale: number;
}

/** Places along one axis of a region: for each cell of the result, the samples in it. */
interface Places {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  /** Weight of the upper element; undefined beyond the picture. */
  readonly share: readonly (number | undefined)[];
  readonly samples: number;
}

function placesIn(call: Call, begin: number, length: number, cells: number, ratio: number, size: number): Places {
  const each = length / cells;
  const samples = ratio > 0 ? ratio : Math.ceil(each);
  const lower: number[] = [];
  const upper: number[] = [];
  const share: (number | undefined)[] = [];
  for (let i = 0; i < call.tableLength(cells * samples); i++) {
    const at = begin + Math.floor(i / samples) * each + (((i % samples) + 0.5) * each) / samples;
    const beyond = at < -1 || at > size;
    const inside = Math.max(at, 0);
    const below = Math.min(Math.floor(inside), size - 1);
    lower.push(below);
    upper.push(Math.min(below + 1, size - 1));
    share.push(beyond ? undefined : below === size - 1 ? 0 : inside - below);
  }
  return { lower, upper, share, samples };
}

/** The mean, or the largest part, of points spread over each cell of a region. */
function* regionsAligned(call: Call, settings: AlignSettings): Steps<Outputs> {
  const x = call.float(0);
  const regions = yield* call.numbers(1);
  const samplesOf = yield* call.integers(2);
  const { output_height: rows, output_width: columns, sampling_ratio: ratio, spatial_scale: scale } = settings;
  if (settings.mode !== "avg" && settings.mode !== "max") throw call.error(`mode is ${JSON.stringify(settings.mode)}`);
  const half = settings.coordinate_transformation_mode === "half_pixel";
  const [, channels, height, width] = x.shape;
  const results = samplesOf.map((sample, i) => {
    const [left, top, right, bottom] = Array.from(
      regions.subarray(4 * i, 4 * i + 4),
      (at) => at * scale - (half ? 0.5 : 0),
    );
    // Without the half, regions are at least one element large.
    const least = (length: number) => (half ? length : Math.max(length, 1));
    const down = placesIn(call, top, least(bottom - top), rows, ratio, height);
    const across = placesIn(call, left, least(right - left), columns, ratio, width);
    call.tableLength(4 * rows * columns * down.samples * across.samples);
    const picture = reshape(slice(x, sample), [channels, height * width]);
    return cellsOf(picture, down, across, [rows, columns], width, settings.mode === "max");
  });
  if (results.length === 0) return tensorValue(call.type(0), full([0, channels, rows, columns], 0));
  return tensorValue(call.type(0), stack(results, 0));
}

/** Each point is made of four elements; a cell is their mean over all points, or the largest of their parts. */
function cellsOf(
  picture: Tensor,
  down: Places,
  across: Places,
  [rows, columns]: readonly [number, number],
  width: number,
  largest: boolean,
): Tensor {
  const indices: number[] = [];
  const weights: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let i = row * down.samples; i < (row + 1) * down.samples; i++) {
        for (let k = column * across.samples; k < (column + 1) * across.samples; k++) {
          const [y, z] = [down.share[i], across.share[k]];
          const inside = y !== undefined && z !== undefined;
          for (const [vertical, line] of [down.lower[i], down.upper[i]].entries()) {
            for (const [horizontal, place] of [across.lower[k], across.upper[k]].entries()) {
              indices.push(line * width + place);
              weights.push(inside ? (vertical === 0 ? 1 - y : y) * (horizontal === 0 ? 1 - z : z) : 0);
            }
          }
        }
      }
    }
  }
  const channels = picture.shape[0];
  const parts = 4 * down.samples * across.samples;
  const shape = [channels, rows, columns];
  if (parts === 0) return full(shape, 0);
  const picked = take(picture, tensor(Int32Array.from(indices), { device: picture.device }), 1);
  const weighed = mul(picked, tensor(Float32Array.from(weights), { device: picture.device }));
  const apart = reshape(weighed as Tensor, [channels, rows * columns, parts]);
  const cells = largest ? max(apart, 2) : (mul(sum(apart, 2), 4 / parts) as Tensor);
  return reshape(cells, shape);
}

interface RoiSettings {
  readonly pooled_shape: readonly number[];
  readonly spatial_scale: number;
}

/** The largest element of each cell of whole elements; a cell of none is 0. */
function* regionsPooled(call: Call, { pooled_shape: cells, spatial_scale: scale }: RoiSettings): Steps<Outputs> {
  const x = call.float(0);
  const regions = yield* call.numbers(1);
  const [, channels, height, width] = x.shape;
  const [rows, columns] = cells;
  const results = Array.from({ length: call.shape(1)[0] }, (_, i) => {
    const [sample, left, top, right, bottom] = regions.subarray(5 * i, 5 * i + 5);
    const at = (place: number) => Math.round(Math.fround(place * scale));
    const down = spansOf(at(top), at(bottom), rows, height);
    const across = spansOf(at(left), at(right), columns, width);
    const longest = (spans: readonly Span[]) => Math.max(1, ...spans.map(({ begin, end }) => end - begin));
    const most = longest(down) * longest(across);
    const indices = new Int32Array(call.tableLength(rows * columns * most));
    const filled = new Uint8Array(rows * columns);
    for (const [row, line] of down.entries()) {
      for (const [column, span] of across.entries()) {
        const cell = row * columns + column;
        const places: number[] = [];
        for (let y = line.begin; y < line.end; y++)
          for (let z = span.begin; z < span.end; z++) places.push(y * width + z);
        filled[cell] = places.length > 0 ? 1 : 0;
        // Smaller cells look at their first element again.
        for (let k = 0; k < most; k++) indices[cell * most + k] = places[k] ?? places[0] ?? 0;
      }
    }
    const picture = reshape(slice(x, sample), [channels, height * width]);
    const picked = take(picture, tensor(indices, { device: x.device }), 1);
    const best = max(reshape(picked, [channels, rows * columns, most]), 2);
    const flags = tensor(filled, [rows * columns], { dtype: "bool", device: x.device });
    return reshape(where(flags, best, 0) as Tensor, [channels, rows, columns]);
  });
  if (results.length === 0) return tensorValue(call.type(0), full([0, channels, rows, columns], 0));
  return tensorValue(call.type(0), stack(results, 0));
}

interface Span {
  readonly begin: number;
  readonly end: number;
}

/** The elements that the cells of one side of a region cover; neighbours may share one. */
function spansOf(first: number, last: number, cells: number, length: number): Span[] {
  const each = Math.max(last - first + 1, 1) / cells;
  const inside = (at: number) => Math.min(Math.max(at + first, 0), length);
  return Array.from({ length: cells }, (_, i) => ({
    begin: inside(Math.floor(i * each)),
    end: inside(Math.ceil((i + 1) * each)),
  }));
}

interface BlockSettings {
  readonly dilations: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
  readonly strides: readonly number[] | undefined;
}

/** Adds up windows where they came from: the opposite of laying windows out as columns. */
function* columnsAdded(call: Call, settings: BlockSettings): Steps<Outputs> {
  const x = call.float(0);
  const [size, block] = [yield* call.integers(1), yield* call.integers(2)];
  const axes = size.length;
  const stride = settings.strides ?? size.map(() => 1);
  const dilation = settings.dilations ?? size.map(() => 1);
  const pads = settings.pads ?? [...size, ...size].map(() => 0);
  const padded = size.map((length, axis) => length + pads[axis] + pads[axis + axes]);
  const counts = padded.map(
    (length, axis) => Math.floor((length - dilation[axis] * (block[axis] - 1) - 1) / stride[axis]) + 1,
  );
  const [n, rows, windows] = x.shape;
  const taps = sizeOf(block);
  if (rows % taps !== 0 || windows !== sizeOf(counts))
    throw call.shapeError(`the input is ${x.shape.join("×")}. Expected N×(C·${taps})×${sizeOf(counts)}`);
  const places = new Int32Array(taps * windows);
  for (let i = 0; i < places.length; i++) {
    let [tap, window, place, weight] = [Math.floor(i / windows), i % windows, 0, 1];
    for (let axis = axes - 1; axis >= 0; axis--) {
      place += ((window % counts[axis]) * stride[axis] + (tap % block[axis]) * dilation[axis]) * weight;
      weight *= padded[axis];
      tap = Math.floor(tap / block[axis]);
      window = Math.floor(window / counts[axis]);
    }
    places[i] = place;
  }
  const channels = rows / taps;
  const values = reshape(x, [n, channels, 1, taps * windows]);
  const indices = expand(tensor(places, [1, 1, 1, places.length], { device: x.device }), values.shape);
  const whole = reshape(scatterPlane(values, indices, [1, sizeOf(padded)]), [n, channels, ...padded]);
  const inner = size.map((length, axis): Range => [pads[axis], pads[axis] + length]);
  return tensorValue(call.type(0), slice(whole, null, null, ...inner));
}

/** Where regions lie decides over what is read. */
const waits = "waits for the regions; no gradient for them";

export const regions: OpTable = {
  NonMaxSuppression: [
    define({
      since: 10,
      note: "waits for boxes and scores",
      attributes: { center_point_box: int(0) },
      build: nonMaxSuppressed,
    }),
  ],
  RoiAlign: [alignForm(10, "output_half_pixel"), alignForm(16, "half_pixel")],
  MaxRoiPool: [
    define({
      since: 1,
      note: waits,
      attributes: { pooled_shape: required(ints()), spatial_scale: float(1) },
      build: regionsPooled,
    }),
  ],
  Col2Im: [
    define({
      since: 18,
      attributes: { dilations: ints(), pads: ints(), strides: ints() },
      known: [1, 2],
      build: columnsAdded,
    }),
  ],
};

/** @param transform what the op did before it had an attribute for it, or that attribute's default */
function alignForm(since: number, transform: string) {
  return define({
    since,
    note: waits,
    attributes: {
      coordinate_transformation_mode: string(transform),
      mode: string("avg"),
      output_height: int(1),
      output_width: int(1),
      sampling_ratio: int(0),
      spatial_scale: float(1),
    },
    build: regionsAligned,
  });
}
