/** Control flow, and lists of tensors. */

import type { AnyTensor } from "../../../graph/tensor.js";
import { full } from "../../../ops/create.js";
import { concat, stack } from "../../../ops/shape/concat.js";
import { pad } from "../../../ops/shape/pad.js";
import { permute } from "../../../ops/shape/permute.js";
import { flip, type Range, slice } from "../../../ops/shape/slice.js";
import type { Call } from "../call.js";
import { constantFrom, constantValues } from "../constants.js";
import { define, graph, int, ints, type OpTable, type Outputs, required, type Steps } from "../definition.js";
import { dtypeOf } from "../elementTypes.js";
import type { GraphPlan } from "../graph.js";
import { type SequenceValue, type TensorValue, tensorValue, type Value } from "../value.js";

/** The number in a value that a body computed. */
function* numberOf(call: Call, value: Value): Steps<number> {
  if (value.kind !== "tensor") throw call.error("a condition is not a tensor");
  const numbers = constantValues(value.tensor) ?? (yield { value, node: call.node });
  return numbers[0];
}

function flag(value: boolean): TensorValue {
  return tensorValue("bool", constantFrom("bool", [], Float64Array.of(Number(value))));
}

/** Steps of a loop that are recorded as one program, at most: more are a mistake or an attack. */
const maxSteps = 10_000;

/** Values of each step one above the other; of none, an empty tensor of the shape that the body says. */
function stacked(call: Call, body: GraphPlan, output: number, values: readonly Value[]): TensorValue {
  const tensors = values.map((value) => {
    if (value.kind === "tensor") return value;
    throw call.error(`output ${output} of its graph is not a tensor`);
  });
  if (tensors.length > 0)
    return tensorValue(
      tensors[0].type,
      stack(
        tensors.map(({ tensor }) => tensor),
        0,
      ),
    );
  const info = body.outputs[output];
  const type = info.type ?? "float32";
  const shape = (info.shape ?? []).map((length) => (typeof length === "number" ? length : 0));
  return tensorValue(type, full([0, ...shape], 0, { dtype: dtypeOf(type) }));
}

/** A body that is run while a condition holds, at most a number of times. */
function* loop(call: Call, { body }: { readonly body: GraphPlan }): Steps<Outputs> {
  const most = call.has(0) ? yield* call.number(0) : Number.POSITIVE_INFINITY;
  let goesOn = call.has(1) ? (yield* call.number(1)) !== 0 : true;
  const count = call.inputs.length - 2;
  let carried = call.inputs.slice(2).map((_, i) => call.value(i + 2));
  const collected: Value[][] = body.outputs.slice(1 + count).map(() => []);
  for (let step = 0; step < most && goesOn; step++) {
    if (step === maxSteps) throw call.error(`the loop takes more than ${maxSteps} steps`);
    const number = tensorValue("int64", constantFrom("int64", [], Float64Array.of(step)));
    const [condition, ...results] = yield* call.run(body, [number, flag(goesOn), ...carried]);
    carried = results.slice(0, count);
    for (const [i, value] of results.slice(count).entries()) collected[i].push(value);
    goesOn = (yield* numberOf(call, condition)) !== 0;
  }
  return [...carried, ...collected.map((values, i) => stacked(call, body, 1 + count + i, values))];
}

interface ScanSettings {
  readonly body: GraphPlan;
  readonly num_scan_inputs: number;
  readonly scan_input_axes: readonly number[] | undefined;
  readonly scan_input_directions: readonly number[] | undefined;
  readonly scan_output_axes: readonly number[] | undefined;
  readonly scan_output_directions: readonly number[] | undefined;
}

interface FirstScanSettings {
  readonly body: GraphPlan;
  readonly num_scan_inputs: number;
  readonly directions: readonly number[] | undefined;
}

/** Along which axis each sequence is scanned, and 1 for those from the end. */
interface Ways {
  readonly axes?: readonly number[] | undefined;
  readonly directions?: readonly number[] | undefined;
}

