/** Fused elementwise work: the step, and how a fused group becomes one. */

import type { DType } from "../../../core/dtype.js";
import { FoveaError, UnsupportedOpError } from "../../../core/errors.js";
import { broadcastStrides, sizeOf } from "../../../core/shape.js";
import type { ElementwiseInstruction, ElementwiseWork } from "../../backend.js";
import { dtypeCodes, type ElementwiseFields, i32, list, maxRank, row, type ValuesOf } from "../fields.js";
import { type InstructionName, instructions, operandModes, type records } from "../records.js";
import { mergeAxes } from "./axes.js";

export const elementwiseSteps = {
  /** `count` elements, seen as `rank` axes of lengths `dims` by strided inputs. */
  elementwise: {
    count: i32,
    rank: i32,
    dims: row(maxRank),
    registers: i32,
    inputs: list("inputOperand"),
    outputs: list("outputOperand"),
    instructions: list("instruction"),
  },
} as const;

/** What kernels/elementwise.c has room for. */
const limits = { inputs: 32, outputs: 16, registers: 256 } as const;

type Table = ReadonlyMap<string, InstructionName>;

const sameName: InstructionName[] = [
  "add",
  "subtract",
  "multiply",
  "divide",
  "maximum",
  "minimum",
  "power",
  "negate",
  "absolute",
  "sign",
  "floor",
  "exp",
  "log",
  "expm1",
  "log1p",
  "erf",
  "sqrt",
  "sin",
  "cos",
  "tanh",
  "sigmoid",
  "relu",
  "equal",
  "notEqual",
  "less",
  "lessEqual",
];

const onBytes: readonly [string, InstructionName][] = [
  ["maximum", "maximumInt"],
  ["minimum", "minimumInt"],
  ["equal", "equalInt"],
  ["notEqual", "notEqualInt"],
  ["less", "lessInt"],
  ["lessEqual", "lessEqualInt"],
  ["where", "selectInt"],
];

/** The instruction for an op, by the type of its operands (of `where`, of the values it chooses from). */
const instructionFor: Readonly<Record<DType, Table>> = {
  float32: new Map<string, InstructionName>([...sameName.map((name) => [name, name] as const), ["where", "select"]]),
  int32: new Map<string, InstructionName>([
    ...onBytes,
    ["add", "addInt"],
    ["subtract", "subtractInt"],
    ["multiply", "multiplyInt"],
    ["quotient", "quotientInt"],
    ["negate", "negateInt"],
    ["absolute", "absoluteInt"],
    ["sign", "signInt"],
  ]),
  uint8: new Map(onBytes),
  bool: new Map<string, InstructionName>([...onBytes, ["and", "and"], ["or", "or"], ["not", "not"]]),
};

/** Types of one byte are int32 lanes already, within their range. */
const castFrom: Readonly<Record<DType, Readonly<Record<DType, readonly InstructionName[]>>>> = {
  float32: { float32: [], int32: ["floatToInt"], uint8: ["floatToInt", "toUint8"], bool: ["floatToBool"] },
  int32: { float32: ["intToFloat"], int32: [], uint8: ["toUint8"], bool: ["toBool"] },
  uint8: { float32: ["intToFloat"], int32: [], uint8: [], bool: ["toBool"] },
  bool: { float32: ["intToFloat"], int32: [], uint8: [], bool: [] },
};

/** Instructions that compute an op one after the other; none where the operand already is the result. */
function instructionsFor({ op, operandTypes, dtype }: ElementwiseInstruction): readonly InstructionName[] {
  if (op === "cast") return castFrom[operandTypes[0]][dtype];
  const type = operandTypes[op === "where" ? 1 : 0];
  const name = instructionFor[type].get(op);
  if (name === undefined) {
    const cast = type === "float32" ? "" : "cast() to float32 first, or ";
    throw new UnsupportedOpError(
      `${op}: native and wasm have no kernel for it with ${type}. Fix: ${cast}the reference device, which has all.`,
    );
  }
  return [name];
}

/** An instruction whose operands and result are values: inputs first, then one for each instruction. */
interface Assignment {
  readonly name: InstructionName;
  readonly operands: readonly number[];
  readonly result: number;
}

/** The step that computes a fused group, on its own or as another step's epilogue. */
export function lowerElementwise(work: ElementwiseWork): ElementwiseFields {
  const { inputs, axes } = placeInputs(work);
  const { assignments: single, outputs } = assign(work);
  const assignments = pairUp(single, outputs);
  const { registerOf, registers } = allocate(inputs.length, assignments, outputs);
  if (inputs.length > limits.inputs || outputs.length > limits.outputs || registers > limits.registers) {
    throw new FoveaError(
      "FOVEA_INTERNAL",
      `an elementwise group of ${inputs.length} inputs, ${outputs.length} outputs and ${registers} registers is too large`,
    );
  }
  return {
    count: sizeOf(work.shape),
    rank: axes.length,
    dims: axes,
    registers,
    inputs,
    outputs: work.outputs.map(({ operand }, i) => ({
      buffer: operand.buffer,
      dtype: dtypeCodes[operand.dtype],
      source: registerOf[outputs[i]],
    })),
    instructions: assignments.map(({ name, operands, result }) => {
      const [a, b = a, c = a, d = a] = operands.map((value) => registerOf[value]);
      return { opcode: opcodes[name], target: registerOf[result], a, b, c, d };
    }),
  };
}

