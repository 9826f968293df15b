/** Attention, as in transformers. */

import type { Tensor } from "../../../graph/tensor.js";
import { add, mul, sub } from "../../../ops/elementwise/arithmetic.js";
import { equal, greaterEqual, less, lessEqual, logicalAnd } from "../../../ops/elementwise/comparison.js";
import { tanh } from "../../../ops/elementwise/functions.js";
import { where } from "../../../ops/elementwise/select.js";
import { arange } from "../../../ops/indexing/oneHot.js";
import { take } from "../../../ops/indexing/take.js";
import { matmul } from "../../../ops/linear/matmul.js";
import { max } from "../../../ops/reduce/extreme.js";
import { expand } from "../../../ops/reduce/sum.js";
import { concat, stack } from "../../../ops/shape/concat.js";
import { pad } from "../../../ops/shape/pad.js";
import { permute, transpose } from "../../../ops/shape/permute.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { type Range, slice } from "../../../ops/shape/slice.js";
import { softmax } from "../../../ops/softmax.js";
import type { Call } from "../call.js";
import { define, float, int, type OpTable, type Outputs } from "../definition.js";
import { type TensorValue, tensorValue } from "../value.js";
import type { Flags, Int } from "./numeric.js";

interface AttentionSettings {
  readonly is_causal: number;
  readonly kv_num_heads: number | undefined;
  readonly left_window_size: number;
  readonly q_num_heads: number | undefined;
  readonly qk_matmul_output_mode: number;
  readonly right_window_size: number;
  readonly scale: number | undefined;
  readonly softcap: number;
}