/** Runs a body for each slice of the values behind the first `states`, which it carries along; each step's results stacked. */
function* scanned(
  call: Call,
  body: GraphPlan,
  values: readonly TensorValue[],
  states: number,
  { axes, directions }: Ways,
): Steps<Value[]> {
  let carried: readonly Value[] = values.slice(0, states);
  const sequences = values.slice(states).map(({ tensor, type }, i) => {
    const axis = call.axis(axes?.[i] ?? 0, tensor.rank);
    return { type, axis, tensor: (directions?.[i] === 1 ? flip(tensor, axis) : tensor) as AnyTensor };
  });
  const length = sequences[0]?.tensor.shape[sequences[0].axis] ?? 0;
  if (length > maxSteps) throw call.error(`the scan takes more than ${maxSteps} steps`);
  const collected: Value[][] = body.outputs.slice(states).map(() => []);
  for (let step = 0; step < length; step++) {
    const slices = sequences.map(({ type, axis, tensor }) =>
      tensorValue(type, slice(tensor, ...tensor.shape.map((_, i): Range => (i === axis ? step : null)))),
    );
    const results = yield* call.run(body, [...carried, ...slices]);
    carried = results.slice(0, states);
    for (const [i, value] of results.slice(states).entries()) collected[i].push(value);
  }
  return [...carried, ...collected.map((steps, i) => stacked(call, body, states + i, steps))];
}

/** A body that is run for each slice of some inputs. */
function* scan(call: Call, settings: ScanSettings): Steps<Outputs> {
  const values = call.inputs.map((_, i) => call.any(i));
  const states = values.length - settings.num_scan_inputs;
  const ways = { axes: settings.scan_input_axes, directions: settings.scan_input_directions };
  const results = yield* scanned(call, settings.body, values, states, ways);
  return results.map((value, i) => {
    if (i < states || value.kind !== "tensor") return value;
    const axis = call.axis(settings.scan_output_axes?.[i - states] ?? 0, value.tensor.rank);
    const turned = settings.scan_output_directions?.[i - states] === 1 ? flip(value.tensor, 0) : value.tensor;
    return tensorValue(value.type, movedAxis(turned, axis));
  });
}

/** In its first form: each sample is scanned for itself, and may be shorter than the others. */
function* scanSamples(call: Call, settings: FirstScanSettings): Steps<Outputs> {
  const lengths = yield* call.optionalIntegers(0);
  const values = call.inputs.slice(1).map((_, i) => call.any(i + 1));
  const samples = values[0].tensor.shape[0];
  const states = values.length - settings.num_scan_inputs;
  const results: Value[][] = [];
  for (let sample = 0; sample < samples; sample++) {
    const own = values.map(({ type, tensor }, i) => {
      const rest: Range = i < states || lengths === undefined ? null : [0, lengths[sample]];
      return tensorValue(type, slice(tensor, sample, ...(tensor.rank > 1 ? [rest] : [])));
    });
    results.push(yield* scanned(call, settings.body, own, states, { directions: settings.directions }));
  }
  const longest = values[states].tensor.shape[1];
  return results[0].map((_, output) =>
    stacked(
      call,
      settings.body,
      output,
      results.map((each) => (output < states ? each[output] : lengthened(each[output], longest))),
    ),
  );
}

/** Zeros behind a tensor's first axis. */
function lengthened(value: Value, length: number): Value {
  if (value.kind !== "tensor") return value;
  const { tensor, type } = value;
  const widths = tensor.shape.map((given, axis) => [0, axis === 0 ? length - given : 0] as const);
  return tensorValue(type, pad(tensor, widths));
}

/** The first axis put to another place. */
function movedAxis(x: AnyTensor, to: number): AnyTensor {
  if (to === 0) return x;
  const rest = x.shape.map((_, i) => i).slice(1);
  return permute(x, [...rest.slice(0, to), 0, ...rest.slice(to)]);
}

function itemsOf(call: Call, index: number): readonly Value[] {
  const value = call.value(index);
  if (value.kind === "sequence") return value.items;
  throw call.error(`input ${index} is not a sequence`);
}

function sequence(items: readonly Value[]): SequenceValue {
  return { kind: "sequence", items };
}

/** A position in a list, counted from the end where it is negative. */
function* position(call: Call, index: number, length: number, most: number): Steps<number> {
  if (!call.has(index)) return most;
  const given = yield* call.number(index);
  const at = given < 0 ? given + length : given;
  if (Number.isInteger(at) && at >= 0 && at <= most) return at;
  throw call.error(`position ${given} is outside of a list of ${length}`);
}

