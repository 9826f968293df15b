/** Recurrent networks, laid out step by step. */

import type { Shape } from "../../../core/shape.js";
import type { Tensor } from "../../../graph/tensor.js";
import { zeros } from "../../../ops/create.js";
import { elu, leakyRelu, softplus, softsign } from "../../../ops/elementwise/activations.js";
import { add, clip, mul, sub } from "../../../ops/elementwise/arithmetic.js";
import { greater } from "../../../ops/elementwise/comparison.js";
import { relu, sigmoid, tanh } from "../../../ops/elementwise/functions.js";
import { where } from "../../../ops/elementwise/select.js";
import { matmul } from "../../../ops/linear/matmul.js";
import { stack } from "../../../ops/shape/concat.js";
import { permute, transpose } from "../../../ops/shape/permute.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { slice } from "../../../ops/shape/slice.js";
import type { Call } from "../call.js";
import { type Definition, define, float, floats, int, type OpTable, string, strings } from "../definition.js";
import { type TensorValue, tensorValue } from "../value.js";

type Activation = (x: Tensor) => Tensor;

/** Activations by their names; two numbers set those that have settings. */
const activations: Readonly<Record<string, (alpha: number | undefined, beta: number | undefined) => Activation>> = {
  sigmoid: () => sigmoid,
  tanh: () => tanh,
  relu: () => relu,
  softsign: () => softsign,
  softplus: () => (x) => softplus(x),
  affine:
    (alpha = 1, beta = 0) =>
    (x) =>
      add(mul(x, alpha), beta) as Tensor,
  leakyrelu:
    (alpha = 0.01) =>
    (x) =>
      leakyRelu(x, alpha),
  thresholdedrelu:
    (alpha = 1) =>
    (x) =>
      where(greater(x, alpha), x, 0) as Tensor,
  scaledtanh:
    (alpha = 1, beta = 1) =>
    (x) =>
      mul(tanh(mul(x, beta) as Tensor), alpha) as Tensor,
  hardsigmoid:
    (alpha = 0.2, beta = 0.5) =>
    (x) =>
      clip(add(mul(x, alpha), beta) as Tensor, 0, 1),
  elu:
    (alpha = 1) =>
    (x) =>
      elu(x, alpha),
};

interface RecurrentSettings {
  readonly activation_alpha: readonly number[] | undefined;
  readonly activation_beta: readonly number[] | undefined;
  readonly activations: readonly string[] | undefined;
  readonly clip: number | undefined;
  readonly direction: string;
  readonly hidden_size: number | undefined;
  readonly layout: number;
}

/** What one step makes of its input and of what it remembers; the first of the new memory is the step's output. */
type Step = (x: Tensor, memory: readonly Tensor[]) => readonly Tensor[];

/** A kind of network: how many gates it has, the activations it takes, how many tensors it remembers. */
interface Kind {
  readonly gates: number;
  readonly activations: readonly string[];
  readonly memories: number;
  /** @param gate x · W + h · R + b of a gate, of which either product may be left out */
  readonly step: (parts: Parts) => Step;
}

interface Parts {
  readonly act: readonly Activation[];
  /** x · Wᵀ and its bias, for one gate. */
  readonly fromInput: (x: Tensor, gate: number) => Tensor;
  /** h · Rᵀ and its bias, for one gate. */
  readonly fromMemory: (h: Tensor, gate: number) => Tensor;
  /** Limits what goes into an activation. */
  readonly limit: (x: Tensor) => Tensor;
  /** Weights from the cell to a gate, LSTM's "peepholes". */
  readonly peephole: (gate: number) => Tensor | undefined;
  readonly option: number;
}

const sum = (a: Tensor, b: Tensor): Tensor => add(a, b) as Tensor;
const product = (a: Tensor, b: Tensor): Tensor => mul(a, b) as Tensor;

const plain: Kind = {
  gates: 1,
  activations: ["Tanh"],
  memories: 1,
  step:
    ({ act, fromInput, fromMemory, limit }) =>
    (x, [h]) => [act[0](limit(sum(fromInput(x, 0), fromMemory(h, 0))))],
};

/** Gates: update, reset, candidate. With the option, the reset gate acts on what memory gives, not on memory. */
const gru: Kind = {
  gates: 3,
  activations: ["Sigmoid", "Tanh"],
  memories: 1,
  step:
    ({ act, fromInput, fromMemory, limit, option }) =>
    (x, [h]) => {
      const update = act[0](limit(sum(fromInput(x, 0), fromMemory(h, 0))));
      const reset = act[0](limit(sum(fromInput(x, 1), fromMemory(h, 1))));
      const recalled = option === 0 ? fromMemory(product(reset, h), 2) : product(reset, fromMemory(h, 2));
      const candidate = act[1](limit(sum(fromInput(x, 2), recalled)));
      return [sum(product(sub(1, update) as Tensor, candidate), product(update, h))];
    },
};

/** Gates: input, output, forget, cell. With the option, what is not let in is forgotten. */
const lstm: Kind = {
  gates: 4,
  activations: ["Sigmoid", "Tanh", "Tanh"],
  memories: 2,
  step:
    ({ act, fromInput, fromMemory, limit, peephole, option }) =>
    (x, [h, c]) => {
      const gate = (number: number, cell: Tensor) => {
        const total = sum(fromInput(x, number), fromMemory(h, number));
        const weight = peephole(number);
        return act[0](limit(weight === undefined ? total : sum(total, product(weight, cell))));
      };
      const input = gate(0, c);
      const forget = option === 0 ? gate(2, c) : (sub(1, input) as Tensor);
      const candidate = act[1](limit(sum(fromInput(x, 3), fromMemory(h, 3))));
      const cell = sum(product(forget, c), product(input, candidate));
      return [product(gate(1, cell), act[2](cell)), cell];
    },
};

