/** `npm run docs:ops`: writes docs/op-support.md, from the ops' declarations, the kernels' tables and the tests' lists. */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Buffer, Operand, Work } from "../src/backends/backend.js";
import { CpuCompiler } from "../src/backends/cpu/compiler.js";
import { machineOf } from "../src/backends/cpu/machines.js";
import { createReferenceDevice } from "../src/backends/reference/device.js";
import { type CheckCase, functionCases, operationCases, randomTensor } from "../src/check/catalogue/index.js";
import { type DType, sizeBytes } from "../src/core/dtype.js";
import { UnsupportedOpError } from "../src/core/errors.js";
import { RandomStream } from "../src/core/philox.js";
import { type Shape, sizeOf } from "../src/core/shape.js";
import { onWarning } from "../src/core/warnings.js";
import { setDefaultDevice } from "../src/graph/device.js";
import { inputNames, type Operation, recordCall } from "../src/graph/op.js";
import type { AnyTensor, Tensor } from "../src/graph/tensor.js";
import { configurationsPerSeed, randomOperations } from "../test/support/configurations/index.js";
import { allOperations } from "../test/support/samples.js";
import { table } from "./markdown.js";

/** Kernels are the same source for both; what a step looks like depends on the machine. */
const machines = {
  wasm: machineOf("wasm-simd", 4),
  native: machineOf("native-avx2", 4),
};

const compilers = Object.values(machines).map((machine) => new CpuCompiler(machine));
const columns = ["reference", ...Object.keys(machines)];

/** The whole document. */
export function describeOpSupport(): string {
  setDefaultDevice(createReferenceDevice());
  onWarning(() => {});
  const ops = [...allOperations].sort((a, b) => a.name.localeCompare(b.name, "en"));
  const functions = [...new Set(functionCases.map(({ name }) => name))].sort((a, b) => a.localeCompare(b, "en"));
  const heads = columns.flatMap((name) => [name, `${name}: gradient`]);
  return `# What is computed where

Made by \`npm run docs:ops\` from the declarations of the ops, the tables of the kernels and the lists of the tests; a test
says when it is out of date.

A ✓ under \`wasm\` or \`native\` says that every sample of the op was turned into steps of its kernels, and under "gradient"
that so was every op which its gradient consists of. \`reference\` computes any op by its declaration. Nothing falls back
silently: an op without a kernel is an error that names the op, the device, and where it exists.

The last three columns count tests: calls whose gradients are checked in float64 (largest error allowed: 1e-6), samples that
each device computes as the definition does, and random settings for which it does (half of them new in each run).

## Ops

${table(
  ["op", ...heads, "gradient checks", "samples", "random settings"],
  ops.map((op) => [`\`${op.name}\``, ...supportOf(op), ...testsOf(op)]),
)}

Without a gradient are

${ops.flatMap(({ name, gradient }) => (typeof gradient === "function" ? [] : [`- \`${name}\`: ${gradient.reason}`])).join("\n")}

## Functions

Made of the ops above, they are computed wherever those are. "Checks" counts calls whose gradients are checked in float64;
"made of" names the ops that these calls consist of.