const opcodes = Object.fromEntries(Object.keys(instructions).map((name, i) => [name, i])) as Readonly<
  Record<InstructionName, number>
>;

type InputOperand = ValuesOf<(typeof records)["inputOperand"]>;

/** How each input is read, and the axes of those that are stretched. */
function placeInputs({ shape, inputs }: ElementwiseWork): { inputs: InputOperand[]; axes: readonly number[] } {
  const count = sizeOf(shape);
  const modes = inputs.map((operand): keyof typeof operandModes => {
    const size = sizeOf(operand.shape);
    if (size === count) return "contiguous";
    return size === 1 ? "scalar" : "strided";
  });
  const stretched = inputs.filter((_, i) => modes[i] === "strided");
  const walk = mergeAxes(
    "elementwise",
    stretched.length === 0 ? [] : shape,
    stretched.map((operand) => broadcastStrides(operand.shape, shape)),
  );
  const strides = walk.strides.values();
  return {
    axes: walk.dims,
    inputs: inputs.map(({ buffer, dtype }, i) => ({
      buffer,
      dtype: dtypeCodes[dtype],
      mode: operandModes[modes[i]],
      offset: 0,
      strides: modes[i] === "strided" ? (strides.next().value ?? []) : [],
    })),
  };
}

/** Maps ops to instructions and leaves out those that no output needs. `outputs` are values. */
function assign(work: ElementwiseWork): { assignments: Assignment[]; outputs: number[] } {
  const all: Assignment[] = [];
  // The machine's value for each of the work's: casts may take none or two instructions.
  const values = work.inputs.map((_, i) => i);
  let next = values.length;
  const known = new Map<string, number>();
  for (const instruction of work.instructions) {
    let operands = instruction.operands.map((operand) => values[operand]);
    for (const name of instructionsFor(instruction)) {
      // What is computed for several users (graph/recompute.ts) may be the same here.
      const key = `${name} ${operands}`;
      const result = known.get(key) ?? next++;
      if (!known.has(key)) all.push({ name, operands, result });
      known.set(key, result);
      operands = [result];
    }
    values.push(operands[0]);
  }
  const outputs = work.outputs.map(({ value }) => values[value]);
  const needed = new Set(outputs);
  const assignments = all
    .reverse()
    .filter(({ result, operands }) => {
      if (!needed.has(result)) return false;
      for (const operand of operands) needed.add(operand);
      return true;
    })
    .reverse();
  return { assignments, outputs };
}

/** Instructions that do two: what the first is, the second, and as which of its operands it may take the first's result. */
const pairs: readonly (readonly [
  first: InstructionName,
  second: InstructionName,
  at: readonly number[],
  pair: InstructionName,
])[] = [
  ["multiply", "add", [0, 1], "multiplyAdd"],
  ["multiply", "subtract", [0], "multiplySubtract"],
  ["multiply", "subtract", [1], "subtractProduct"],
  ["multiply", "multiply", [0, 1], "multiplyMultiply"],
  ["add", "multiply", [0, 1], "addMultiply"],
  ["subtract", "multiply", [0, 1], "subtractMultiply"],
  ["minimum", "maximum", [0], "clamp"],
  ["less", "select", [0], "selectLess"],
  ["lessEqual", "select", [0], "selectLessEqual"],
];

/** Does two instructions as one where only the second needs what the first computes: most of their time is loading and storing. */
function pairUp(assignments: readonly Assignment[], outputs: readonly number[]): readonly Assignment[] {
  const uses = new Map<number, number>();
  for (const value of [...outputs, ...assignments.flatMap(({ operands }) => operands)])
    uses.set(value, (uses.get(value) ?? 0) + 1);
  const byResult = new Map<number, Assignment>();
  for (const second of assignments) {
    byResult.set(second.result, second);
    for (const [firstName, secondName, places, name] of pairs) {
      const at = places.find((place) => {
        const operand = second.operands[place];
        return uses.get(operand) === 1 && byResult.get(operand)?.name === firstName;
      });
      const first = byResult.get(second.operands[at ?? -1]);
      if (second.name !== secondName || first === undefined) continue;
      byResult.delete(first.result);
      const others = second.operands.filter((_, place) => place !== at);
      byResult.set(second.result, { name, operands: [...first.operands, ...others], result: second.result });
      break;
    }
  }
  return [...byResult.values()];
}

/**
 * Registers for all values: inputs and outputs have one to themselves, since they may stand for memory; temporaries
 * take one that is no longer needed.
 */
function allocate(
  inputs: number,
  assignments: readonly Assignment[],
  outputs: readonly number[],
): { registerOf: number[]; registers: number } {
  const registerOf = Array.from({ length: inputs }, (_, i) => i);
  let registers = inputs;
  const lastUse = new Map<number, number>();
  for (const [at, { operands }] of assignments.entries()) for (const operand of operands) lastUse.set(operand, at);
  const kept = new Set(outputs);
  const free: number[] = [];
  for (const [at, { operands, result }] of assignments.entries()) {
    for (const operand of new Set(operands)) {
      if (operand >= inputs && !kept.has(operand) && lastUse.get(operand) === at) free.push(registerOf[operand]);
    }
    registerOf[result] = (kept.has(result) ? undefined : free.pop()) ?? registers++;
  }
  return { registerOf, registers };
}