/** Inputs: x, W, R, bias, lengths, first memory …; peepholes last. */
function run(call: Call, kind: Kind, settings: RecurrentSettings, option: number): TensorValue[] {
  const batchFirst = settings.layout !== 0;
  const x = batchFirst ? permute(call.float(0), [1, 0, 2]) : call.float(0);
  const [steps, batch] = x.shape;
  const hidden = call.shape(2)[2];
  const directions = settings.direction === "bidirectional" ? 2 : 1;
  if (!["forward", "reverse", "bidirectional"].includes(settings.direction))
    throw call.error(
      `direction is ${JSON.stringify(settings.direction)}. Expected "forward", "reverse" or "bidirectional"`,
    );
  const results = Array.from({ length: directions }, (_, number) => {
    const backwards = settings.direction === "reverse" || number === 1;
    const initial = Array.from({ length: kind.memories }, (__, i) => {
      if (!call.has(5 + i)) return zeros([batch, hidden]) as Tensor;
      const given = call.float(5 + i);
      return batchFirst ? slice(given, null, number) : slice(given, number);
    });
    return walk(call, x, kind.step(partsOf(call, kind, settings, number, hidden, option)), initial, backwards, steps);
  });
  const type = call.type(0);
  const order = (tensor: Tensor, axes: Shape) => tensorValue(type, batchFirst ? permute(tensor, axes) : tensor);
  const all = stack(
    results.map(({ outputs }) => stack(outputs, 0)),
    1,
  );
  const last = Array.from({ length: kind.memories }, (_, i) =>
    stack(
      results.map(({ memory }) => memory[i]),
      0,
    ),
  );
  return [order(all, [2, 0, 1, 3]), ...last.map((memory) => order(memory, [1, 0, 2]))];
}

function partsOf(
  call: Call,
  kind: Kind,
  settings: RecurrentSettings,
  number: number,
  hidden: number,
  option: number,
): Parts {
  const per = kind.activations.length;
  const act = kind.activations.map((usual, i) => {
    const index = number * per + i;
    const name = (settings.activations?.[index] ?? usual).toLowerCase();
    if (!Object.hasOwn(activations, name)) throw call.error(`there is no activation ${JSON.stringify(name)}`);
    return activations[name](settings.activation_alpha?.[index], settings.activation_beta?.[index]);
  });
  const rows = (gate: number) => [gate * hidden, (gate + 1) * hidden] as const;
  const weights = (index: number) => (gate: number) => transpose(slice(call.float(index), number, rows(gate)));
  const [inputWeight, memoryWeight] = [weights(1), weights(2)];
  const bias = (gate: number) => (call.has(3) ? slice(call.float(3), number, rows(gate)) : undefined);
  const withBias = (total: Tensor, gate: number) => {
    const values = bias(gate);
    return values === undefined ? total : sum(total, values);
  };
  const bound = settings.clip;
  // Peepholes have no gate for the candidate.
  const peepholes = call.has(7) && kind === lstm ? call.float(7) : undefined;
  return {
    act,
    option,
    fromInput: (x, gate) => withBias(matmul(x, inputWeight(gate)), gate),
    fromMemory: (h, gate) => withBias(matmul(h, memoryWeight(gate)), kind.gates + gate),
    limit: (x) => (bound === undefined || bound === 0 ? x : clip(x, -bound, bound)),
    peephole: (gate) => (peepholes === undefined ? undefined : slice(peepholes, number, rows(gate))),
  };
}

function walk(
  call: Call,
  x: Tensor,
  step: Step,
  initial: readonly Tensor[],
  backwards: boolean,
  steps: number,
): { outputs: Tensor[]; memory: readonly Tensor[] } {
  const lengths = call.has(4) ? reshape(call.int(4), [-1, 1]) : undefined;
  const outputs: Tensor[] = [];
  let memory = initial;
  for (let i = 0; i < steps; i++) {
    const time = backwards ? steps - 1 - i : i;
    const next = step(slice(x, time), memory);
    // Behind a sequence's end nothing is remembered, and the output is 0.
    const going = lengths === undefined ? undefined : greater(lengths, time);
    const before = memory;
    memory = going === undefined ? next : next.map((value, k) => where(going, value, before[k]) as Tensor);
    outputs[time] = going === undefined ? next[0] : (where(going, next[0], 0) as Tensor);
  }
  return { outputs, memory };
}

const attributes = {
  activation_alpha: floats(),
  activation_beta: floats(),
  activations: strings(),
  clip: float(),
  direction: string("forward"),
  hidden_size: int(),
  layout: int(0),
};

function form(kind: Kind, optionName: string): Definition[] {
  return [
    define({
      since: 7,
      attributes: { ...attributes, [optionName]: int(0) },
      build: (call, settings) => {
        const option = (settings as Readonly<Record<string, unknown>>)[optionName];
        return run(call, kind, settings, option === 0 ? 0 : 1);
      },
    }),
  ];
}

export const recurrent: OpTable = {
  RNN: [define({ since: 7, attributes, build: (call, settings) => run(call, plain, settings, 0) })],
  GRU: form(gru, "linear_before_reset"),
  LSTM: form(lstm, "input_forget"),
};
