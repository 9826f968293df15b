/** Random settings of ops on arrays of any rank: products, reductions, moving and picking elements, random numbers. */

import { type Configuration, type Draw, floats } from "./draw.js";

function reduction(draw: Draw, empty: boolean) {
  const shape = draw.shape(0, 5, { longest: draw.pick([5, 9]), empty: false });
  if (shape.length > 0 && draw.oneIn(2)) shape[draw.integer(shape.length)] = draw.between(1, 70);
  const axes = shape.map((_, axis) => axis).filter(() => !draw.oneIn(2));
  if (shape.length > 0 && draw.oneIn(12)) {
    const at = draw.integer(shape.length);
    if (empty || !axes.includes(at)) {
      shape[at] = 0;
      draw.traits.add(axes.includes(at) ? "sum of nothing" : "empty");
    }
  }
  const keepdim = draw.oneIn(2);
  draw.trait("no axes", axes.length === 0);
  draw.trait("all axes", axes.length === shape.length && axes.length > 0);
  draw.trait("first and last kept apart", axes.length > 1 && axes.some((axis, i) => i > 0 && axis > axes[i - 1] + 1));
  return { shape, params: { axes, keepdim } };
}

function numeric(draw: Draw, shape: readonly number[]) {
  const dtype = draw.oneIn(4) ? "int32" : "float32";
  draw.trait(dtype, dtype === "int32");
  return { shape, dtype, below: 50 } as const;
}

function extreme(draw: Draw): Configuration {
  const { shape, params } = reduction(draw, false);
  return { inputs: { input: numeric(draw, shape) }, params };
}

function argExtreme(draw: Draw) {
  const shape = draw.shape(1, 4, { empty: false });
  const axis = draw.integer(shape.length);
  if (draw.oneIn(2)) shape[axis] = draw.between(1, 70);
  else if (draw.oneIn(6) && shape.length > 1) {
    shape[(axis + 1) % shape.length] = 0;
    draw.traits.add("empty");
  }
  draw.trait("last axis", axis === shape.length - 1);
  draw.trait("first of several axes", axis === 0 && shape.length > 1);
  return { inputs: { input: numeric(draw, shape) }, params: { axis, keepdim: draw.oneIn(2) } };
}

/** A piece inside a whole: where it begins, and by which steps it goes on. */
function piece(draw: Draw) {
  const size = draw.shape(1, 5, { longest: draw.pick([3, 7]) });
  const step = size.map(() => draw.pick([1, 1, 1, 2, 3, -1, -2]));
  const before = size.map(() => draw.between(0, 2));
  const shape = size.map((length, axis) => {
    return before[axis] + Math.max(0, (length - 1) * Math.abs(step[axis]) + 1) + draw.between(length === 0 ? 1 : 0, 2);
  });
  const begin = size.map((length, axis) => {
    return step[axis] > 0 ? before[axis] : before[axis] + Math.max(0, length - 1) * -step[axis];
  });
  draw.trait(
    "backwards",
    step.some((each, axis) => each < 0 && size[axis] > 1),
  );
  draw.trait(
    "with gaps",
    step.some((each, axis) => Math.abs(each) > 1 && size[axis] > 1),
  );
  return { shape, begin, step, size };
}

function along(draw: Draw) {
  const shape = draw.shape(1, 4, { longest: 7, empty: false });
  const axis = draw.integer(shape.length);
  const count = draw.between(1, 9);
  draw.trait("more picked than there are", count > shape[axis]);
  draw.trait("last axis", axis === shape.length - 1);
  const other = shape.findIndex((_, i) => i !== axis);
  if (other >= 0 && draw.oneIn(10)) {
    shape[other] = 0;
    draw.traits.add("empty");
  }
  return { shape, axis, picked: shape.map((length, i) => (i === axis ? count : length)) };
}

function taken(draw: Draw) {
  const { shape, axis } = along(draw);
  const places = draw.shape(0, 3, { longest: 4 });
  draw.trait("indices with several axes", places.length > 1);
  return { shape, axis, indices: draw.indices(places, shape[axis]), places };
}

function draws(draw: Draw, shape: readonly number[]): Configuration {
  return { inputs: { draw: draw.indices([4], 2 ** 31 - 1) }, params: { shape } };
}