function* splitToSequence(
  call: Call,
  { axis, keepdims }: { readonly axis: number; readonly keepdims: number },
): Steps<Outputs> {
  const { tensor, type } = call.any(0);
  const along = call.axis(axis, tensor.rank);
  const length = tensor.shape[along];
  const given = call.has(1) ? yield* call.integers(1) : undefined;
  const single = given !== undefined && call.tensor(1).rank === 0;
  const each = given === undefined ? 1 : given[0];
  if (single && each < 1) throw call.error(`pieces of ${each} elements`);
  const lengths =
    given === undefined || single
      ? Array.from({ length: Math.ceil(length / each) }, (_, i) => Math.min(each, length - i * each))
      : given;
  let start = 0;
  return sequence(
    lengths.map((size) => {
      const range: Range = given === undefined && keepdims === 0 ? start : [start, start + size];
      start += size;
      return tensorValue(type, slice(tensor, ...tensor.shape.map((_, i): Range => (i === along ? range : null))));
    }),
  );
}

function tensors(call: Call, items: readonly Value[]): readonly TensorValue[] {
  return items.map((item) => {
    if (item.kind === "tensor") return item;
    throw call.error("the list holds something else than tensors");
  });
}

export const control: OpTable = {
  If: [
    define({
      since: 1,
      attributes: { then_branch: required(graph()), else_branch: required(graph()) },
      known: [0],
      *build(call, { then_branch, else_branch }) {
        return yield* call.run((yield* call.number(0)) !== 0 ? then_branch : else_branch, []);
      },
    }),
  ],
  Loop: [define({ since: 1, attributes: { body: required(graph()) }, known: [0, 1], build: loop })],
  Scan: [
    define({
      since: 8,
      attributes: { body: required(graph()), num_scan_inputs: required(int()), directions: ints() },
      known: [0],
      build: scanSamples,
    }),
    define({
      since: 9,
      attributes: {
        body: required(graph()),
        num_scan_inputs: required(int()),
        scan_input_axes: ints(),
        scan_input_directions: ints(),
        scan_output_axes: ints(),
        scan_output_directions: ints(),
      },
      build: scan,
    }),
  ],
  SequenceEmpty: [define({ since: 11, attributes: { dtype: int() }, build: () => sequence([]) })],
  SequenceConstruct: [define({ since: 11, build: (call) => sequence(call.inputs.map((_, i) => call.value(i))) })],
  SequenceLength: [
    define({
      since: 11,
      build: (call) => tensorValue("int64", constantFrom("int64", [], Float64Array.of(itemsOf(call, 0).length))),
    }),
  ],
  SequenceAt: [
    define({
      since: 11,
      known: [1],
      *build(call) {
        const items = itemsOf(call, 0);
        return items[yield* position(call, 1, items.length, items.length - 1)];
      },
    }),
  ],
  SequenceInsert: [
    define({
      since: 11,
      known: [2],
      *build(call) {
        const items = itemsOf(call, 0);
        return sequence(items.toSpliced(yield* position(call, 2, items.length, items.length), 0, call.value(1)));
      },
    }),
  ],
  SequenceErase: [
    define({
      since: 11,
      known: [1],
      *build(call) {
        const items = itemsOf(call, 0);
        return sequence(items.toSpliced(yield* position(call, 1, items.length, items.length - 1), 1));
      },
    }),
  ],
  SplitToSequence: [
    define({ since: 11, attributes: { axis: int(0), keepdims: int(1) }, known: [1], build: splitToSequence }),
  ],
  ConcatFromSequence: [
    define({
      since: 11,
      attributes: { axis: required(int()), new_axis: int(0) },
      build: (call, { axis, new_axis: fresh }) => {
        const items = tensors(call, itemsOf(call, 0));
        if (items.length === 0) throw call.error("the list is empty");
        const parts = items.map(({ tensor }) => tensor);
        const along = call.axis(axis, parts[0].rank + (fresh === 0 ? 0 : 1));
        return tensorValue(items[0].type, fresh === 0 ? concat(parts, along) : stack(parts, along));
      },
    }),
  ],
  OptionalHasElement: [define({ since: 15, build: (call) => flag(call.has(0) && call.value(0).kind !== "nothing") })],
  OptionalGetElement: [
    define({
      since: 15,
      build: (call) => {
        const value = call.value(0);
        if (value.kind === "nothing") throw call.error("the optional value is not there");
        return value;
      },
    }),
  ],
};