/** N×L×(heads · features) as N×heads×L×features. */
function inHeads(call: Call, index: number, heads: number | undefined): Tensor {
  const x = call.float(index);
  if (x.rank === 4) return x;
  if (x.rank !== 3 || heads === undefined || x.shape[2] % heads !== 0)
    throw call.shapeError(
      `input ${index} is ${x.shape.join("×")}. Expected N×heads×L×features, or N×L×(heads · features) and the number of heads`,
    );
  const [n, length, width] = x.shape;
  return permute(reshape(x, [n, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** Keys or values for each head of the queries, of which several may share one. */
function shared(x: Tensor, heads: number): Tensor {
  const [n, own, length, features] = x.shape;
  if (own === heads || heads % own !== 0) return x;
  const spread = expand(reshape(x, [n, own, 1, length, features]), [n, own, heads / own, length, features]);
  return reshape(spread, [n, heads, length, features]);
}

const never = Number.NEGATIVE_INFINITY;

/** What is added to the scores: −∞ where a query must not look; undefined where all may look everywhere. */
function biasOf(call: Call, settings: AttentionSettings, queries: number, keys: number): Tensor | undefined {
  const past = call.has(4) ? call.shape(4)[2] : 0;
  const lengths = call.has(6) ? reshape(call.int(6), [-1, 1, 1, 1]) : undefined;
  const column = arange(keys);
  // The place of each query among all keys.
  const own = reshape(arange(queries), [queries, 1]);
  const place = (lengths !== undefined && !call.has(4) ? add(own, sub(lengths, queries)) : add(own, past)) as Int;
  const conditions: Flags[] = [];
  if (settings.is_causal !== 0) conditions.push(lessEqual(column, place) as Flags);
  const { left_window_size: left, right_window_size: right } = settings;
  if (left >= 0) conditions.push(greaterEqual(column, sub(place, left)) as Flags);
  if (right >= 0) conditions.push(lessEqual(column, add(place, right)) as Flags);
  if (lengths !== undefined) conditions.push(less(column, lengths) as Flags);
  let bias = call.has(3) ? maskOf(call, keys) : undefined;
  if (conditions.length > 0) {
    const allowed = conditions.reduce((a, b) => logicalAnd(a, b) as Flags);
    bias = where(allowed, bias ?? 0, never) as Tensor;
    if (bias.rank === 2) bias = reshape(bias, [1, 1, ...bias.shape]);
  }
  return bias;
}

/** The given mask, of truth values or of what is to be added, as long as the keys. */
function maskOf(call: Call, keys: number): Tensor {
  const { tensor, type } = call.any(3);
  const mask = type === "bool" ? (where(call.flags(3), 0, never) as Tensor) : (tensor as Tensor);
  return pad(mask, [[0, Math.max(0, keys - mask.shape[mask.rank - 1])]], never);
}

function attention(call: Call, settings: AttentionSettings): Outputs {
  const { q_num_heads: queryHeads, kv_num_heads: keyHeads, qk_matmul_output_mode: shown, softcap } = settings;
  const query = inHeads(call, 0, queryHeads);
  const cached = (index: number, past: number) => {
    const fresh = inHeads(call, index, keyHeads);
    return call.has(past) ? concat([call.float(past), fresh], 2) : fresh;
  };
  const [key, value] = [cached(1, 4), cached(2, 5)];
  const [n, heads, queries, features] = query.shape;
  const scale = settings.scale ?? 1 / Math.sqrt(features);
  const raw = mul(matmul(query, transpose(shared(key, heads))), scale) as Tensor;
  const capped = softcap > 0 ? (mul(tanh(mul(raw, 1 / softcap) as Tensor), softcap) as Tensor) : raw;
  const bias = biasOf(call, settings, queries, key.shape[2]);
  const scores = bias === undefined ? capped : (add(capped, bias) as Tensor);
  const shares = bias === undefined ? softmax(scores) : guarded(scores, bias);
  const result = matmul(shares, shared(value, heads));
  const flat = call.tensor(0).rank === 3;
  const output = flat ? reshape(permute(result, [0, 2, 1, 3]), [n, queries, heads * result.shape[3]]) : result;
  const type = call.type(0);
  const steps = [raw, capped, expand(scores, raw.shape), shares];
  return [
    tensorValue(type, output),
    tensorValue(call.type(1), key),
    tensorValue(call.type(2), value),
    tensorValue(type, steps[shown] ?? raw),
  ];
}

/** Softmax, with zeros for queries that may look nowhere. */
function guarded(scores: Tensor, bias: Tensor): Tensor {
  const nowhere = equal(max(bias, -1, { keepdim: true }), never) as Flags;
  return where(nowhere, 0, softmax(where(nowhere, 0, scores) as Tensor)) as Tensor;
}

interface RotarySettings {
  readonly interleaved: number;
  readonly num_heads: number | undefined;
  readonly rotary_embedding_dim: number;
}

/** Turns pairs of features by an angle that grows with the position (Su et al. 2021). */
function rotated(call: Call, settings: RotarySettings): TensorValue {
  const given = call.float(0);
  const x = inHeads(call, 0, settings.num_heads || undefined);
  const [n, , length, features] = x.shape;
  const turned = settings.rotary_embedding_dim || features;
  const cache = (index: number) => {
    const table = call.float(index);
    const rows = call.has(3) ? take(table, call.int(3)) : table;
    return reshape(expand(rows, [n, length, turned / 2]), [n, 1, length, turned / 2]);
  };
  const [cosine, sine] = [cache(1), cache(2)];
  const part = (range: Range) => slice(x, null, null, null, range);
  const halves: readonly [Range, Range] =
    settings.interleaved === 0
      ? [
          [0, turned / 2],
          [turned / 2, turned],
        ]
      : [
          [0, turned, 2],
          [1, turned, 2],
        ];
  const [a, b] = halves.map(part);
  const real = sub(mul(cosine, a), mul(sine, b)) as Tensor;
  const imaginary = add(mul(sine, a), mul(cosine, b)) as Tensor;
  const pairs =
    settings.interleaved === 0
      ? concat([real, imaginary], 3)
      : reshape(stack([real, imaginary], 4), [...x.shape.slice(0, 3), turned]);
  const whole = turned === features ? pairs : concat([pairs, part([turned, features])], 3);
  return tensorValue(call.type(0), given.rank === 3 ? reshape(permute(whole, [0, 2, 1, 3]), given.shape) : whole);
}

const attributes = {
  is_causal: int(0),
  kv_num_heads: int(),
  q_num_heads: int(),
  qk_matmul_output_mode: int(0),
  scale: float(),
  softcap: float(0),
  softmax_precision: int(),
};

export const attentions: OpTable = {
  Attention: [
    define({
      since: 23,
      attributes,
      build: (call, settings) => attention(call, { ...settings, left_window_size: -1, right_window_size: -1 }),
    }),
    define({
      since: 25,
      attributes: { ...attributes, left_window_size: int(-1), right_window_size: int(-1) },
      build: attention,
    }),
  ],
  RotaryEmbedding: [
    define({
      since: 23,
      attributes: { interleaved: int(0), num_heads: int(), rotary_embedding_dim: int(0) },
      build: rotated,
    }),
  ],
};