export const arrayConfigurations = {
  matmul(draw: Draw): Configuration {
    const [rows, inner, columns] = [draw.length(), draw.length(), draw.length()];
    const [transposeA, transposeB] = [draw.oneIn(2), draw.oneIn(2)];
    const batch = draw.oneIn(12) ? 0 : draw.between(2, 4);
    const lead = draw.pick([
      [[], []],
      [[batch], [batch]],
      [[batch], []],
      [[], [batch]],
      [[batch], [1]],
      [[1], [batch]],
      [[1], [1]],
    ] as const);
    draw.trait("transposed", transposeA || transposeB);
    draw.trait("both transposed", transposeA && transposeB);
    draw.trait("batch shared", lead[0].length + lead[1].length > 0 && lead[0][0] !== lead[1][0]);
    draw.trait("empty batch", [...lead[0], ...lead[1]].includes(0));
    const empty = draw.oneIn(15) ? draw.pick(["rows", "inner"] as const) : undefined;
    draw.trait(`empty ${empty}`, empty !== undefined);
    const [m, k] = [empty === "rows" ? 0 : rows, empty === "inner" ? 0 : inner];
    const a = [...lead[0], ...(transposeA ? [k, m] : [m, k])];
    const b = [...lead[1], ...(transposeB ? [columns, k] : [k, columns])];
    return { inputs: { a: floats(a), b: floats(b) }, params: { transposeA, transposeB } };
  },
  sum(draw: Draw): Configuration {
    const { shape, params } = reduction(draw, true);
    return { inputs: { input: numeric(draw, shape) }, params };
  },
  max: extreme,
  min: extreme,
  argMax: argExtreme,
  argMin: argExtreme,
  argSort(draw: Draw): Configuration {
    const { inputs, params } = argExtreme(draw);
    draw.trait("equal values", inputs.input.dtype === "int32");
    const descending = draw.oneIn(2);
    draw.trait("descending", descending);
    const length = inputs.input.shape[params.axis];
    const count = draw.oneIn(2) ? length : draw.between(0, length);
    draw.trait("few", count < length / 4);
    return { inputs, params: { axis: params.axis, descending, count } };
  },
  permute(draw: Draw): Configuration {
    const shape = draw.shape(1, 6, { longest: draw.pick([3, 5]) });
    const axes = [...draw.permutation(shape.length)];
    draw.trait(
      "as it was",
      axes.every((axis, i) => axis === i),
    );
    draw.trait("last axis moved", axes[shape.length - 1] !== shape.length - 1);
    return { inputs: { input: draw.anyType(shape) }, params: { axes } };
  },
  expand(draw: Draw): Configuration {
    const shape = draw.shape(0, 5, { longest: 7 });
    const own = shape.map((length) => (draw.oneIn(2) ? 1 : length)).slice(draw.between(0, shape.length));
    draw.trait("new axes", own.length < shape.length);
    draw.trait(
      "one element",
      own.every((length) => length === 1),
    );
    return { inputs: { input: draw.anyType(own) }, params: { shape } };
  },
  slice(draw: Draw): Configuration {
    const { shape, begin, step, size } = piece(draw);
    return { inputs: { input: draw.anyType(shape) }, params: { begin, step, size } };
  },
  embed(draw: Draw): Configuration {
    const { shape, begin, step, size } = piece(draw);
    const input = draw.anyType(size);
    const value = input.dtype === "float32" ? draw.pick([0, 0, 1.5, -2]) : draw.integer(2);
    draw.trait("filled with other than 0", value !== 0);
    return { inputs: { input }, params: { shape, begin, step, value } };
  },
  concat(draw: Draw): Configuration {
    const shape = draw.shape(1, 4, { longest: 7 });
    const axis = draw.integer(shape.length);
    const count = draw.pick([1, 2, 2, 3, 5, 9]);
    const { dtype, below } = draw.anyType(shape);
    draw.trait("one part", count === 1);
    draw.trait("many parts", count > 5);
    const parts = Array.from({ length: count }, (_, i) => {
      const length = draw.oneIn(10) ? 0 : draw.length(7);
      draw.trait("empty part", length === 0);
      return [String(i), { shape: shape.map((each, at) => (at === axis ? length : each)), dtype, below }] as const;
    });
    return { inputs: Object.fromEntries(parts), params: { axis } };
  },
  takeAlongAxis(draw: Draw): Configuration {
    const { shape, axis, picked } = along(draw);
    return { inputs: { input: draw.anyType(shape), indices: draw.indices(picked, shape[axis]) }, params: { axis } };
  },
  scatterAlongAxis(draw: Draw): Configuration {
    const { shape, axis, picked } = along(draw);
    const inputs = { upstream: floats(picked), indices: draw.indices(picked, shape[axis]) };
    return { inputs, params: { axis, length: shape[axis] } };
  },
  take(draw: Draw): Configuration {
    const { shape, axis, indices } = taken(draw);
    return { inputs: { input: draw.anyType(shape), indices }, params: { axis } };
  },
  scatterTake(draw: Draw): Configuration {
    const { shape, axis, indices, places } = taken(draw);
    const upstream = floats([...shape.slice(0, axis), ...places, ...shape.slice(axis + 1)]);
    return { inputs: { upstream, indices }, params: { axis, length: shape[axis] } };
  },
  oneHot(draw: Draw): Configuration {
    const classes = draw.length();
    return { inputs: { indices: draw.indices(draw.shape(0, 3), classes) }, params: { classes } };
  },
  iota: (draw: Draw): Configuration => ({ inputs: {}, params: { shape: draw.shape(0, 3) } }),
  uniform: (draw: Draw): Configuration => draws(draw, draw.shape(0, 3, { longest: 17 })),
  normal: (draw: Draw): Configuration => draws(draw, draw.shape(0, 3, { longest: 17 })),
} as const;