${table(
  ["function", "made of", "checks"],
  functions.map((name) => {
    const cases = functionCases.filter((each) => each.name === name);
    return [`\`${name}\``, opsOf(cases).join(", ") || "a new name for the same values", String(cases.length)];
  }),
)}
`;
}

/** Two cells for each device. */
function supportOf(op: Operation): string[] {
  const samples = op.samples.map(({ inputs, params }) => {
    const random = new RandomStream(0);
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([name, input]) => [name, randomTensor(input, random)] as const),
    );
    return recordCall(op, tensors, params);
  });
  const gradients = samples.flatMap((result) => gradientOf(op, result));
  const none = typeof op.gradient === "function" ? undefined : "none";
  const cells = (computes: (node: AnyTensor) => boolean) => [
    samples.every(computes) ? "✓" : "no kernel",
    none ?? (gradients.every(computes) ? "✓" : "no kernel"),
  ];
  return [cells(() => true), ...compilers.map((compiler) => cells((node) => lowers(compiler, node)))].flat();
}

/** Everything that the gradient of a call is computed by. */
function gradientOf(op: Operation, result: AnyTensor): AnyTensor[] {
  const { origin } = result;
  if (typeof op.gradient !== "function" || origin.kind !== "computed" || result.dtype !== "float32") return [];
  const names = inputNames(op, origin.inputs.length);
  const named = Object.fromEntries(origin.inputs.map((input, i) => [names[i], input as Tensor]));
  const upstream = randomTensor(result.shape, new RandomStream(1)) as Tensor;
  const thunks = op.gradient(named, origin.params, upstream, result as Tensor);
  const roots = names.flatMap((name) => (named[name].dtype === "float32" ? (thunks[name]?.() ?? []) : []));
  return collect(roots);
}

function collect(roots: readonly AnyTensor[]): AnyTensor[] {
  const seen = new Set<AnyTensor>(roots);
  for (const { origin } of seen) if (origin.kind === "computed") for (const input of origin.inputs) seen.add(input);
  return [...seen].filter(({ origin }) => origin.kind === "computed");
}

/** Whether kernels can compute `node` from its inputs. */
function lowers(compiler: CpuCompiler, node: AnyTensor): boolean {
  const { origin } = node;
  if (origin.kind !== "computed" || origin.op.kind === "alias") return true;
  const { op, inputs, params } = origin;
  const operands = inputs.map(({ shape, dtype }) => operand(shape, dtype));
  const output = operand(node.shape, node.dtype);
  const names = inputNames(op, inputs.length);
  const work: Work =
    op.kind === "elementwise"
      ? {
          kind: "elementwise",
          shape: node.shape,
          inputs: operands,
          instructions: [
            {
              op: op.name,
              operands: operands.map((_, i) => i),
              operandTypes: inputs.map(({ dtype }) => dtype),
              dtype: node.dtype,
            },
          ],
          outputs: [{ operand: output, value: operands.length }],
        }
      : {
          kind: "op",
          op: op.name,
          inputs: Object.fromEntries(operands.map((each, i) => [names[i], each])),
          params,
          output,
          definition: op,
        };
  try {
    compiler.lower(work, {
      step: () => {},
      temporary: (bytes) => buffer(bytes),
      isKept: () => false,
      isKeptState: () => false,
    });
    return true;
  } catch (error) {
    if (error instanceof UnsupportedOpError) return false;
    throw error;
  }
}

let buffers = 0;

function buffer(bytes: number): Buffer {
  return { id: buffers++, bytes, slot: 0, offset: 0 };
}

function operand(shape: Shape, dtype: DType): Operand {
  return { buffer: buffer(sizeBytes(dtype, sizeOf(shape))), shape, dtype };
}

function testsOf(op: Operation): string[] {
  const checks = [...operationCases, ...functionCases].filter(({ name }) => name === op.name).length;
  const random = randomOperations.some((each) => each.op === op) ? 2 * configurationsPerSeed : 0;
  return [
    typeof op.gradient === "function" ? String(checks) : "none",
    String(op.samples.length),
    op.kind === "alias" ? "computes nothing" : String(random),
  ];
}

/** Names of the ops that calls of a function consist of. */
function opsOf(cases: readonly CheckCase[]): string[] {
  const names = cases.flatMap(({ fn, inputs }) => {
    const random = new RandomStream(0);
    const result = fn(...(inputs.map((input) => randomTensor(input, random)) as never[]));
    const results: readonly AnyTensor[] = Array.isArray(result) ? result : [result];
    return collect(results).flatMap(({ origin }) => (origin.kind === "computed" ? [origin.op] : []));
  });
  return [...new Set(names.filter(({ kind }) => kind !== "alias").map(({ name }) => name))].sort();
}

export const opSupportFile = fileURLToPath(new URL("../../docs/op-support.md", import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(opSupportFile, describeOpSupport());
  process.stdout.write(`written: ${opSupportFile}\n`);
}
